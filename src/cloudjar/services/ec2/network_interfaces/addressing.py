"""Secondary private addresses of an interface.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.addresses import public
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.network_interfaces import limits, making, usage
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface, PrivateAddress
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import op


@op("AssignPrivateIpAddresses")
def assign_private_ip_addresses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """More addresses for an interface: those named, or as many as are asked for."""
    errors.refuse(req, "Ipv4Prefixes", "Ipv4PrefixCount")
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    subnet = ctx.db[Subnet].need(eni.subnet_id)
    named, count = req.get("PrivateIpAddresses") or [], req.get("SecondaryPrivateIpAddressCount") or 0
    if bool(named) == bool(count):
        raise errors.combination(
            "Exactly one of privateIpAddresses and secondaryPrivateIpAddressCount must be specified."
        )
    own = {address.ip for address in eni.addresses}
    wanted = [ip for ip in dict.fromkeys(named) if ip not in own]
    instance = ctx.find("ec2", "instance", eni.instance_id) if eni.instance_id else None
    if instance is not None:
        limits.refuse_too_many(getattr(instance, "type", ""), 1, len(own) + len(wanted) + count)
    taken = making.taken_addresses(ctx.db, subnet.id)
    if req.get("AllowReassignment"):
        for ip in wanted:
            _take_over(ctx, eni, ip, taken)
    fresh = [making.claim(subnet, ip, taken) for ip in wanted]
    fresh += making.draw(subnet, taken, count, making.reserved(ctx.db, subnet.id))
    usage.check(ctx, eni.vpc_id, len(fresh))
    added = tuple(PrivateAddress(ip=ip) for ip in fresh)
    ctx.db[NetworkInterface].put(replace(eni, addresses=(*eni.addresses, *added)))
    return {
        "NetworkInterfaceId": eni.id,
        "AssignedPrivateIpAddresses": [{"PrivateIpAddress": ip} for ip in fresh],
        "AssignedIpv4Prefixes": [],
    }


def _take_over(ctx: Ctx, eni: NetworkInterface, ip: str, taken: set[str]) -> None:
    """Take a secondary address from another interface of the subnet."""
    for other in ctx.db[NetworkInterface].all(subnet_id=eni.subnet_id):
        if any(address.ip == ip for address in other.addresses[1:]):
            _without(ctx, other, ip)
            taken.discard(ip)


@op("UnassignPrivateIpAddresses")
def unassign_private_ip_addresses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Fewer addresses; the primary one stays."""
    errors.refuse(req, "Ipv4Prefixes")
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    if not req.get("PrivateIpAddresses"):
        raise errors.missing_one("privateIpAddresses")
    secondary = {address.ip for address in eni.addresses[1:]}
    for ip in dict.fromkeys(req["PrivateIpAddresses"]):
        if ip == eni.primary.ip:
            raise errors.invalid_value(f"The primary private IP address {ip} cannot be unassigned")
        if ip not in secondary:
            raise errors.invalid_value(f"Some of [{ip}] are not assigned to interface {eni.id}")
        eni = _without(ctx, eni, ip)
    return {}


def _without(ctx: Ctx, eni: NetworkInterface, ip: str) -> NetworkInterface:
    eni = public.clear(ctx, eni, ip)
    kept = tuple(address for address in eni.addresses if address.ip != ip)
    return ctx.db[NetworkInterface].put(replace(eni, addresses=kept))


@op("AssignIpv6Addresses")
def assign_ipv6_addresses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """IPv6 addresses for an interface: those named, or as many as are asked for."""
    errors.refuse(req, "Ipv6Prefixes", "Ipv6PrefixCount")
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    named, count = req.get("Ipv6Addresses") or [], req.get("Ipv6AddressCount") or 0
    if bool(named) == bool(count):
        raise errors.combination("Exactly one of ipv6Addresses and ipv6AddressCount must be specified.")
    instance = ctx.find("ec2", "instance", eni.instance_id) if eni.instance_id.startswith("i-") else None
    if instance is not None:
        limits.refuse_too_many6(getattr(instance, "type", ""), len(eni.ipv6) + len(named) + count)
    fresh = making.new_ipv6(ctx.db, ctx.db[Subnet].need(eni.subnet_id), named, count)
    usage.check(ctx, eni.vpc_id, len(fresh))
    ctx.db[NetworkInterface].put(replace(eni, ipv6=(*eni.ipv6, *fresh)))
    return {"NetworkInterfaceId": eni.id, "AssignedIpv6Addresses": list(fresh), "AssignedIpv6Prefixes": []}


@op("UnassignIpv6Addresses")
def unassign_ipv6_addresses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Fewer IPv6 addresses; none of them is a primary one."""
    errors.refuse(req, "Ipv6Prefixes")
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    if not req.get("Ipv6Addresses"):
        raise errors.missing_one("ipv6Addresses")
    gone = []
    for text in dict.fromkeys(req["Ipv6Addresses"]):
        found = blocks.address6(text)
        if found is None or str(found) not in eni.ipv6:
            raise errors.invalid_value(f"Some of [{text}] are not assigned to interface {eni.id}")
        gone.append(str(found))
    ctx.db[NetworkInterface].put(replace(eni, ipv6=tuple(ip for ip in eni.ipv6 if ip not in gone)))
    return {"NetworkInterfaceId": eni.id, "UnassignedIpv6Addresses": gone, "UnassignedIpv6Prefixes": []}
