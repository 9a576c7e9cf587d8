"""Whether a packet and its answer get through, by the laid-out VPCs alone; pure.

This says in Python what `plan` and `filtering` say to the kernel. Security groups are stateful (the
answer needs no rule), network ACLs are not (the answer's port, by default an ephemeral one, must pass).
Whether anything listens at the end is the guest's own business and no part of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Literal

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.filtering import METADATA, published, resolver_addresses
from cloudjar.planes.network.match import ANY, NUMBERS, Packet, block, match, protocol_number
from cloudjar.planes.network.port import Interface, NetworkAcl, Subnet, Vpc
from cloudjar.planes.network.site import Site, address, network

EPHEMERAL = 49152
_ECHO, _ECHO_ANSWER = 8, 0
_LINK_LOCAL = network("169.254.0.0/16")
Direction = Literal["ingress", "egress"]


class World(msgspec.Struct, frozen=True):
    """Every VPC of an installation, and the Internet around them."""

    site: Site
    vpcs: tuple[Vpc, ...]
    api_port: int = 0

    def interface(self, interface_id: str) -> tuple[Vpc, Interface] | None:
        """An attached ENI and its VPC."""
        found = ((v, i) for v in self.vpcs for i in v.interfaces if i.id == interface_id and i.guest)
        return next(found, None)

    def published(self, public: str) -> tuple[Vpc, Interface, str] | None:
        """Who answers for a public address: VPC, ENI and private address."""
        for v in self.vpcs:
            private = dict(published(v)).get(public)
            if private is not None:
                return v, next(i for i in v.interfaces if i.guest and private in dict(i.private)), private
        return None


class Answer(msgspec.Struct, frozen=True):
    """``open`` or ``dropped``, and the path: one line per decision, the last one decisive."""

    status: Literal["open", "dropped"]
    path: tuple[str, ...]


class _Dropped(Exception):
    """Raised with the reason where a packet ends."""


def reach(
    world: World, source: str, target: str, protocol: str, port: int, *, source_port: int = EPHEMERAL, code: int = 0
) -> Answer:
    """Follow a packet from an ENI id (or ``internet``) to an address, and its answer back.

    `protocol` is ``tcp``, ``udp``, ``icmp`` or a number; `port` is the destination port, or the ICMP type
    (-1 means an echo request). Raises `PlaneError` for what is no protocol or address.
    """
    number = protocol_number(protocol)
    if number is None:
        raise PlaneError("A packet has one protocol: -1 is for rules.")
    if number == NUMBERS["icmp"] and port == ANY:
        port = _ECHO
    walk = _Walk(world, number, port, source_port, code)
    try:
        if source == "internet":
            walk.from_internet(address(world.site.gateway), address(target))
        else:
            walk.from_interface(source, address(target))
    except _Dropped as end:
        return Answer("dropped", (*walk.path, str(end)))
    return Answer("open", tuple(walk.path))


class _Walk:
    """One packet's way there and its answer's way back."""

    def __init__(self, world: World, protocol: int, port: int, source_port: int, code: int) -> None:
        self.world = world
        self.protocol = protocol
        self.port = port
        self.source_port = source_port
        self.code = code
        self.path: list[str] = []

    def from_interface(self, source: str, target: IPv4Address) -> None:
        found = self.world.interface(source)
        if found is None:
            raise _Dropped(f"{source} is not attached to anything")
        vpc, eni = found
        me = address(eni.private[0][0])
        if target == me or target.is_loopback:
            self.path.append(f"{target} is {source} itself")
        elif any(target in network(c) for c in vpc.cidrs) or target in _LINK_LOCAL:
            self._inside(vpc, eni, me, target)
        else:
            self._outside(vpc, eni, me, target)

    def _inside(self, vpc: Vpc, eni: Interface, me: IPv4Address, target: IPv4Address) -> None:
        if self._fabric(vpc, target):
            return
        peer = _owner(vpc, target)
        if peer is None:
            raise _Dropped(f"nothing in {vpc.id} has the address {target}")
        if peer.id == eni.id:
            raise _Dropped(f"{target} is an address of {eni.id} that its guest was not given")
        near, far = _subnet(vpc, eni), _subnet(vpc, peer)
        there = self._packet(me, target)
        back = self._answer(target, me)
        apart = near.id != far.id
        if apart:
            self._acl(vpc, near, "egress", there)
            self._acl(vpc, far, "ingress", there)
        self._groups(vpc, eni, "egress", there)
        self._groups(vpc, peer, "ingress", there)
        if apart:
            self._acl(vpc, far, "egress", back)
            self._acl(vpc, near, "ingress", back)

    def _fabric(self, vpc: Vpc, target: IPv4Address) -> bool:
        """The VPC's own services: metadata and resolver, which no group or ACL concerns."""
        names = resolver_addresses(vpc) if vpc.dns_support else ()
        asked = (self.protocol, self.port)
        if str(target) == METADATA and asked == (NUMBERS["tcp"], 80):
            self.path.append(f"{target} is the instance metadata service")
            return True
        if str(target) in names and asked in ((NUMBERS["udp"], 53), (NUMBERS["tcp"], 53)):
            self.path.append(f"{target} is the resolver of {vpc.id}")
            return True
        routers = {str(network(s.cidr)[1]) for s in vpc.subnets}
        if target in _LINK_LOCAL or str(target) in {*routers, *resolver_addresses(vpc)}:
            raise _Dropped(f"the fabric of {vpc.id} does not answer this at {target}")
        return False

    def _outside(self, vpc: Vpc, eni: Interface, me: IPv4Address, target: IPv4Address) -> None:
        subnet = _subnet(vpc, eni)
        kind, via = _route(vpc, subnet, target)
        if kind == "interface":
            self._appliance(vpc, eni, via, self._packet(me, target))
            return
        public = self._gateway(vpc, eni, me, kind, target)
        there, back = self._packet(me, target), self._answer(target, me)
        self._acl(vpc, subnet, "egress", there)
        self._groups(vpc, eni, "egress", there)
        self._beyond(public, target)
        self._acl(vpc, subnet, "ingress", back)

    def _appliance(self, vpc: Vpc, eni: Interface, via: str, there: Packet) -> None:
        hop = next(i for i in vpc.interfaces if i.id == via)
        if hop.source_dest_check:
            raise _Dropped(f"{via} drops what is not addressed to it: its source/destination check is on")
        near, far = _subnet(vpc, eni), _subnet(vpc, hop)
        if near.id != far.id:
            self._acl(vpc, near, "egress", there)
            self._acl(vpc, far, "ingress", there)
        self._groups(vpc, eni, "egress", there)
        if hop.id != eni.id:
            self._groups(vpc, hop, "ingress", there)
        self.path.append(f"{via} receives it; what it forwards is its own decision")

    def _gateway(self, vpc: Vpc, eni: Interface, me: IPv4Address, kind: str, target: IPv4Address) -> IPv4Address:
        subnet = _subnet(vpc, eni)
        if kind != "internet-gateway":
            raise _Dropped(f"{subnet.route_table or subnet.id} has no route to {target}")
        public = {private: p for p, private in published(vpc)}.get(str(me))
        if public is None:
            raise _Dropped(f"{me} has no public address, so {vpc.internet_gateway} drops it")
        self.path.append(f"{vpc.internet_gateway} translates {me} to {public}")
        return address(public)

    def _beyond(self, public: IPv4Address, target: IPv4Address) -> None:
        site = self.world.site
        if str(target) == site.gateway:
            if (self.protocol, self.port) != (NUMBERS["tcp"], self.world.api_port):
                raise _Dropped(f"{target} answers for the API only")
            self.path.append(f"{target} is the API")
        elif target in network(site.pool):
            self.from_internet(public, target)
        else:
            self.path.append(f"{target} is on the Internet, outside of this installation")

    def from_internet(self, source: IPv4Address, target: IPv4Address) -> None:
        """A packet that arrives at an internet gateway, and the answer's way out again."""
        found = self.world.published(str(target))
        if found is None:
            raise _Dropped(f"{target} is no public address of an attached interface")
        vpc, eni, private = found
        if any(source in network(c) for c in vpc.cidrs):
            raise _Dropped(f"{source} cannot come from outside of {vpc.id}")
        self.path.append(f"{vpc.internet_gateway} translates {target} to {private} of {eni.id}")
        me, subnet = address(private), _subnet(vpc, eni)
        there, back = self._packet(source, me), self._answer(me, source)
        self._acl(vpc, subnet, "ingress", there)
        self._groups(vpc, eni, "ingress", there)
        kind, _ = _route(vpc, subnet, source)
        if kind != "internet-gateway":
            raise _Dropped(f"{subnet.route_table or subnet.id} has no route back to {source}")
        self._acl(vpc, subnet, "egress", back)

    def _packet(self, source: IPv4Address, target: IPv4Address) -> Packet:
        return Packet(source, target, self.protocol, self.port, self.code)

    def _answer(self, source: IPv4Address, target: IPv4Address) -> Packet:
        if self.protocol == NUMBERS["icmp"]:
            return Packet(source, target, self.protocol, _ECHO_ANSWER, 0)
        return Packet(source, target, self.protocol, self.source_port)

    def _acl(self, vpc: Vpc, subnet: Subnet, direction: Direction, packet: Packet) -> None:
        acl = _acl_of(vpc, subnet)
        if acl is None:
            return
        number, allowed = acl_verdict(acl, direction, packet)
        rule = f"rule {number}" if number else "the default rule"
        word = "allows" if allowed else "denies"
        line = f"{acl.id} {rule} {word} {direction} {packet.source} to {packet.target} at {subnet.id}"
        if not allowed:
            raise _Dropped(line)
        self.path.append(line)

    def _groups(self, vpc: Vpc, eni: Interface, direction: Direction, packet: Packet) -> None:
        group = group_verdict(vpc, eni, direction, packet)
        if not group:
            raise _Dropped(f"no security group of {eni.id} allows {direction} {packet.source} to {packet.target}")
        self.path.append(f"{group} allows {direction} {packet.source} to {packet.target} at {eni.id}")


def acl_verdict(acl: NetworkAcl, direction: Direction, packet: Packet) -> tuple[int, bool]:
    """(number of the deciding entry, allowed); number 0 is the final deny."""
    peer = packet.target if direction == "egress" else packet.source
    for e in sorted((e for e in acl.entries if e.direction == direction), key=lambda e: e.number):
        what, where = match(e.protocol, e.from_port, e.to_port), block(e.cidr)
        if what is not None and where is not None and peer in where and what.holds(packet):
            return e.number, e.allow
    return 0, False


def group_verdict(vpc: Vpc, eni: Interface, direction: Direction, packet: Packet) -> str:
    """The id of the first of an ENI's security groups that allows a packet; empty when none does."""
    peer = packet.target if direction == "egress" else packet.source
    groups = {g.id: g for g in vpc.groups}
    for group in (groups[g] for g in eni.groups if g in groups):
        for rule in group.rules:
            what = match(rule.protocol, rule.from_port, rule.to_port)
            if rule.direction != direction or what is None or not what.holds(packet):
                continue
            where = block(rule.peer)
            if peer in where if where is not None else peer in set(_members(vpc, rule.peer)):
                return group.id
    return ""


def _members(vpc: Vpc, group_id: str) -> Iterator[IPv4Address]:
    if any(g.id == group_id for g in vpc.groups):
        for i in vpc.interfaces:
            if i.guest and group_id in i.groups:
                yield from (address(private) for private, _ in i.private)


def _route(vpc: Vpc, subnet: Subnet, target: IPv4Address) -> tuple[str, str]:
    """(kind, target) of the most specific route; kind is empty where there is none that works."""
    if any(target in network(c) for c in vpc.cidrs):
        return "local", ""
    table = next((t for t in vpc.route_tables if t.id == subnet.route_table), None)
    rows = [] if table is None else [
        (network(r.destination).prefixlen, r) for r in table.routes
        if r.kind != "local" and ":" not in r.destination and target in network(r.destination)
    ]
    if not rows:
        return "", ""
    best = max(length for length, _ in rows)
    row = next(r for length, r in reversed(rows) if length == best)
    if row.kind == "interface" and not any(i.id == row.target and i.guest for i in vpc.interfaces):
        return "", ""
    if row.kind == "internet-gateway" and not vpc.internet_gateway:
        return "", ""
    return ("", "") if row.kind == "blackhole" else (row.kind, row.target)


def _owner(vpc: Vpc, target: IPv4Address) -> Interface | None:
    mine = (i for i in vpc.interfaces if i.guest and any(address(p) == target for p, _ in i.private))
    return next(mine, None)


def _subnet(vpc: Vpc, eni: Interface) -> Subnet:
    found = next((s for s in vpc.subnets if s.id == eni.subnet), None)
    if found is None:
        raise PlaneError(f"Interface {eni.id} is in subnet {eni.subnet}, which {vpc.id} does not have.")
    return found


def _acl_of(vpc: Vpc, subnet: Subnet) -> NetworkAcl | None:
    return next((a for a in vpc.acls if a.id == subnet.network_acl), None) if subnet.network_acl else None
