"""Attachments of VPCs to transit gateways.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayVpcAttachment.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, check_form, describe, narrow, need, need_all
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.transit_connects import attached as connects
from cloudjar.services.ec2.transit_gateways import peers
from cloudjar.services.ec2.transit_gateways.finding import attachments_of, change, need_attachment, ready
from cloudjar.services.ec2.transit_gateways.records import OVER, TransitAttachment, TransitGateway
from cloudjar.services.ec2.transit_gateways.views import (
    ATTACHMENTS,
    VPC_ATTACHMENTS,
    show_attachment,
    show_vpc_attachment,
)
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

_PER_VPC = 5
"""Transit gateways that a VPC can be attached to; Service Quotas does not list it."""


@op("CreateTransitGatewayVpcAttachment")
def create_transit_gateway_vpc_attachment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Attach a VPC by one subnet in each of some zones; the owner of another account's gateway must accept it."""
    gateway = _gateway(ctx, req["TransitGatewayId"])
    vpc = need(ctx, Vpc, req["VpcId"])
    options = req.get("Options") or {}
    _refuse(options)
    ready(gateway)
    subnets = need_all(ctx, Subnet, req["SubnetIds"])
    _check_subnets(vpc, subnets)
    _check_room(ctx, gateway, vpc)
    item = TransitAttachment(
        id=ctx.new_id("tgw-attach"),
        gateway_id=gateway.id,
        gateway_owner=gateway.account,
        vpc_id=vpc.id,
        vpc_owner=ctx.account,
        subnets=tuple(subnet.id for subnet in subnets),
        created=ctx.now,
        state="pending" if gateway.account == ctx.account else "pendingAcceptance",
        **_options(options),
    )
    _check_ipv6(item, subnets)
    mine = ctx.db[TransitAttachment].add(replace(item, tags=tags.specified(req, "transit-gateway-attachment")))
    if gateway.account != ctx.account:
        ctx.db.at(gateway.account, ctx.region)[TransitAttachment].add(item)
    return {"TransitGatewayVpcAttachment": show_vpc_attachment(mine)}


def _gateway(ctx: Ctx, key: str) -> TransitGateway:
    """A gateway of this Region, whoever's it is."""
    check_form(TransitGateway, key)
    found = ctx.db.find(TransitGateway, key)
    if found is None or found.region != ctx.region or found.state in ("deleting", "deleted"):
        raise AwsError("InvalidTransitGatewayID.NotFound", f"Transit Gateway {key} was deleted or does not exist.")
    return found


def _refuse(options: Mapping[str, Any]) -> None:
    if options.get("ApplianceModeSupport") == "enable":
        raise errors.not_built("Appliance mode")


_OPTIONS = {
    "dns_support": "DnsSupport",
    "group_referencing": "SecurityGroupReferencingSupport",
    "ipv6_support": "Ipv6Support",
}


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {field: options[member] == "enable" for field, member in _OPTIONS.items() if options.get(member)}


def _check_subnets(vpc: Vpc, subnets: Iterable[Subnet]) -> None:
    zones: set[str] = set()
    for subnet in subnets:
        if subnet.vpc_id != vpc.id:
            raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet.id}' does not exist in {vpc.id}")
        if subnet.zone in zones:
            raise AwsError("DuplicateSubnetsInSameZone", "Duplicate Subnets for same AZ")
        zones.add(subnet.zone)


def _check_ipv6(item: TransitAttachment, subnets: Iterable[Subnet]) -> None:
    without = [subnet.id for subnet in subnets if not subnet.ipv6_cidr]
    if item.ipv6_support and without:
        raise errors.invalid_value(f"Subnets {', '.join(without)} have no IPv6 CIDR block.")


def _check_room(ctx: Ctx, gateway: TransitGateway, vpc: Vpc) -> None:
    held = [item for item in ctx.db[TransitAttachment].all(vpc_id=vpc.id) if item.state not in OVER]
    if any(item.gateway_id == gateway.id for item in held):
        raise AwsError(
            "DuplicateTransitGatewayAttachment",
            f"{gateway.id} has non-deleted Transit Gateway Attachments with same VPC ID.",
        )
    owner = ctx.at(gateway.account, gateway.region)
    limit = owner.limit("ec2", "L-E0233F82")
    full = limit is not None and len(attachments_of(owner.db, gateway.id)) >= limit
    if full or len(held) >= _PER_VPC:
        raise AwsError(
            "TransitGatewayAttachmentLimitExceeded",
            "The maximum number of transit gateway attachments has been reached.",
        )


@op("ModifyTransitGatewayVpcAttachment")
def modify_transit_gateway_vpc_attachment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other subnets or options; the VPC's owner alone does it."""
    item = _of_vpc(need_attachment(ctx, req["TransitGatewayAttachmentId"]))
    _own(ctx, item)
    ready(item)
    options = req.get("Options") or {}
    _refuse(options)
    removed = set(req.get("RemoveSubnetIds") or ())
    strangers = removed - set(item.subnets)
    if strangers:
        raise errors.invalid_value(f"Subnets {', '.join(sorted(strangers))} are not of {item.id}.")
    wanted = dict.fromkeys([*(s for s in item.subnets if s not in removed), *(req.get("AddSubnetIds") or ())])
    if not wanted:
        raise errors.invalid_value(f"{item.id} must keep a subnet.")
    subnets = need_all(ctx, Subnet, wanted)
    _check_subnets(ctx.db[Vpc].need(item.vpc_id), subnets)
    _check_ipv6(replace(item, **_options(options)), subnets)
    changed = change(ctx, item, state="modifying", subnets=tuple(wanted), **_options(options))
    return {"TransitGatewayVpcAttachment": show_vpc_attachment(changed)}


def _of_vpc(item: TransitAttachment) -> TransitAttachment:
    """What these operations are about; raises for a peering."""
    if item.kind != "vpc":
        raise AwsError("InvalidTransitGatewayAttachmentID.NotFound", f"{item.id} is not a VPC attachment.")
    return item


def _own(ctx: Ctx, item: TransitAttachment) -> None:
    if item.vpc_owner != ctx.account:
        raise AwsError("OperationNotPermitted", f"Only the owner of {item.vpc_id} can do this with {item.id}.")


@op("DeleteTransitGatewayVpcAttachment")
def delete_transit_gateway_vpc_attachment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End an attachment, from either side; static routes to it become black holes."""
    item = _of_vpc(need_attachment(ctx, req["TransitGatewayAttachmentId"]))
    carried = [one.id for one in connects.of_transport(ctx.db.at(item.gateway_owner, item.region), item.id)]
    if carried:
        raise AwsError("IncorrectState", f"{item.id} is the transport of {', '.join(carried)}.")
    if item.state == "deleting":
        return {"TransitGatewayVpcAttachment": show_vpc_attachment(item)}
    return {"TransitGatewayVpcAttachment": show_vpc_attachment(change(ctx, item, state="deleting"))}


def _pending(ctx: Ctx, key: str) -> TransitAttachment:
    """What waits for the account's acceptance."""
    item = _of_vpc(need_attachment(ctx, key))
    if item.gateway_owner != ctx.account:
        raise AwsError("OperationNotPermitted", f"Only the owner of {item.gateway_id} can do this with {item.id}.")
    if item.state != "pendingAcceptance":
        raise AwsError("IncorrectState", f"{item.id} is in invalid state")
    return item


@op("AcceptTransitGatewayVpcAttachment")
def accept_transit_gateway_vpc_attachment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let another account's VPC in."""
    item = change(ctx, _pending(ctx, req["TransitGatewayAttachmentId"]), state="pending")
    return {"TransitGatewayVpcAttachment": show_vpc_attachment(item)}


@op("RejectTransitGatewayVpcAttachment")
def reject_transit_gateway_vpc_attachment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep it out."""
    item = change(ctx, _pending(ctx, req["TransitGatewayAttachmentId"]), state="rejecting")
    return {"TransitGatewayVpcAttachment": show_vpc_attachment(item)}


@op("DescribeTransitGatewayVpcAttachments")
def describe_transit_gateway_vpc_attachments(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Attachments of the account's VPCs, and to its gateways."""
    found = describe(
        ctx, req, TransitAttachment, "TransitGatewayAttachmentIds", show_vpc_attachment, VPC_ATTACHMENTS
    )
    return {"TransitGatewayVpcAttachments": found}


@op("DescribeTransitGatewayAttachments")
def describe_transit_gateway_attachments(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The same, of every kind there is: VPCs, peers and Connect attachments."""
    peered = [*peers.here(ctx.db, ctx.account, ctx.region), *connects.here(ctx)]
    wanted, known = req.get("TransitGatewayAttachmentIds") or (), {item.id for item in peered}
    asked = {**req, "TransitGatewayAttachmentIds": [key for key in wanted if key not in known]}
    found = []
    if asked["TransitGatewayAttachmentIds"] or not wanted:
        found = describe(ctx, asked, TransitAttachment, "TransitGatewayAttachmentIds", show_attachment, ATTACHMENTS)
    rows = [Row(item.tags, show_attachment(item)) for item in peered if not wanted or item.id in wanted]
    return {"TransitGatewayAttachments": [*found, *narrow(req, ATTACHMENTS, rows)]}
