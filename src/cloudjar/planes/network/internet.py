"""The host's side: a bridge that plays the Internet, the public pool's routes, and a guard around the host.

What the host must remember to restore itself (was it forwarding before?) is written on the bridge, in
its alias: it lives exactly as long as the change that it undoes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import edge, firewalls, namespaces, nft
from cloudjar.planes.network.filtering import GATEWAY_LINK
from cloudjar.planes.network.netlink import LinkSeen, Netlink, carry
from cloudjar.planes.network.plan import INTERNET_MTU, Plan, edge_address
from cloudjar.planes.network.port import HostDoor
from cloudjar.planes.network.ruleset import NftChain, Ruleset, render
from cloudjar.planes.network.site import Site, is_installation, mac, network

PREFERENCE = 20000
_LAST_METRIC = 4_000_000_000
_PRIVATE = "10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16"
_REMEMBERED = ("net/ipv4/ip_forward", "net/ipv4/conf/all/accept_redirects")
"""Turning forwarding on or off also resets accept_redirects: both are put back."""


def host_rules(
    site: Site, api: tuple[str, int] | None, uplink: str = "", also: Collection[HostDoor] = ()
) -> Ruleset:
    """The host's own table: guests get to the API, through `also` too, and to the world, never to the host; pure.

    Nor to the host's own networks (Docker's, libvirt's): private addresses behind a bridge, unless the bridge is the
    `uplink` that carries the host's default route, behind which its package mirror may be.
    """
    bridge, pool = f'"{site.bridge}"', site.pool
    outside = ", ".join([bridge, *([f'"{uplink}"'] if uplink else [])])
    chains = [
        NftChain("source", (
            f"iifname != {bridge} accept",
            f"ip saddr {_api_set(site)} drop",
            f"ip saddr != {pool} drop",
            # Where bridges filter too (br_netfilter), what the edge passes on is seen here as well, and is not tracked:
            # one packet seen twice would not belong to its flow the second time.
            f"meta nfproto ipv6 ether daddr != {site.gateway_mac} notrack",
            f"ip6 saddr {site.gateway6} ip6 daddr {site.gateway6} drop",
            f"ip6 saddr != {site.pool6} drop",
            f"ip6 daddr != {site.pool6} drop",
            "meta nfproto != { ipv4, ipv6 } drop",
            "ip daddr 127.0.0.0/8 drop",
            "ip daddr 169.254.0.0/16 drop",
        ), "type filter hook prerouting priority raw; policy accept;"),
        NftChain("host", (
            f"iifname != {bridge} accept",
            "ct state established,related accept",
            *_admitted(site, api, also),
            "drop",
        ), "type filter hook input priority filter; policy accept;"),
        NftChain("forwarding", (
            f'iifname {bridge} oifname != {{ {outside} }} meta oifkind "bridge" ip daddr {{ {_PRIVATE} }} drop',
            f"iifname {bridge} accept",
            f"oifname {bridge} ct state established,related accept",
            f"oifname {bridge} drop",
        ), "type filter hook forward priority filter; policy accept;"),
        NftChain("answers", (f"oifname {bridge} icmp type redirect drop",),
                 "type filter hook output priority filter; policy accept;"),
        NftChain("world", (f"ip saddr {pool} oifname != {bridge} masquerade",),
                 "type nat hook postrouting priority srcnat; policy accept;"),
    ]
    if api and _elsewhere(site, api[0]):
        where = f"{api[0]}:{api[1]}"
        chains.append(NftChain("api", (
            f"iifname {bridge} ip daddr {_api_set(site)} tcp dport {api[1]} dnat ip to {where}",),
            "type nat hook prerouting priority dstnat; policy accept;"))
    return Ruleset(site.table, (), tuple(chains))


def _admitted(site: Site, api: tuple[str, int] | None, also: Collection[HostDoor]) -> tuple[str, ...]:
    if api is None:
        return ()
    if _elsewhere(site, api[0]):
        return (f"ct status dnat ip daddr {api[0]} tcp dport {api[1]} accept",)
    doors = ", ".join(f"{address} . {port}" for address, port in sorted(set(also)))
    others = (f"ip daddr . tcp dport {{ {doors} }} accept",) if also else ()
    return (f"ip daddr {_api_set(site)} tcp dport {api[1]} accept", *others)


def _api_set(site: Site) -> str:
    return f"{{ {', '.join(site.api_addresses)} }}"


def _elsewhere(site: Site, host: str) -> bool:
    """Whether the API listens where guests cannot reach it without a translation."""
    return host not in ("0.0.0.0", site.gateway)


class Internet:
    """The host's side of one installation. Thread-safe; every call is idempotent."""

    def __init__(self, site: Site, api: tuple[str, int] | None) -> None:
        if api:
            try:
                IPv4Address(api[0])
            except ValueError as e:
                raise PlaneError(f"The API's address {api[0]!r} is not an IPv4 address.") from e
        self.site = site
        self.api = api
        self._also: Collection[HostDoor] = ()
        self._lock = threading.Lock()
        self._ready = False
        self._edge_ready = False
        self._index = 0

    def ensure(self) -> None:
        """Put up bridge, routes and guard; verifies the kernel once per process."""
        with self._lock:
            if not self._ready:
                with namespaces.host_lock(), Netlink() as kernel:
                    self._refuse_shared_pool(kernel)
                    self._index = self._bridge(kernel)
                    self._guard()
                    self._routes(kernel)
                    firewalls.give_leave(self.site)
                self._ready = True

    def hear(self, also: Collection[HostDoor]) -> None:
        """Let guests reach these doors of the host's too: somebody who is meant for them listens there."""
        with self._lock:
            self._also = also
            if self._ready:
                self._guard()

    def _guard(self) -> None:
        nft.transaction(render(host_rules(self.site, self.api, _uplink(), self._also)))

    def _refuse_shared_pool(self, kernel: Netlink) -> None:
        """An address leads to one installation only: whoever came first would have all of what both share."""
        pool = network(self.site.pool)
        others = [r.target for r in kernel.rules()
                  if r.version == 4 and is_installation(r.table) and r.table != self.site.route_table]
        for other in others:
            if other and pool.overlaps(network(other)):
                raise PlaneError(
                    f"The public pool {pool} overlaps {other}, which another Cloudjar on this host has. "
                    "Try another pool, or `cloudjar down` for the other one."
                )

    def _bridge(self, kernel: Netlink) -> int:
        name = self.site.bridge
        links = kernel.links()
        seen = next((k for k in links if k.name == name), None)
        if seen is None:
            kernel.add_bridge(name, self.site.gateway_mac)
            seen = kernel.link(name)
        if seen is None:
            raise PlaneError(f"The bridge {name} vanished while it was being made.")
        if not seen.alias:
            before = next((_remembered(k) for k in links if _is_bridge(k)), None) or [_read(k) for k in _REMEMBERED]
            kernel.set_link(seen.index, alias=f"cloudjar {self.site.tag} {' '.join(before)}")
        _write("net/ipv4/ip_forward", "1")
        with suppress(OSError):  # a kernel without IPv6 has nothing to say here
            for key, value in (("addr_gen_mode", "1"), ("accept_ra", "0")):
                _write(f"net/ipv6/conf/{name}/{key}", value)
        _write(f"net/ipv4/conf/{name}/send_redirects", "0")
        if self.api and IPv4Address(self.api[0]).is_loopback:
            _write(f"net/ipv4/conf/{name}/route_localnet", "1")
        for own in self.site.api_addresses:
            kernel.add_address(seen.index, f"{own}/32")
        kernel.set_link(seen.index, up=True)
        return seen.index

    def _routes(self, kernel: Netlink) -> None:
        table, pool = self.site.route_table, self.site.pool
        for rule in kernel.rules():
            if rule.table == table and rule.target not in (pool, self.site.pool6):
                kernel.delete_rule(rule.preference, table, target=rule.target, version=rule.version)
        for route in kernel.routes():
            if route.table == table and route.target not in (pool, self.site.pool6):
                kernel.delete_route(table, route.target, device=route.device, metric=route.metric)
        # Should the bridge ever be gone, the pool leads nowhere rather than to a real network.
        kernel.set_route(table, pool, metric=_LAST_METRIC)
        kernel.set_route(table, pool, device=self._index, source=self.site.gateway)
        kernel.add_rule(PREFERENCE, table, target=pool)

    def attach(self, plan: Plan) -> bool:
        """Give a VPC its link to the bridge, or take it away; True when its inner end is new, or gone."""
        with Netlink() as kernel:
            seen = kernel.link(plan.uplink)
            if not plan.gateway:
                kernel.delete_link(plan.uplink)
                return seen is not None
            new = seen is None
            if new:
                self._pair(kernel, plan)
                seen = kernel.link(plan.uplink)
            if seen is None:
                raise PlaneError(f"The link {plan.uplink} vanished while it was being made.")
            if seen.master != self._index or not seen.up:
                with suppress(OSError):
                    _write(f"net/ipv6/conf/{plan.uplink}/disable_ipv6", "1")  # a port of a bridge has no say
                kernel.set_link(seen.index, alias=f"cloudjar {self.site.tag} {plan.vpc}",
                                up=True, master=self._index)
            return new

    def _pair(self, kernel: Netlink, plan: Plan) -> None:
        fd = os.open(namespaces.path(plan.namespace), os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.add_pair(plan.uplink, mac("uplink", plan.uplink), GATEWAY_LINK, plan.gateway_mac, fd, INTERNET_MTU)
        finally:
            os.close(fd)

    def carry(self, plan: Plan) -> None:
        """Make a new link pass packets at once, now that its inner end is up."""
        if plan.gateway:
            carry(plan.uplink)
            carry(self.site.bridge)  # the first port gives the bridge its own carrier

    def publish(self, plan: Plan, known: tuple[tuple[str, str], ...] | None, *, only_withdraw: bool = False) -> None:
        """Say on the bridge which gateway answers for which public address, and for none else."""
        if known == plan.public:
            return
        with Netlink() as kernel:
            if known is None:
                seen = {a for i, a, m in kernel.neighbours() if i == self._index and m == plan.gateway_mac}
            else:
                seen = {a for a, _ in known}
            wanted = dict(plan.public)
            for a in seen - wanted.keys():
                self._withdraw(kernel, a, plan.gateway_mac)
            if not only_withdraw:
                for a in wanted.keys() - seen:
                    kernel.set_neighbour(self._index, a, wanted[a])

    def _withdraw(self, kernel: Netlink, address: str, owner: str) -> None:
        # The address may already belong to another VPC: take away only what is still this one's.
        if (self._index, address, owner) in kernel.neighbours():
            kernel.delete_neighbour(self._index, address)

    def publish6(self, plan: Plan, before: Plan | None) -> None:
        """Lead a VPC's IPv6 blocks to its gateway, or nowhere any more."""
        known = before.public6 if before else None
        if known == plan.public6 or (known is None and not plan.public6 and not namespaces.exists(
                self.site.edge_namespace)):
            return
        with self._lock:
            if not self._edge_ready:
                edge.ensure(self.site, self._index)
                self._edge_ready = True
        edge.lead(self.site, plan.edge_address, plan.gateway_mac, plan.public6)

    def detach(self, vpc_id: str, gateway_mac: str) -> None:
        """Forget a VPC: its link and its public addresses."""
        edge.lead(self.site, edge_address(vpc_id), gateway_mac, ())
        with Netlink() as kernel:
            kernel.delete_link(self.site.uplink(vpc_id))
            bridge = kernel.link(self.site.bridge)
            for index, address, owner in kernel.neighbours():
                if bridge and index == bridge.index and owner == gateway_mac:
                    kernel.delete_neighbour(index, address)

    def close(self) -> None:
        """Restore the host: no bridge, no routes, no rules, forwarding as it was."""
        with self._lock, namespaces.host_lock(), Netlink() as kernel:
            self._ready = self._edge_ready = False
            namespaces.delete(self.site.edge_namespace)
            for rule in kernel.rules():
                if rule.table == self.site.route_table:
                    kernel.delete_rule(rule.preference, rule.table, target=rule.target, version=rule.version)
            for route in kernel.routes():
                if route.table == self.site.route_table:
                    kernel.delete_route(route.table, route.target, device=route.device, metric=route.metric)
            links = kernel.links()
            for link in links:
                if link.name.startswith(self.site.uplinks()):
                    kernel.delete_link(link.name)
            self._restore([k for k in links if _is_bridge(k)])
            kernel.delete_link(self.site.bridge)
            nft.drop_table(self.site.table)
            firewalls.take_back(self.site)

    def _restore(self, bridges: list[LinkSeen]) -> None:
        mine = next((k for k in bridges if k.name == self.site.bridge), None)
        if mine is None or len(bridges) > 1:
            return  # another installation still needs forwarding; it remembers the same values
        for key, value in zip(_REMEMBERED, _remembered(mine), strict=False):
            if _read(key) != value:
                _write(key, value)


def _uplink() -> str:
    """The link of the host's default route, whoever set it; empty without one."""
    lines = [line.split() for line in Path("/proc/thread-self/net/route").read_text().splitlines()[1:]]
    ways = [(int(metric), name) for name, to, _, _, _, _, metric, mask, *_ in lines if to == mask == "00000000"]
    return min(ways, default=(0, ""))[1]


def _is_bridge(link: LinkSeen) -> bool:
    return link.name.startswith("cj-") and link.alias.startswith("cloudjar ") and len(_remembered(link)) == 2


def _remembered(link: LinkSeen) -> list[str]:
    return link.alias.split()[2:]


def _read(key: str) -> str:
    return Path("/proc/sys", key).read_text().strip()


def _write(key: str, value: str) -> None:
    try:
        Path("/proc/sys", key).write_text(value)
    except PermissionError as e:
        raise PlaneError(f"/proc/sys/{key} cannot be written: {e}. Try running as root.") from e
