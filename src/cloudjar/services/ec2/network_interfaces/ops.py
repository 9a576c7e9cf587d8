"""Network interfaces: made, plugged, changed, described, removed.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import FORMS, UNMANAGED, Row, by_path, describe, is_id, need
from cloudjar.services.ec2.network_interfaces import limits, making
from cloudjar.services.ec2.network_interfaces.permitting import usable
from cloudjar.services.ec2.network_interfaces.records import BorrowedInterface, NetworkInterface
from cloudjar.services.ec2.network_interfaces.views import scene, show_attachment, show_interface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import op

_NOT_BUILT = (
    "Ipv4Prefixes",
    "Ipv4PrefixCount",
    "Ipv6Prefixes",
    "Ipv6PrefixCount",
    "EnablePrimaryIpv6",
    "ConnectionTrackingSpecification",
    "Operator",
)


def _private_ips(row: Row) -> list[str]:
    return [address["PrivateIpAddress"] for address in row.view["PrivateIpAddresses"]]


FILTERS = {
    **by_path(
        {
            "addresses.association.owner-id": "PrivateIpAddresses[].Association.IpOwnerId",
            "addresses.association.public-ip": "PrivateIpAddresses[].Association.PublicIp",
            "addresses.primary": "PrivateIpAddresses[].Primary",
            "addresses.private-ip-address": "PrivateIpAddresses[].PrivateIpAddress",
            "association.allocation-id": "Association.AllocationId",
            "association.association-id": "Association.AssociationId",
            "association.ip-owner-id": "Association.IpOwnerId",
            "association.public-dns-name": "Association.PublicDnsName",
            "association.public-ip": "Association.PublicIp",
            "attachment.attachment-id": "Attachment.AttachmentId",
            "attachment.delete-on-termination": "Attachment.DeleteOnTermination",
            "attachment.device-index": "Attachment.DeviceIndex",
            "attachment.instance-id": "Attachment.InstanceId",
            "attachment.instance-owner-id": "Attachment.InstanceOwnerId",
            "attachment.status": "Attachment.Status",
            "availability-zone": "AvailabilityZone",
            "availability-zone-id": "AvailabilityZoneId",
            "description": "Description",
            "group-id": "Groups[].GroupId",
            "group-name": "Groups[].GroupName",
            "interface-type": "InterfaceType",
            "ipv6-addresses.ipv6-address": "Ipv6Addresses[].Ipv6Address",
            "mac-address": "MacAddress",
            "network-interface-id": "NetworkInterfaceId",
            "owner-id": "OwnerId",
            "private-dns-name": "PrivateDnsName",
            "requester-id": "RequesterId",
            "requester-managed": "RequesterManaged",
            "source-dest-check": "SourceDestCheck",
            "status": "Status",
            "subnet-id": "SubnetId",
            "vpc-id": "VpcId",
        }
    ),
    **UNMANAGED,
    "attachment.attach-time": lambda row: _attach_time(row),
    "private-ip-address": _private_ips,
}


def _attach_time(row: Row) -> str | None:
    plugged = row.view["Attachment"]
    return None if plugged is None else plugged["AttachTime"].strftime("%Y-%m-%dT%H:%M:%S.000Z")


@op("CreateNetworkInterface")
def create_network_interface(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A detached interface in a subnet."""
    errors.refuse(req, *_NOT_BUILT)
    if req.get("InterfaceType") not in (None, "interface"):
        raise errors.not_built(f"The interface type {req['InterfaceType']}")
    subnet = need(ctx, Subnet, req["SubnetId"])
    primary, secondary = _asked(req)
    eni = making.make_interface(
        ctx,
        subnet,
        req.get("Groups") or (),
        primary=primary,
        secondary=secondary,
        secondary_count=req.get("SecondaryPrivateIpAddressCount") or 0,
        description=req.get("Description") or "",
        ipv6=_asked6(req),
        ipv6_count=req.get("Ipv6AddressCount"),
        tags=tags.specified(req, "network-interface"),
    )
    return {"NetworkInterface": show_interface(eni, scene(ctx.db)), "ClientToken": req.get("ClientToken")}


def _asked(req: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The primary and the secondary addresses that a request names."""
    listed = req.get("PrivateIpAddresses") or []
    primaries = [item.get("PrivateIpAddress") or "" for item in listed if item.get("Primary")]
    if req.get("PrivateIpAddress"):
        primaries.insert(0, req["PrivateIpAddress"])
    if len(primaries) > 1:
        raise errors.combination("Only one primary private IP address can be specified.")
    if listed and req.get("SecondaryPrivateIpAddressCount"):
        raise errors.combination(
            "The parameters privateIpAddresses and secondaryPrivateIpAddressCount cannot be used together."
        )
    secondary = [item.get("PrivateIpAddress") or "" for item in listed if not item.get("Primary")]
    return (primaries[0] if primaries else ""), secondary


def _asked6(req: Mapping[str, Any]) -> list[str]:
    """The IPv6 addresses that a request names."""
    named = [item.get("Ipv6Address") or "" for item in req.get("Ipv6Addresses") or ()]
    if named and req.get("Ipv6AddressCount"):
        raise errors.combination("The parameters ipv6Addresses and ipv6AddressCount cannot be used together.")
    return named


@op("DescribeNetworkInterfaces")
def describe_network_interfaces(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Interfaces by id or filter."""
    around = scene(ctx.db)
    shown = describe(
        ctx, req, NetworkInterface, "NetworkInterfaceIds", lambda eni: show_interface(eni, around), FILTERS
    )
    return {"NetworkInterfaces": shown}


@op("DeleteNetworkInterface")
def delete_network_interface(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a detached interface; its Elastic IPs are disassociated."""
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    _refuse_foreign(eni)
    if eni.attachment is not None:
        raise errors.invalid_value(f"Network interface '{eni.id}' is currently in use.")
    making.remove(ctx, eni)
    return {}


def _refuse_foreign(eni: NetworkInterface) -> None:
    """An interface of a service is the service's to change."""
    if eni.requester_managed:
        raise AwsError("AuthFailure", f"You do not have permission to access the specified resource: {eni.id}")


@op("AttachNetworkInterface")
def attach_network_interface(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Plug an interface into an instance of the same zone."""
    eni = usable(ctx, req["NetworkInterfaceId"], "INSTANCE-ATTACH")
    instance = _instance(ctx, req["InstanceId"])
    if eni.attachment is not None:
        raise AwsError("InvalidNetworkInterface.InUse", f"Interface: [{eni.id}] in use.")
    index = req["DeviceIndex"]
    others = making.interfaces_of(ctx.db, req["InstanceId"])
    if any(other.device_index == index for other in others):
        raise errors.invalid_value(
            f"Instance '{req['InstanceId']}' already has an interface attached at device index '{index}'."
        )
    if others and others[0].zone != eni.zone:
        raise errors.invalid_value(
            f"You may not attach a network interface to an instance if they are not in the same availability zone: "
            f"{eni.id} is in {eni.zone}, {req['InstanceId']} is in {others[0].zone}"
        )
    state = getattr(instance, "state", "")
    if state not in ("running", "stopped"):
        raise AwsError("IncorrectState", f"Instance '{req['InstanceId']}' is not 'running' or 'stopped'.")
    limits.refuse_too_many(getattr(instance, "type", ""), len(others) + 1, len(eni.addresses))
    rate = others[0].attachment.rate_mbit if others and others[0].attachment else 0
    owner = ctx.account if eni.account != ctx.account else ""
    powered = state == "running"
    eni = making.attach(ctx, eni, req["InstanceId"], index, powered=powered, rate_mbit=rate, instance_owner=owner)
    return {"AttachmentId": eni.attachment_id, "NetworkCardIndex": 0}


def _instance(ctx: Ctx, key: str) -> Record:
    prefix, code = FORMS["instance"]
    if not is_id(prefix, key):
        raise errors.malformed(code, key, prefix)
    found = ctx.find("ec2", "instance", key)
    if found is None:
        raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{key}' does not exist")
    return found


@op("DetachNetworkInterface")
def detach_network_interface(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Unplug an interface that is not the instance's first."""
    eni = attached(ctx, req["AttachmentId"])
    _refuse_foreign(eni)
    if eni.device_index == 0:
        raise AwsError("OperationNotPermitted", "The network interface at device index 0 cannot be detached.")
    making.detach(ctx, eni)
    return {}


def attached(ctx: Ctx, key: str) -> NetworkInterface:
    """The interface behind an attachment id."""
    if not is_id("eni-attach", key):
        raise errors.malformed("InvalidNetworkInterfaceAttachmentId.Malformed", key, "eni-attach")
    found = ctx.db[NetworkInterface].all(attachment_id=key)
    found = found or making.borrowed_by(ctx.db, ctx.db[BorrowedInterface].all(attachment_id=key))
    if not found:
        raise AwsError("InvalidAttachmentID.NotFound", f"The attachment ID '{key}' does not exist")
    return found[0]


@op("ModifyNetworkInterfaceAttribute")
def modify_network_interface_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change one attribute of an interface; AWS takes them one at a time."""
    errors.refuse(
        req,
        "EnaSrdSpecification",
        "EnablePrimaryIpv6",
        "ConnectionTrackingSpecification",
        "AssociatePublicIpAddress",
        "AssociatedSubnetIds",
    )
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    _refuse_foreign(eni)
    given = [m for m in ("Description", "SourceDestCheck", "Groups", "Attachment") if req.get(m) is not None]
    if len(given) != 1:
        raise errors.combination("Exactly one network interface attribute must be specified.")
    match given[0]:
        case "Description":
            eni = replace(eni, description=req["Description"].get("Value") or "")
        case "SourceDestCheck":
            eni = replace(eni, source_dest_check=req["SourceDestCheck"].get("Value", True))
        case "Groups":
            eni = replace(eni, groups=making.check_groups(ctx, eni.vpc_id, req["Groups"]))
        case _:
            eni = _with_attachment(eni, req["Attachment"])
    ctx.db[NetworkInterface].put(eni)
    return {}


def _with_attachment(eni: NetworkInterface, change: Mapping[str, Any]) -> NetworkInterface:
    errors.refuse(change, "DefaultEnaQueueCount", "EnaQueueCount")
    key = change.get("AttachmentId") or ""
    if eni.attachment is None or eni.attachment.id != key:
        raise AwsError("InvalidAttachmentID.NotFound", f"The attachment ID '{key}' does not exist")
    if change.get("DeleteOnTermination") is None:
        raise errors.missing_one("deleteOnTermination")
    return replace(eni, attachment=replace(eni.attachment, delete_on_termination=change["DeleteOnTermination"]))


@op("ResetNetworkInterfaceAttribute")
def reset_network_interface_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The source/destination check on again, the one attribute that can be reset."""
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    _refuse_foreign(eni)
    ctx.db[NetworkInterface].put(replace(eni, source_dest_check=True))
    return {}


@op("DescribeNetworkInterfaceAttribute")
def describe_network_interface_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One attribute of an interface."""
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    answer: dict[str, Any] = {"NetworkInterfaceId": eni.id}
    match req.get("Attribute"):
        case "description":
            answer["Description"] = {"Value": eni.description}
        case "groupSet":
            answer["Groups"] = scene(ctx.db).groups(eni.groups)
        case "sourceDestCheck":
            answer["SourceDestCheck"] = {"Value": eni.source_dest_check}
        case "attachment":
            answer["Attachment"] = show_attachment(eni)
        case "associatePublicIpAddress":
            answer["AssociatePublicIpAddress"] = eni.lend_public
        case None:
            raise errors.missing_one("attribute")
        case other:
            raise errors.invalid_parameter(other, "attribute", "Unknown attribute.")
    return answer
