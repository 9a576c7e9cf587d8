"""Finding the group that a request means: by id, or by name in the default VPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.security_groups.records import SecurityGroup
from cloudjar.services.ec2.vpcs.making import need_default_vpc


def group_of(ctx: Ctx, req: Mapping[str, Any]) -> SecurityGroup:
    """The group that GroupId or GroupName names; raises InvalidGroup.NotFound and its kind."""
    if req.get("GroupId"):
        return need(ctx, SecurityGroup, req["GroupId"])
    if not req.get("GroupName"):
        raise errors.missing("The request must contain the parameter groupName or groupId")
    return named_group(ctx, req["GroupName"])


def named_group(ctx: Ctx, name: str) -> SecurityGroup:
    """A group of the default VPC by its name."""
    vpc = need_default_vpc(ctx)
    found = [group for group in ctx.db[SecurityGroup].all(name=name) if group.vpc_id == vpc.id]
    if not found:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC '{vpc.id}'")
    return found[0]


def peer_of(ctx: Ctx, group: SecurityGroup, pair: Mapping[str, Any]) -> str:
    """The id of the group that a rule names; it must be of the same VPC (there is no peering here yet)."""
    if pair.get("UserId") and pair["UserId"] != ctx.account:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{pair.get('GroupId')}' does not exist")
    if pair.get("GroupId"):
        found = need(ctx, SecurityGroup, pair["GroupId"])
    elif pair.get("GroupName"):
        found = named_group(ctx, pair["GroupName"])
    else:
        raise errors.missing("A security group pair must contain a group ID or name")
    if found.vpc_id != group.vpc_id:
        raise AwsError("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
    return found.id
