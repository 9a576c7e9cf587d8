"""The regions that an account can be used in: most always, the newer ones when it has opted in.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit import accounts
from cloudjar.kit.accounts import OptedRegion, RegionState
from cloudjar.kit.context import Ctx
from cloudjar.services.account import errors
from cloudjar.services.account.access import operation
from cloudjar.services.account.life import LIFE
from cloudjar.spec import regions


def _state(ctx: Ctx, number: str, name: str) -> RegionState:
    if name not in regions.NAMES:
        raise errors.no_region(name)
    return accounts.region_state(ctx.db, number, name, ctx.world.settings["region"])


@operation("ListRegions")
def list_regions(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Every region, or those in some states."""
    wanted = req.get("RegionOptStatusContains")
    rows = [(region.name, _state(ctx, number, region.name)) for region in regions.regions()]
    found = [{"RegionName": name, "RegionOptStatus": state} for name, state in rows if not wanted or state in wanted]
    return {"Regions": found}


@operation("GetRegionOptStatus")
def get_region_opt_status(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """One region."""
    return {"RegionName": req["RegionName"], "RegionOptStatus": _state(ctx, number, req["RegionName"])}


@operation("EnableRegion")
def enable_region(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Opt in."""
    _change(ctx, number, req["RegionName"], "ENABLED", "ENABLING")
    return {}


@operation("DisableRegion")
def disable_region(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Opt out: what is there stays, and nobody can reach it."""
    _change(ctx, number, req["RegionName"], "DISABLED", "DISABLING")
    return {}


def _change(ctx: Ctx, number: str, name: str, wanted: RegionState, by_way_of: RegionState) -> None:
    state = _state(ctx, number, name)
    if state == "ENABLED_BY_DEFAULT" or name == ctx.world.settings["region"]:
        raise errors.always_there(name)
    if state in ("ENABLING", "DISABLING"):
        raise errors.region_changes(name)
    if state == wanted:
        return
    table = ctx.db.at(number, "")[OptedRegion]
    found = table.get(name) or table.add(OptedRegion(name=name, state=state))
    LIFE.move(ctx, found, by_way_of)
