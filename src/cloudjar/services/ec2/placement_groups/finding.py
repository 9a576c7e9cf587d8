"""The placement group of a launch, and whether its strategy lets the launch be.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-strategies.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.placement_groups.records import PlacementGroup
from cloudjar.spec import instance_types

SPREAD_PER_ZONE = 7
"""Running instances that a spread group has room for in an Availability Zone."""


class Place(NamedTuple):
    """Where in a placement group an instance is; `partition` 0: the group has none."""

    group: str = ""
    id: str = ""
    partition: int = 0


def by_id(ctx: Ctx, key: str) -> PlacementGroup:
    """The group with an id; raises InvalidPlacementGroupId.Malformed or InvalidPlacementGroup.Unknown."""
    if not key.startswith("pg-"):
        raise errors.malformed("InvalidPlacementGroupId.Malformed", key, "pg")
    found = ctx.db[PlacementGroup].all(id=key)
    if not found:
        raise AwsError("InvalidPlacementGroup.Unknown", f"The Placement Group '{key}' is unknown.")
    return found[0]


def group_of(ctx: Ctx, asked: Mapping[str, Any]) -> PlacementGroup | None:
    """The group that a Placement names by name or id."""
    name, key = asked.get("GroupName"), asked.get("GroupId")
    if name and key:
        raise errors.combination("You cannot specify both GroupName and GroupId in the same request.")
    if key:
        return by_id(ctx, key)
    return ctx.db[PlacementGroup].need(name) if name else None


def places(ctx: Ctx, asked: Mapping[str, Any], kind: str, zone: str, count: int) -> list[Place]:
    """A place for each of `count` instances of a type in a zone; raises when the group cannot take them."""
    group = group_of(ctx, asked)
    partition = asked.get("PartitionNumber")
    if group is None:
        if partition:
            raise errors.combination("The parameter PartitionNumber needs a partition placement group.")
        return [Place()] * count
    supported = instance_types.facts(kind).get("PlacementGroupInfo", {}).get("SupportedStrategies", [])
    if group.strategy not in supported:
        raise errors.combination(
            f"{group.strategy.capitalize()} placement groups are not supported by the '{kind}' instance type. Specify "
            "a supported instance type or change the placement group strategy, and try again."
        )
    members = [vm for vm in ctx.db[Instance].all() if vm.placement_group == group.name and vm.alive]
    if group.strategy == "partition":
        return _partitions(group, partition, members, count)
    if partition:
        raise errors.combination("The parameter PartitionNumber needs a partition placement group.")
    if group.strategy == "cluster":
        _one_zone(group, members, zone)
    else:
        _room(group, members, zone, count)
    return [Place(group.name, group.id)] * count


def _one_zone(group: PlacementGroup, members: list[Instance], zone: str) -> None:
    held = next((vm.zone for vm in members if vm.state in ("pending", "running")), zone)
    if held != zone:
        raise errors.combination(
            f"The cluster placement group '{group.name}' has instances in the Availability Zone {held}; it cannot have "
            f"others in {zone}."
        )


def _room(group: PlacementGroup, members: list[Instance], zone: str, count: int) -> None:
    here = sum(1 for vm in members if vm.zone == zone and vm.state in ("pending", "running"))
    if here + count > SPREAD_PER_ZONE:
        raise AwsError(
            "InsufficientInstanceCapacity",
            f"The spread placement group '{group.name}' has no room for {count} more instances in {zone}.",
            500,
        )


def _partitions(group: PlacementGroup, asked: int | None, members: list[Instance], count: int) -> list[Place]:
    """The partition asked for, or for each the one with the fewest instances."""
    if asked is not None and not 1 <= asked <= group.partitions:
        raise errors.invalid_parameter(
            asked, "partitionNumber", f"The placement group has {group.partitions} partitions."
        )
    held = {number: sum(1 for vm in members if vm.partition == number) for number in range(1, group.partitions + 1)}
    found = []
    for _ in range(count):
        number = asked or min(held, key=lambda n: (held[n], n))
        held[number] += 1
        found.append(Place(group.name, group.id, number))
    return found
