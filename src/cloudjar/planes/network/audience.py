"""Who gets a multicast, by the plan that copies it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from cloudjar.planes.network.casting import version_of
from cloudjar.planes.network.filtering import translators
from cloudjar.planes.network.match import Packet, protocol_number
from cloudjar.planes.network.port import Cast, Interface, TransitGateway, Vpc
from cloudjar.planes.network.site import any_address
from cloudjar.planes.network.verdicts import acl_of, acl_verdict, group_verdict, rule_allows, subnet_of


def audience(
    vpcs: Iterable[Vpc], transits: Iterable[TransitGateway], sender: str, group: str, protocol: str, port: int
) -> tuple[str, ...]:
    """The ENIs (ids, sorted) that get what an ENI sends to a group and port; none where it may not send it."""
    known = tuple(vpcs)
    home, eni = next(((v, i) for v in known for i in v.interfaces if i.id == sender and i.guest), (None, None))
    own = _own(eni, version_of(group)) if eni else ""
    if home is None or eni is None or not own:
        return ()
    packet = Packet(any_address(own), any_address(group), protocol_number(protocol) or 0, port)
    mine = next((c for c in home.casts if _same(c.group, group) and sender in c.senders), None)
    if mine is None or not _lets_go(home, eni, packet):
        return ()
    return tuple(sorted(_copies(known, transits, mine, packet)))


def _copies(vpcs: Iterable[Vpc], transits: Iterable[TransitGateway], mine: Cast, packet: Packet) -> Iterator[str]:
    for gateway in transits:
        joined = {a.attachment for a in gateway.associations if a.vpc}
        ways = {w for c in gateway.casts if c.domain == mine.domain and _same(c.group, mine.group)
                for w in c.attachments}  # fmt: skip
        for vpc in vpcs if mine.attachment in joined else ():
            for cast in vpc.casts:
                if cast.domain == mine.domain and _same(cast.group, mine.group) and cast.attachment in ways & joined:
                    yield from _members(vpc, cast, packet)


def _members(vpc: Vpc, cast: Cast, packet: Packet) -> Iterator[str]:
    for eni in (i for i in vpc.interfaces if i.guest and i.id in cast.members):
        own = _own(eni, packet.target.version)
        if own and any_address(own) != packet.source and _takes(vpc, eni, packet):
            yield eni.id


def _own(eni: Interface, version: int) -> str:
    return eni.private[0][0] if version == 4 else next(iter(eni.ipv6), "")


def _same(one: str, other: str) -> bool:
    return any_address(one) == any_address(other)


def _lets_go(vpc: Vpc, eni: Interface, packet: Packet) -> bool:
    acl = acl_of(vpc, subnet_of(vpc, eni.subnet))
    if acl is not None and not acl_verdict(acl, "egress", packet)[1]:
        return False
    return _free(vpc, eni) or bool(group_verdict(vpc, eni, "egress", packet))


def _takes(vpc: Vpc, eni: Interface, packet: Packet) -> bool:
    acl = acl_of(vpc, subnet_of(vpc, eni.subnet))
    if acl is not None and not acl_verdict(acl, "ingress", packet)[1]:
        return False
    alone = replace(vpc, groups=(), peer_groups=())  # rules that name a group admit no multicasts
    worn = (rule for g in vpc.groups if g.id in eni.groups for rule in g.rules if rule.direction == "ingress")
    return _free(vpc, eni) or any(rule_allows(alone, rule, packet) for rule in worn)


def _free(vpc: Vpc, eni: Interface) -> bool:
    return eni.unguarded or eni.id in translators(vpc)
