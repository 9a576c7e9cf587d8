"""Subnet groups: where instances may be."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors, places, tagging
from cloudjar.services.rds.records import DbInstance, SubnetGroup
from cloudjar.services.rds.views import show_subnet_group


@op("CreateDBSubnetGroup")
def create_db_subnet_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group of subnets in at least two zones."""
    name = req["DBSubnetGroupName"].lower()
    if name == places.DEFAULT or len(name) > 255 or not re.fullmatch(r"[a-z0-9 ._-]+", name):
        raise errors.invalid(f"The parameter DBSubnetGroupName is not a valid name: {name}")
    if ctx.db[SubnetGroup].get(name) is not None:
        raise AwsError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    if not req["DBSubnetGroupDescription"]:
        raise errors.missing("DBSubnetGroupDescription")
    vpc_id, subnets = places.members(ctx, req["SubnetIds"])
    made = SubnetGroup(
        name=name, description=req["DBSubnetGroupDescription"], vpc_id=vpc_id, subnets=subnets, tags=tagging.asked(req)
    )
    return {"DBSubnetGroup": show_subnet_group(ctx.db[SubnetGroup].add(made))}


@op("DescribeDBSubnetGroups")
def describe_db_subnet_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One group, or all."""
    name = req.get("DBSubnetGroupName")
    found = [ctx.db[SubnetGroup].need(name.lower())] if name else ctx.db[SubnetGroup].all()
    shown = filters.apply(req.get("Filters"), {}, sorted(found, key=lambda group: group.name))
    return {"DBSubnetGroups": [show_subnet_group(group) for group in shown]}


@op("ModifyDBSubnetGroup")
def modify_db_subnet_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other subnets, of the same VPC; those that instances are in must stay."""
    group = ctx.db[SubnetGroup].need(req["DBSubnetGroupName"].lower())
    _, subnets = places.members(ctx, req["SubnetIds"], group.vpc_id)
    used = {db.subnet_id for db in ctx.db[DbInstance].all(subnet_group=group.name)}
    if lost := used - {subnet.id for subnet in subnets}:
        raise AwsError("SubnetAlreadyInUse", f"The following subnets are in use: {', '.join(sorted(lost))}")
    description = req.get("DBSubnetGroupDescription") or group.description
    return {"DBSubnetGroup": show_subnet_group(
        ctx.db[SubnetGroup].put(replace(group, subnets=subnets, description=description))
    )}  # fmt: skip


@op("DeleteDBSubnetGroup")
def delete_db_subnet_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group that no instance is in."""
    group = ctx.db[SubnetGroup].need(req["DBSubnetGroupName"].lower())
    if group.name == places.DEFAULT:
        raise AwsError("InvalidDBSubnetGroupStateFault", "The default DB subnet group cannot be deleted.")
    used = [db.id for db in ctx.db[DbInstance].all(subnet_group=group.name)]
    if used:
        raise AwsError(
            "InvalidDBSubnetGroupStateFault",
            f"Cannot delete the subnet group '{group.name}' because at least one database instance: {used[0]} is still "
            "using it.",
        )
    ctx.db[SubnetGroup].drop(group)
    return {}
