"""The IPv6 Internet of one installation: a namespace on the host's bridge that routes between VPCs and the host.

IPv6 is routed, not translated. The host itself would have to forward for all its links, which also changes how it
listens to its own routers: so it does not, and this namespace forwards in its stead. It ends at this host.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import namespaces, nft
from cloudjar.planes.network.farends import blackholes, router
from cloudjar.planes.network.filtering import EDGE_VIA
from cloudjar.planes.network.netlink import LinkSeen, Netlink, carry
from cloudjar.planes.network.plan import INTERNET_MTU, MAIN_TABLE
from cloudjar.planes.network.ruleset import NftChain, Ruleset, render
from cloudjar.planes.network.site import Site, mac

_DEVICE = "wan"
_PREFERENCE = 20000


def ensure(site: Site, bridge: int) -> None:
    """Put the edge up, and the host's way to it; idempotent."""
    namespaces.create(site.edge_namespace)
    namespaces.inside(site.edge_namespace, router)
    with Netlink() as kernel:
        link = kernel.link(site.edge_link)
        if link is None:
            link = _pair(kernel, site)
        kernel.set_link(link.index, alias=f"cloudjar {site.tag} edge", up=True, master=bridge)
        _host(kernel, site, bridge)
    namespaces.inside(site.edge_namespace, lambda: _furnish(site))
    carry(site.edge_link)
    carry(site.bridge)


def _pair(kernel: Netlink, site: Site) -> LinkSeen:
    fd = os.open(namespaces.path(site.edge_namespace), os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel.add_pair(site.edge_link, mac("uplink", site.edge_link), _DEVICE, site.edge_mac, fd, INTERNET_MTU)
    finally:
        os.close(fd)
    link = kernel.link(site.edge_link)
    if link is None:
        raise PlaneError(f"The link {site.edge_link} vanished while it was being made.")
    return link


def _host(kernel: Netlink, site: Site, bridge: int) -> None:
    Path(f"/proc/sys/net/ipv6/conf/{site.bridge}/disable_ipv6").write_text("0")
    kernel.add_address(bridge, f"{site.gateway6}/128")
    kernel.set_neighbour(bridge, EDGE_VIA, site.edge_mac)
    kernel.set_route(site.route_table, site.pool6, device=bridge, via=EDGE_VIA, source=site.gateway6)
    kernel.add_rule(_PREFERENCE, site.route_table, target=site.pool6)


def _furnish(site: Site) -> None:
    nft.transaction(render(Ruleset(site.table, (), (
        NftChain("answers", ("icmpv6 type nd-redirect drop",),
                 "type filter hook output priority filter; policy accept;"),))))
    with Netlink() as kernel:
        link = kernel.link(_DEVICE)
        if link is None:
            raise OSError("the edge lost its link while it was being made")
        kernel.set_link(link.index, up=True)
        kernel.set_neighbour(link.index, site.gateway6, site.gateway_mac)
        kernel.set_route(MAIN_TABLE, f"{site.gateway6}/128", device=link.index)
        blackholes(kernel)


def lead(site: Site, via: str, gateway_mac: str, blocks: tuple[str, ...]) -> None:
    """Make these blocks, and no others, lead to the gateway of one VPC; nothing to do without an edge."""
    if namespaces.exists(site.edge_namespace):
        namespaces.inside(site.edge_namespace, partial(_lead, via, gateway_mac, blocks))


def _lead(via: str, gateway_mac: str, blocks: tuple[str, ...]) -> None:
    with Netlink() as kernel:
        link = kernel.link(_DEVICE)
        if link is None:
            return
        for route in kernel.routes():
            if route.via == via and route.target not in blocks:
                kernel.delete_route(MAIN_TABLE, route.target, device=link.index)
        if blocks:
            kernel.set_neighbour(link.index, via, gateway_mac)
        else:
            kernel.delete_neighbour(link.index, via)
        for block in blocks:
            kernel.set_route(MAIN_TABLE, block, device=link.index, via=via)
