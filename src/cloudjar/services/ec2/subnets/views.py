"""Subnets in AWS's words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.db import Db
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import blocks
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet

FILTERS = by_path(
    {
        "availability-zone": "AvailabilityZone",
        "availabilityZone": "AvailabilityZone",
        "availability-zone-id": "AvailabilityZoneId",
        "availabilityZoneId": "AvailabilityZoneId",
        "available-ip-address-count": "AvailableIpAddressCount",
        "cidr": "CidrBlock",
        "cidr-block": "CidrBlock",
        "cidrBlock": "CidrBlock",
        "customer-owned-ipv4-pool": "CustomerOwnedIpv4Pool",
        "default-for-az": "DefaultForAz",
        "defaultForAz": "DefaultForAz",
        "enable-dns64": "EnableDns64",
        "enable-lni-at-device-index": "EnableLniAtDeviceIndex",
        "ipv6-cidr-block-association.association-id": "Ipv6CidrBlockAssociationSet[].AssociationId",
        "ipv6-cidr-block-association.ipv6-cidr-block": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
        "ipv6-cidr-block-association.state": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlockState.State",
        "ipv6-native": "Ipv6Native",
        "map-customer-owned-ip-on-launch": "MapCustomerOwnedIpOnLaunch",
        "map-public-ip-on-launch": "MapPublicIpOnLaunch",
        "mapPublicIpOnLaunch": "MapPublicIpOnLaunch",
        "outpost-arn": "OutpostArn",
        "owner-id": "OwnerId",
        "private-dns-name-options-on-launch.enable-resource-name-dns-a-record": (
            "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord"
        ),
        "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": (
            "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord"
        ),
        "private-dns-name-options-on-launch.hostname-type": "PrivateDnsNameOptionsOnLaunch.HostnameType",
        "state": "State",
        "subnet-arn": "SubnetArn",
        "subnet-id": "SubnetId",
        "vpc-id": "VpcId",
    }
)


def addresses_in_use(db: Db) -> Counter[str]:
    """How many private addresses are held, by subnet."""
    used: Counter[str] = Counter()
    for eni in db[NetworkInterface].all():
        used[eni.subnet_id] += len(eni.addresses)
    return used


def show_block6(subnet: Subnet, state: str = "associated") -> dict[str, Any]:
    """AWS's SubnetIpv6CidrBlockAssociation."""
    return {
        "AssociationId": subnet.ipv6_association_id,
        "IpSource": "amazon",
        "Ipv6AddressAttribute": "public",
        "Ipv6CidrBlock": subnet.ipv6_cidr,
        "Ipv6CidrBlockState": {"State": state},
    }


def show_subnet(subnet: Subnet, used: int) -> dict[str, Any]:
    """AWS's Subnet; `used` is how many of its addresses are held."""
    return {
        "AssignIpv6AddressOnCreation": subnet.assign_ipv6,
        "AvailabilityZone": subnet.zone,
        "AvailabilityZoneId": subnet.zone_id,
        "AvailableIpAddressCount": blocks.usable(subnet.cidr) - used,
        "CidrBlock": subnet.cidr,
        "DefaultForAz": subnet.is_default,
        "EnableDns64": subnet.dns64,
        "Ipv6CidrBlockAssociationSet": [show_block6(subnet)] if subnet.ipv6_cidr else [],
        "Ipv6Native": False,
        "MapCustomerOwnedIpOnLaunch": False,
        "MapPublicIpOnLaunch": subnet.map_public_ip,
        "OwnerId": subnet.account,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": subnet.hostname_type,
            "EnableResourceNameDnsARecord": subnet.resource_name_a_record,
            "EnableResourceNameDnsAAAARecord": subnet.resource_name_aaaa_record,
        },
        "State": "available",
        "SubnetArn": arn_of(subnet),
        "SubnetId": subnet.id,
        "Tags": tags.as_list(subnet.tags),
        "VpcId": subnet.vpc_id,
    }
