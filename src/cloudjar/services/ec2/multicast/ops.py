"""Multicast domains and the subnets in them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayMulticastDomain.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, describe, narrow, need, need_all
from cloudjar.services.ec2.multicast.records import MulticastAssociation, MulticastDomain
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.transit_gateways.finding import need_attachment, need_gateway, ready
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment
from cloudjar.services.ec2.transit_gateways.views import switch
from cloudjar.services.ec2.vpcs.making import op

_DOMAINS = by_path(
    {
        "state": "State",
        "transit-gateway-id": "TransitGatewayId",
        "transit-gateway-multicast-domain-id": "TransitGatewayMulticastDomainId",
    }
)
_ASSOCIATIONS = by_path(
    {
        "resource-id": "ResourceId",
        "resource-type": "ResourceType",
        "state": "Subnet.State",
        "subnet-id": "Subnet.SubnetId",
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
    }
)


@op("CreateTransitGatewayMulticastDomain")
def create_transit_gateway_multicast_domain(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A domain without subnets, of a gateway that was made for multicast."""
    gateway = need_gateway(ctx, req["TransitGatewayId"])
    ready(gateway)
    if not gateway.multicast:
        raise AwsError("IncorrectState", f"Multicast support is not enabled on {gateway.id}.")
    options = {name: value == "enable" for name, value in (req.get("Options") or {}).items()}
    if options.get("Igmpv2Support") and options.get("StaticSourcesSupport"):
        raise errors.combination("Igmpv2Support and StaticSourcesSupport cannot both be enabled.")
    if options.get("Igmpv2Support"):
        raise errors.not_built("A multicast domain with Igmpv2Support")
    domain = ctx.db[MulticastDomain].add(
        MulticastDomain(
            id=ctx.new_id("tgw-mcast-domain"),
            gateway_id=gateway.id,
            created=ctx.now,
            static_sources=options.get("StaticSourcesSupport", False),
            auto_accept=options.get("AutoAcceptSharedAssociations", False),
            tags=tags.specified(req, "transit-gateway-multicast-domain"),
        )
    )
    return {"TransitGatewayMulticastDomain": _show(domain)}


def need_domain(ctx: Ctx, key: str) -> MulticastDomain:
    """A domain that can be used."""
    domain = need(ctx, MulticastDomain, key)
    if domain.state in ("deleting", "deleted"):
        raise AwsError(
            "InvalidTransitGatewayMulticastDomainId.NotFound",
            f"Transit Gateway Multicast Domain {key} was deleted or does not exist.",
        )
    return domain


def available_domain(ctx: Ctx, key: str) -> MulticastDomain:
    """One that has been seen."""
    domain = need_domain(ctx, key)
    if domain.state != "available":
        raise AwsError("IncorrectState", f"{domain.id} is in invalid state")
    return domain


@op("DescribeTransitGatewayMulticastDomains")
def describe_transit_gateway_multicast_domains(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Domains by id or filter, for an hour also those that are gone."""
    found = describe(ctx, req, MulticastDomain, "TransitGatewayMulticastDomainIds", _show, _DOMAINS)
    return {"TransitGatewayMulticastDomains": found}


@op("DeleteTransitGatewayMulticastDomain")
def delete_transit_gateway_multicast_domain(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a domain that no subnet is in."""
    domain = need_domain(ctx, req["TransitGatewayMulticastDomainId"])
    if ctx.db[MulticastAssociation].count(domain_id=domain.id):
        raise AwsError("IncorrectState", f"{domain.id} has non-deleted associations.")
    return {"TransitGatewayMulticastDomain": _show(ctx.db[MulticastDomain].put(replace(domain, state="deleting")))}


@op("AssociateTransitGatewayMulticastDomain")
def associate_transit_gateway_multicast_domain(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put subnets of an attached VPC into a domain."""
    domain, item = _both(ctx, req)
    subnets = need_all(ctx, Subnet, req["SubnetIds"])
    for subnet in subnets:
        if subnet.vpc_id != item.vpc_id:
            raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet.id}' does not exist in {item.vpc_id}")
        if ctx.db[MulticastAssociation].get(subnet.id) is not None:
            raise AwsError(
                "Resource.AlreadyAssociated",
                f"Subnet {subnet.id} is already associated to a Transit Gateway Multicast Domain.",
            )
    limit = ctx.limit("ec2", "L-9F8FA74B")
    held = ctx.db[MulticastAssociation].count(vpc_id=item.vpc_id)
    if limit is not None and held + len(subnets) > limit:
        raise AwsError(
            "TransitGatewayMulticastDomainAssociationLimitExceeded",
            "The maximum number of multicast domain associations has been reached.",
        )
    made = [
        ctx.db[MulticastAssociation].add(
            MulticastAssociation(
                subnet_id=subnet.id, domain_id=domain.id, attachment_id=item.id, vpc_id=item.vpc_id
            )
        )
        for subnet in subnets
    ]
    return {"Associations": _show_all(domain, item, made)}


def _both(ctx: Ctx, req: dict[str, Any]) -> tuple[MulticastDomain, TransitAttachment]:
    domain = available_domain(ctx, req["TransitGatewayMulticastDomainId"])
    item = need_attachment(ctx, req["TransitGatewayAttachmentId"], domain.gateway_id)
    if item.gateway_id != domain.gateway_id:
        raise errors.invalid_value(f"{item.id} and {domain.id} do not belong to the same Transit Gateway.")
    if item.kind != "vpc" or item.vpc_owner != ctx.account:
        raise AwsError("OperationNotPermitted", f"{item.id} does not lead to a VPC of this account.")
    ready(item)
    return domain, item


@op("DisassociateTransitGatewayMulticastDomain")
def disassociate_transit_gateway_multicast_domain(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take subnets out; their interfaces leave the domain's groups."""
    domain, item = _both(ctx, req)
    found = []
    for key in dict.fromkeys(req["SubnetIds"]):
        association = ctx.db[MulticastAssociation].get(key)
        if association is None or (association.domain_id, association.attachment_id) != (domain.id, item.id):
            raise AwsError(
                "InvalidTransitGatewayMulticastDomainAssociation.NotFound",
                f"Subnet {key} is not associated to Transit Gateway Multicast Domain {domain.id}.",
            )
        found.append(association)
    gone = [ctx.db[MulticastAssociation].put(replace(one, state="disassociating")) for one in found]
    return {"Associations": _show_all(domain, item, gone)}


@op("GetTransitGatewayMulticastDomainAssociations")
def get_transit_gateway_multicast_domain_associations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The subnets in a domain."""
    domain = need_domain(ctx, req["TransitGatewayMulticastDomainId"])
    held = sorted(ctx.db[MulticastAssociation].all(domain_id=domain.id), key=lambda one: one.subnet_id)
    rows = [
        Row({}, {
            "ResourceId": one.vpc_id, "ResourceOwnerId": one.account, "ResourceType": "vpc",
            "Subnet": {"State": one.state, "SubnetId": one.subnet_id},
            "TransitGatewayAttachmentId": one.attachment_id,
        })
        for one in held
    ]  # fmt: skip
    return {"MulticastDomainAssociations": narrow(req, _ASSOCIATIONS, rows)}


def _show(domain: MulticastDomain) -> dict[str, Any]:
    return {
        "CreationTime": domain.created,
        "Options": {
            "AutoAcceptSharedAssociations": switch(domain.auto_accept),
            "Igmpv2Support": "disable",
            "StaticSourcesSupport": switch(domain.static_sources),
        },
        "OwnerId": domain.account,
        "State": domain.state,
        "Tags": tags.as_list(domain.tags),
        "TransitGatewayId": domain.gateway_id,
        "TransitGatewayMulticastDomainArn": arn_of(domain),
        "TransitGatewayMulticastDomainId": domain.id,
    }


def _show_all(
    domain: MulticastDomain, item: TransitAttachment, subnets: Iterable[MulticastAssociation]
) -> dict[str, Any]:
    return {
        "ResourceId": item.vpc_id,
        "ResourceOwnerId": item.vpc_owner,
        "ResourceType": item.kind,
        "Subnets": [{"State": one.state, "SubnetId": one.subnet_id} for one in subnets],
        "TransitGatewayAttachmentId": item.id,
        "TransitGatewayMulticastDomainId": domain.id,
    }
