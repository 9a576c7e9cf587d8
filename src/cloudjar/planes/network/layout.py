"""What a VPC's namespace holds, compared with what its plan wants, and the steps between; Linux only.

Everything here runs in a thread that has entered the VPC's namespace. Steps are in an order that is
safe to die between: rules before links, a link's mark of completeness last.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import meters, namespaces, nft
from cloudjar.planes.network.casting import no_copies
from cloudjar.planes.network.farends import furnish_far_end, retranslate, translate, translate6
from cloudjar.planes.network.filtering import GATEWAY_LINK
from cloudjar.planes.network.netlink import LinkSeen, Netlink, carry
from cloudjar.planes.network.plan import (
    FABRIC6,
    GUEST_MTU,
    MAIN_TABLE,
    RELAY_PREFERENCE,
    RULE_PREFERENCE,
    SYSCTLS,
    SYSCTLS_IPV6,
    Link,
    Neighbour,
    PathWay,
    Plan,
    Tunnel,
    preference,
)
from cloudjar.planes.network.privatelinks import near_rules
from cloudjar.planes.network.ruleset import change, render
from cloudjar.planes.network.site import any_address, mac

log = logging.getLogger("cloudjar.network")
Ways = dict[tuple[int, str], PathWay]


class Layout(msgspec.Struct):
    """A namespace's contents, comparable: links by name with their identities, and the rest as sets."""

    links: dict[str, str]
    addresses: set[str]
    routes: Ways
    marks: set[tuple[int, int]]
    """(IP version, mark)."""
    neighbours: set[Neighbour]
    guests6: set[tuple[str, str, str]]
    """(guest's namespace, device, IPv6 address): inside the guests, so never looked at, only written."""
    translations: set[tuple[str, ...]]
    """(NAT gateway's namespace, its addresses for new connections...): likewise."""
    sixes: set[tuple[str, bool]]
    """(NAT gateway's namespace, whether it translates IPv6): likewise."""


def wanted_layout(plan: Plan) -> Layout:
    """The layout that a plan describes."""
    return Layout(
        {k.name: k.identity for k in plan.links} | {t.name: t.identity for t in plan.tunnels},
        {f"{a}/{any_address(a).max_prefixlen}" for a in plan.addresses},
        {(r.table, r.target): r for r in plan.routes},
        {(version, mark) for version in (4, 6) for mark in plan.marks},
        set(plan.neighbours),
        {(k.namespace, k.device, a) for k in plan.links for a in k.ipv6},
        {(k.namespace, *k.translates) for k in plan.links if k.translates},
        {(k.namespace, k.sixfour) for k in plan.links if k.translates},
    )


def seen_layout(kernel: Netlink, links: list[LinkSeen]) -> Layout:
    """The layout that the kernel holds now."""
    names = {k.index: k.name for k in links}
    loopback = next(k.index for k in links if k.name == "lo")
    routes: Ways = {}
    for r in kernel.routes():
        way = PathWay(table=r.table, target=r.target, kind="blackhole" if r.blackhole else "unicast",
                      device=names.get(r.device, ""), via=r.via, more=tuple(names.get(m, "") for m in r.more))
        routes[r.table, r.target] = way
    return Layout(
        {k.name: k.alias for k in links if k.name not in ("lo", GATEWAY_LINK)},
        {a for a in kernel.addresses(loopback) if a not in ("127.0.0.1/8", "::1/128")},
        routes,
        {(r.version, r.mark) for r in kernel.rules() if r.preference in (RULE_PREFERENCE, RELAY_PREFERENCE)},
        {Neighbour(names.get(i, ""), a, m) for i, a, m in kernel.neighbours()},
        set(),
        set(),
        set(),
    )


def settle(plan: Plan, before: Plan | None, *, new_gateway: bool) -> None:
    """Make this namespace hold exactly the plan; `before` is what it is known to hold (None: look)."""
    with Netlink() as kernel:
        if before is None:
            _first_touch(kernel, plan)
            seen = seen_layout(kernel, kernel.links())
        else:
            text = change(before.rules, plan.rules)
            if text:
                nft.transaction(text)
            seen = wanted_layout(before)
        if new_gateway:
            _forget(seen, GATEWAY_LINK)
        want = wanted_layout(plan)
        _unlink(kernel, seen, want)
        for link in plan.links:
            if link.name not in seen.links:
                _connect(kernel, link)
            elif link.translates and (link.namespace, *link.translates) not in seen.translations:
                namespaces.inside(link.namespace, partial(retranslate, link.translates))
        for tunnel in plan.tunnels:
            if tunnel.name not in seen.links:
                _bore(kernel, tunnel)
        spread(kernel, seen, want)
        if before is None or (before.copies, before.links, before.tunnels) != (plan.copies, plan.links, plan.tunnels):
            _copy(plan, before)
        _address_guests(plan, seen.guests6, want.guests6)
        for link in plan.links:
            if link.translates and (link.name not in seen.links or (link.namespace, link.sixfour) not in seen.sixes):
                _translate6(link)


def _first_touch(kernel: Netlink, plan: Plan) -> None:
    nft.transaction(render(plan.rules))
    for key, value in SYSCTLS:
        Path("/proc/sys", key).write_text(value)
    with suppress(FileNotFoundError):
        for key, value in SYSCTLS_IPV6:
            Path("/proc/sys", key).write_text(value)
    loopback = kernel.link("lo")
    if loopback and not loopback.up:
        kernel.set_link(loopback.index, up=True)


def _copy(plan: Plan, before: Plan | None) -> None:
    """Copies go to links by their numbers: they must be there, and a new link of the same name is another one."""
    if plan.copies or before is None or before.copies:
        nft.transaction(plan.copies or no_copies(plan.rules.table))


def unplug() -> None:
    """Remove every link that leads out of this namespace."""
    with Netlink() as kernel:
        for link in kernel.links():
            if link.name != "lo":
                kernel.delete_link(link.name)


def _unlink(kernel: Netlink, seen: Layout, want: Layout) -> None:
    """Remove links that are not wanted, or are not complete, or belong to somebody else by now."""
    for name, identity in list(seen.links.items()):
        if want.links.get(name) != identity:
            kernel.delete_link(name)
            _forget(seen, name)


def _forget(seen: Layout, device: str) -> None:
    seen.links.pop(device, None)
    seen.routes = {k: r for k, r in seen.routes.items() if r.device != device}
    seen.neighbours = {n for n in seen.neighbours if n.device != device}


def _connect(kernel: Netlink, link: Link) -> None:
    """Make an ENI's pair of links. Its identity is written last: without it, it is made anew."""
    seen = _pair(kernel, link.name, mac("fabric", link.interface), link.device, link.mac, link.namespace, GUEST_MTU)
    # Without this the fabric's ARP answers wait for up to 0.8 s; a namespace has no default to set it in.
    Path("/proc/sys/net/ipv4/neigh", link.name, "proxy_delay").write_text("0")
    if link.role == "nat":
        # What the fabric tells a NAT gateway (a packet was too big) comes back translated, from the fabric's address.
        Path("/proc/sys/net/ipv4/conf", link.name, "accept_local").write_text("1")
    with suppress(OSError):  # a kernel without IPv6
        kernel.add_address(seen.index, f"{FABRIC6}/64")
    kernel.set_link(seen.index, up=True)
    namespaces.inside(link.namespace, lambda: _furnish(link))
    carry(link.name)  # this end was up first: the other one passes packets already
    kernel.set_link(seen.index, alias=link.identity)


def _bore(kernel: Netlink, tunnel: Tunnel) -> None:
    """Make a tunnel; what is at its far end is put in order there."""
    seen = _pair(kernel, tunnel.name, tunnel.mac, tunnel.device, tunnel.far_mac, tunnel.namespace, tunnel.mtu)
    kernel.set_link(seen.index, up=True)
    namespaces.inside(tunnel.namespace, lambda: furnish_far_end(tunnel))
    carry(tunnel.name)
    kernel.set_link(seen.index, alias=tunnel.identity)


def _pair(
    kernel: Netlink, name: str, own_mac: str, device: str, far_mac: str, namespace: str, mtu: int
) -> LinkSeen:
    fd = os.open(namespaces.path(namespace), os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel.add_pair(name, own_mac, device, far_mac, fd, mtu)
    finally:
        os.close(fd)
    seen = kernel.link(name)
    if seen is None:
        raise OSError(f"{name} vanished while it was being made")
    return seen


def _furnish(link: Link) -> None:
    """Inside the guest: the address, the default route, and a loopback that is up."""
    with Netlink() as kernel:
        loopback, device = kernel.link("lo"), kernel.link(link.device)
        if loopback is None or device is None:
            raise OSError(f"{link.guest} lost its {link.device} while it was being made")
        kernel.set_link(loopback.index, up=True)
        kernel.add_address(device.index, link.address)
        kernel.set_link(device.index, up=True)
        kernel.set_route(MAIN_TABLE, "0.0.0.0/0", device=device.index, via=link.router, metric=link.metric)
    if link.role == "nat":
        translate(link)
    elif link.role in ("endpoint", "service"):
        nft.transaction(meters.endpoint(link.device, meters.birth()))
    if link.role == "service":
        nft.transaction(render(near_rules(None)))


def _address_guests(plan: Plan, seen: set[tuple[str, str, str]], want: set[tuple[str, str, str]]) -> None:
    """IPv6 addresses inside the guests: they come and go without a new link."""
    for link in plan.links:
        mine = (link.namespace, link.device)
        gone = {a for *k, a in seen - want if tuple(k) == mine}
        if gone or (link.ipv6 and not {(*mine, a) for a in link.ipv6} <= seen):
            namespaces.inside(link.namespace, partial(_address_guest, link, gone))


def _address_guest(link: Link, gone: set[str]) -> None:
    with Netlink() as kernel:
        device = kernel.link(link.device)
        if device is None:
            raise OSError(f"{link.guest} lost its {link.device}")
        for key, value in (("disable_ipv6", "0"), ("accept_ra", "0")):
            Path("/proc/sys/net/ipv6/conf", link.device, key).write_text(value)
        for a in gone:
            kernel.delete_address(device.index, f"{a}/128")
        for a in link.ipv6:
            kernel.add_address(device.index, f"{a}/128")
        if link.ipv6:
            kernel.set_route(MAIN_TABLE, "::/0", device=device.index, via=FABRIC6, metric=link.metric + 1)


def _translate6(link: Link) -> None:
    """A host that cannot translate has its VPCs nevertheless."""
    try:
        namespaces.inside(link.namespace, partial(translate6, link))
    except (OSError, PlaneError) as failed:
        log.warning("%s does not translate IPv6: %s", link.guest, failed)


def spread(kernel: Netlink, seen: Layout, want: Layout) -> None:
    """Addresses, neighbours, routes and marks."""
    index = {k.name: k.index for k in kernel.links()} if seen != want else {}
    if GATEWAY_LINK in index:
        kernel.set_link(index[GATEWAY_LINK], up=True)
    for a in seen.addresses - want.addresses:
        kernel.delete_address(index["lo"], a)
    for a in want.addresses - seen.addresses:
        kernel.add_address(index["lo"], a)
    places = {(n.device, n.address) for n in want.neighbours}
    for n in seen.neighbours - want.neighbours:
        if n.device in index and (n.device, n.address) not in places:
            kernel.delete_neighbour(index[n.device], n.address)
    for n in want.neighbours - seen.neighbours:
        kernel.set_neighbour(index[n.device], n.address, n.mac)
    for key, way in seen.routes.items():
        if key not in want.routes:
            kernel.delete_route(*key, device=index.get(way.device, 0))
    for key, way in want.routes.items():
        if (old := seen.routes.get(key)) != way:
            if old is not None and ":" in way.target:  # IPv6 puts a second one beside it rather than in its place
                kernel.delete_route(*key, device=index.get(old.device, 0))
            kernel.set_route(*key, device=index[way.device] if way.device else 0, via=way.via,
                             more=tuple(index[device] for device in way.more))
    for version, mark in seen.marks - want.marks:
        kernel.delete_rule(preference(mark), mark, mark=mark, version=version)
    for version, mark in want.marks - seen.marks:
        kernel.add_rule(preference(mark), mark, mark=mark, version=version)
