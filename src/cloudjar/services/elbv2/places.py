"""Where a load balancer has its nodes: subnets in different zones, and the interfaces that EC2 lends for them.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx
from cloudjar.services.elbv2 import errors
from cloudjar.services.elbv2.records import LoadBalancer, Zone

OWNER = "amazon-elb"


class Place(NamedTuple):
    """A subnet (EC2's record), and the addresses that its node must have."""

    subnet: Any
    allocation: str = ""
    private: str = ""


def asked(ctx: Ctx, req: dict[str, Any], kind: str, scheme: str) -> list[Place]:
    """The places that a request names; raises what AWS raises when no load balancer can be there."""
    if bool(req.get("Subnets")) == bool(req.get("SubnetMappings")):
        raise errors.validation("You must specify either subnets or subnet mappings")
    mappings = req.get("SubnetMappings") or [{"SubnetId": subnet_id} for subnet_id in dict.fromkeys(req["Subnets"])]
    found = [_place(ctx, mapping, kind, scheme) for mapping in mappings]
    zones = [place.subnet.zone for place in found]
    if len(set(zones)) < len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if kind == "app" and len(found) < 2:
        raise errors.validation("At least two subnets in two different Availability Zones must be specified")
    if len({place.subnet.vpc_id for place in found}) > 1:
        raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    return found


def _place(ctx: Ctx, mapping: dict[str, Any], kind: str, scheme: str) -> Place:
    if mapping.get("IPv6Address") or mapping.get("SourceNatIpv6Prefix"):
        raise errors.not_built("A subnet mapping with an IPv6 address")
    allocation, private = mapping.get("AllocationId") or "", mapping.get("PrivateIPv4Address") or ""
    if (allocation or private) and kind == "app":
        raise errors.validation("Addresses in subnet mappings are supported for network load balancers only")
    if allocation and scheme == "internal":
        raise _unfit("Elastic IP addresses are not supported for internal load balancers")
    if private and scheme != "internal":
        raise _unfit("Private IPv4 addresses are supported for internal load balancers only")
    subnet = ctx.find("ec2", "subnet", mapping["SubnetId"])
    if subnet is None:
        raise AwsError("SubnetNotFound", f"The subnet ID '{mapping['SubnetId']}' does not exist")
    return Place(subnet, allocation, private)


def _unfit(message: str) -> AwsError:
    return AwsError("InvalidConfigurationRequest", message)


def subnets(wanted: list[Place]) -> set[str]:
    """Their ids."""
    return {place.subnet.id for place in wanted}


def groups(ctx: Ctx, vpc_id: str, given: Any) -> tuple[str, ...]:
    """Security groups of a VPC; its default one when none is given. Raises InvalidSecurityGroup."""
    try:
        return interfaces.lender(ctx).groups_of(ctx, vpc_id, given)
    except AwsError as e:
        raise AwsError("InvalidSecurityGroup", e.message) from e


def make(ctx: Ctx, balancer: LoadBalancer, place: Place) -> Zone:
    """An interface for the node of one zone."""
    node = node_name(balancer.suffix, place.subnet.zone)
    net = balancer.kind == "net"
    try:
        lent = interfaces.lender(ctx).lend(
            ctx, node, place.subnet.id, balancer.groups,
            description=f"ELB {balancer.kind}/{balancer.name}/{balancer.suffix}", owner=OWNER,
            public=balancer.scheme == "internet-facing", kind="network_load_balancer" if net else "interface",
            relays=net, guarded=balancer.guarded, private=place.private, allocation=place.allocation,
        )  # fmt: skip
        interfaces.lender(ctx).guard_links(ctx, lent.id, balancer.links_guarded)
    except AwsError as e:
        raise _reworded(e, place) from e
    return Zone(
        name=place.subnet.zone, subnet_id=place.subnet.id, interface_id=lent.id, node=node,
        allocation=place.allocation, address=place.private,
    )  # fmt: skip


def _reworded(e: AwsError, place: Place) -> AwsError:
    if e.code.startswith("InvalidAllocationID"):
        return AwsError("AllocationIdNotFound", f"The allocation IDs '{place.allocation}' do not exist")
    if e.code == "Resource.AlreadyAssociated":
        return AwsError("ResourceInUse", f"The allocation IDs are not available for use: '{place.allocation}'")
    if e.code in ("InsufficientFreeAddressesInSubnet", "InvalidParameterValue", "InvalidIPAddress.InUse"):
        return AwsError("InvalidSubnet", e.message)
    return e


def node_name(suffix: str, zone: str) -> str:
    """``elb-0123456789abcdef-a``: guest and proxy of one zone; without a zone the beginning of all."""
    return f"elb-{suffix}-{zone[-1:]}"
