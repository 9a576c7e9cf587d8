"""Whether this host can carry the network plane, found out by trying; Linux only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.base.ids import token
from cloudjar.planes.network import firewalls, namespaces, nft
from cloudjar.planes.network.netlink import Netlink
from cloudjar.planes.network.ruleset import NftChain, NftSet, Ruleset, render
from cloudjar.planes.network.site import letters


class Finding(msgspec.Struct, frozen=True):
    """One check: what was looked at; when not `ok`, why it failed and what to try (`hint`)."""

    ok: bool
    what: str
    why: str = ""
    hint: str = ""

    @property
    def line(self) -> str:
        """One line for a person."""
        return self.what if self.ok else f"{self.what}: {self.why}. Try: {self.hint}"


def _chain(*rules: str, hook: str = "") -> NftChain:
    return NftChain("a", rules, hook and f"type {hook}; policy accept;")


_FEATURES = {
    "connection tracking": Ruleset("try", (), (
        _chain("ct state established,related accept", hook="filter hook forward priority filter"),)),
    "1:1 address translation": Ruleset("try", (NftSet("m", "ipv4_addr", mapped="ipv4_addr"),), (
        _chain("dnat ip to ip daddr map @m", hook="nat hook prerouting priority dstnat"),)),
    "masquerading": Ruleset("try", (), (_chain("masquerade", hook="nat hook postrouting priority srcnat"),)),
    "maps by interface": Ruleset(
        "try", (NftSet("m", "ifname", mapped="verdict"), NftSet("s", "ifname . ipv4_addr")),
        (_chain("iifname . ip saddr @s accept", "iifname vmap @m", hook="filter hook input priority filter"),)),
    "flow logs": Ruleset(
        "try", (NftSet("s", "ifname . ipv4_addr . ipv4_addr . inet_service . inet_service", flags="dynamic, timeout",
                       extra="size 8; timeout 30m; counter;"),),
        (_chain("update @s { iifname . ip saddr . ip daddr . tcp sport . tcp dport }",
                hook="filter hook forward priority filter + 10"),)),
    "IPv6, by next hop": Ruleset("try", (), (
        _chain("rt ip6 nexthop fe80::1 ct direction reply drop", "ether daddr 06:00:00:00:00:01 notrack",
               hook="filter hook prerouting priority raw"),)),
    "rate limits": Ruleset("try", (), (_chain("limit rate over 1000 kbytes/second burst 64 kbytes drop"),)),
}


def doctor() -> list[Finding]:
    """Every check of this plane. It makes things in a namespace of its own and removes them."""
    first = [_root(), _program(), _forwarding()]
    if not all(f.ok for f in first):
        return first
    name = f"cj-doctor-{letters(token(), 8)}"
    namespace = _try("network namespaces", lambda: namespaces.create(name), "a kernel with CONFIG_NET_NS")
    try:
        features = list(_features(name)) if namespace.ok else []
    finally:
        namespaces.delete(name)
    return [*first, namespace, *features, *_strangers()]


def _root() -> Finding:
    return Finding(os.geteuid() == 0, "root", "the network plane changes the host's kernel", "sudo")


def _program() -> Finding:
    return _try("the program nft", lambda: nft.program(), "apt-get install nftables")


def _forwarding() -> Finding:
    ok = os.access("/proc/sys/net/ipv4/ip_forward", os.W_OK) and not _read_only_sysctl()
    return Finding(ok, "IP forwarding can be switched on", "/proc/sys/net/ipv4/ip_forward is read-only",
                   "run on the host itself, or in a container with --privileged")


def _read_only_sysctl() -> bool:
    flags = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return any(f[1] == "/proc/sys" and "ro" in f[3].split(",") for f in flags)


def _features(name: str) -> Iterator[Finding]:
    def links() -> None:
        with Netlink() as kernel:
            fd = os.open(namespaces.path(name), os.O_RDONLY | os.O_CLOEXEC)
            try:
                kernel.add_pair("a", "06:00:00:00:00:01", "b", "06:00:00:00:00:02", fd, 1500)
            finally:
                os.close(fd)

    def bridge() -> None:
        with Netlink() as kernel:
            kernel.add_bridge("c", "06:00:00:00:00:03")

    def policy() -> None:
        with Netlink() as kernel:
            kernel.add_rule(33000, 77, mark=77)
            kernel.set_route(77, "0.0.0.0/0")

    for what, work, hint in (
        ("veth links", links, "modprobe veth"),
        ("bridges", bridge, "modprobe bridge"),
        ("policy routing by mark", policy, "a kernel with CONFIG_IP_MULTIPLE_TABLES"),
    ):
        yield _try(what, partial(namespaces.inside, name, work), hint)
    for what, rules in _FEATURES.items():
        filtering = partial(nft.transaction, render(rules))
        yield _try(f"packet filter: {what}", partial(namespaces.inside, name, filtering),
                   "modprobe nf_tables nf_conntrack nf_nat")


def _strangers() -> list[Finding]:
    """Other firewalls: those that nft shows are given rules, those that it does not show are not ours to change."""
    what = "other firewalls let guests through"
    try:
        firewalls.blockers()
    except PlaneError as e:
        return [Finding(False, what, str(e).rstrip("."), "apt-get install nftables")]
    if firewalls.legacy():
        return [Finding(False, what, "legacy iptables filters here, and may drop what guests send to the real Internet",
                        "iptables-legacy -I FORWARD -i cj-+ -j ACCEPT; iptables-legacy -I FORWARD -o cj-+ -j ACCEPT")]
    return [Finding(True, what)]


def _try(what: str, work: Callable[[], object], hint: str) -> Finding:
    try:
        work()
    except (OSError, PlaneError) as e:
        return Finding(False, what, str(e).rstrip("."), hint)
    return Finding(True, what)
