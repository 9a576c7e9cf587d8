"""What network ACLs and security groups say of one packet; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.filtering import own_addresses
from cloudjar.planes.network.match import Packet, block, match
from cloudjar.planes.network.port import Interface, NetworkAcl, Rule, Subnet, Vpc
from cloudjar.planes.network.site import Address, any_address, either

Direction = Literal["ingress", "egress"]


def acl_verdict(acl: NetworkAcl, direction: Direction, packet: Packet) -> tuple[int, bool]:
    """(number of the deciding entry, allowed); number 0 is the final deny."""
    peer = packet.target if direction == "egress" else packet.source
    for e in sorted((e for e in acl.entries if e.direction == direction), key=lambda e: e.number):
        what, where = match(e.protocol, e.from_port, e.to_port), block(e.cidr)
        if where is not None and where.version == peer.version and peer in where and what.holds(packet):
            return e.number, e.allow
    return 0, False


def group_verdict(vpc: Vpc, eni: Interface, direction: Direction, packet: Packet) -> str:
    """The id of the first of an ENI's security groups that allows a packet; empty when none does."""
    groups = {g.id: g for g in vpc.groups}
    for group in (groups[g] for g in eni.groups if g in groups):
        if any(rule.direction == direction and rule_allows(vpc, rule, packet) for rule in group.rules):
            return group.id
    return ""


def rule_allows(vpc: Vpc, rule: Rule, packet: Packet) -> bool:
    """Whether one rule of a security group lets a packet through."""
    if not match(rule.protocol, rule.from_port, rule.to_port).holds(packet):
        return False
    peer = packet.target if rule.direction == "egress" else packet.source
    where = block(rule.peer)
    if where is not None:
        return where.version == peer.version and peer in where
    listed = next((p.cidrs for p in vpc.prefix_lists if p.id == rule.peer), ())
    if any(n.version == peer.version and peer in n for n in map(either, listed)):
        return True
    return peer in set(_members(vpc, rule.peer))


def _members(vpc: Vpc, group_id: str) -> Iterator[Address]:
    if any(g.id == group_id for g in vpc.groups):
        for i in vpc.interfaces:
            if i.guest and group_id in i.groups:
                yield from own_addresses(i)
    for group in vpc.peer_groups:
        if group.id == group_id:
            yield from map(any_address, group.members)


def acl_of(vpc: Vpc, subnet: Subnet) -> NetworkAcl | None:
    """The network ACL at a subnet's edge, if any."""
    return next((a for a in vpc.acls if a.id == subnet.network_acl), None) if subnet.network_acl else None


def subnet_of(vpc: Vpc, subnet_id: str) -> Subnet:
    """A subnet by id; raises `PlaneError` when the VPC does not have it."""
    found = next((s for s in vpc.subnets if s.id == subnet_id), None)
    if found is None:
        raise PlaneError(f"{vpc.id} does not have the subnet {subnet_id}.")
    return found


def owner(vpc: Vpc, target: Address) -> Interface | None:
    """The attached ENI that has an address."""
    return next((i for i in vpc.interfaces if i.guest and target in own_addresses(i)), None)
