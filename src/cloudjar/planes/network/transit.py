"""A transit gateway as routes and marks in a namespace of its own; pure."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

import msgspec

from cloudjar.planes.network import casting, tunnels
from cloudjar.planes.network.connect import ConnectPeer
from cloudjar.planes.network.filtering import table_number
from cloudjar.planes.network.plan import HUB_VIA, MAIN_TABLE, VPC_VIA, PathWay
from cloudjar.planes.network.port import TransitAssociation, TransitGateway, TransitRoute
from cloudjar.planes.network.ruleset import NftChain, NftSet, Ruleset
from cloudjar.planes.network.site import Address, Network, Site, any_address, either, tunnel_name


class TransitPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the namespace of a transit gateway holds besides the links, which VPCs bring."""

    namespace: str
    routes: tuple[PathWay, ...]
    marks: tuple[int, ...]
    rules: Ruleset
    holes: tuple[tuple[int, str], ...] = ()
    """Black holes by table, as blocks that no narrower row is in: what else ends here has no route at all."""


def transit_plan(gateway: TransitGateway, site: Site, attached: set[str]) -> TransitPlan:
    """Lay a transit gateway out; only links that are `attached` (attachments' ids) can be routed to."""
    casting.refuse_twins(gateway.casts)
    wanted: list[PathWay] = []
    holes: list[tuple[int, str]] = []
    for table in gateway.route_tables:
        number = table_number(table.id)
        found = rows(gateway, table.id)
        lost = [block for block, row in found.items() if not _links(row, attached)]
        holes += [(number, str(part)) for block in lost for part in _alone(block, found)]
        ways = {t: PathWay(table=number, target=t, kind="blackhole") for t in ("0.0.0.0/0", "::/0")}
        for block, row in found.items():
            ways[str(block)] = _way(gateway, number, block, row, attached)
        wanted += ways.values()
    wanted += [PathWay(table=MAIN_TABLE, target=f"{via}/{any_address(via).max_prefixlen}", device=link)
               for via, (link, _) in casting.hub_hops(gateway, attached).items()]
    outward = tunnels.outward(gateway.connects, attached)
    wanted += outward
    known = [t.id for t in gateway.route_tables]
    marks = tuple((f'"{link}"', f"{table_number(a.route_table):#010x}")
                  for a in gateway.associations if a.route_table in known for link in _arrives(gateway, a))
    own = tunnels.admitted(gateway.connects)
    return TransitPlan(
        namespace=site.hub_namespace(gateway.id),
        routes=tuple(wanted),
        marks=tuple(dict.fromkeys((*(table_number(t) for t in known), *(way.table for way in outward)))),
        rules=Ruleset(site.table, (NftSet("tables", "ifname", marks, mapped="mark"),), (
            NftChain("routing", (*(("fib daddr type local accept",) if own else ()),
                                 *(casting.FROM_HUB if gateway.casts else ()),  # whatever table their attachment obeys
                                 "meta mark set iifname map @tables", 'meta mark 0 iifname != "lo" drop'),
                     "type filter hook prerouting priority mangle; policy accept;"),
            NftChain("inward", (*own, "drop"), "type filter hook input priority filter; policy drop;"))),
        holes=tuple(holes),
    )


def _arrives(gateway: TransitGateway, one: TransitAssociation) -> list[str]:
    """The links by which packets of an attachment come."""
    found = [tunnel_name(p.id) for c in gateway.connects if c.attachment == one.attachment for p in c.peers]
    return found if any(c.attachment == one.attachment for c in gateway.connects) else [tunnel_name(one.attachment)]


def _links(row: TransitRoute, attached: set[str]) -> list[str]:
    """The links by which a row's packets leave, as far as they are there."""
    return [tunnel_name(key) for key in row.peers or (row.attachment,) if key in attached]


def _way(gateway: TransitGateway, number: int, block: Network, row: TransitRoute, attached: set[str]) -> PathWay:
    links, target = _links(row, attached), str(block)
    if not links:
        return PathWay(table=number, target=target, kind="blackhole")
    if not row.peers:
        return PathWay(table=number, target=target, device=links[0], via=_via(gateway, row.attachment)[block.version])
    return PathWay(table=number, target=target, device=links[0], more=tuple(links[1:]) if block.version == 4 else ())


def _alone(block: Network, others: Iterable[Network]) -> list[Network]:
    """What is left of a block without those of the others that lie in it."""
    parts: list[Network] = [block]
    for other in others:
        if other.version == block.version and other != block and _within(other, block):
            parts = [rest for part in parts for rest in _without(part, other)]
    return parts


def _within(inner: Network, outer: Network) -> bool:
    return inner.prefixlen >= outer.prefixlen and inner.network_address in outer


def _without(part: Network, other: Network) -> list[Network]:
    if _within(part, other):
        return []
    if not _within(other, part):
        return [part]
    if isinstance(part, IPv4Network):
        assert isinstance(other, IPv4Network)
        return list(part.address_exclude(other))
    assert isinstance(other, IPv6Network)
    return list(part.address_exclude(other))


def leads_up(own: str, peer: str) -> bool:
    """Of two peered gateways one has the hub's end of their link, the other the VPC's: the same for both to say."""
    return own < peer


def _via(gateway: TransitGateway, attachment: str) -> dict[int, str]:
    """The next hop by an attachment, by IP version."""
    peer = next((a.peer for a in gateway.associations if a.attachment == attachment), "")
    return HUB_VIA if peer and leads_up(gateway.id, peer) else VPC_VIA


def rows(gateway: TransitGateway, table_id: str) -> dict[Network, TransitRoute]:
    """A table's routes by network."""
    found = (t.routes for t in gateway.route_tables if t.id == table_id)
    return {either(r.destination): r for r in next(found, ())}


def onward(gateway: TransitGateway, attachment: str, target: Address) -> TransitAssociation | None:
    """Where a packet goes that arrived by an attachment: to which other one, maybe a peer's; None where it ends."""
    best = _row(gateway, attachment, target)
    if best is None:
        return None
    return next((a for a in gateway.associations if a.attachment == best.attachment), None)


def _row(gateway: TransitGateway, attachment: str, target: Address) -> TransitRoute | None:
    """The row that decides about what arrived by an attachment."""
    mine = next((a for a in gateway.associations if a.attachment == attachment), None)
    if mine is None:
        return None
    found = {n: r for n, r in rows(gateway, mine.route_table).items() if n.version == target.version and target in n}
    return found[max(found, key=lambda n: n.prefixlen)] if found else None


def across(
    gateways: Iterable[TransitGateway], gateway_id: str, attachment: str, target: Address
) -> tuple[str, TransitAssociation | None, str]:
    """From an attachment of one gateway through peered ones: (the last gateway, the attachment of a VPC's that it leads
    to or None, the attachment by which the packet came there). What goes round ends, as a packet's lifetime does."""
    known = {gateway.id: gateway for gateway in gateways}
    seen: set[tuple[str, str]] = set()
    while (gateway_id, attachment) not in seen:
        seen.add((gateway_id, attachment))
        gateway = known.get(gateway_id)
        onto = onward(gateway, attachment, target) if gateway else None
        if onto is None or not onto.peer:
            return gateway_id, onto, attachment
        gateway_id, attachment = onto.peer, onto.attachment
    return gateway_id, None, attachment


def tunnel(
    gateways: Iterable[TransitGateway], gateway_id: str, attachment: str, target: Address
) -> tuple[str, ConnectPeer | None, str]:
    """From an attachment of one gateway through peered ones into a tunnel: (the last gateway, the tunnel or, of several
    that share, the first, the VPC that carries it); None where no tunnel is led into."""
    known = {gateway.id: gateway for gateway in gateways}
    last, _, came = across(known.values(), gateway_id, attachment, target)
    gateway = known.get(last, TransitGateway(id=last))
    row = _row(gateway, came, target)
    taken = row.peers if row is not None else ()
    for connect in gateway.connects:
        peer = next((p for p in connect.peers if p.id in taken), None)
        carrier = next((a.vpc for a in gateway.associations if a.attachment == connect.transport), "")
        if peer is not None and carrier:
            return last, peer, carrier
    return last, None, ""
