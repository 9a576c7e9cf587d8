"""Network interfaces in AWS's words. What other records tell is loaded once, in a `Scene`, however many are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.kit import tags
from cloudjar.kit.db import Db
from cloudjar.services.ec2 import naming
from cloudjar.services.ec2.network_interfaces import public_names
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface, PrivateAddress
from cloudjar.services.ec2.security_groups.records import SecurityGroup
from cloudjar.services.ec2.vpcs.records import Vpc


class Scene(NamedTuple):
    """Names of security groups, and which VPCs give public names."""

    group_names: Mapping[str, str]
    named_vpcs: frozenset[str]

    def groups(self, group_ids: tuple[str, ...]) -> list[dict[str, Any]]:
        """``[{"GroupId": ..., "GroupName": ...}]``."""
        return [{"GroupId": g, "GroupName": self.group_names.get(g, "")} for g in group_ids]


def scene(db: Db) -> Scene:
    """Load what views of interfaces and instances need besides their own records."""
    return Scene(
        {group.id: group.name for group in db[SecurityGroup].all()},
        frozenset(vpc.id for vpc in db[Vpc].all() if vpc.dns_hostnames and vpc.dns_support),
    )


def show_interface(eni: NetworkInterface, around: Scene) -> dict[str, Any]:
    """AWS's NetworkInterface."""
    named = eni.vpc_id in around.named_vpcs
    primary = eni.primary
    association = association_of(eni, primary, named=named)
    return {
        "Association": association,
        "Attachment": show_attachment(eni),
        "AvailabilityZone": eni.zone,
        "AvailabilityZoneId": eni.zone_id,
        "Description": eni.description,
        "Groups": around.groups(eni.groups),
        "InterfaceType": eni.interface_type,
        "Ipv6Address": eni.ipv6[0] if eni.ipv6 else None,
        "Ipv6Addresses": [{"Ipv6Address": ip, "IsPrimaryIpv6": False} for ip in eni.ipv6],
        "MacAddress": eni.mac,
        "NetworkInterfaceId": eni.id,
        "OwnerId": eni.account,
        "PrivateDnsName": naming.private_dns(eni.region, primary.ip),
        "PublicDnsName": (public_names.own_name(eni) or None) if named else None,
        "PublicIpDnsNameOptions": public_names.show(eni) if named else None,
        "PrivateIpAddress": primary.ip,
        "PrivateIpAddresses": [show_address(eni, address, named=named) for address in eni.addresses],
        "RequesterId": eni.requester_id or None,
        "RequesterManaged": eni.requester_managed,
        "SourceDestCheck": eni.source_dest_check,
        "Status": "in-use" if eni.attachment else "available",
        "SubnetId": eni.subnet_id,
        "TagSet": tags.as_list(eni.tags),
        "VpcId": eni.vpc_id,
    }


def show_attachment(eni: NetworkInterface) -> dict[str, Any] | None:
    """AWS's NetworkInterfaceAttachment; an interface of a service shows no instance."""
    plugged = eni.attachment
    if plugged is None:
        return None
    return {
        "AttachTime": plugged.attached,
        "AttachmentId": plugged.id,
        "DeleteOnTermination": plugged.delete_on_termination,
        "DeviceIndex": plugged.device_index,
        "NetworkCardIndex": 0,
        "InstanceId": plugged.instance_id if plugged.instance_id.startswith("i-") else None,
        "InstanceOwnerId": plugged.instance_owner or eni.account,
        "Status": "attached",
    }


def show_address(eni: NetworkInterface, address: PrivateAddress, *, named: bool = True) -> dict[str, Any]:
    """AWS's NetworkInterfacePrivateIpAddress."""
    return {
        "Association": association_of(eni, address, named=named),
        "Primary": address is eni.addresses[0],
        "PrivateDnsName": naming.private_dns(eni.region, address.ip),
        "PrivateIpAddress": address.ip,
    }


def association_of(eni: NetworkInterface, address: PrivateAddress, *, named: bool = True) -> dict[str, Any] | None:
    """AWS's NetworkInterfaceAssociation: the public address in front of a private one, or None.

    A lent address belongs to amazon. `named`: the VPC gives public DNS names.
    """
    public = address.public
    if public is None:
        return None
    return {
        "AllocationId": public.allocation_id or None,
        "AssociationId": public.association_id or None,
        "IpOwnerId": public.owner or (eni.account if public.allocation_id else "amazon"),
        "PublicDnsName": naming.public_dns(eni.region, public.ip) if named else "",
        "PublicIp": public.ip,
    }
