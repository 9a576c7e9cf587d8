"""Making, plugging and removing interfaces: what operations and the life of instances have in common.

Everything here runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from ipaddress import IPv4Network, IPv6Address, IPv6Network

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.record import meta
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.addresses import public
from cloudjar.services.ec2.lookup import check_form
from cloudjar.services.ec2.multicast.records import MulticastRegistration
from cloudjar.services.ec2.network_interfaces import usage
from cloudjar.services.ec2.network_interfaces.records import (
    Attachment,
    BorrowedInterface,
    InterfacePermission,
    NetworkInterface,
    PrivateAddress,
)
from cloudjar.services.ec2.security_groups.records import SecurityGroup
from cloudjar.services.ec2.security_groups.within import used_elsewhere
from cloudjar.services.ec2.subnets.records import CidrReservation, Subnet


def make_interface(
    ctx: Ctx,
    subnet: Subnet,
    groups: Sequence[str] = (),
    *,
    primary: str = "",
    secondary: Sequence[str] = (),
    secondary_count: int = 0,
    description: str = "",
    interface_type: str = "interface",
    requester_id: str = "",
    groupless: bool = False,
    ipv6: Sequence[str] = (),
    ipv6_count: int | None = None,
    tags: dict[str, str] | None = None,
) -> NetworkInterface:
    """A detached interface with the addresses asked for, or the subnet's lowest free ones.

    `groups` are security group ids of the subnet's VPC (none: its default group). `requester_id` marks an interface
    that belongs to a service, `groupless` one without security groups (a NAT gateway's). IPv6 addresses are those
    named and `ipv6_count` others; None: one where the subnet says so. Raises InvalidGroup.NotFound,
    InvalidIPAddress.InUse, InsufficientFreeAddressesInSubnet and quota answers.
    """
    groups = () if groupless else check_groups(ctx, subnet.vpc_id, groups)
    if ipv6_count is None:
        ipv6_count = int(subnet.assign_ipv6 and not ipv6 and not requester_id)
    taken = taken_addresses(ctx.db, subnet.id)
    named = [claim(subnet, ip, taken) for ip in ([primary] if primary else []) + list(secondary)]
    count = secondary_count + (0 if primary else 1)
    drawn = draw(subnet, taken, count, reserved(ctx.db, subnet.id))
    addresses = named + drawn if primary else drawn[:1] + named + drawn[1:]
    six = new_ipv6(ctx.db, subnet, ipv6, ipv6_count)
    usage.check(ctx, subnet.vpc_id, usage.units(interface_type, len(addresses) + len(six)))
    return ctx.db[NetworkInterface].add(
        NetworkInterface(
            id=ctx.new_id("eni"),
            vpc_id=subnet.vpc_id,
            subnet_id=subnet.id,
            zone=subnet.zone,
            zone_id=subnet.zone_id,
            mac=ids.mac_address(),
            addresses=tuple(PrivateAddress(ip=ip) for ip in addresses),
            groups=groups,
            description=description,
            interface_type=interface_type,
            requester_id=requester_id,
            requester_managed=bool(requester_id),
            ipv6=six,
            tags=tags or {},
        )
    )


def check_groups(ctx: Ctx, vpc_id: str, groups: Iterable[str]) -> tuple[str, ...]:
    """Security group ids, each once, of this VPC or associated with it; the VPC's default group when none is given."""
    wanted = tuple(dict.fromkeys(groups))
    for group_id in wanted:
        check_form(SecurityGroup, group_id)
        found = ctx.db[SecurityGroup].need(group_id)
        if found.vpc_id != vpc_id and not used_elsewhere(ctx.db, found.id, vpc_id):
            raise AwsError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist in VPC '{vpc_id}'")
    limit = ctx.limit("vpc", "L-2AFB9258")
    if limit is not None and len(wanted) > limit:
        raise AwsError(
            "SecurityGroupsPerInterfaceLimitExceeded",
            "The maximum number of security groups per interface has been reached.",
        )
    return wanted or (default_group(ctx.db, vpc_id).id,)


def default_group(db: Db, vpc_id: str) -> SecurityGroup:
    """The security group that a VPC is made with and never loses."""
    return next(group for group in db[SecurityGroup].all(vpc_id=vpc_id) if group.name == "default")


def reserved(db: Db, subnet_id: str) -> set[str]:
    """The addresses of a subnet that are kept from being given out by themselves."""
    kept = db[CidrReservation].all(subnet_id=subnet_id)
    return {str(ip) for one in kept if ":" not in one.cidr for ip in IPv4Network(one.cidr)}


def taken_addresses(db: Db, subnet_id: str) -> set[str]:
    """Every private address that an interface of the subnet holds."""
    return {a.ip for eni in db[NetworkInterface].all(subnet_id=subnet_id) for a in eni.addresses}


def claim(subnet: Subnet, ip: str, taken: set[str]) -> str:
    """Check that an address of a subnet can be given out; adds it to `taken`."""
    found = blocks.address(ip)
    if found is None:
        raise errors.invalid_value(f"Invalid IPv4 address: {ip}")
    if found not in IPv4Network(subnet.cidr):
        raise errors.invalid_value(f"Address {ip} does not fall within the subnet's address range")
    if not blocks.may_hold(subnet.cidr, ip):
        raise errors.invalid_value(f"Address {ip} is in subnet's reserved address range")
    if ip in taken:
        raise AwsError("InvalidIPAddress.InUse", f"Address {ip} is in use.")
    taken.add(ip)
    return ip


def draw(subnet: Subnet, taken: set[str], count: int, kept: Set[str] = frozenset()) -> list[str]:
    """The lowest free addresses of a subnet that are not `kept`; adds them to `taken`."""
    drawn: list[str] = []
    if count > 0:
        for ip in blocks.free(subnet.cidr, taken | kept):
            drawn.append(ip)
            if len(drawn) == count:
                break
    if len(drawn) < count:
        raise AwsError(
            "InsufficientFreeAddressesInSubnet",
            "The specified subnet does not have enough free addresses to satisfy the request.",
        )
    taken.update(drawn)
    return drawn


def new_ipv6(db: Db, subnet: Subnet, named: Sequence[str], count: int) -> tuple[str, ...]:
    """IPv6 addresses of a subnet that nobody has: those named, and `count` others."""
    if not named and not count:
        return ()
    if not subnet.ipv6_cidr:
        raise errors.invalid_value(f"The subnet '{subnet.id}' does not have an IPv6 CIDR block associated")
    taken = {ip for eni in db[NetworkInterface].all(subnet_id=subnet.id) for ip in eni.ipv6}
    found: list[str] = []
    for text in named:
        ip = blocks.address6(text)
        if ip is None or not blocks.may_hold6(subnet.ipv6_cidr, ip):
            raise errors.invalid_value(f"Invalid value '{text}' for IPv6 address: it is not one of subnet {subnet.id}")
        if str(ip) in taken or str(ip) in found:
            raise AwsError("InvalidIPAddress.InUse", f"Address {ip} is in use.")
        found.append(str(ip))
    kept = [IPv6Network(one.cidr) for one in db[CidrReservation].all(subnet_id=subnet.id) if ":" in one.cidr]
    while count > 0:
        ip6 = blocks.some_address6(subnet.ipv6_cidr, ids.below(1 << 62))
        if ip6 not in taken and ip6 not in found and not any(IPv6Address(ip6) in block for block in kept):
            found.append(ip6)
            count -= 1
    return tuple(found)


def interfaces_of(db: Db, instance_id: str) -> list[NetworkInterface]:
    """The interfaces of an instance, by device index."""
    found = db[NetworkInterface].all(instance_id=instance_id)
    found += borrowed_by(db, db[BorrowedInterface].all(instance_id=instance_id))
    return sorted(found, key=lambda eni: eni.device_index)


def borrowed_by(db: Db, borrowed: Iterable[BorrowedInterface]) -> list[NetworkInterface]:
    """The interfaces of other accounts behind what is borrowed."""
    found = [db.at(one.owner, one.region)[NetworkInterface].get(one.interface_id) for one in borrowed]
    return [eni for eni in found if eni is not None]


def interface_at(world: World, vpc_id: str, ip: str) -> NetworkInterface | None:
    """The interface that holds a private address of a VPC, whoever's it is."""
    spec = meta(NetworkInterface).spec
    for eni in world.state.tables.all(spec, None, None, {"vpc_id": vpc_id}):
        if any(address.ip == ip for address in eni.addresses):
            return eni
    return None


def attach(
    ctx: Ctx,
    eni: NetworkInterface,
    instance_id: str,
    device_index: int,
    *,
    powered: bool,
    delete_on_termination: bool = False,
    rate_mbit: int = 0,
    instance_owner: str = "",
) -> NetworkInterface:
    """Plug an interface in. `powered`: the machine is wanted up, so the network is laid out to it."""
    plugged = Attachment(
        id=ctx.new_id("eni-attach"),
        instance_id=instance_id,
        device_index=device_index,
        attached=ctx.now,
        powered=powered,
        delete_on_termination=delete_on_termination,
        rate_mbit=rate_mbit,
        instance_owner=instance_owner,
    )
    if instance_owner and instance_owner.isdecimal() and instance_owner != eni.account:
        ctx.db[BorrowedInterface].add(
            BorrowedInterface(interface_id=eni.id, owner=eni.account, instance_id=instance_id, attachment_id=plugged.id)
        )
    return plug(ctx, eni, plugged)


def detach(ctx: Ctx, eni: NetworkInterface) -> NetworkInterface:
    """Unplug an interface: a lent public address goes back, an Elastic IP stays and is idle."""
    return plug(ctx, public.release_public(ctx, eni), None)


def plug(ctx: Ctx, eni: NetworkInterface, attachment: Attachment | None) -> NetworkInterface:
    """Store what an interface is plugged into; its Elastic IPs count as in use or idle accordingly."""
    if attachment is None:
        _unborrow(ctx, eni)
    eni = ctx.db[NetworkInterface].put(replace(eni, attachment=attachment))
    public.follow(ctx, eni)
    return eni


def _unborrow(ctx: Ctx, eni: NetworkInterface) -> None:
    """An interface that another account's instance had is its owner's alone again."""
    user = eni.attachment.instance_owner if eni.attachment is not None else ""
    if user.isdecimal() and user != eni.account:
        table = ctx.db.at(user, eni.region)[BorrowedInterface]
        if (borrowed := table.get(eni.id)) is not None:
            table.drop(borrowed)


def remove(ctx: Ctx, eni: NetworkInterface) -> None:
    """Remove an interface and what public addresses stand in front of it."""
    _unborrow(ctx, eni)
    for one in ctx.db.at(eni.account, eni.region)[InterfacePermission].all(interface_id=eni.id):
        ctx.db[InterfacePermission].drop(one)
    for entry in ctx.db.at(eni.account, eni.region)[MulticastRegistration].all(interface_id=eni.id):
        ctx.db.at(eni.account, eni.region)[MulticastRegistration].drop(entry)
    ctx.db[NetworkInterface].drop(public.clear_all(ctx, eni))
