"""Create, describe and delete placement groups.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-groups.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.services.ec2.placement_groups.finding import by_id
from cloudjar.services.ec2.placement_groups.records import PER_REGION, PlacementGroup

FILTERS = by_path(
    {
        "group-name": "GroupName",
        "group-arn": "GroupArn",
        "spread-level": "SpreadLevel",
        "state": "State",
        "strategy": "Strategy",
    }
)
_PARTITIONS, _MOST_PARTITIONS = 2, 7


@op("CreatePlacementGroup")
def create_placement_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group of a strategy; without one, ``cluster``."""
    name = req.get("GroupName")
    if not name:
        raise errors.missing_one("GroupName")
    errors.refuse(req, "LinkedGroupId", "Operator", "ParentGroupId")
    if ctx.db[PlacementGroup].get(name) is not None:
        raise AwsError("InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists.")
    if ctx.db[PlacementGroup].count() >= PER_REGION:
        raise AwsError(
            "PlacementGroupLimitExceeded", f"You have reached the limit of {PER_REGION} placement groups per region."
        )
    strategy = req.get("Strategy") or "cluster"
    made = PlacementGroup(
        name=name,
        id=ctx.new_id("pg"),
        strategy=strategy,
        partitions=_partitions(req, strategy),
        level=_level(req, strategy),
        tags=tags.specified(req, "placement-group"),
    )
    return {"PlacementGroup": show_group(ctx.db[PlacementGroup].add(made))}


def _partitions(req: dict[str, Any], strategy: str) -> int:
    count = req.get("PartitionCount")
    if strategy == "precision-time":
        raise errors.not_built("The strategy precision-time")
    if strategy != "partition":
        if count:
            raise errors.combination("The parameter PartitionCount is only valid with the strategy 'partition'.")
        return 0
    if count is not None and not 1 <= count <= _MOST_PARTITIONS:
        raise errors.invalid_parameter(count, "partitionCount", f"It must be between 1 and {_MOST_PARTITIONS}.")
    return count or _PARTITIONS


def _level(req: dict[str, Any], strategy: str) -> str:
    level = req.get("SpreadLevel")
    if strategy != "spread":
        if level:
            raise errors.combination("The parameter SpreadLevel is only valid with the strategy 'spread'.")
        return ""
    if level == "host":
        raise errors.combination("A placement group with the spread level 'host' can be used with Outposts only.")
    return level or "rack"


@op("DescribePlacementGroups")
def describe_placement_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Groups by name, by id, or all."""
    if req.get("GroupNames"):
        items = ctx.db[PlacementGroup].need_all(dict.fromkeys(req["GroupNames"]))
    elif req.get("GroupIds"):
        items = [by_id(ctx, key) for key in dict.fromkeys(req["GroupIds"])]
    else:
        items = ctx.db[PlacementGroup].all()
    return {"PlacementGroups": narrow(req, FILTERS, [Row(group.tags, show_group(group)) for group in items])}


@op("DeletePlacementGroup")
def delete_placement_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a group that no instance is in."""
    group = ctx.db[PlacementGroup].need(req["GroupName"])
    if any(vm.placement_group == group.name for vm in ctx.db[Instance].all() if vm.state != "terminated"):
        raise AwsError("InvalidPlacementGroup.InUse", f"The placement group '{group.name}' is in use.")
    ctx.db[PlacementGroup].drop(group)
    return {}


def show_group(group: PlacementGroup) -> dict[str, Any]:
    """AWS's PlacementGroup."""
    return {
        "GroupName": group.name,
        "GroupId": group.id,
        "GroupArn": arn_of(group),
        "State": "available",
        "Strategy": group.strategy,
        "PartitionCount": group.partitions or None,
        "SpreadLevel": group.level or None,
        "Tags": tags.as_list(group.tags) or None,
    }
