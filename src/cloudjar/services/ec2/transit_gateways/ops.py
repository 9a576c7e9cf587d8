"""Transit gateways: made, described, changed, deleted.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGateway.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import describe
from cloudjar.services.ec2.multicast.records import MulticastDomain
from cloudjar.services.ec2.transit_connects.blocks import refuse_use
from cloudjar.services.ec2.transit_connects.rules import gateway_blocks
from cloudjar.services.ec2.transit_gateways.finding import attachments_of, blocks_of, need_gateway, need_table, ready
from cloudjar.services.ec2.transit_gateways.life import GATEWAY
from cloudjar.services.ec2.transit_gateways.records import PolicyTable, TransitGateway, TransitRouteTable
from cloudjar.services.ec2.transit_gateways.views import GATEWAYS, show_gateway
from cloudjar.services.ec2.vpcs.making import op

_ASNS = (range(64512, 65535), range(4_200_000_000, 4_294_967_295))


@op("CreateTransitGateway")
def create_transit_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A gateway, with one route table for everything unless it is to have none by default."""
    options = req.get("Options") or {}
    _refuse(options)
    gateway = ctx.db[TransitGateway].add(
        TransitGateway(
            id=ctx.new_id("tgw"),
            description=req.get("Description") or "",
            created=ctx.now,
            asn=_asn(options.get("AmazonSideAsn") or 64512),
            auto_accept=_on(options, "AutoAcceptSharedAttachments", False),
            default_association=_on(options, "DefaultRouteTableAssociation", True),
            default_propagation=_on(options, "DefaultRouteTablePropagation", True),
            vpn_ecmp=_on(options, "VpnEcmpSupport", True),
            dns_support=_on(options, "DnsSupport", True),
            multicast=_on(options, "MulticastSupport", False),
            cidr_blocks=gateway_blocks(options.get("TransitGatewayCidrBlocks") or (), ()),
            tags=tags.specified(req, "transit-gateway"),
        )
    )
    if gateway.default_association or gateway.default_propagation:
        table = ctx.db[TransitRouteTable].add(
            TransitRouteTable(id=ctx.new_id("tgw-rtb"), gateway_id=gateway.id, created=ctx.now)
        )
        gateway = ctx.db[TransitGateway].put(
            replace(
                gateway,
                association_table=table.id if gateway.default_association else "",
                propagation_table=table.id if gateway.default_propagation else "",
            )
        )
    return {"TransitGateway": show_gateway(gateway)}


def _refuse(options: Mapping[str, Any]) -> None:
    for member in ("SecurityGroupReferencingSupport", "EncryptionSupport"):
        if options.get(member) == "enable":
            raise errors.not_built(f"A transit gateway with {member}")


def _on(options: Mapping[str, Any], member: str, default: bool) -> bool:
    given = options.get(member)
    return default if given is None else given == "enable"


def _asn(number: int) -> int:
    if not any(number in span for span in _ASNS):
        raise errors.invalid_parameter(number, "AmazonSideAsn", "It is not a private ASN.")
    return number


@op("DescribeTransitGateways")
def describe_transit_gateways(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Gateways by id or filter, for an hour also those that are gone."""
    found = describe(ctx, req, TransitGateway, "TransitGatewayIds", show_gateway, GATEWAYS)
    return {"TransitGateways": found}


@op("ModifyTransitGateway")
def modify_transit_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change the description or options; default tables hold for what is attached from then on."""
    gateway, options = need_gateway(ctx, req["TransitGatewayId"]), req.get("Options") or {}
    ready(gateway)
    _refuse(options)
    if options.get("AmazonSideAsn") and attachments_of(ctx.db, gateway.id):
        raise AwsError("IncorrectState", f"{gateway.id} has non-deleted Transit Gateway Attachments.")
    changed = replace(
        gateway,
        description=req.get("Description") or gateway.description,
        asn=_asn(options.get("AmazonSideAsn") or gateway.asn),
        auto_accept=_on(options, "AutoAcceptSharedAttachments", gateway.auto_accept),
        vpn_ecmp=_on(options, "VpnEcmpSupport", gateway.vpn_ecmp),
        dns_support=_on(options, "DnsSupport", gateway.dns_support),
        default_association=_on(options, "DefaultRouteTableAssociation", gateway.default_association),
        default_propagation=_on(options, "DefaultRouteTablePropagation", gateway.default_propagation),
        association_table=_default_table(ctx, gateway, options, "Association", gateway.association_table),
        propagation_table=_default_table(ctx, gateway, options, "Propagation", gateway.propagation_table),
        cidr_blocks=_blocks(ctx, gateway, options),
    )
    ctx.db[TransitGateway].put(changed)
    return {"TransitGateway": show_gateway(GATEWAY.move(ctx, changed, "modifying"))}


def _blocks(ctx: Ctx, gateway: TransitGateway, options: Mapping[str, Any]) -> tuple[str, ...]:
    """The gateway's own blocks as they will be."""
    added, removed = (options.get(f"{way}TransitGatewayCidrBlocks") or () for way in ("Add", "Remove"))
    strangers = [text for text in removed if text not in gateway.cidr_blocks]
    if strangers:
        raise errors.invalid_value(f"{', '.join(strangers)} are no CIDR blocks of {gateway.id}.")
    refuse_use(ctx, gateway, tuple(removed))
    kept = [text for text in gateway.cidr_blocks if text not in removed]
    if not added:
        return tuple(kept)
    taken = [block for item in attachments_of(ctx.db, gateway.id) for block in blocks_of(ctx.db, item)]
    return gateway_blocks((*kept, *added), taken)


def _default_table(ctx: Ctx, gateway: TransitGateway, options: Mapping[str, Any], kind: str, now: str) -> str:
    """The id of a default table as it will be; empty when there is none."""
    wanted = options.get(f"DefaultRouteTable{kind}")
    key = options.get(f"{kind}DefaultRouteTableId")
    if wanted == "disable":
        return ""
    if key:
        if need_table(ctx, key).gateway_id != gateway.id:
            raise errors.invalid_value(f"Transit Gateway Route Table {key} does not belong to {gateway.id}.")
        return str(key)
    if wanted == "enable" and not now:
        raise errors.missing_one(f"{kind}DefaultRouteTableId")
    return now


@op("DeleteTransitGateway")
def delete_transit_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a gateway that nothing is attached to, with its route tables."""
    gateway = need_gateway(ctx, req["TransitGatewayId"])
    attached = attachments_of(ctx.db, gateway.id)
    if attached:
        raise AwsError(
            "IncorrectState",
            f"{gateway.id} has non-deleted Transit Gateway Attachments: {', '.join(item.id for item in attached)}.",
        )
    domains = [one.id for one in ctx.db[MulticastDomain].all(gateway_id=gateway.id) if one.state != "deleted"]
    tables = [one.id for one in ctx.db[PolicyTable].all(gateway_id=gateway.id) if one.state != "deleted"]
    for held, what in ((domains, "Multicast Domains"), (tables, "Policy Tables")):
        if held:
            raise AwsError("IncorrectState", f"{gateway.id} has non-deleted Transit Gateway {what}: {', '.join(held)}.")
    return {"TransitGateway": show_gateway(GATEWAY.move(ctx, gateway, "deleting"))}
