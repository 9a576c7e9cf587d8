"""Public addresses: taken from the jar's pool, put in front of private ones, given back.

Everything here runs inside the caller's transaction. Addresses are unique over all accounts and regions of a jar.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks
from cloudjar.services.ec2.addresses.records import ElasticIp, PublicIp, PublicPool
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface, PrivateAddress, PublicAssociation

DEFAULT_POOL = "198.18.0.0/16"
_RESERVED = 2
"""The network's address, and the host's own end of the bridge that plays the Internet."""
_RESERVED_AFTER = 3
"""The broadcast address, and the host's own for the services that gateway endpoints lead to."""


def take(ctx: Ctx, *, elastic: bool, in_use: bool, wanted: str = "") -> str:
    """Hold an address of the pool: the one wanted, else the next free one.

    Raises InsufficientAddressCapacity, or InvalidAddress.NotFound when the wanted one cannot be had.
    """
    pool = IPv4Network(ctx.world.settings.get("public_pool", DEFAULT_POOL))
    ip = _wanted(ctx, pool, wanted) if wanted else _next(ctx, pool)
    ctx.db[PublicIp].add(PublicIp(ip=ip, elastic=elastic, in_use=in_use))
    return ip


def _wanted(ctx: Ctx, pool: IPv4Network, wanted: str) -> str:
    found = blocks.address(wanted)
    if found is None:
        raise AwsError("InvalidAddress.Malformed", f"Invalid IPv4 address: {wanted}")
    place = int(found) - int(pool.network_address)
    inside = _RESERVED <= place < pool.num_addresses - _RESERVED_AFTER
    if not inside or ctx.db.find(PublicIp, str(found)) is not None:
        raise AwsError("InvalidAddress.NotFound", f"Address '{wanted}' not found.")
    return str(found)


def _next(ctx: Ctx, pool: IPv4Network) -> str:
    table = ctx.db.at("", "")[PublicPool]
    cursor = table.get(str(pool)) or table.add(PublicPool(name=str(pool)))
    base, size = int(pool.network_address), pool.num_addresses - _RESERVED_AFTER - _RESERVED
    after = int(IPv4Address(cursor.last)) - base - _RESERVED + 1 if cursor.last else 0
    for step in range(size):
        ip = str(IPv4Address(base + _RESERVED + (after + step) % size))
        if ctx.db.find(PublicIp, ip) is None:
            table.put(replace(cursor, last=ip))
            return ip
    raise AwsError("InsufficientAddressCapacity", "There are not enough available addresses to satisfy the request.")


def give_back(ctx: Ctx, ip: str) -> None:
    """Let go of an address; it stops costing."""
    held = ctx.db.find(PublicIp, ip)
    if held is not None:
        ctx.db[PublicIp].drop(held)


def named(ctx: Ctx, elastic: ElasticIp, ip: str) -> ElasticIp:
    """Write the address that was taken for an allocation into it."""
    return ctx.db[ElasticIp].put(replace(elastic, ip=ip))


def assign_public(ctx: Ctx, eni: NetworkInterface) -> NetworkInterface:
    """Lend the primary private address a public one, until `release_public`; nothing when it has one already.

    The interface remembers, and is lent another one whenever its machine starts again.
    """
    if eni.primary.public is not None:
        return eni
    ip = take(ctx, elastic=False, in_use=True)
    return _facing(ctx, replace(eni, lend_public=True), eni.primary.ip, PublicAssociation(ip=ip))


def release_public(ctx: Ctx, eni: NetworkInterface) -> NetworkInterface:
    """Take a lent address back, as a stop does; an Elastic IP stays."""
    public = eni.primary.public
    if public is None or public.allocation_id:
        return eni
    give_back(ctx, public.ip)
    return _facing(ctx, eni, eni.primary.ip, None)


def associate(ctx: Ctx, elastic: ElasticIp, eni: NetworkInterface, private_ip: str) -> ElasticIp:
    """Put an Elastic IP in front of a private address, in the place of whatever was there."""
    elastic = disassociate(ctx, elastic)
    eni = clear(ctx, _again(ctx, eni), private_ip)
    other = eni.account if eni.account != elastic.account else ""
    elastic = ctx.db[ElasticIp].put(
        replace(elastic, association_id=ctx.new_id("eipassoc"), interface_id=eni.id, private_ip=private_ip,
                interface_owner=other)
    )  # fmt: skip
    public = PublicAssociation(ip=elastic.ip, allocation_id=elastic.id, association_id=elastic.association_id,
                               owner=elastic.account if other else "")  # fmt: skip
    follow(ctx, _facing(ctx, eni, private_ip, public))
    return elastic


def disassociate(ctx: Ctx, elastic: ElasticIp) -> ElasticIp:
    """Take an Elastic IP off whatever it is in front of; it becomes idle."""
    if not elastic.association_id:
        return elastic
    eni = facing_of(ctx, elastic)
    if eni is not None:
        _facing(ctx, eni, elastic.private_ip, None)
    _mark(ctx, elastic.ip, in_use=False)
    return ctx.db[ElasticIp].put(
        replace(elastic, association_id="", interface_id="", private_ip="", interface_owner="")
    )


def facing_of(ctx: Ctx, elastic: ElasticIp) -> NetworkInterface | None:
    """The interface that an Elastic IP stands in front of, whoever's it is."""
    if not elastic.interface_id:
        return None
    return ctx.db.at(elastic.interface_owner or elastic.account, elastic.region)[NetworkInterface].get(
        elastic.interface_id
    )


def _again(ctx: Ctx, eni: NetworkInterface) -> NetworkInterface:
    return ctx.db.at(eni.account, eni.region)[NetworkInterface].need(eni.id)


def clear(ctx: Ctx, eni: NetworkInterface, private_ip: str) -> NetworkInterface:
    """Free a private address of the public one in front of it: given back when lent, disassociated when Elastic."""
    public = next((a.public for a in eni.addresses if a.ip == private_ip), None)
    if public is None:
        return eni
    if public.allocation_id:
        owner = ctx.db.at(public.owner or eni.account, eni.region)
        disassociate(ctx, owner[ElasticIp].need(public.allocation_id))
        return _again(ctx, eni)
    give_back(ctx, public.ip)
    return _facing(ctx, eni, private_ip, None)


def clear_all(ctx: Ctx, eni: NetworkInterface) -> NetworkInterface:
    """`clear` for every private address of an interface."""
    for address in eni.addresses:
        eni = clear(ctx, eni, address.ip)
    return eni


def follow(ctx: Ctx, eni: NetworkInterface) -> None:
    """Have the interface's Elastic IPs count as in use exactly while packets may flow."""
    for address in eni.addresses:
        if address.public is not None and address.public.allocation_id:
            _mark(ctx, address.public.ip, in_use=eni.powered)


def _mark(ctx: Ctx, ip: str, *, in_use: bool) -> None:
    held = ctx.db.find(PublicIp, ip)
    if held is not None:
        ctx.db[PublicIp].put(replace(held, in_use=in_use))


def _facing(ctx: Ctx, eni: NetworkInterface, private_ip: str, public: PublicAssociation | None) -> NetworkInterface:
    addresses = tuple(PrivateAddress(ip=a.ip, public=public) if a.ip == private_ip else a for a in eni.addresses)
    return ctx.db[NetworkInterface].put(replace(eni, addresses=addresses))
