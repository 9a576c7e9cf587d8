"""The way by which engines replicate: a pair of links from one guest's network straight into another's; Linux only.

It is no part of any VPC: no security group, no route table and no flow log knows it, as on AWS, where replication has
the service's own network. It begins and ends inside the guests' namespaces, so it goes with them and leaves nothing on
the host. See docs/decisions/replication-has-links-of-its-own.md.
"""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import namespaces
from cloudjar.planes.network.netlink import Netlink, carry
from cloudjar.planes.network.site import mac

_BLOCK = "fd63:6a72"
"""Unique local addresses; one for each machine, whoever it talks to."""
_MAIN = 254
_MTU = 65_535
PREFIX = "rep-"
"""How the names of these links begin."""


def address(machine: str) -> str:
    """A machine's address on all of its links, in the shortest form."""
    digest = hashlib.sha256(f"replication {machine}".encode()).digest()
    groups = [f"{int.from_bytes(digest[i : i + 2], 'big') | 0x1000:x}" for i in range(0, 12, 2)]
    return ":".join([_BLOCK, *groups])


def device(machine: str) -> str:
    """What the link that leads to a machine is called by its neighbours."""
    return PREFIX + hashlib.sha256(machine.encode()).hexdigest()[:10]


def join(here: tuple[str, str], there: tuple[str, str]) -> None:
    """Link two machines, each (machine, name of its namespace), unless they are. Raises `PlaneError`."""
    try:
        namespaces.inside(here[1], partial(_near, here, there))
    except OSError as failed:
        raise PlaneError(f"{here[0]} and {there[0]} cannot be linked: {failed}") from failed


def part(here: tuple[str, str], machine: str) -> None:
    """Take away the link from a machine to another, if there is one."""

    def cut() -> None:
        with Netlink() as kernel:
            kernel.delete_link(device(machine))

    if namespaces.exists(here[1]):
        namespaces.inside(here[1], cut)


def _near(here: tuple[str, str], there: tuple[str, str]) -> None:
    """In the first namespace. The link's mark is written last: without it, it is made anew."""
    name, far_name = device(there[0]), device(here[0])
    identity = f"{there[0]} {os.stat(namespaces.path(there[1])).st_ino}"
    with Netlink() as kernel:
        seen = kernel.link(name)
        if seen is not None and seen.alias == identity:
            return
        kernel.delete_link(name)
        namespaces.inside(there[1], partial(_clear, far_name))
        fd = os.open(namespaces.path(there[1]), os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.add_pair(name, mac("replication", f"{here[0]} {there[0]}"), far_name,
                            mac("replication", f"{there[0]} {here[0]}"), fd, _MTU)  # fmt: skip
        finally:
            os.close(fd)
        _furnish(kernel, name, here[0], there[0])
        namespaces.inside(there[1], partial(_far, far_name, there[0], here[0]))
        carry(name)
        made = kernel.link(name)
        if made is None:
            raise OSError(f"{name} vanished while it was being made")
        kernel.set_link(made.index, alias=identity)


def _clear(name: str) -> None:
    with Netlink() as kernel:
        kernel.delete_link(name)


def _far(name: str, own: str, other: str) -> None:
    with Netlink() as kernel:
        _furnish(kernel, name, own, other)
    carry(name)


def _furnish(kernel: Netlink, name: str, own: str, other: str) -> None:
    """One end: its address, and the way to the other's."""
    found = kernel.link(name)
    if found is None:
        raise OSError(f"{name} vanished while it was being made")
    settings = Path("/proc/sys/net/ipv6/conf", name)
    if not settings.exists():
        raise PlaneError("Engines replicate over IPv6, which this host's kernel does not have.")
    for key, value in (("disable_ipv6", "0"), ("accept_ra", "0"), ("accept_dad", "0"), ("addr_gen_mode", "1")):
        (settings / key).write_text(value)
    kernel.add_address(found.index, f"{address(own)}/128")
    kernel.set_link(found.index, up=True)
    kernel.set_neighbour(found.index, address(other), mac("replication", f"{other} {own}"))
    kernel.set_route(_MAIN, f"{address(other)}/128", device=found.index)
