"""Pools: a type in a zone, of what a fleet may launch; and in which order a strategy takes them.

Pools have as much capacity as this host and the quotas: so strategies that ask AWS for the pools with the most of it
take them in the order of the request, or of its priorities.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-allocation-strategy.html
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import inf
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.fleets import requirements
from cloudjar.services.ec2.fleets.records import Goal, Source
from cloudjar.services.ec2.images.catalogue import find_image
from cloudjar.services.ec2.launch_templates.merging import complete, named_version
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.spot import prices
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.spec import instance_types, regions

SPOT, ON_DEMAND = "spot", "on-demand"


class Pool(NamedTuple):
    """`place` are members of RunInstances that say where; `price` is None where none is known."""

    source: int
    override: dict[str, Any]
    kind: str
    zone: str
    place: dict[str, Any]
    weight: float
    priority: float
    price: Decimal | None
    max_price: str

    @property
    def unit_price(self) -> Decimal:
        """Dollars an hour of a unit of capacity; unknown prices come last."""
        return Decimal("Infinity") if self.price is None else self.price / Decimal(str(self.weight))


def pools(ctx: Ctx, sources: Sequence[Source], goal: Goal, market: str) -> list[Pool]:
    """Every pool of a market, in the order of the request."""
    found: list[Pool] = []
    for number, source in enumerate(sources):
        base = complete(ctx, dict(source.launch))
        if source.launch.get("LaunchTemplate"):
            _, version = named_version(ctx, source.launch["LaunchTemplate"])
            base = {**base, "InstanceRequirements": version.data.get("InstanceRequirements")}
        for override in source.overrides or ({},):
            found += _of_override(ctx, number, base, override, goal, market)
    return found


def _of_override(
    ctx: Ctx, number: int, base: Mapping[str, Any], override: Mapping[str, Any], goal: Goal, market: str
) -> Iterator[Pool]:
    for zone, place in _places(ctx, base, override):
        for kind in _kinds(ctx, base, override, zone, market):
            if kind not in instance_types.offered(ctx.region).get(zone.id, frozenset((kind,))):
                continue
            known = prices.spot(ctx.region, zone.id, kind) if market == SPOT else prices.on_demand(ctx.region, kind)
            yield Pool(
                number,
                dict(override),
                kind,
                zone.name,
                place,
                _weight(override, goal, kind),
                inf if override.get("Priority") is None else float(override["Priority"]),
                known,
                override.get("MaxPrice") or goal.max_price,
            )


def _weight(override: Mapping[str, Any], goal: Goal, kind: str) -> float:
    if goal.unit == "vcpu":
        return float(instance_types.size(kind).vcpus)
    if goal.unit == "memory-mib":
        return float(instance_types.size(kind).memory_mib)
    return float(override.get("WeightedCapacity") or 1)


def _kinds(
    ctx: Ctx, base: Mapping[str, Any], override: Mapping[str, Any], zone: regions.Zone, market: str
) -> list[str]:
    """The type that is named, or all that meet the requirements at a price that is not too far off."""
    required = override.get("InstanceRequirements")
    if override.get("InstanceType") or not (required or base.get("InstanceRequirements")):
        return [override.get("InstanceType") or base.get("InstanceType") or "m1.small"]
    asked = required or base["InstanceRequirements"]
    image = find_image(ctx, override.get("ImageId") or base.get("ImageId") or "")
    architecture = image.architecture if image is not None else "x86_64"
    names = requirements.matching(ctx.region, [architecture], ["hvm"], asked)
    return requirements.affordable(ctx.region, zone.id, names, asked, spot=market == SPOT)


def _places(
    ctx: Ctx, base: Mapping[str, Any], override: Mapping[str, Any]
) -> Iterator[tuple[regions.Zone, dict[str, Any]]]:
    """The zones where an override may be, and how RunInstances is told."""
    zones = {zone.name: zone for zone in regions.zones(ctx.region, ctx.account)}
    own = {**(base.get("Placement") or {}), **(override.get("Placement") or {})}
    cards = base.get("NetworkInterfaces") or []
    subnets = [key for key in (override.get("SubnetId") or "").replace(" ", "").split(",") if key]
    held = base.get("SubnetId") or (cards[0].get("SubnetId") if cards else None)
    for key in subnets or ([held] if held else []):
        zone = zones[need(ctx, Subnet, key).zone]
        if cards:
            first, *others = cards
            yield zone, {"NetworkInterfaces": [{**first, "SubnetId": key}, *others], **_placed(own)}
        else:
            yield zone, {"SubnetId": key, **_placed(own)}
    if subnets or held:
        return
    for name in _zone_names(override, own, list(zones.values())):
        if name not in zones:
            raise errors.invalid_value(f"Invalid availability zone: [{name}]")
        rest = {k: v for k, v in own.items() if k != "AvailabilityZoneId"}
        yield zones[name], {"Placement": {**rest, "AvailabilityZone": name}}


def _placed(own: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in own.items() if not name.startswith("AvailabilityZone")}
    return {"Placement": rest} if rest else {}


def _zone_names(override: Mapping[str, Any], own: Mapping[str, Any], zones: list[regions.Zone]) -> list[str]:
    keys = override.get("AvailabilityZoneId") or own.get("AvailabilityZoneId")
    if keys:
        wanted = keys.replace(" ", "").split(",")
        return [zone.name for zone in zones if zone.id in wanted] or wanted
    named = override.get("AvailabilityZone") or own.get("AvailabilityZone")
    return named.replace(" ", "").split(",") if named else [zone.name for zone in zones]


# -- strategies
def in_order(found: Sequence[Pool], strategy: str) -> list[Pool]:
    """Pools as a strategy takes them; those that cost the same as they were asked for."""
    if strategy in ("prioritized", "capacity-optimized-prioritized"):
        return sorted(found, key=lambda pool: pool.priority)
    if strategy in ("lowest-price", "price-capacity-optimized"):
        return sorted(found, key=lambda pool: pool.unit_price)
    return list(found)


def shares(found: Sequence[Pool], strategy: str, number: int, need_units: float) -> list[tuple[Pool, int]]:
    """How many instances of each pool are launched first, so that they make up `need_units`: of one pool, or spread
    over the `number` cheapest, or over all."""
    ordered = in_order(found, strategy)
    if not ordered:
        return []
    width = len(ordered) if strategy == "diversified" else number if strategy == "lowest-price" else 1
    chosen = ordered[: max(min(width, len(ordered)), 1)]
    counts = [0] * len(chosen)
    left, emptiest = need_units, [(0.0, index) for index in range(len(chosen))]
    while left > 0:
        held, index = emptiest[0]
        weight = chosen[index].weight
        heapq.heapreplace(emptiest, (held + weight, index))
        counts[index] += 1
        left -= weight
    return [(pool, count) for pool, count in zip(chosen, counts, strict=True) if count]


def narrowed(ordered: Sequence[Pool], single_type: bool, single_zone: bool) -> list[Pool]:
    """The pools of one type, of one zone: those of the first."""
    if not ordered:
        return []
    first = ordered[0]
    return [
        pool
        for pool in ordered
        if (not single_type or pool.kind == first.kind) and (not single_zone or pool.zone == first.zone)
    ]


def nothing() -> AwsError:
    """No type in no zone is what was asked for."""
    return AwsError("InvalidParameterValue", "No instance types in the Region match the launch specifications.")
