"""The tunnels of Connect attachments in a transit gateway's namespace: devices, addresses, routes and rules; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cloudjar.planes.network.connect import Connect, ConnectPeer
from cloudjar.planes.network.filtering import table_number
from cloudjar.planes.network.plan import TRANSIT_MTU, VPC_VIA, PathWay
from cloudjar.planes.network.site import Network, address, either, tunnel_name

MTU = TRANSIT_MTU - 24
"""What is left of an attachment's packets behind an IPv4 header and GRE's."""
_MARK = " inside "
_BGP = 179


class Ends(NamedTuple):
    """The addresses inside a tunnel of one family: the appliance's, and the gateway's two."""

    block: Network
    peer: str
    own: tuple[str, str]


def ends(peer: ConnectPeer) -> tuple[Ends, ...]:
    """The addresses inside a tunnel, by family, IPv4 first."""
    blocks = sorted((either(text) for text in peer.inside), key=lambda block: block.version)
    return tuple(Ends(block, str(block[1]), (str(block[2]), str(block[3]))) for block in blocks)


def alias(peer: ConnectPeer) -> str:
    """What a finished device says it is."""
    return f"{peer.id}{_MARK}{' '.join(peer.inside)}"


def is_tunnel(text: str) -> bool:
    """Whether an alias is a tunnel's."""
    return _MARK in text


def peer_of(text: str) -> str:
    """The Connect peer of an alias; another link's alias is given back."""
    return text.partition(_MARK)[0]


def peers(connects: Iterable[Connect]) -> list[ConnectPeer]:
    """All tunnels of some attachments."""
    return [peer for connect in connects for peer in connect.peers]


def ends_here(connects: Iterable[Connect], source: str, target: str) -> bool:
    """Whether a packet is for the gateway itself: a tunnel's outer one, or for the gateway's addresses inside."""
    return any((source, target) == (peer.peer, peer.own) or any(target in end.own for end in ends(peer))
               for peer in peers(connects))


def outward(connects: Iterable[Connect], attached: set[str]) -> list[PathWay]:
    """Outer packets leave by the attachment that carries the tunnel, whatever the tables say."""
    transports = dict.fromkeys(c.transport for c in connects if c.peers and c.transport in attached)
    return [PathWay(table=table_number(t), target="0.0.0.0/0", device=tunnel_name(t), via=VPC_VIA[4])
            for t in transports]


def lines(connects: Iterable[Connect]) -> str:
    """What the program that carries GRE is told."""
    return "".join(
        f"{tunnel_name(p.id)} {address(p.own)} {address(p.peer)} {table_number(c.transport):#x}\n"
        for c in connects for p in c.peers)


def admitted(connects: Iterable[Connect]) -> tuple[str, ...]:
    """What may come to the gateway itself: tunnels' outer packets by their own attachment, and BGP inside of them."""
    out = []
    for connect in connects:
        for peer in connect.peers:
            link, device = tunnel_name(connect.transport), tunnel_name(peer.id)
            outer = f"ip saddr {address(peer.peer)} ip daddr {address(peer.own)}"
            out.append(f'iifname "{link}" {outer} ip protocol 47 accept')
            for end in ends(peer):
                ip, echo = ("ip", "icmp") if end.block.version == 4 else ("ip6", "ipv6-icmp")
                head = f'iifname "{device}" {ip} saddr {end.peer} {ip} daddr {{ {", ".join(end.own)} }}'
                out += [f"{head} tcp dport {_BGP} accept", f"{head} tcp sport {_BGP} accept",
                        f"{head} meta l4proto {echo} accept"]
    return tuple(out)
