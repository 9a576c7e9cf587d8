"""Links between transit gateways that are peered: a pair of links that joins their two namespaces; Linux only.

Either gateway brings the link when it is laid out and the other one is there; the first that gives the peering up
takes it away.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial

from cloudjar.planes.network import namespaces
from cloudjar.planes.network.netlink import Netlink, carry
from cloudjar.planes.network.plan import HUB_VIA, TRANSIT_MTU, VPC_VIA
from cloudjar.planes.network.port import TransitGateway
from cloudjar.planes.network.site import Site, mac, tunnel_name
from cloudjar.planes.network.transit import leads_up

_MARK = " peer "
"""In the alias of such a link, after its attachment: no VPC's link has it."""


def attachment_of(alias: str) -> str:
    """The attachment that a link of a gateway's namespace is of."""
    return alias.partition(_MARK)[0]


def settle(gateway: TransitGateway, site: Site) -> set[str]:
    """Have exactly a gateway's links to its peers; those peers (ids) that got one are given, to be routed again."""
    own = site.hub_namespace(gateway.id)
    wanted = {a.attachment: a.peer for a in gateway.associations if a.peer}
    present = namespaces.inside(own, partial(_clean, wanted))
    made = set()
    for attachment, peer in wanted.items():
        if attachment not in present and namespaces.exists(site.hub_namespace(peer)):
            namespaces.inside(own, partial(_join, site, attachment, gateway.id, peer))
            made.add(peer)
    return made


def _clean(wanted: dict[str, str]) -> set[str]:
    """Take away links to those who are no peers any more, and what is half made; the attachments that stay."""
    kept = set()
    with Netlink() as kernel:
        for link in kernel.links():
            attachment, mark, peer = link.alias.partition(_MARK)
            if mark and wanted.get(attachment) == peer:
                kept.add(attachment)
            elif mark:
                kernel.delete_link(link.name)
    return kept


def _join(site: Site, attachment: str, own: str, peer: str) -> None:
    name, far = tunnel_name(attachment), site.hub_namespace(peer)
    with Netlink() as kernel:
        kernel.delete_link(name)  # half made
        namespaces.inside(far, partial(_drop, name))
        fd = os.open(namespaces.path(far), os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.add_pair(name, _mac(site, attachment, own), name, _mac(site, attachment, peer), fd, TRANSIT_MTU)
        finally:
            os.close(fd)
        _furnish(site, attachment, own, peer)
        namespaces.inside(far, partial(_furnish, site, attachment, peer, own))
        carry(name)


def _drop(name: str) -> None:
    with Netlink() as kernel:
        kernel.delete_link(name)


def _furnish(site: Site, attachment: str, own: str, peer: str) -> None:
    """One end: up, and the other one known; its mark comes last."""
    with Netlink() as kernel:
        device = kernel.link(tunnel_name(attachment))
        if device is None:
            raise OSError(f"{own} lost its link to {peer} while it was being made")
        kernel.set_link(device.index, up=True)
        for via in (HUB_VIA if leads_up(own, peer) else VPC_VIA).values():
            with suppress(OSError):  # a kernel without IPv6
                kernel.set_neighbour(device.index, via, _mac(site, attachment, peer))
        kernel.set_link(device.index, alias=f"{attachment}{_MARK}{peer}")


def _mac(site: Site, attachment: str, end: str) -> str:
    return mac("transit-peer", f"{site.tag} {attachment} {end}")
