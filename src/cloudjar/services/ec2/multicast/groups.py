"""Groups of multicast domains: who gets what is sent to them, and who may send.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterTransitGatewayMulticastGroupMembers.html
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, ip_address
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, check_form, narrow, need_all
from cloudjar.services.ec2.multicast.casting import standing, stir
from cloudjar.services.ec2.multicast.ops import available_domain, need_domain
from cloudjar.services.ec2.multicast.records import (
    MulticastAssociation,
    MulticastDomain,
    MulticastRegistration,
    registration_id,
)
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.vpcs.making import op

_LINK_LOCAL = IPv4Network("224.0.0.0/24")
_GROUPS = by_path(
    {
        "group-ip-address": "GroupIpAddress",
        "is-group-member": "GroupMember",
        "is-group-source": "GroupSource",
        "member-type": "MemberType",
        "resource-id": "ResourceId",
        "resource-type": "ResourceType",
        "source-type": "SourceType",
        "subnet-id": "SubnetId",
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
    }
)


@op("RegisterTransitGatewayMulticastGroupMembers")
def register_transit_gateway_multicast_group_members(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have interfaces get what is sent to a group."""
    return {"RegisteredMulticastGroupMembers": _register(ctx, req, source=False)}


@op("RegisterTransitGatewayMulticastGroupSources")
def register_transit_gateway_multicast_group_sources(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let interfaces send to a group, in a domain in which not everybody may."""
    return {"RegisteredMulticastGroupSources": _register(ctx, req, source=True)}


def _register(ctx: Ctx, req: dict[str, Any], *, source: bool) -> dict[str, Any]:
    domain = available_domain(ctx, req["TransitGatewayMulticastDomainId"])
    if source and not domain.static_sources:
        raise AwsError("OperationNotPermitted", f"StaticSourcesSupport is not enabled on {domain.id}.")
    group = _group(req)
    enis = need_all(ctx, NetworkInterface, req["NetworkInterfaceIds"])
    for eni in enis:
        association = ctx.db[MulticastAssociation].get(eni.subnet_id)
        if association is None or association.domain_id != domain.id or association.state == "disassociating":
            raise errors.invalid_value(f"The subnet of {eni.id} is not associated to {domain.id}.")
    keys = {eni.id: registration_id(domain.id, group, eni.id, source=source) for eni in enis}
    new = [eni for eni in enis if ctx.db[MulticastRegistration].get(keys[eni.id]) is None]
    _within_limits(ctx, domain, group, new, source=source)
    for eni in new:
        ctx.db[MulticastRegistration].add(
            MulticastRegistration(
                id=keys[eni.id], domain_id=domain.id, group=group,
                interface_id=eni.id, subnet_id=eni.subnet_id, vpc_id=eni.vpc_id, source=source,
            )
        )  # fmt: skip
    stir(ctx, domain.id)
    return _answer("Registered", domain, group, (eni.id for eni in enis))


def _group(req: dict[str, Any]) -> str:
    given = req.get("GroupIpAddress")
    if not given:
        raise errors.missing_one("GroupIpAddress")
    try:
        found = ip_address(str(given))
    except ValueError:
        found = None
    if found is None or not found.is_multicast or (found.version == 4 and found in _LINK_LOCAL):
        raise errors.invalid_parameter(given, "groupIpAddress", "This is not the address of a multicast group.")
    return str(found)


def _within_limits(
    ctx: Ctx, domain: MulticastDomain, group: str, new: list[NetworkInterface], *, source: bool
) -> None:
    held = [one for one, _ in standing(ctx.db, domain.id)]
    mine = [one for one in held if one.group == group and one.source == source]
    code = "L-4F2F99E3" if source else "L-C768F2D6"
    _limit(ctx, code, len(mine) + len(new), "sources" if source else "members", bool(new))
    domains = ctx.db[MulticastDomain].all(gateway_id=domain.gateway_id)
    used = {one.interface_id for each in domains for one, _ in standing(ctx.db, each.id)}
    _limit(ctx, "L-C673935A", len(used | {eni.id for eni in new}), "network interfaces", bool(new))


def _limit(ctx: Ctx, code: str, wanted: int, what: str, more: bool) -> None:
    limit = ctx.limit("ec2", code)
    if more and limit is not None and wanted > limit:
        raise AwsError(
            "TransitGatewayMulticastGroupLimitExceeded", f"The maximum number of multicast {what} has been reached."
        )


@op("DeregisterTransitGatewayMulticastGroupMembers")
def deregister_transit_gateway_multicast_group_members(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Interfaces get nothing more of a group, or without one of any."""
    return {"DeregisteredMulticastGroupMembers": _deregister(ctx, req, source=False)}


@op("DeregisterTransitGatewayMulticastGroupSources")
def deregister_transit_gateway_multicast_group_sources(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Interfaces may not send to a group any more, or without one to any."""
    return {"DeregisteredMulticastGroupSources": _deregister(ctx, req, source=True)}


def _deregister(ctx: Ctx, req: dict[str, Any], *, source: bool) -> dict[str, Any]:
    for member in ("TransitGatewayMulticastDomainId", "NetworkInterfaceIds"):
        if not req.get(member):
            raise errors.missing_one(member)
    domain = available_domain(ctx, req["TransitGatewayMulticastDomainId"])
    group = _group(req) if req.get("GroupIpAddress") else ""
    gone: list[MulticastRegistration] = []
    for key in dict.fromkeys(req["NetworkInterfaceIds"]):
        check_form(NetworkInterface, key)
        found = [one for one in ctx.db[MulticastRegistration].all(interface_id=key)
                 if one.domain_id == domain.id and one.source == source and group in ("", one.group)]  # fmt: skip
        if not found:
            raise errors.invalid_value(f"{key} is not registered in {domain.id}.")
        gone += found
    for one in gone:
        ctx.db[MulticastRegistration].drop(one)
    stir(ctx, domain.id)
    return _answer("Deregistered", domain, group, dict.fromkeys(one.interface_id for one in gone))


def _answer(what: str, domain: MulticastDomain, group: str, interfaces: Iterable[str]) -> dict[str, Any]:
    return {
        "GroupIpAddress": group or None,
        f"{what}NetworkInterfaceIds": list(interfaces),
        "TransitGatewayMulticastDomainId": domain.id,
    }


@op("SearchTransitGatewayMulticastGroups")
def search_transit_gateway_multicast_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who is in which group of a domain, as a member or as a source."""
    domain = need_domain(ctx, req["TransitGatewayMulticastDomainId"])
    ways = {one.subnet_id: one for one in ctx.db[MulticastAssociation].all(domain_id=domain.id)}
    rows = [Row({}, _show(one, eni, ways[eni.subnet_id]))
            for one, eni in standing(ctx.db, domain.id) if eni.subnet_id in ways]  # fmt: skip
    return {"MulticastGroups": narrow(req, _GROUPS, rows)}


def _show(one: MulticastRegistration, eni: NetworkInterface, way: MulticastAssociation) -> dict[str, Any]:
    return {
        "GroupIpAddress": one.group,
        "GroupMember": not one.source,
        "GroupSource": one.source,
        ("SourceType" if one.source else "MemberType"): "static",
        "NetworkInterfaceId": eni.id,
        "ResourceId": way.vpc_id,
        "ResourceOwnerId": way.account,
        "ResourceType": "vpc",
        "SubnetId": eni.subnet_id,
        "TransitGatewayAttachmentId": way.attachment_id,
    }
