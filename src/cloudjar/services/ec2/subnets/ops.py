"""Subnets.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html
"""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Network
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.block_public_access.ops import resource_gone
from cloudjar.services.ec2.block_public_access.standing import Standing
from cloudjar.services.ec2.lookup import describe, need
from cloudjar.services.ec2.multicast.records import MulticastAssociation
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import CidrReservation, Subnet
from cloudjar.services.ec2.subnets.views import FILTERS, addresses_in_use, show_subnet
from cloudjar.services.ec2.vpcs import ipv6
from cloudjar.services.ec2.vpcs.making import DEFAULT_CIDR, DEFAULT_SUBNET_PREFIX, default_vpc, make_subnet, op
from cloudjar.services.ec2.vpcs.records import Vpc
from cloudjar.spec import regions

_NOT_BUILT = (
    "OutpostArn",
    "Ipv6Native",
    "Ipv4IpamPoolId",
    "Ipv4NetmaskLength",
    "Ipv6IpamPoolId",
    "Ipv6NetmaskLength",
)


@op("CreateSubnet")
def create_subnet(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Carve a free block out of a VPC."""
    errors.refuse(req, *_NOT_BUILT)
    vpc = need(ctx, Vpc, req["VpcId"])
    if not req.get("CidrBlock"):
        raise errors.missing("Either 'cidrBlock' or 'ipv6CidrBlock' should be provided.")
    others = ctx.db[Subnet].all(vpc_id=vpc.id)
    cidr = blocks.subnet_block(req["CidrBlock"], [b.cidr for b in vpc.cidrs], [s.cidr for s in others])
    cidr6 = ipv6.subnet_block(ctx, vpc, req["Ipv6CidrBlock"]) if req.get("Ipv6CidrBlock") else ""
    zone = _zone(ctx, req) or _emptiest(ctx, others)
    subnet = make_subnet(ctx, vpc, cidr, zone, tags=tags.specified(req, "subnet"))
    if cidr6:
        subnet = ctx.db[Subnet].put(
            replace(subnet, ipv6_cidr=cidr6, ipv6_association_id=ctx.new_id("subnet-cidr-assoc"))
        )
    return {"Subnet": show_subnet(subnet, 0)}


def _zone(ctx: Ctx, req: dict[str, Any]) -> regions.Zone | None:
    """The zone that the request names by name or id, or None."""
    name, zone_id = req.get("AvailabilityZone"), req.get("AvailabilityZoneId")
    if name and zone_id:
        raise errors.combination("The parameters availabilityZone and availabilityZoneId cannot be used together.")
    if not name and not zone_id:
        return None
    zones = regions.zones(ctx.region, ctx.account)
    found = next((zone for zone in zones if name == zone.name or zone_id == zone.id), None)
    if found is None:
        known = ", ".join(zone.name if name else zone.id for zone in zones)
        raise errors.invalid_parameter(
            name or zone_id,
            "availabilityZone" if name else "availabilityZoneId",
            f"Subnets can currently only be created in the following availability zones: {known}.",
        )
    return found


def _emptiest(ctx: Ctx, others: list[Subnet]) -> regions.Zone:
    """The zone with the fewest of the VPC's subnets: AWS chooses when the request does not."""
    used = Counter(subnet.zone for subnet in others)
    return min(regions.zones(ctx.region, ctx.account), key=lambda zone: (used[zone.name], zone.name))


@op("CreateDefaultSubnet")
def create_default_subnet(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The default subnet of a zone again, after it was deleted."""
    errors.refuse(req, "Ipv6Native")
    zone = _zone(ctx, req)
    if zone is None:
        raise errors.missing_one("AvailabilityZone")
    vpc = default_vpc(ctx)
    if vpc is None:
        raise AwsError("DefaultVpcDoesNotExist", "No default VPC exists for this account in this region.")
    others = ctx.db[Subnet].all(vpc_id=vpc.id)
    if any(s.is_default and s.zone == zone.name for s in others):
        raise AwsError(
            "DefaultSubnetAlreadyExistsInAvailabilityZone",
            f"A default subnet already exists in the Availability Zone '{zone.name}'.",
        )
    return {"Subnet": show_subnet(make_subnet(ctx, vpc, _default_block(others), zone, is_default=True), 0)}


def _default_block(others: list[Subnet]) -> str:
    taken = [IPv4Network(subnet.cidr) for subnet in others]
    for candidate in IPv4Network(DEFAULT_CIDR).subnets(new_prefix=DEFAULT_SUBNET_PREFIX):
        if not any(candidate.overlaps(other) for other in taken):
            return str(candidate)
    raise AwsError("InsufficientFreeAddressesInSubnet", "There is no free /20 block in the default VPC.")


@op("DescribeSubnets")
def describe_subnets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Subnets by id or filter."""
    used = addresses_in_use(ctx.db)
    standing = Standing(ctx.db)

    def show(subnet: Subnet) -> dict[str, Any]:
        blocked = standing.states(subnet.vpc_id, subnet.id)
        return show_subnet(subnet, used[subnet.id]) | {"BlockPublicAccessStates": blocked}

    return {"Subnets": describe(ctx, req, Subnet, "SubnetIds", show, FILTERS)}


@op("DeleteSubnet")
def delete_subnet(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a subnet without interfaces; its associations go with it."""
    subnet = need(ctx, Subnet, req["SubnetId"])
    if ctx.db[NetworkInterface].count(subnet_id=subnet.id) or ctx.db[MulticastAssociation].get(subnet.id) is not None:
        raise errors.dependency("subnet", subnet.id)
    for kept in ctx.db[CidrReservation].all(subnet_id=subnet.id):
        ctx.db[CidrReservation].drop(kept)
    resource_gone(ctx, subnet.vpc_id, subnet.id)
    ctx.db[Subnet].drop(subnet)
    return {}


@op("ModifySubnetAttribute")
def modify_subnet_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change one attribute of a subnet; AWS takes them one at a time."""
    subnet = need(ctx, Subnet, req["SubnetId"])
    _refuse_outposts(req)
    changes: dict[str, Any] = {}
    if "MapPublicIpOnLaunch" in req:
        changes["map_public_ip"] = req["MapPublicIpOnLaunch"].get("Value", False)
    if "PrivateDnsHostnameTypeOnLaunch" in req:
        changes["hostname_type"] = req["PrivateDnsHostnameTypeOnLaunch"]
    if "EnableResourceNameDnsARecordOnLaunch" in req:
        changes["resource_name_a_record"] = req["EnableResourceNameDnsARecordOnLaunch"].get("Value", False)
    if "EnableResourceNameDnsAAAARecordOnLaunch" in req:
        on = req["EnableResourceNameDnsAAAARecordOnLaunch"].get("Value", False)
        changes["resource_name_aaaa_record"] = on and _with_block6(subnet, "enableResourceNameDnsAAAARecordOnLaunch")
    if "EnableDns64" in req:
        changes["dns64"] = req["EnableDns64"].get("Value", False) and _with_block6(subnet, "enableDns64")
    if "AssignIpv6AddressOnCreation" in req:
        on = req["AssignIpv6AddressOnCreation"].get("Value", False)
        changes["assign_ipv6"] = on and _with_block6(subnet, "assignIpv6AddressOnCreation")
    if len(changes) > 1:
        raise errors.combination("Only one subnet attribute can be modified at a time.")
    ctx.db[Subnet].put(replace(subnet, **changes))
    return {}


def _with_block6(subnet: Subnet, attribute: str) -> bool:
    """True; raises for a subnet without IPv6 addresses."""
    if not subnet.ipv6_cidr:
        raise errors.invalid_value(f"Invalid value 'true' for {attribute}: subnet {subnet.id} has no IPv6 CIDR block")
    return True


def _refuse_outposts(req: dict[str, Any]) -> None:
    """What would need customer-owned addresses; switching it off is what is already so."""
    if (req.get("MapCustomerOwnedIpOnLaunch") or {}).get("Value"):
        raise errors.not_built("The attribute MapCustomerOwnedIpOnLaunch")
    errors.refuse(req, "CustomerOwnedIpv4Pool", "EnableLniAtDeviceIndex")
