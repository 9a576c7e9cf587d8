"""How a new instance is plugged into the network: the interface it asks for, or the defaults."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.addresses.public import assign_public
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.network_interfaces.making import attach, make_interface
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.security_groups.records import SecurityGroup
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import default_subnet, open_region
from cloudjar.spec import instance_types, regions


class Plug(NamedTuple):
    """Where the first interface of each instance goes."""

    subnet: Subnet
    groups: tuple[str, ...]
    public: bool
    existing: NetworkInterface | None = None
    private_ip: str = ""
    delete: bool = True
    description: str = ""


def planned(ctx: Ctx, req: dict[str, Any], count: int) -> Plug:
    """The plug that a launch request asks for; raises what AWS raises for contradictions."""
    open_region(ctx)
    asked = req.get("NetworkInterfaces") or []
    if not asked:
        subnet = _subnet(ctx, req)
        groups = _groups(ctx, req, subnet)
        _one_address(req.get("PrivateIpAddress"), count)
        return Plug(subnet, groups, subnet.map_public_ip, None, req.get("PrivateIpAddress") or "")
    if req.get("SecurityGroupIds") or req.get("SecurityGroups") or req.get("SubnetId") or req.get("PrivateIpAddress"):
        raise errors.combination(
            "Network interfaces and an instance-level security groups may not be specified on the same request"
            if not req.get("SubnetId")
            else "Network interfaces and an instance-level subnet ID may not be specified on the same request"
        )
    if len(asked) > 1:
        raise errors.not_built("A second network interface at launch")
    return _from_interface(ctx, asked[0], count)


def _from_interface(ctx: Ctx, asked: dict[str, Any], count: int) -> Plug:
    if asked.get("DeviceIndex") not in (None, 0):
        raise errors.invalid_value("You must specify a network interface with device index 0.")
    errors.refuse(asked, "Ipv6AddressCount", "Ipv6Addresses", "Ipv4Prefixes", "Ipv6Prefixes", "PrivateIpAddresses")
    if asked.get("NetworkInterfaceId"):
        return _existing(ctx, asked, count)
    subnet = need(ctx, Subnet, asked["SubnetId"]) if asked.get("SubnetId") else _subnet(ctx, {})
    public = asked.get("AssociatePublicIpAddress")
    delete = asked.get("DeleteOnTermination")
    _one_address(asked.get("PrivateIpAddress"), count)
    return Plug(
        subnet,
        tuple(asked.get("Groups") or ()),
        subnet.map_public_ip if public is None else bool(public),
        None,
        asked.get("PrivateIpAddress") or "",
        True if delete is None else bool(delete),
        asked.get("Description") or "",
    )


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
    zone = (req.get("Placement") or {}).get("AvailabilityZone")
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
    """Make (or take) the interface of one instance; the primary private address comes back."""
    eni = plug.existing
    if eni is None:
        eni = make_interface(
            ctx,
            plug.subnet,
            plug.groups,
            primary=plug.private_ip,
            description=plug.description,
            tags=tags.specified(req, "network-interface"),
        )
    eni = attach(
        ctx,
        eni,
        instance_id,
        0,
        powered=True,
        delete_on_termination=plug.delete,
        rate_mbit=rate_mbit(kind),
        instance_owner=ctx.account,
    )
    if plug.public:
        eni = assign_public(ctx, eni)
    return eni.primary.ip


def rate_mbit(kind: str) -> int:
    """The network bandwidth of a type in Mbit/s; 0 when AWS publishes no figure."""
    cards = instance_types.facts(kind).get("NetworkInfo", {}).get("NetworkCards") or [{}]
    peak = cards[0].get("PeakBandwidthInGbps") or 0
    return int(float(peak) * 1000)
