"""Security groups that are used in further VPCs of their Region.

https://docs.aws.amazon.com/vpc/latest/userguide/security-group-assoc.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import State, watches
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import Record, meta
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.security_groups.records import GroupVpc, SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

_FILTERS = by_path(
    {
        "group-id": "GroupId",
        "group-owner-id": "GroupOwnerId",
        "state": "State",
        "vpc-id": "VpcId",
        "vpc-owner-id": "VpcOwnerId",
    }
)


@op("AssociateSecurityGroupVpc")
def associate_security_group_vpc(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let interfaces of another VPC wear a group; neither default groups nor default VPCs take part."""
    group, vpc = need(ctx, SecurityGroup, req["GroupId"]), need(ctx, Vpc, req["VpcId"])
    if group.name == "default":
        raise errors.invalid_parameter(group.id, "groupId", "A default security group cannot be associated.")
    if vpc.is_default or ctx.db[Vpc].need(group.vpc_id).is_default:
        raise errors.invalid_parameter(vpc.id, "vpcId", "The default VPC cannot be used with this feature.")
    if vpc.id == group.vpc_id:
        raise errors.invalid_parameter(vpc.id, "vpcId", f"It is the VPC that {group.id} was created in.")
    table = ctx.db[GroupVpc]
    found = table.get(f"{group.id}/{vpc.id}")
    if found is not None and found.state == "disassociating":
        raise AwsError("IncorrectState", f"The association of '{group.id}' with '{vpc.id}' is being removed.")
    if found is None:
        found = table.add(GroupVpc(id=f"{group.id}/{vpc.id}", group_id=group.id, vpc_id=vpc.id))
    elif found.state == "disassociation-failed":
        found = table.put(replace(found, state="associated", reason=""))
    return {"State": found.state}


@op("DisassociateSecurityGroupVpc")
def disassociate_security_group_vpc(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No longer; whether an interface still wears it is seen afterwards."""
    group, vpc = need(ctx, SecurityGroup, req["GroupId"]), need(ctx, Vpc, req["VpcId"])
    found = ctx.db[GroupVpc].get(f"{group.id}/{vpc.id}")
    if found is None:
        raise errors.invalid_parameter(vpc.id, "vpcId", f"The security group '{group.id}' is not associated with it.")
    return {"State": ctx.db[GroupVpc].put(replace(found, state="disassociating", reason="")).state}


@op("DescribeSecurityGroupVpcAssociations")
def describe_security_group_vpc_associations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Which groups are used where else."""
    rows = [Row({}, _show(one)) for one in ctx.db[GroupVpc].all()]
    return {"SecurityGroupVpcAssociations": narrow(req, _FILTERS, rows)}


def _show(one: GroupVpc) -> dict[str, Any]:
    return {
        "GroupId": one.group_id,
        "GroupOwnerId": one.account,
        "State": one.state,
        "StateReason": one.reason or None,
        "VpcId": one.vpc_id,
        "VpcOwnerId": one.account,
    }


@reconciler(GroupVpc)
def converge(step: Step, _: GroupVpc | None) -> None:
    """Associate, or take apart when no interface wears the group there."""
    with step.world.state.database.transaction():
        one = step.db[GroupVpc].get(step.key)
        if one is None:
            return
        if one.state == "associating":
            step.db[GroupVpc].put(replace(one, state="associated"))
        elif one.state == "disassociating" and not _worn(step.ctx, one):
            step.db[GroupVpc].drop(one)
        elif one.state == "disassociating":
            reason = "The security group is associated with network interfaces in the VPC."
            step.db[GroupVpc].put(replace(one, state="disassociation-failed", reason=reason))


def _worn(ctx: Ctx, one: GroupVpc) -> bool:
    return any(one.group_id in eni.groups for eni in ctx.db[NetworkInterface].all(vpc_id=one.vpc_id))


@watches("ec2/security-group-rule")
def rule_changed(state: State, item: Record) -> None:
    """A group's rules hold wherever it is used: those VPCs are laid out again too."""
    assert isinstance(item, SecurityGroupRule)
    where = {"group_id": item.group_id}
    for one in state.tables.all(meta(GroupVpc).spec, item.account, item.region, where):
        state.wakes.wake("ec2/vpc", one.account, one.region, one.vpc_id)
