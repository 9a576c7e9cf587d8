"""The links between endpoints and load balancers' nodes, made and taken away; Linux only.

Both ends are guests of VPCs that come and go by themselves, in any order: a link is there while both are. What a
namespace holds is compared with what it should hold whenever either of its VPCs is laid out.
"""

from __future__ import annotations

import os
import threading
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from cloudjar.planes.network import namespaces, nft
from cloudjar.planes.network.farends import router
from cloudjar.planes.network.netlink import Netlink, carry
from cloudjar.planes.network.port import Vpc
from cloudjar.planes.network.privatelinks import (
    DOORS,
    FAR_PREFIX,
    FAR_VIA,
    IDLE_SECONDS,
    LOCAL_PREFERENCE,
    MARK,
    MTU,
    NEAR_DEVICE,
    NEAR_VIA,
    PREFERENCE,
    Lead,
    check,
    far_rules,
    leads,
    near_rules,
)
from cloudjar.planes.network.ruleset import render
from cloudjar.planes.network.site import NAMESPACES, Site

_LOCAL = 255


class Links:
    """All of one installation. Thread-safe."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._turn = threading.RLock()
        self._wanted: dict[str, tuple[Lead, ...]] = {}
        """By VPC of the endpoints."""
        self._guests: dict[str, frozenset[str]] = {}
        """Namespaces of every VPC's guests: links to them are looked at with it."""
        self._near: dict[str, tuple[Lead | None, int, int]] = {}
        """What a near namespace was last brought to, with both namespaces' inodes."""
        self._far: dict[str, tuple[tuple[Lead, ...], int]] = {}

    def apply(self, vpc: Vpc) -> None:
        """Have exactly this VPC's links, and those that lead into it."""
        found = leads(vpc, self.site)
        guests = frozenset(self.site.guest_namespace(i.guest) for i in vpc.interfaces if i.guest)
        with self._turn:
            before = self._wanted.get(vpc.id, ())
            if not found and not before and not any(lead.far in guests for lead in self._all()):
                self._guests[vpc.id] = guests
                return
            check((*found, *(lead for key, held in self._wanted.items() if key != vpc.id for lead in held)))
            self._wanted[vpc.id], self._guests[vpc.id] = found, guests
            self._settle({lead.far for lead in (*before, *found)} | {x.far for x in self._all() if x.far in guests},
                         gone={lead.near for lead in before} - {lead.near for lead in found})

    def remove(self, vpc_id: str) -> None:
        """Forget a VPC: its namespaces take their ends with them."""
        with self._turn:
            before = self._wanted.pop(vpc_id, ())
            self._guests.pop(vpc_id, None)
            self._settle({lead.far for lead in before}, gone={lead.near for lead in before})

    def _all(self) -> list[Lead]:
        return [lead for held in self._wanted.values() for lead in held]

    def _settle(self, nodes: set[str], gone: set[str]) -> None:
        for near in gone:
            self._near.pop(near, None)
            if namespaces.exists(near):
                namespaces.inside(near, _unlead)
        for far in nodes:
            held = tuple(sorted((x for x in self._all() if x.far == far), key=lambda x: x.interface))
            if namespaces.exists(far):
                self._furnish(far, held)

    def _furnish(self, far: str, held: tuple[Lead, ...]) -> None:
        here = [lead for lead in held if namespaces.exists(lead.near)]
        known = self._far.get(far)
        if known is None or known != (tuple(here), _inode(far)):
            self._far.pop(far, None)
            namespaces.inside(far, partial(_receive, tuple(here)))
        for lead in here:
            state = (lead, _inode(lead.near), _inode(far))
            if self._near.get(lead.near) != state:
                self._near.pop(lead.near, None)
                namespaces.inside(lead.near, partial(_lead, lead, _inode(far)))
                self._near[lead.near] = state
        self._far[far] = (tuple(here), _inode(far))


def _inode(name: str) -> int:
    return os.stat(f"{NAMESPACES}/{name}").st_ino


def _unlead() -> None:
    """In an endpoint's namespace: it leads nowhere any more."""
    nft.transaction(render(near_rules(None)))
    with Netlink() as kernel:
        kernel.delete_link(NEAR_DEVICE)


def _lead(lead: Lead, far: int) -> None:
    """In an endpoint's namespace: have the link, then the rules that use it."""
    identity = f"{lead.identity} {far}"
    with Netlink() as kernel:
        seen = kernel.link(NEAR_DEVICE)
        if seen is None or seen.alias != identity:
            kernel.delete_link(NEAR_DEVICE)
            namespaces.inside(lead.far, partial(_clear, lead.device))
            _join(kernel, lead, identity)
    nft.transaction(render(near_rules(lead)))


def _clear(device: str) -> None:
    with Netlink() as kernel:
        kernel.delete_link(device)


def _join(kernel: Netlink, lead: Lead, identity: str) -> None:
    router()
    fd = os.open(namespaces.path(lead.far), os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel.add_pair(NEAR_DEVICE, lead.near_mac, lead.device, lead.far_mac, fd, MTU)
    finally:
        os.close(fd)
    here = kernel.link(NEAR_DEVICE)
    if here is None:
        raise OSError(f"{lead.interface} lost its link while it was being made")
    Path("/proc/sys/net/ipv4/conf", NEAR_DEVICE, "rp_filter").write_text("0")
    for key in Path("/proc/sys/net/ipv4/conf").glob("eth*/rp_filter"):
        key.write_text("0")
    Path("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established").write_text(str(IDLE_SECONDS))
    kernel.set_link(here.index, up=True)
    namespaces.inside(lead.far, partial(_open, lead))
    kernel.set_neighbour(here.index, FAR_VIA, lead.far_mac)
    kernel.set_route(254, f"{lead.door}/32", device=here.index, via=FAR_VIA)
    carry(NEAR_DEVICE)
    kernel.set_link(here.index, alias=identity)


def _open(lead: Lead) -> None:
    """In the node's namespace: the far end up, and the way back by it."""
    with Netlink() as kernel:
        device = kernel.link(lead.device)
        if device is None:
            raise OSError(f"{lead.far_guest} lost its {lead.device} while it was being made")
        for key, value in (("rp_filter", "0"), ("accept_local", "1"), ("send_redirects", "0")):
            Path("/proc/sys/net/ipv4/conf", lead.device, key).write_text(value)
        kernel.set_link(device.index, up=True)
        kernel.set_neighbour(device.index, NEAR_VIA, lead.near_mac)
        kernel.set_route(lead.mark, "0.0.0.0/0", device=device.index, via=NEAR_VIA)


def _receive(held: tuple[Lead, ...]) -> None:
    """In a node's namespace: doors, marks and rules for exactly these links; links of others are taken away."""
    wanted = {f"{lead.door}/32" for lead in held}
    marks = {lead.mark for lead in held}
    devices = {lead.device for lead in held}
    Path("/proc/sys/net/ipv4/conf/all/rp_filter").write_text("0")
    with Netlink() as kernel:
        loopback = kernel.link("lo")
        if loopback is None:
            raise OSError("a namespace has no loopback")
        nft.transaction(render(far_rules(held)))
        kernel.add_rule(LOCAL_PREFERENCE, _LOCAL)
        kernel.delete_rule(0, _LOCAL)
        for link in kernel.links():
            if link.name.startswith(FAR_PREFIX) and link.name not in devices:
                kernel.delete_link(link.name)
        present = {a for a in kernel.addresses(loopback.index) if _is_door(a)}
        for gone in present - wanted:
            kernel.delete_address(loopback.index, gone)
        for new in wanted - present:
            kernel.add_address(loopback.index, new)
        for rule in kernel.rules():
            if rule.mark & MARK and rule.mark not in marks:
                kernel.delete_rule(PREFERENCE, rule.table, mark=rule.mark)
        for mark in marks:
            kernel.add_rule(PREFERENCE, mark, mark=mark)


def _is_door(address: str) -> bool:
    return ":" not in address and ip_address(address.partition("/")[0]) in DOORS
