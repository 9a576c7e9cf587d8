"""Schedules and groups by what requests call them."""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.services.scheduler import errors
from cloudjar.services.scheduler.records import DEFAULT, Group, Schedule


def group(ctx: Ctx, name: str | None) -> Group:
    """A group; each account has a default one in every Region. Raises ResourceNotFoundException."""
    name = name or DEFAULT
    found = ctx.db[Group].get(name)
    if found is None and name == DEFAULT:
        return Group(name=DEFAULT, account=ctx.account, region=ctx.region)
    if found is None:
        raise errors.no_group(name)
    return found


def schedule(ctx: Ctx, group_name: str | None, name: str) -> Schedule:
    """A schedule; raises ResourceNotFoundException."""
    found = ctx.db[Schedule].get(f"{group_name or DEFAULT}/{name}")
    if found is None:
        raise errors.no_schedule(name)
    return found
