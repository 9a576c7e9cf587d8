"""Rules that name groups of peered VPCs: who refers to a group, and which rules are stale.

https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.lookup import need, need_all
from cloudjar.services.ec2.security_groups.records import SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.security_groups.views import show_permissions
from cloudjar.services.ec2.vpc_peering.finding import peerings_of
from cloudjar.services.ec2.vpc_peering.records import Peering
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc


@op("DescribeSecurityGroupReferences")
def describe_security_group_references(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Peer VPCs whose groups name these."""
    groups = need_all(ctx, SecurityGroup, req["GroupId"])
    found = [one for group in groups for one in _references(ctx, group)]
    return {"SecurityGroupReferenceSet": found}


def _references(ctx: Ctx, group: SecurityGroup) -> Iterator[dict[str, Any]]:
    for peering in peerings_of(ctx.db, group.vpc_id):
        side = peering.other(group.vpc_id)
        rules = ctx.db.at(side.account, side.region)[SecurityGroupRule].all(peer_group=group.id)
        if any(rule.vpc_id == side.vpc_id for rule in rules):
            yield {
                "GroupId": group.id,
                "ReferencingVpcId": side.vpc_id,
                "VpcPeeringConnectionId": peering.id,
            }


@op("DescribeStaleSecurityGroups")
def describe_stale_security_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Groups of a VPC with rules that name a group which is gone, or whose peering connection is."""
    vpc = need(ctx, Vpc, req["VpcId"])
    stale: dict[str, list[SecurityGroupRule]] = {}
    for rule in ctx.db[SecurityGroupRule].all(vpc_id=vpc.id):
        if rule.peering and is_stale(ctx, rule):
            stale.setdefault(rule.group_id, []).append(rule)
    shown = [_show(ctx.db[SecurityGroup].need(key), rules) for key, rules in sorted(stale.items())]
    return {"StaleSecurityGroupSet": shown}


def is_stale(ctx: Ctx, rule: SecurityGroupRule) -> bool:
    """Whether the group that a rule names can no longer be meant."""
    peering = ctx.db[Peering].get(rule.peering)
    if peering is None or peering.state != "active":
        return True
    side = peering.other(rule.vpc_id)
    return ctx.db.at(side.account, side.region)[SecurityGroup].get(rule.peer_group) is None


def _show(group: SecurityGroup, rules: list[SecurityGroupRule]) -> dict[str, Any]:
    return {
        "Description": group.description,
        "GroupId": group.id,
        "GroupName": group.name,
        "StaleIpPermissions": _permissions(rule for rule in rules if not rule.egress),
        "StaleIpPermissionsEgress": _permissions(rule for rule in rules if rule.egress),
        "VpcId": group.vpc_id,
    }


def _permissions(rules: Iterable[SecurityGroupRule]) -> list[dict[str, Any]]:
    kept = ("FromPort", "IpProtocol", "ToPort", "UserIdGroupPairs")
    return [{k: v for k, v in one.items() if k in kept} for one in show_permissions(rules)]
