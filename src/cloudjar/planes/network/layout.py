"""What a VPC's namespace holds, compared with what its plan wants, and the steps between; Linux only.

Everything here runs in a thread that has entered the VPC's namespace. Steps are in an order that is
safe to die between: rules before links, a link's mark of completeness last.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from cloudjar.planes.network import namespaces, nft
from cloudjar.planes.network.filtering import GATEWAY_LINK
from cloudjar.planes.network.netlink import LinkSeen, Netlink, carry
from cloudjar.planes.network.plan import (
    GUEST_MTU,
    MAIN_TABLE,
    RULE_PREFERENCE,
    SYSCTLS,
    SYSCTLS_IPV6,
    Link,
    Neighbour,
    PathWay,
    Plan,
)
from cloudjar.planes.network.ruleset import change, render
from cloudjar.planes.network.site import mac

Ways = dict[tuple[int, str], PathWay]


class Layout(msgspec.Struct):
    """A namespace's contents, comparable: links by name with their identities, and the rest as sets."""

    links: dict[str, str]
    addresses: set[str]
    routes: Ways
    marks: set[int]
    neighbours: set[Neighbour]


def wanted_layout(plan: Plan) -> Layout:
    """The layout that a plan describes."""
    return Layout(
        {k.name: k.identity for k in plan.links},
        {f"{a}/32" for a in plan.addresses},
        {(r.table, r.target): r for r in plan.routes},
        set(plan.marks),
        set(plan.neighbours),
    )


def seen_layout(kernel: Netlink, links: list[LinkSeen]) -> Layout:
    """The layout that the kernel holds now."""
    names = {k.index: k.name for k in links}
    loopback = next(k.index for k in links if k.name == "lo")
    routes: Ways = {}
    for r in kernel.routes():
        way = PathWay(table=r.table, target=r.target, kind="blackhole" if r.blackhole else "unicast",
                      device=names.get(r.device, ""), via=r.via)
        routes[r.table, r.target] = way
    return Layout(
        {k.name: k.alias for k in links if k.name not in ("lo", GATEWAY_LINK)},
        {a for a in kernel.addresses(loopback) if a != "127.0.0.1/8"},
        routes,
        {r.mark for r in kernel.rules() if r.preference == RULE_PREFERENCE},
        {Neighbour(names.get(i, ""), a, m) for i, a, m in kernel.neighbours()},
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
        _spread(kernel, seen, want)


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
    fd = os.open(namespaces.path(link.namespace), os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel.add_pair(link.name, mac("fabric", link.interface), link.device, link.mac, fd, GUEST_MTU)
    finally:
        os.close(fd)
    # Without this the fabric's ARP answers wait for up to 0.8 s; a namespace has no default to set it in.
    Path("/proc/sys/net/ipv4/neigh", link.name, "proxy_delay").write_text("0")
    seen = kernel.link(link.name)
    if seen is None:
        raise OSError(f"{link.name} vanished while it was being made")
    kernel.set_link(seen.index, up=True)
    namespaces.inside(link.namespace, lambda: _furnish(link))
    carry(link.name)  # this end was up first: the other one passes packets already
    kernel.set_link(seen.index, alias=link.identity)


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


def _spread(kernel: Netlink, seen: Layout, want: Layout) -> None:
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
        if seen.routes.get(key) != way:
            kernel.set_route(*key, device=index[way.device] if way.device else 0, via=way.via)
    for mark in seen.marks - want.marks:
        kernel.delete_rule(RULE_PREFERENCE, mark, mark=mark)
    for mark in want.marks - seen.marks:
        kernel.add_rule(RULE_PREFERENCE, mark, mark=mark)
