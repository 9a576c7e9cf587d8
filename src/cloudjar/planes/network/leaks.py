"""Everything on this host that carries an installation's tag; Linux only."""

from __future__ import annotations

from cloudjar.planes.network import firewalls, namespaces, nft
from cloudjar.planes.network.netlink import Netlink
from cloudjar.planes.network.site import Site


def leaks(tag: str) -> list[str]:
    """One line per namespace, link, nftables table, route and rule of the installation; empty = clean.

    Raises `PlaneError` when the host does not let us look.
    """
    site = Site(tag, "")
    out = [f"namespace {n}" for n in namespaces.names(site.prefix)]
    with Netlink() as kernel:
        for link in kernel.links():
            ours = link.name == site.bridge or link.name.startswith(site.uplinks())
            if ours or link.alias.startswith(f"cloudjar {tag} "):
                out.append(f"link {link.name}")
        out += [f"route {r.target} table {r.table}" for r in kernel.routes() if r.table == site.route_table]
        out += [f"rule {r.preference} to {r.target}" for r in kernel.rules() if r.table == site.route_table]
    out += [f"nftables table {t}" for t in nft.tables() if t == site.table]
    return out + [f"nftables rule {handle} in {chain}" for chain, handle in firewalls.leaves(site)]
