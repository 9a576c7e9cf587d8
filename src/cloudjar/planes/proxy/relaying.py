"""Flows that a node hands on with their source unchanged, as nftables in the node's own namespace; pure.

A client's packet gets another destination here and goes on to the fabric, which leads the target's answers back to
this node (`Interface.relays`): handshake, reset and silence are the target's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cloudjar.planes.network.ruleset import NftChain, Ruleset, render
from cloudjar.planes.proxy.port import Node, Relay, Target, TargetGroup, TargetHealth

TABLE = "relays"
UDP_IDLE = 120
GONE_MARK = 0x2
"""Of flows that end when their target is gone."""
OWN_MARK = 0x1
"""Of flows that the proxy itself began, and the number of the table that delivers their answers to it."""
Health = Mapping[tuple[str, str], TargetHealth]


def in_kernel(relay: Relay, group: TargetGroup) -> bool:
    """Whether a relay is packets alone: nothing is said to the target beside them, nor ended, nor renamed."""
    return relay.protocol != "tls" and group.keeps_source and not group.announces


def lends_source(relay: Relay, group: TargetGroup) -> bool:
    """Whether the proxy speaks to the target in the client's name: it ends TLS, or says the PROXY protocol, in front of
    one that is to see the client all the same."""
    return group.keeps_source and not in_kernel(relay, group)


def lending(node: Node) -> set[str]:
    """Ids of the groups to whose targets the proxy speaks in its clients' names."""
    groups = {group.id: group for group in node.groups}
    return {relay.group for relay in node.relays if lends_source(relay, groups[relay.group])}


def chosen(group: TargetGroup, health: Health) -> tuple[Target, ...]:
    """The targets that new flows go to: the well ones, or all of them when too few are well."""
    well = tuple(t for t in group.targets if _state(group, t, health) == "healthy")
    return well if len(well) >= max(1, group.least_healthy) else group.targets


def _state(group: TargetGroup, target: Target, health: Health) -> str:
    found = health.get((group.id, target.name))
    return found.state if found else "initial"


def ruleset(node: Node, health: Health) -> str:
    """The node's table as a transaction of nft's; it replaces what was there."""
    groups = {group.id: group for group in node.groups}
    handing, ending = [], []
    for relay in node.relays:
        group = groups[relay.group]
        if in_kernel(relay, group):
            handing += list(_handed(relay, group, health))
            ending += list(_ended(group, health))
    own = () if not lending(node) else (
        NftChain("asking", (f"ct state new ct mark set {OWN_MARK:#x}",),
                 "type filter hook output priority mangle; policy accept;"),
        # What answers the proxy is for it, whosever name it asked in.
        NftChain("answered", (f"ct direction reply ct mark {OWN_MARK:#x} meta mark set {OWN_MARK:#x}",),
                 "type filter hook prerouting priority mangle; policy accept;"),
    )  # fmt: skip
    ending += list(_gone(node))
    return render(Ruleset(TABLE, (), (
        *own,
        NftChain("handing-on", tuple(handing), "type nat hook prerouting priority dstnat; policy accept;"),
        NftChain("passing", (*dict.fromkeys(ending), "ct status dnat accept"),
                 "type filter hook forward priority filter; policy drop;"),
    )))  # fmt: skip


def _handed(relay: Relay, group: TargetGroup, health: Health) -> Iterator[str]:
    targets = chosen(group, health)
    if not targets:
        return
    choices = ", ".join(f"{n} : {t.address} . {t.port}" for n, t in enumerate(targets))
    for protocol in ("tcp", "udp") if relay.protocol == "tcp_udp" else (relay.protocol,):
        draw = "numgen random" if protocol == "tcp" else "jhash ip saddr . udp sport"
        if group.source_sticky:
            draw = "jhash ip saddr"
        where = f'iifname != "lo" {protocol} dport {relay.port}'
        mark = f" ct mark set ct mark | {GONE_MARK:#x}" if group.ends_gone else ""
        yield f"{where}{mark} dnat ip to {draw} mod {len(targets)} map {{ {choices} }}"


def _gone(node: Node) -> Iterator[str]:
    """Flows of targets that were deregistered and whose delay is over."""
    groups = [group for group in node.groups if group.ends_gone]
    if not groups:
        return
    here = dict.fromkeys(t for group in groups for t in (*group.targets, *group.draining))
    for protocol, end in (("tcp", "reject with tcp reset"), ("udp", "drop")):
        flows = f"ct direction original ct mark & {GONE_MARK:#x} != 0 meta l4proto {protocol}"
        kept = ", ".join(f"{t.address} . {t.port}" for t in here)
        yield f"{flows} ip daddr . {protocol} dport != {{ {kept} }} {end}" if kept else f"{flows} {end}"


def _ended(group: TargetGroup, health: Health) -> Iterator[str]:
    """Flows of targets that are not well any more, while others are."""
    if not group.ends_unwell or len(chosen(group, health)) == len(group.targets):
        return
    for target in group.targets:
        if _state(group, target, health) == "unhealthy":
            yield (f"ct direction original ip daddr {target.address} tcp dport {target.port} "
                   "reject with tcp reset")


def settings(node: Node) -> dict[str, str]:
    """Of the namespace, below ``/proc/sys/net``."""
    idle = max((relay.idle_seconds for relay in node.relays), default=350)
    return {
        "ipv4/ip_forward": "1", "ipv4/conf/all/rp_filter": "0", "ipv4/conf/all/send_redirects": "0",
        "netfilter/nf_conntrack_tcp_timeout_established": str(idle),
        "netfilter/nf_conntrack_udp_timeout": str(UDP_IDLE), "netfilter/nf_conntrack_udp_timeout_stream": str(UDP_IDLE),
    }  # fmt: skip
