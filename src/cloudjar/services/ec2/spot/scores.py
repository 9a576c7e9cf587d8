"""How likely a capacity is to be had on the spot market, from 1 to 10.

Capacity is endless here, so a score says what AWS's says of a request and not of a moment: whether the types are there,
and whether there are enough of them to choose among (three; fewer get a low score).
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-placement-score.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.fleets import requirements
from cloudjar.spec import instance_types, regions

_SHOWN = 10
"""AWS tells of the ten best places."""
_ENOUGH, _LOW, _HIGH, _NONE = 3, 3, 9, 1


@op("GetSpotPlacementScores")
def get_spot_placement_scores(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Scores of Regions, or of their zones."""
    named, asked = req.get("InstanceTypes") or [], req.get("InstanceRequirementsWithMetadata") or {}
    if bool(named) == bool(asked):
        raise errors.combination("Specify either InstanceTypes or InstanceRequirementsWithMetadata.")
    if req["TargetCapacity"] < 1:
        raise errors.invalid_parameter(req["TargetCapacity"], "targetCapacity", "It must be greater than 0.")
    errors.refuse(req, "IncludeLocalZones")
    for kind in named:
        if not instance_types.exists(kind):
            raise errors.invalid_value(f"Invalid value '{kind}' for InstanceType.")
    scored: list[dict[str, Any]] = []
    for region in _regions(ctx, req):
        kinds = set(named) or set(_matching(region, asked))
        scored += _places(ctx, region, kinds, zones=bool(req.get("SingleAvailabilityZone")))
    scored.sort(key=lambda one: (-one["Score"], one["Region"], one.get("AvailabilityZoneId") or ""))
    return {"SpotPlacementScores": scored[:_SHOWN]}


def _regions(ctx: Ctx, req: dict[str, Any]) -> list[str]:
    everywhere = {region.name for region in regions.regions()}
    known = [region.name for region in regions.regions() if region.opt_in_status == "opt-in-not-required"]
    wanted = list(dict.fromkeys(req.get("RegionNames") or known))
    for name in wanted:
        if name not in everywhere:
            raise errors.invalid_value(f"Invalid value '{name}' for regionNames.")
    return wanted


def _matching(region: str, asked: dict[str, Any]) -> list[str]:
    if not asked.get("InstanceRequirements"):
        raise errors.missing_one("InstanceRequirementsWithMetadata.InstanceRequirements")
    return requirements.matching(
        region, asked.get("ArchitectureTypes") or ["x86_64"], asked.get("VirtualizationTypes") or ["hvm"],
        asked["InstanceRequirements"],
    )  # fmt: skip


def _places(ctx: Ctx, region: str, kinds: set[str], *, zones: bool) -> list[dict[str, Any]]:
    offered = {zone.id: _on_spot(kinds & instance_types.offered(region).get(zone.id, frozenset(kinds)))
               for zone in regions.zones(region, ctx.account)}  # fmt: skip
    if zones:
        return [{"Region": region, "AvailabilityZoneId": key, "Score": _score(here)} for key, here in offered.items()]
    return [{"Region": region, "Score": _score(set().union(*offered.values()))}]


def _on_spot(kinds: set[str] | frozenset[str]) -> set[str]:
    return {kind for kind in kinds if "spot" in instance_types.facts(kind).get("SupportedUsageClasses", ())}


def _score(kinds: set[str]) -> int:
    if not kinds:
        return _NONE
    return _HIGH if len(kinds) >= _ENOUGH else _LOW
