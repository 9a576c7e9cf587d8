"""What the BGP speaker (BIRD 2) of a transit gateway is told, and what it tells; pure text.

https://bird.network.cz/?get_doc&v=20 describes both. Names in its configuration come from ids, so that a change of one
peer leaves the sessions of the others alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, ip_network

from cloudjar.planes.network import tunnels
from cloudjar.planes.network.connect import Connect, ConnectPeer, Learned, PeerSeen
from cloudjar.planes.network.site import letters, number, tunnel_name

MOST_LEARNED = 1000
"""Routes that a peer may tell; what is more is not heard."""
_NOT_HEARD = {4: "0.0.0.0/8+, 127.0.0.0/8+, 169.254.0.0/16+, 224.0.0.0/3+", 6: "::/8{9,128}, fe80::/10+, ff00::/8+"}
"""Blocks that lead nowhere from anywhere: no kernel would take them as routes. Defaults are none of these."""
_HOLD, _ALIVE = 30, 10
_ROUTE = re.compile(r"(?P<block>\S+)?\s+(?:unicast|blackhole|unreachable|prohibited) \[(?P<protocol>\S+) ")
_SESSION = re.compile(r"(?P<protocol>\S+)\s+BGP\s.*\sEstablished\s*$")


def table(attachment: str, version: int) -> str:
    """The name of the table of a Connect attachment's routes."""
    return f"t{version}_{letters(attachment, 12)}"


def session(peer_id: str, which: int) -> str:
    """The name of one of the two sessions with a peer."""
    return f"p{which}_{letters(peer_id, 12)}"


def configuration(gateway_id: str, asn: int, connects: Iterable[Connect]) -> str:
    """The whole configuration."""
    out = [
        f"router id {IPv4Address(0x0A000000 | number(gateway_id))};",
        "protocol device { scan time 10; }",
        "template bgp told {",
        f"  hold time {_HOLD}; keepalive time {_ALIVE};",
        "  connect delay time 1; connect retry time 5; error wait time 1, 10;",
        "  direct; strict bind yes; graceful restart off;",
        "}",
    ]
    for connect in connects:
        out += _attachment(connect)
        for peer in connect.peers:
            out += _sessions(connect, peer, asn)
    return "\n".join([*out, ""])


def _attachment(connect: Connect) -> list[str]:
    out = []
    for version in (4, 6):
        name = table(connect.attachment, version)
        out += [f"ipv{version} table {name};", f"protocol static s{name} {{", f"  ipv{version} {{ table {name}; }};"]
        for told in connect.announced:
            block = ip_network(told.block)
            if block.version == version:
                path = "".join(f" bgp_path.prepend({int(part)});" for part in reversed(told.path))
                out.append(f"  route {block} blackhole" + (f" {{{path} }};" if path else ";"))
        out.append("}")
    return out


def _sessions(connect: Connect, peer: ConnectPeer, asn: int) -> list[str]:
    """Two of them. The speaker takes two sessions with one address for the same unless just one names its device."""
    out = []
    inside = tunnels.ends(peer)
    for which in (0, 1):
        out += [
            f"protocol bgp {session(peer.id, which)} from told {{",
            f"  local {inside[0].own[which]} as {int(asn)};",
            f"  neighbor {inside[0].peer} as {int(peer.asn)};",
            *([f'  interface "{tunnel_name(peer.id)}";'] if which == 0 else []),
        ]
        for end in inside:
            version = end.block.version
            hop = end.own[which]
            out.append(f"  ipv{version} {{ table {table(connect.attachment, version)};"
                       f" import where net !~ [ {_NOT_HEARD[version]} ];"
                       f" import limit {MOST_LEARNED} action block; export where source = RTS_STATIC;"
                       f" next hop address {hop}; }};")
        out.append("}")
    return out


def sessions(answer: str) -> set[str]:
    """The sessions that are established, by ``show protocols``."""
    return {m["protocol"] for line in _texts(answer) if (m := _SESSION.match(line.strip()))}


def routes(answer: str) -> list[tuple[str, Learned]]:
    """(session, what it tells), by ``show route all``."""
    found: list[tuple[str, Learned]] = []
    block = protocol = ""
    for line in _texts(answer):
        head = _ROUTE.match(line)
        if head:
            block, protocol = head["block"] or block, head["protocol"]
            found.append((protocol, Learned(block=block)))
            continue
        name, _, value = line.strip().partition(": ")
        if found and name == "BGP.as_path":
            path = tuple(int(part) for part in value.split() if part.isdigit())
            found[-1] = (protocol, Learned(block=block, path=path, discriminator=found[-1][1].discriminator))
        elif found and name == "BGP.med":
            found[-1] = (protocol, Learned(block=block, path=found[-1][1].path, discriminator=int(value)))
    return found


def _texts(answer: str) -> list[str]:
    """The lines of an answer without their codes; a line with the code of the one before begins with a space."""
    return [line[1:] if line.startswith(" ") else line[5:] for line in answer.splitlines()]


def heard(
    connects: Iterable[Connect], established: set[str], told: Iterable[tuple[str, Learned]]
) -> dict[str, PeerSeen]:
    """What the sessions say, by peer: of two that tell the same block the shorter way counts."""
    by_session: dict[str, list[Learned]] = {}
    for name, one in told:
        by_session.setdefault(name, []).append(one)
    out = {}
    for peer in tunnels.peers(connects):
        names = [session(peer.id, which) for which in (0, 1)]
        best: dict[str, Learned] = {}
        for one in (one for name in names for one in by_session.get(name, ())):
            known = best.get(one.block)
            if known is None or rank(one) < rank(known):
                best[one.block] = one
        out[peer.id] = PeerSeen(up=(names[0] in established, names[1] in established),
                                learned=tuple(best[block] for block in sorted(best)))
    return out


def rank(one: Learned) -> tuple[int, int, tuple[int, ...]]:
    """The lower of two ways is taken: the shorter one, then the smaller discriminator, then any."""
    return len(one.path), one.discriminator, one.path
