"""Rules of security groups: authorized, revoked, changed, described.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import describe, need, need_all
from cloudjar.services.ec2.prefix_lists.references import prefix_list
from cloudjar.services.ec2.security_groups import rules
from cloudjar.services.ec2.security_groups.finding import Finder, group_of
from cloudjar.services.ec2.security_groups.records import SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.security_groups.rules import Peer, Said
from cloudjar.services.ec2.security_groups.views import RULE_FILTERS, show_permissions, show_revoked, show_rule
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc


@op("AuthorizeSecurityGroupIngress")
def authorize_ingress(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let something in."""
    return _authorize(ctx, req, egress=False)


@op("AuthorizeSecurityGroupEgress")
def authorize_egress(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let something out."""
    return _authorize(ctx, req, egress=True)


def _authorize(ctx: Ctx, req: Mapping[str, Any], *, egress: bool) -> dict[str, Any]:
    group = group_of(ctx, req)
    permissions = rules.said(req, Finder(ctx, group))
    if not permissions:
        raise errors.missing_one("ipPermissions")
    rules.refuse_twins(permissions)
    own = ctx.db[SecurityGroupRule].all(group_id=group.id)
    existing = {rules.essence(rule) for rule in own if rule.egress is egress}
    for one in permissions:
        if one.essence in existing:
            raise rules.duplicate(one)
    _within_limit(ctx, [rule for rule in own if rule.egress is egress], permissions)
    given = tags.specified(req, "security-group-rule")
    first = 1 + max((rule.order for rule in own), default=0)
    made = [_add(ctx, group, egress, one, first + i, given) for i, one in enumerate(permissions)]
    return {"Return": True, "SecurityGroupRules": [show_rule(rule) for rule in made]}


def _add(
    ctx: Ctx, group: SecurityGroup, egress: bool, one: Said, order: int, given: dict[str, str]
) -> SecurityGroupRule:
    return ctx.db[SecurityGroupRule].add(
        SecurityGroupRule(
            id=ctx.new_id("sgr"),
            group_id=group.id,
            vpc_id=group.vpc_id,
            order=order,
            egress=egress,
            protocol=one.protocol,
            from_port=one.from_port,
            to_port=one.to_port,
            cidr=one.peer.cidr,
            cidr6=one.peer.cidr6,
            peer_group=one.peer.group,
            peer_owner=one.peer.owner,
            peer_vpc=one.peer.vpc,
            peering=one.peer.peering,
            prefix_list=one.peer.prefix_list,
            description=one.description or "",
            tags=given,
        )
    )


def _within_limit(ctx: Ctx, own: list[SecurityGroupRule], permissions: list[Said]) -> None:
    """The quota holds for each direction, and for IPv4 and IPv6 apart; a group as peer counts in both, a prefix list
    as many times as it may have entries."""
    limit = ctx.limit("vpc", "L-0EA8095F")
    peers = [rules.essence(rule)[3] for rule in own] + [one.peer for one in permissions]
    four = sum(_weight(ctx, peer, "IPv4") for peer in peers)
    six = sum(_weight(ctx, peer, "IPv6") for peer in peers)
    if limit is not None and max(four, six) > limit:
        raise AwsError(
            "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached."
        )


def _weight(ctx: Ctx, peer: Peer, family: str) -> int:
    if peer.prefix_list:
        found = prefix_list(ctx, peer.prefix_list)
        return found.max_entries if found.family == family else 0
    return 0 if (peer.cidr6 if family == "IPv4" else peer.cidr) else 1


@op("RevokeSecurityGroupIngress")
def revoke_ingress(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let something in no longer."""
    return _revoke(ctx, req, egress=False)


@op("RevokeSecurityGroupEgress")
def revoke_egress(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let something out no longer."""
    return _revoke(ctx, req, egress=True)


def _revoke(ctx: Ctx, req: Mapping[str, Any], *, egress: bool) -> dict[str, Any]:
    group = group_of(ctx, req)
    if req.get("SecurityGroupRuleIds"):
        if req.get("IpPermissions"):
            raise errors.combination(
                "The parameters 'ipPermissions' and 'securityGroupRuleIds' cannot be used together."
            )
        gone = [_own_rule(ctx, group, egress, key) for key in dict.fromkeys(req["SecurityGroupRuleIds"])]
        unknown: list[Said] = []
    else:
        gone, unknown = _matching(ctx, group, egress, req)
    for rule in gone:
        ctx.db[SecurityGroupRule].drop(rule)
    answer: dict[str, Any] = {"Return": True, "RevokedSecurityGroupRules": [show_revoked(rule) for rule in gone]}
    if unknown:
        answer["UnknownIpPermissions"] = show_permissions(_as_rule(group, one) for one in unknown)
    return answer


def _own_rule(ctx: Ctx, group: SecurityGroup, egress: bool, key: str) -> SecurityGroupRule:
    rule = need(ctx, SecurityGroupRule, key)
    if rule.group_id != group.id or rule.egress is not egress:
        raise AwsError("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{key}' does not exist")
    return rule


def _matching(
    ctx: Ctx, group: SecurityGroup, egress: bool, req: Mapping[str, Any]
) -> tuple[list[SecurityGroupRule], list[Said]]:
    """The rules that say what the request says, and what none says. AWS forgives that in a default VPC alone."""
    permissions = rules.said(req, Finder(ctx, group))
    if not permissions:
        raise errors.missing("Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
    own = {
        rules.essence(rule): rule for rule in ctx.db[SecurityGroupRule].all(group_id=group.id) if rule.egress is egress
    }
    unknown = [one for one in permissions if one.essence not in own]
    if unknown and not ctx.db[Vpc].need(group.vpc_id).is_default:
        raise no_such_rule()
    found = {own[one.essence].id: own[one.essence] for one in permissions if one.essence in own}
    return list(found.values()), unknown


def no_such_rule() -> AwsError:
    """No rule of the group says what the request says."""
    return AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")


def _as_rule(group: SecurityGroup, one: Said) -> SecurityGroupRule:
    """A permission in the form that views show; it is not stored."""
    return SecurityGroupRule(
        account=group.account,
        id="",
        group_id=group.id,
        vpc_id=group.vpc_id,
        order=0,
        egress=False,
        protocol=one.protocol,
        from_port=one.from_port,
        to_port=one.to_port,
        cidr=one.peer.cidr,
        cidr6=one.peer.cidr6,
        peer_group=one.peer.group,
        peer_owner=one.peer.owner,
        peer_vpc=one.peer.vpc,
        peering=one.peer.peering,
        prefix_list=one.peer.prefix_list,
        description=one.description or "",
    )


@op("DescribeSecurityGroupRules")
def describe_security_group_rules(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Rules by id or filter."""
    shown = describe(ctx, req, SecurityGroupRule, "SecurityGroupRuleIds", show_rule, RULE_FILTERS)
    return {"SecurityGroupRules": shown}


@op("ModifySecurityGroupRules")
def modify_security_group_rules(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have rules say something else under the same ids; all or none."""
    group = need(ctx, SecurityGroup, req["GroupId"])
    updates = {
        update["SecurityGroupRuleId"]: update.get("SecurityGroupRule") or {} for update in req["SecurityGroupRules"]
    }
    if len(updates) != len(req["SecurityGroupRules"]):
        raise errors.invalid_value("The same security group rule must not appear multiple times")
    changed = [_changed(ctx, group, key, update) for key, update in updates.items()]
    for rule in changed:
        ctx.db[SecurityGroupRule].put(rule)
    _refuse_new_twins(ctx, group)
    return {"Return": True}


def _changed(ctx: Ctx, group: SecurityGroup, key: str, update: Mapping[str, Any]) -> SecurityGroupRule:
    rule = need(ctx, SecurityGroupRule, key)
    if rule.group_id != group.id:
        raise AwsError("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{key}' does not exist")
    protocol = rules.protocol_of(update.get("IpProtocol") or rule.protocol)
    low, high = rules.ports_of(protocol, update.get("FromPort"), update.get("ToPort"))
    peer = _peer(ctx, group, update)
    had = (bool(rule.cidr6), bool(rule.peer_group), bool(rule.prefix_list))
    if (bool(peer.cidr6), bool(peer.group), bool(peer.prefix_list)) != had:
        raise errors.invalid_value("You may not modify the source or destination type of a security group rule.")
    return replace(
        rule,
        protocol=protocol,
        from_port=low,
        to_port=high,
        cidr=peer.cidr,
        cidr6=peer.cidr6,
        peer_group=peer.group,
        peer_owner=peer.owner,
        peer_vpc=peer.vpc,
        peering=peer.peering,
        prefix_list=peer.prefix_list,
        description=rules.description_of(update.get("Description")) or "",
    )


def _peer(ctx: Ctx, group: SecurityGroup, update: Mapping[str, Any]) -> Peer:
    given = [n for n in ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId") if update.get(n)]
    if len(given) != 1:
        raise errors.missing(
            "Exactly one of cidrIpv4, cidrIpv6, prefixListId, referencedGroupId must be specified for each rule"
        )
    match given[0]:
        case "CidrIpv4":
            return Peer(cidr=rules.block_of(update["CidrIpv4"]))
        case "CidrIpv6":
            return Peer(cidr6=rules.block6_of(update["CidrIpv6"]))
        case "PrefixListId":
            return Finder(ctx, group).prefix_list(update["PrefixListId"])
        case _:
            return Finder(ctx, group).group({"GroupId": update["ReferencedGroupId"]})


def _refuse_new_twins(ctx: Ctx, group: SecurityGroup) -> None:
    """Two rules of one direction must not have come to say the same."""
    seen = set()
    for rule in ctx.db[SecurityGroupRule].all(group_id=group.id):
        key = (rule.egress, *rules.essence(rule))
        if key in seen:
            raise rules.duplicate(Said(*rules.essence(rule)))
        seen.add(key)


@op("UpdateSecurityGroupRuleDescriptionsIngress")
def update_descriptions_ingress(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Describe rules of the way in anew."""
    return _redescribe(ctx, req, egress=False)


@op("UpdateSecurityGroupRuleDescriptionsEgress")
def update_descriptions_egress(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Describe rules of the way out anew."""
    return _redescribe(ctx, req, egress=True)


def _redescribe(ctx: Ctx, req: Mapping[str, Any], *, egress: bool) -> dict[str, Any]:
    group = group_of(ctx, req)
    if req.get("SecurityGroupRuleDescriptions"):
        wanted = {
            _own_rule(ctx, group, egress, item.get("SecurityGroupRuleId") or "").id: item.get("Description")
            for item in req["SecurityGroupRuleDescriptions"]
        }
    else:
        wanted = _descriptions(ctx, group, egress, req)
    for rule in need_all(ctx, SecurityGroupRule, wanted):
        text = rules.description_of(wanted[rule.id]) or ""
        ctx.db[SecurityGroupRule].put(replace(rule, description=text))
    return {"Return": True}


def _descriptions(ctx: Ctx, group: SecurityGroup, egress: bool, req: Mapping[str, Any]) -> dict[str, str | None]:
    permissions = rules.said(req, Finder(ctx, group))
    if not permissions:
        raise errors.missing("Either 'ipPermissions' or 'securityGroupRuleDescriptions' should be provided.")
    own = {
        rules.essence(rule): rule.id
        for rule in ctx.db[SecurityGroupRule].all(group_id=group.id)
        if rule.egress is egress
    }
    for one in permissions:
        if one.essence not in own:
            raise no_such_rule()
    return {own[one.essence]: one.description for one in permissions}
