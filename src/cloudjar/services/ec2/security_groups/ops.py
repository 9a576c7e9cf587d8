"""Security groups.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, describe, narrow, need, need_all
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.security_groups.finding import group_of, named_group
from cloudjar.services.ec2.security_groups.records import GroupVpc, SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.security_groups.rules import group_text
from cloudjar.services.ec2.security_groups.views import FILTERS, rules_by_group, show_group
from cloudjar.services.ec2.security_groups.within import groups_in
from cloudjar.services.ec2.vpcs.making import allow_out, allow_out6, need_default_vpc, op
from cloudjar.services.ec2.vpcs.records import Vpc

FOR_VPC_FILTERS = by_path(
    {
        "group-id": "GroupId",
        "description": "Description",
        "group-name": "GroupName",
        "owner-id": "OwnerId",
        "primary-vpc-id": "PrimaryVpcId",
    }
)


@op("CreateSecurityGroup")
def create_security_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group that lets everything out and nothing in."""
    name = group_text(req["GroupName"], "GroupName")
    description = group_text(req["Description"], "GroupDescription")
    if name.lower() == "default":
        raise AwsError("InvalidGroup.Reserved", f"The security group '{name}' is reserved")
    if name.lower().startswith("sg-"):
        raise errors.invalid_value(f"invalid value for parameter groupName: {name}. It cannot start with sg-")
    vpc = need(ctx, Vpc, req["VpcId"]) if req.get("VpcId") else need_default_vpc(ctx)
    if any(group.name == name for group in ctx.db[SecurityGroup].all(vpc_id=vpc.id)):
        raise AwsError("InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc.id}'")
    group = ctx.db[SecurityGroup].add(
        SecurityGroup(
            id=ctx.new_id("sg"),
            name=name,
            description=description,
            vpc_id=vpc.id,
            tags=tags.specified(req, "security-group"),
        )
    )
    allow_out(ctx, group)
    if vpc.ipv6_cidrs:
        allow_out6(ctx, group)
    return {"GroupId": group.id, "SecurityGroupArn": arn_of(group), "Tags": tags.as_list(group.tags)}


@op("DescribeSecurityGroups")
def describe_security_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Groups by id, by name in the default VPC, or by filter."""
    rules = rules_by_group(ctx.db)
    if not req.get("GroupNames"):
        shown = describe(ctx, req, SecurityGroup, "GroupIds", lambda group: show_group(group, rules), FILTERS)
        return {"SecurityGroups": shown}
    groups = need_all(ctx, SecurityGroup, req.get("GroupIds") or ())
    groups += [named_group(ctx, name) for name in req["GroupNames"]]
    unique = {group.id: group for group in groups}.values()
    rows = [Row(group.tags, show_group(group, rules)) for group in unique]
    return {"SecurityGroups": narrow(req, FILTERS, rows)}


@op("DeleteSecurityGroup")
def delete_security_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a group that no interface is in and no other group names; never a default one."""
    group = group_of(ctx, req)
    if group.name == "default":
        raise AwsError(
            "CannotDelete", f'the specified group: "{group.id}" name: "{group.name}" cannot be deleted by a user'
        )
    worn = any(group.id in eni.groups for eni in ctx.db[NetworkInterface].all(vpc_id=group.vpc_id))
    rules = ctx.db[SecurityGroupRule].all(peer_group=group.id)
    named = any(rule.group_id != group.id and not rule.peering for rule in rules)  # a peer's become stale
    if worn or named or ctx.db[GroupVpc].count(group_id=group.id):
        raise AwsError("DependencyViolation", f"resource {group.id} has a dependent object")
    for rule in ctx.db[SecurityGroupRule].all(group_id=group.id):
        ctx.db[SecurityGroupRule].drop(rule)
    ctx.db[SecurityGroup].drop(group)
    return {"Return": True, "GroupId": group.id}


@op("GetSecurityGroupsForVpc")
def get_security_groups_for_vpc(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The groups that interfaces of a VPC may wear."""
    vpc = need(ctx, Vpc, req["VpcId"])
    rows = [
        Row(
            group.tags,
            {
                "Description": group.description,
                "GroupId": group.id,
                "GroupName": group.name,
                "OwnerId": group.account,
                "PrimaryVpcId": group.vpc_id,
                "Tags": tags.as_list(group.tags),
            },
        )
        for group in groups_in(ctx.db, vpc.id)
    ]
    return {"SecurityGroupForVpcs": narrow(req, FOR_VPC_FILTERS, rows)}
