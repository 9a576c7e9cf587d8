"""Security groups and rules in AWS's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.db import Db
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.security_groups.records import SecurityGroup, SecurityGroupRule

_PERMISSION = {
    "cidr": "IpRanges[].CidrIp",
    "from-port": "FromPort",
    "group-id": "UserIdGroupPairs[].GroupId",
    "group-name": "UserIdGroupPairs[].GroupName",
    "ipv6-cidr": "Ipv6Ranges[].CidrIpv6",
    "prefix-list-id": "PrefixListIds[].PrefixListId",
    "protocol": "IpProtocol",
    "to-port": "ToPort",
    "user-id": "UserIdGroupPairs[].UserId",
}

FILTERS = by_path(
    {
        "description": "Description",
        "group-id": "GroupId",
        "group-name": "GroupName",
        "owner-id": "OwnerId",
        "vpc-id": "VpcId",
        **{f"ip-permission.{name}": f"IpPermissions[].{path}" for name, path in _PERMISSION.items()},
        **{f"egress.ip-permission.{name}": f"IpPermissionsEgress[].{path}" for name, path in _PERMISSION.items()},
    }
)

RULE_FILTERS = by_path({"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"})


def rules_by_group(db: Db) -> dict[str, list[SecurityGroupRule]]:
    """Every rule, by group, in the order in which they were made."""
    found: dict[str, list[SecurityGroupRule]] = {}
    for rule in db[SecurityGroupRule].all():
        found.setdefault(rule.group_id, []).append(rule)
    for rules in found.values():
        rules.sort(key=lambda rule: rule.order)
    return found


def show_group(group: SecurityGroup, rules: Mapping[str, Sequence[SecurityGroupRule]]) -> dict[str, Any]:
    """AWS's SecurityGroup: rules that differ in their peers alone are one permission."""
    own = rules.get(group.id, ())
    return {
        "Description": group.description,
        "GroupId": group.id,
        "GroupName": group.name,
        "IpPermissions": show_permissions(rule for rule in own if not rule.egress),
        "IpPermissionsEgress": show_permissions(rule for rule in own if rule.egress),
        "OwnerId": group.account,
        "SecurityGroupArn": arn_of(group),
        "Tags": tags.as_list(group.tags),
        "VpcId": group.vpc_id,
    }


def show_permissions(rules: Iterable[SecurityGroupRule]) -> list[dict[str, Any]]:
    """AWS's IpPermissions."""
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rule in rules:
        key = (rule.protocol, rule.from_port, rule.to_port)
        entry = found.get(key)
        if entry is None:
            entry = found[key] = _permission(rule)
        _add_peer(entry, rule)
    return list(found.values())


def _permission(rule: SecurityGroupRule) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "IpProtocol": rule.protocol,
        "UserIdGroupPairs": [],
        "IpRanges": [],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
    }
    if rule.protocol in ("tcp", "udp", "icmp", "icmpv6"):
        entry.update(FromPort=rule.from_port, ToPort=rule.to_port)
    return entry


def _add_peer(entry: dict[str, Any], rule: SecurityGroupRule) -> None:
    described = {"Description": rule.description} if rule.description else {}
    if rule.cidr:
        entry["IpRanges"].append({"CidrIp": rule.cidr, **described})
    elif rule.cidr6:
        entry["Ipv6Ranges"].append({"CidrIpv6": rule.cidr6, **described})
    elif rule.prefix_list:
        entry["PrefixListIds"].append({"PrefixListId": rule.prefix_list, **described})
    else:
        entry["UserIdGroupPairs"].append({**show_pair(rule), **described})


def show_pair(rule: SecurityGroupRule) -> dict[str, Any]:
    """The group that a rule names; of a peered VPC with where it is."""
    shown = {"GroupId": rule.peer_group, "UserId": rule.peer_owner or rule.account}
    if rule.peering:
        shown.update(VpcId=rule.peer_vpc, VpcPeeringConnectionId=rule.peering, PeeringStatus="active")
    return shown


def show_rule(rule: SecurityGroupRule) -> dict[str, Any]:
    """AWS's SecurityGroupRule."""
    return {
        "CidrIpv4": rule.cidr or None,
        "CidrIpv6": rule.cidr6 or None,
        "Description": rule.description or None,
        "FromPort": rule.from_port,
        "GroupId": rule.group_id,
        "GroupOwnerId": rule.account,
        "IpProtocol": rule.protocol,
        "IsEgress": rule.egress,
        "PrefixListId": rule.prefix_list or None,
        "ReferencedGroupInfo": show_pair(rule) if rule.peer_group else None,
        "SecurityGroupRuleArn": arn_of(rule),
        "SecurityGroupRuleId": rule.id,
        "Tags": tags.as_list(rule.tags),
        "ToPort": rule.to_port,
    }


def show_revoked(rule: SecurityGroupRule) -> dict[str, Any]:
    """AWS's RevokedSecurityGroupRule."""
    return {
        "CidrIpv4": rule.cidr or None,
        "CidrIpv6": rule.cidr6 or None,
        "Description": rule.description or None,
        "FromPort": rule.from_port,
        "GroupId": rule.group_id,
        "IpProtocol": rule.protocol,
        "IsEgress": rule.egress,
        "PrefixListId": rule.prefix_list or None,
        "ReferencedGroupId": rule.peer_group or None,
        "SecurityGroupRuleId": rule.id,
        "ToPort": rule.to_port,
    }
