"""Namespaces that join VPCs: one per peering connection, one per transit gateway; Linux only.

VPCs bring the links and take them away; a peering's namespace lives as long as it has any.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext, suppress
from functools import partial

from cloudjar.planes.network import casting, flowlog, hubmeters, hubpeers, namespaces, nft, tunnels
from cloudjar.planes.network.farends import blackholes, router
from cloudjar.planes.network.layout import Layout, seen_layout, spread
from cloudjar.planes.network.netlink import LinkSeen, Netlink
from cloudjar.planes.network.plan import Plan
from cloudjar.planes.network.port import Carried, Flow, TransitGateway, TransitTraffic
from cloudjar.planes.network.ruleset import render
from cloudjar.planes.network.site import HUBS, Site, tunnel_name
from cloudjar.planes.network.transit import TransitPlan, transit_plan
from cloudjar.planes.network.tunnelling import Tunnels


class Hubs:
    """All of one installation. `turn` is held while links come or go: a hub must not be swept away meanwhile."""

    def __init__(self, site: Site, tunnels: Tunnels) -> None:
        self.site = site
        self._tunnels = tunnels
        self.turn = threading.RLock()
        self.gateways: dict[str, TransitGateway] = {}
        self._tallies: dict[str, flowlog.Tally] = {}
        self._known: dict[str, str] = {}
        """The gateway of every attachment that there was: what it sent is asked for when it has gone."""
        self._begun: set[str] = set()
        """Namespaces that this process has put in order: another may have died before it had."""

    def ensure(self, plan: Plan) -> None:
        """Namespaces for a VPC's tunnels."""
        for tunnel in plan.tunnels:
            if tunnel.kind != "endpoint":
                self._create(tunnel.namespace, routed=tunnel.kind == "peering")

    def _create(self, namespace: str, *, routed: bool) -> None:
        if namespace in self._begun and namespaces.exists(namespace):
            return
        namespaces.create(namespace)
        namespaces.inside(namespace, partial(_begin, routed))
        self._begun.add(namespace)

    def apply(self, gateway: TransitGateway) -> None:
        """Make a transit gateway's namespace hold exactly this."""
        with self.turn:
            transit_plan(gateway, self.site, set())  # what contradicts itself changes nothing
            self.gateways[gateway.id] = gateway
            self._known |= {a.attachment: gateway.id for a in gateway.associations}
            self._create(self.site.hub_namespace(gateway.id), routed=False)
            self._tunnels.furnish(gateway)
            self.refresh(hubpeers.settle(gateway, self.site) | {gateway.id})
        self._tunnels.carry(gateway)

    def refresh(self, gateway_ids: set[str]) -> None:
        """Route again: links may have come."""
        for gateway in (self.gateways[g] for g in gateway_ids if g in self.gateways):
            namespaces.inside(self.site.hub_namespace(gateway.id), partial(_settle, gateway, self.site))

    def remove(self, gateway_id: str) -> None:
        """Forget a transit gateway; while VPCs still hold on to it, its namespace stays, and drops everything."""
        self._tunnels.end(gateway_id)
        with self.turn:
            self.gateways.pop(gateway_id, None)
            self._tallies.pop(gateway_id, None)
            if namespaces.exists(self.site.hub_namespace(gateway_id)):
                nothing = TransitGateway(id=gateway_id)
                self._tunnels.furnish(nothing)
                hubpeers.settle(nothing, self.site)
                namespaces.inside(self.site.hub_namespace(gateway_id), partial(_settle, nothing, self.site))
            self.sweep()

    def flows(self, gateway_id: str) -> tuple[Flow, ...]:
        """What came by the attachments of a logged gateway since this was last asked; their ids are the interfaces."""
        with self.turn:
            gateway = self.gateways.get(gateway_id)
            if gateway is None:
                return ()
            listed = namespaces.inside(
                self.site.hub_namespace(gateway_id), partial(nft.elements, hubmeters.FLOWS)) if gateway.logged else {}
            links = _links(gateway)
            return self._tallies.setdefault(gateway_id, flowlog.Tally()).flows(listed, links)

    def carried(self, attachment: str) -> Carried | None:
        """The bytes that an attachment has sent into its gateway; None when there is none."""
        with self.turn:
            hub = self._known.get(attachment, "")
            if not hub or not namespaces.exists(name := self.site.hub_namespace(hub)):
                return None
            return namespaces.inside(name, partial(hubmeters.carried, tunnel_name(attachment)))

    def traffic(self, gateway_id: str) -> dict[str, TransitTraffic]:
        """What came, left and was lost at each attachment of a gateway."""
        with self.turn:
            gateway = self.gateways.get(gateway_id)
            if gateway is None:
                return {}
            return namespaces.inside(self.site.hub_namespace(gateway_id), partial(hubmeters.traffic, _links(gateway)))

    def names(self) -> list[str]:
        """The ids of hubs that have a namespace."""
        prefix = self.site.prefix
        return [n.removeprefix(prefix) for n in namespaces.names(prefix) if n.removeprefix(prefix).startswith(HUBS)]

    def sweep(self) -> None:
        """Take away hubs that join nothing any more."""
        with self.turn:
            for hub in self.names():
                name = self.site.hub_namespace(hub)
                if hub not in self.gateways and (not namespaces.exists(name) or not namespaces.inside(name, _linked)):
                    namespaces.delete(name)

    def close(self) -> None:
        """Take them all away."""
        self._tunnels.close()
        with self.turn:
            self.gateways.clear()
            for hub in self.names():
                namespaces.delete(self.site.hub_namespace(hub))


def _links(gateway: TransitGateway) -> dict[str, str]:
    """The attachment of every link of a gateway; a Connect attachment has one for each tunnel."""
    found = {tunnel_name(a.attachment): a.attachment for a in gateway.associations}
    return found | {tunnel_name(p.id): c.attachment for c in gateway.connects for p in c.peers}


def _begin(routed: bool) -> None:
    router()
    if routed:
        with Netlink() as kernel:
            blackholes(kernel)
    else:
        hubmeters.begin()


def _linked() -> bool:
    with Netlink() as kernel:
        return any(k.name != "lo" for k in kernel.links())


def _settle(gateway: TransitGateway, site: Site) -> None:
    with Netlink() as kernel:
        links = kernel.links()
        attached = {tunnels.peer_of(hubpeers.attachment_of(k.alias)) for k in links if k.name != "lo"}
        wanted = transit_plan(gateway, site, attached)
        _know_domains(kernel, gateway, attached, links)
        nft.transaction(render(wanted.rules) + casting.hub_copies(gateway, site, attached))
        hubmeters.know_holes(wanted.holes)
        hubmeters.log(gateway.logged)
        seen = seen_layout(kernel, links)
        seen.neighbours = set()
        spread(kernel, seen, _layout(wanted, seen))


def _know_domains(kernel: Netlink, gateway: TransitGateway, attached: set[str], links: list[LinkSeen]) -> None:
    """The next hops of copies; those of domains that are gone are left to nobody."""
    names = {k.name: k.index for k in links}
    hops = casting.hub_hops(gateway, attached)
    wanted = {(names[link], via, mac) for via, (link, mac) in hops.items() if link in names}
    seen = {n for n in kernel.neighbours() if casting.is_via(n[1])}
    for index, via, _ in seen - wanted:
        kernel.delete_neighbour(index, via)
    for index, via, mac in wanted - seen:
        with suppress(OSError) if ":" in via else nullcontext():  # a kernel without IPv6
            kernel.set_neighbour(index, via, mac)


def _layout(wanted: TransitPlan, seen: Layout) -> Layout:
    """Links and what they were furnished with are the VPCs' business: only routes and marks change here."""
    return Layout(seen.links, seen.addresses, {(r.table, r.target): r for r in wanted.routes},
                  {(version, mark) for version in (4, 6) for mark in wanted.marks}, set(), set(), set(), set())
