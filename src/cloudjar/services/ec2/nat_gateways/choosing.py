"""Which addresses a NAT gateway is to have: what a request may ask for; nothing is stored here.

https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.addresses.records import ElasticIp
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.nat_gateways.records import NatAddress
from cloudjar.services.ec2.subnets.records import Subnet

_ELASTIC_IPS, _PRIVATE = ("vpc", "L-5F53652F"), ("vpc", "L-DFA99DE7")


def initial(ctx: Ctx, subnet: Subnet, req: Mapping[str, Any]) -> tuple[NatAddress, ...]:
    """The addresses that a gateway is made with, the primary one first."""
    connectivity = req.get("ConnectivityType") or "public"
    first = NatAddress(allocation_id=req.get("AllocationId") or "", private_ip=req.get("PrivateIpAddress") or "")
    named, count = req.get("SecondaryPrivateIpAddresses") or [], req.get("SecondaryPrivateIpAddressCount") or 0
    allocations = req.get("SecondaryAllocationIds") or []
    if connectivity == "private":
        if first.allocation_id or allocations:
            raise errors.combination("A private NAT gateway cannot have an Elastic IP address: remove allocationId.")
        return _checked(ctx, subnet, "private", (first, *unnumbered(named, count)))
    if not first.allocation_id:
        raise errors.missing(
            "The request must include the AllocationId parameter. Add the required parameter and retry the request."
        )
    if count:
        raise errors.combination("The parameter secondaryPrivateIpAddressCount is for private NAT gateways only.")
    return _checked(ctx, subnet, "public", (first, *translated(allocations, named)))


def translated(allocations: Sequence[str], private: Sequence[str]) -> tuple[NatAddress, ...]:
    """Secondary addresses of a public gateway: each has an Elastic IP, and its private address may be named."""
    if private and len(private) != len(allocations):
        raise errors.combination(
            "The number of private IPv4 addresses must be that of the allocation IDs of secondary Elastic IP addresses."
        )
    named = private or [""] * len(allocations)
    return tuple(NatAddress(allocation_id=a, private_ip=p) for a, p in zip(allocations, named, strict=True))


def unnumbered(named: Sequence[str], count: int) -> tuple[NatAddress, ...]:
    """Secondary addresses of a private gateway: those named, or as many as are asked for."""
    if named and count:
        raise errors.combination(
            "The parameters secondaryPrivateIpAddresses and secondaryPrivateIpAddressCount cannot be used together."
        )
    return tuple(NatAddress(private_ip=ip) for ip in named or [""] * count)


def further(
    ctx: Ctx, subnet: Subnet, connectivity: Literal["public", "private"], before: Sequence[NatAddress],
    more: Sequence[NatAddress],
) -> tuple[NatAddress, ...]:  # fmt: skip
    """`before` and `more` together, checked."""
    return _checked(ctx, subnet, connectivity, (*before, *more))


def _checked(
    ctx: Ctx, subnet: Subnet, connectivity: Literal["public", "private"], addresses: tuple[NatAddress, ...]
) -> tuple[NatAddress, ...]:
    for ip in [a.private_ip for a in addresses if a.private_ip]:
        if blocks.address(ip) is None or not blocks.may_hold(subnet.cidr, ip):
            raise errors.invalid_parameter(ip, "PrivateIpAddress", f"It is not an address of subnet {subnet.id}.")
    for allocation in [a.allocation_id for a in addresses if a.allocation_id]:
        need(ctx, ElasticIp, allocation)
    _refuse_twice([a.private_ip for a in addresses if a.private_ip], "PrivateIpAddress")
    _refuse_twice([a.allocation_id for a in addresses if a.allocation_id], "AllocationId")
    _within_limit(ctx, connectivity, sum(a.status != "failed" for a in addresses))
    return addresses


def _refuse_twice(values: Sequence[str], parameter: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise errors.invalid_parameter(value, parameter, "It is named twice.")


def _within_limit(ctx: Ctx, connectivity: Literal["public", "private"], count: int) -> None:
    limit = ctx.limit(*(_ELASTIC_IPS if connectivity == "public" else _PRIVATE))
    if limit is None or count <= limit:
        return
    if connectivity == "public":
        raise AwsError("AddressLimitExceeded", f"A NAT gateway has {limit:.0f} Elastic IP addresses at most.")
    raise AwsError(
        "PrivateIpAddressLimitExceeded", f"A NAT gateway has {limit:.0f} private IPv4 addresses at most."
    )
