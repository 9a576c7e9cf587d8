"""How a new instance is plugged into the network: the interface it asks for, or the defaults."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.addresses.public import assign_public
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.network_interfaces.limits import refuse_too_many, refuse_too_many6
from cloudjar.services.ec2.network_interfaces.making import attach, make_interface
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.security_groups.records import SecurityGroup
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import default_subnet, open_region
from cloudjar.spec import instance_types, regions

_NOT_BUILT = (
    "AssociateCarrierIpAddress",
    "ConnectionTrackingSpecification",
    "EnaQueueCount",
    "EnaSrdSpecification",
    "Ipv4PrefixCount",
    "Ipv4Prefixes",
    "Ipv6PrefixCount",
    "Ipv6Prefixes",
    "NetworkCardIndex",
    "PrimaryIpv6",
)


class Plug(NamedTuple):
    """Where one interface of each instance goes; the first one's `more` are the others."""

    subnet: Subnet
    groups: tuple[str, ...]
    public: bool
    existing: NetworkInterface | None = None
    private_ip: str = ""
    delete: bool = True
    description: str = ""
    device: int = 0
    secondary: tuple[str, ...] = ()
    secondary_count: int = 0
    ipv6: tuple[str, ...] = ()
    ipv6_count: int | None = None
    more: tuple[Plug, ...] = ()


def planned(ctx: Ctx, req: dict[str, Any], count: int, kind: str) -> Plug:
    """The plug that a launch request asks for; raises what AWS raises for contradictions and for what a type cannot."""
    open_region(ctx)
    asked = req.get("NetworkInterfaces") or []
    plug = _several(ctx, req, asked, count) if asked else _plain(ctx, req, count)
    for one in (plug, *plug.more):
        held = len(one.existing.addresses) if one.existing else 1 + len(one.secondary) + one.secondary_count
        refuse_too_many(kind, 1 + len(plug.more), held)
        held6 = len(one.existing.ipv6) if one.existing else len(one.ipv6) + (one.ipv6_count or 0)
        if held6:
            refuse_too_many6(kind, held6)
    return plug


def _plain(ctx: Ctx, req: dict[str, Any], count: int) -> Plug:
    """One interface, as the members of the launch itself say."""
    subnet = _subnet(ctx, req)
    ipv6 = _ipv6(req)
    _one_address(req.get("PrivateIpAddress"), count)
    _one_address("".join(ipv6), count)
    return Plug(
        subnet,
        _groups(ctx, req, subnet),
        subnet.map_public_ip,
        private_ip=req.get("PrivateIpAddress") or "",
        ipv6=ipv6,
        ipv6_count=req.get("Ipv6AddressCount"),
    )


def _several(ctx: Ctx, req: dict[str, Any], asked: list[dict[str, Any]], count: int) -> Plug:
    if req.get("SecurityGroupIds") or req.get("SecurityGroups") or req.get("SubnetId") or req.get("PrivateIpAddress"):
        raise errors.combination(
            "Network interfaces and an instance-level security groups may not be specified on the same request"
            if not req.get("SubnetId")
            else "Network interfaces and an instance-level subnet ID may not be specified on the same request"
        )
    if req.get("Ipv6AddressCount") or req.get("Ipv6Addresses"):
        raise errors.combination("Network interfaces and instance-level IPv6 addresses may not be specified together.")
    alone = len(asked) == 1
    indexes = [one.get("DeviceIndex", 0 if alone else None) for one in asked]
    if None in indexes or len(set(indexes)) < len(indexes):
        raise errors.invalid_value("Each network interface requires a unique device index.")
    if 0 not in indexes:
        raise errors.invalid_value("You must specify a network interface with device index 0.")
    if not alone and any(one.get("AssociatePublicIpAddress") for one in asked):
        raise errors.combination(
            "The associatePublicIPAddress parameter cannot be specified when launching with multiple network "
            "interfaces."
        )
    in_order = sorted(asked, key=lambda one: int(one.get("DeviceIndex") or 0))
    plugs = [_from_interface(ctx, one, count, alone=alone) for one in in_order]
    if len({plug.subnet.zone for plug in plugs}) > 1:
        raise errors.combination("You may not specify subnets in different availability zones.")
    return plugs[0]._replace(more=tuple(plugs[1:]))


def _from_interface(ctx: Ctx, asked: dict[str, Any], count: int, *, alone: bool) -> Plug:
    errors.refuse(asked, *_NOT_BUILT)
    if asked.get("InterfaceType") not in (None, "interface"):
        raise errors.not_built(f"The value {asked['InterfaceType']} of the parameter InterfaceType")
    device = asked.get("DeviceIndex") or 0
    if asked.get("NetworkInterfaceId"):
        return _existing(ctx, asked, count)._replace(device=device)
    subnet = need(ctx, Subnet, asked["SubnetId"]) if asked.get("SubnetId") else _subnet(ctx, {})
    public = asked.get("AssociatePublicIpAddress")
    delete = asked.get("DeleteOnTermination")
    primary, secondary = _addresses(asked)
    ipv6 = _ipv6(asked)
    _one_address(primary + "".join(secondary) + "".join(ipv6), count)
    return Plug(
        subnet,
        tuple(asked.get("Groups") or ()),
        (subnet.map_public_ip and alone) if public is None else bool(public),
        private_ip=primary,
        delete=True if delete is None else bool(delete),
        description=asked.get("Description") or "",
        device=device,
        secondary=secondary,
        secondary_count=asked.get("SecondaryPrivateIpAddressCount") or 0,
        ipv6=ipv6,
        ipv6_count=asked.get("Ipv6AddressCount"),
    )


def _addresses(asked: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The primary and the secondary private addresses that an interface names."""
    listed = asked.get("PrivateIpAddresses") or []
    primary = [one.get("PrivateIpAddress") or "" for one in listed if one.get("Primary")]
    if asked.get("PrivateIpAddress"):
        primary.append(asked["PrivateIpAddress"])
    if len(primary) > 1:
        raise errors.combination("Only one primary private IP address can be specified.")
    if listed and asked.get("SecondaryPrivateIpAddressCount"):
        raise errors.combination(
            "The parameters privateIpAddresses and secondaryPrivateIpAddressCount cannot be used together."
        )
    others = tuple(one.get("PrivateIpAddress") or "" for one in listed if not one.get("Primary"))
    return "".join(primary), others


def _ipv6(asked: dict[str, Any]) -> tuple[str, ...]:
    named = tuple(one.get("Ipv6Address") or "" for one in asked.get("Ipv6Addresses") or ())
    if named and asked.get("Ipv6AddressCount"):
        raise errors.combination("The parameters ipv6Addresses and ipv6AddressCount cannot be used together.")
    return named


def _existing(ctx: Ctx, asked: dict[str, Any], count: int) -> Plug:
    if asked.get("SubnetId") or asked.get("Groups") or asked.get("AssociatePublicIpAddress"):
        raise errors.combination(
            "A network interface may not specify both a network interface ID and a subnet, groups or a public address"
        )
    if count > 1:
        raise errors.combination("An existing network interface can be attached to one instance only.")
    eni = need(ctx, NetworkInterface, asked["NetworkInterfaceId"])
    if eni.attachment is not None:
        raise AwsError("InvalidNetworkInterface.InUse", f"Interface: [{eni.id}] in use.")
    return Plug(ctx.db[Subnet].need(eni.subnet_id), eni.groups, False, eni, delete=False)


def _one_address(address: str | None, count: int) -> None:
    if address and count > 1:
        raise errors.combination("The parameter privateIpAddress cannot be used with a count above 1.")


def _subnet(ctx: Ctx, req: dict[str, Any]) -> Subnet:
    zone = _zone(ctx, req.get("Placement") or {})
    if req.get("SubnetId"):
        subnet = need(ctx, Subnet, req["SubnetId"])
        if zone and zone != subnet.zone:
            raise errors.invalid_value(f"The specified subnet '{subnet.id}' is not in the availability zone '{zone}'")
        return subnet
    found = default_subnet(ctx, zone or "")
    if found is None:
        if zone and not any(z.name == zone for z in regions.zones(ctx.region, ctx.account)):
            raise errors.invalid_value(f"Invalid availability zone: [{zone}]")
        raise AwsError("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")
    return found


def _zone(ctx: Ctx, asked: dict[str, Any]) -> str | None:
    """The zone that a placement names by name or id."""
    name, key = asked.get("AvailabilityZone"), asked.get("AvailabilityZoneId")
    if name and key:
        raise errors.combination("You cannot specify both AvailabilityZone and AvailabilityZoneId.")
    if not key:
        return name
    found = next((zone.name for zone in regions.zones(ctx.region, ctx.account) if zone.id == key), None)
    if found is None:
        raise errors.invalid_value(f"Invalid availability zone: [{key}]")
    return found


def _groups(ctx: Ctx, req: dict[str, Any], subnet: Subnet) -> tuple[str, ...]:
    ids = list(req.get("SecurityGroupIds") or ())
    for name in req.get("SecurityGroups") or ():
        found = [g for g in ctx.db[SecurityGroup].all(vpc_id=subnet.vpc_id) if g.name == name]
        if not subnet.is_default:
            raise errors.combination("The parameter groupName cannot be used with the parameter subnet")
        if not found:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC")
        ids.append(found[0].id)
    return tuple(ids)


def plug_in(ctx: Ctx, req: dict[str, Any], plug: Plug, instance_id: str, kind: str) -> str:
    """Make (or take) the interfaces of one instance; the primary private address comes back."""
    given = tags.specified(req, "network-interface")
    first = _plug_one(ctx, plug, instance_id, kind, given)
    for other in plug.more:
        _plug_one(ctx, other, instance_id, kind, given)
    return first.primary.ip


def _plug_one(ctx: Ctx, plug: Plug, instance_id: str, kind: str, given: dict[str, str]) -> NetworkInterface:
    eni = plug.existing
    if eni is None:
        eni = make_interface(
            ctx,
            plug.subnet,
            plug.groups,
            primary=plug.private_ip,
            secondary=plug.secondary,
            secondary_count=plug.secondary_count,
            description=plug.description,
            ipv6=plug.ipv6,
            ipv6_count=plug.ipv6_count,
            tags=given,
        )
    eni = attach(
        ctx,
        eni,
        instance_id,
        plug.device,
        powered=True,
        delete_on_termination=plug.delete,
        rate_mbit=rate_mbit(kind),
        instance_owner=ctx.account,
    )
    return assign_public(ctx, eni) if plug.public else eni


def rate_mbit(kind: str) -> int:
    """The network bandwidth of a type in Mbit/s; 0 when AWS publishes no figure."""
    cards = instance_types.facts(kind).get("NetworkInfo", {}).get("NetworkCards") or [{}]
    peak = cards[0].get("PeakBandwidthInGbps") or 0
    return int(float(peak) * 1000)
