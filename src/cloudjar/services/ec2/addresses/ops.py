"""Elastic IP addresses.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.addresses import public
from cloudjar.services.ec2.addresses.records import AddressTransfer, ElasticIp
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need, need_all
from cloudjar.services.ec2.network_interfaces.permitting import usable
from cloudjar.services.ec2.network_interfaces.public_names import refuse_losing
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.route_tables.rules import only_interface
from cloudjar.services.ec2.vpcs.making import op

FILTERS = by_path(
    {
        "allocation-id": "AllocationId",
        "association-id": "AssociationId",
        "domain": "Domain",
        "instance-id": "InstanceId",
        "network-border-group": "NetworkBorderGroup",
        "network-interface-id": "NetworkInterfaceId",
        "network-interface-owner-id": "NetworkInterfaceOwnerId",
        "private-ip-address": "PrivateIpAddress",
        "public-ip": "PublicIp",
    }
)


def show_address(elastic: ElasticIp, eni: NetworkInterface | None) -> dict[str, Any]:
    """AWS's Address; `eni` is the interface that it stands in front of."""
    return {
        "AllocationId": elastic.id,
        "AssociationId": elastic.association_id or None,
        "Domain": "vpc",
        "InstanceId": (eni.instance_id if eni is not None and eni.instance_id.startswith("i-") else "") or None,
        "NetworkBorderGroup": elastic.region,
        "NetworkInterfaceId": elastic.interface_id or None,
        "NetworkInterfaceOwnerId": (elastic.interface_owner or elastic.account) if elastic.interface_id else None,
        "PrivateIpAddress": elastic.private_ip or None,
        "PublicIp": elastic.ip,
        "PublicIpv4Pool": "amazon",
        "Tags": tags.as_list(elastic.tags),
    }


@op("AllocateAddress")
def allocate_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Hold an address of the pool until it is released; it costs from now on."""
    errors.refuse(req, "CustomerOwnedIpv4Pool", "IpamPoolId")
    if req.get("Domain") == "standard":
        raise errors.invalid_parameter("standard", "domain", "EC2-Classic is no longer available.")
    if req.get("PublicIpv4Pool") not in (None, "amazon"):
        raise errors.not_found("InvalidPublicIpv4PoolID.NotFound", "publicIpv4Pool", req["PublicIpv4Pool"])
    if req.get("NetworkBorderGroup") not in (None, ctx.region):
        raise errors.invalid_parameter(req["NetworkBorderGroup"], "networkBorderGroup", "Use the region's own.")
    elastic = ElasticIp(id=ctx.new_id("eipalloc"), ip="", tags=tags.specified(req, "elastic-ip"))
    elastic = ctx.db[ElasticIp].add(elastic)  # the quota is asked before the pool
    ip = public.take(ctx, elastic=True, in_use=False, wanted=req.get("Address") or "")
    elastic = public.named(ctx, elastic, ip)
    return {
        "AllocationId": elastic.id,
        "Domain": "vpc",
        "NetworkBorderGroup": ctx.region,
        "PublicIp": ip,
        "PublicIpv4Pool": "amazon",
    }


@op("DescribeAddresses")
def describe_addresses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Elastic IPs by id, address or filter."""
    rows = [Row(item.tags, show_address(item, public.facing_of(ctx, item))) for item in _selected(ctx, req)]
    return {"Addresses": narrow(req, FILTERS, rows)}


def _selected(ctx: Ctx, req: Mapping[str, Any]) -> list[ElasticIp]:
    if not req.get("AllocationIds") and not req.get("PublicIps"):
        return ctx.db[ElasticIp].all()
    found = need_all(ctx, ElasticIp, req.get("AllocationIds") or ())
    found += [_by_ip(ctx, ip) for ip in req.get("PublicIps") or ()]
    return list({elastic.id: elastic for elastic in found}.values())


def _by_ip(ctx: Ctx, ip: str) -> ElasticIp:
    if blocks.address(ip) is None:
        raise AwsError("InvalidAddress.Malformed", f"Invalid IPv4 address: {ip}")
    found = ctx.db[ElasticIp].all(ip=ip)
    if not found:
        raise AwsError("InvalidAddress.NotFound", f"Address '{ip}' not found.")
    return found[0]


@op("AssociateAddress")
def associate_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put an Elastic IP in front of an instance or an interface, in the place of what was there."""
    elastic = _named(ctx, req, "allocationId")
    eni = _target(ctx, req)
    private_ip = req.get("PrivateIpAddress") or eni.primary.ip
    address = next((a for a in eni.addresses if a.ip == private_ip), None)
    if address is None:
        raise errors.invalid_parameter(
            private_ip, "privateIpAddress", f"It is not an address of network interface {eni.id}."
        )
    if elastic.interface_id == eni.id and elastic.private_ip == private_ip:
        return {"AssociationId": elastic.association_id}
    if req.get("AllowReassociation") is False:
        _refuse_taken(elastic, eni, address.public.association_id if address.public else "")
    if not ctx.db.at(eni.account, eni.region)[InternetGateway].count(vpc_id=eni.vpc_id):
        raise AwsError("Gateway.NotAttached", f"Network {eni.vpc_id} is not attached to any internet gateway")
    return {"AssociationId": public.associate(ctx, elastic, eni, private_ip).association_id}


def _refuse_taken(elastic: ElasticIp, eni: NetworkInterface, other: str) -> None:
    if elastic.association_id:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"resource {elastic.id} is already associated with associate-id {elastic.association_id}",
        )
    if other:
        raise AwsError(
            "Resource.AlreadyAssociated", f"resource {eni.id} is already associated with associate-id {other}"
        )


def _named(ctx: Ctx, req: Mapping[str, Any], parameter: str) -> ElasticIp:
    """The Elastic IP that a request names by allocation or by address."""
    if req.get("AllocationId"):
        return need(ctx, ElasticIp, req["AllocationId"])
    if req.get("PublicIp"):
        return _by_ip(ctx, req["PublicIp"])
    raise errors.missing(f"Either public IP or {parameter} must be specified")


def _target(ctx: Ctx, req: Mapping[str, Any]) -> NetworkInterface:
    if req.get("NetworkInterfaceId"):
        eni = usable(ctx, req["NetworkInterfaceId"], "EIP-ASSOCIATE")
        if req.get("InstanceId") and eni.instance_id != req["InstanceId"]:
            raise errors.combination(
                f"You may specify either instance ID or network interface ID: {eni.id} is not attached to "
                f"{req['InstanceId']}"
            )
        return eni
    if req.get("InstanceId"):
        return only_interface(ctx, req["InstanceId"])
    raise errors.missing("Either instance ID or network interface id must be specified")


@op("DisassociateAddress")
def disassociate_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take an Elastic IP off; it stays allocated, and costs as idle."""
    if req.get("AssociationId"):
        found = ctx.db[ElasticIp].all(association_id=req["AssociationId"])
        if not found:
            raise errors.no_association(req["AssociationId"])
        elastic = found[0]
    elif req.get("PublicIp"):
        elastic = _by_ip(ctx, req["PublicIp"])
    else:
        raise errors.missing("Either public IP or association ID must be specified")
    eni = public.facing_of(ctx, elastic)
    if eni is not None:
        refuse_losing(eni, elastic.private_ip)
    public.disassociate(ctx, elastic)
    return {}


@op("ReleaseAddress")
def release_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let go of an Elastic IP that is in front of nothing; it stops costing."""
    elastic = _named(ctx, req, "allocationId")
    if elastic.pointer or elastic.pointer_asked:
        raise AwsError(
            "InvalidAddress.Locked", f"Address {elastic.ip} has a reverse DNS record. Reset its attribute first."
        )
    if elastic.association_id:
        raise AwsError("InvalidIPAddress.InUse", f"Address {elastic.ip} is in use.")
    offer = ctx.db[AddressTransfer].get(elastic.id)
    if offer is not None and offer.accepted is None:
        ctx.db[AddressTransfer].drop(offer)
    public.give_back(ctx, elastic.ip)
    ctx.db[ElasticIp].drop(elastic)
    return {}

