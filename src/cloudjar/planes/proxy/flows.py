"""Flows through relays, counted by the kernel in the node's own namespace; Linux only.

The counters are in a table of their own, because the relays' is replaced whenever a target's health changes.
"""

from __future__ import annotations

from ipaddress import IPv4Interface
from pathlib import Path

from cloudjar.planes.network import meters, nft
from cloudjar.planes.network.netlink import Netlink
from cloudjar.planes.network.ruleset import NftChain
from cloudjar.planes.proxy.port import Counted, Node

_COUNTERS = ("tcp-flows", "tls-flows", "udp-flows")
_CHAIN = "beginning"
_TRACKED = Path("/proc/thread-self/net/nf_conntrack")


def ensure(node: Node) -> None:
    """Count here, for the node's relays as they are now; what is counted already stays."""
    if meters.TABLE not in nft.tables():
        chain = NftChain(_CHAIN, (), "type nat hook prerouting priority dstnat - 10; policy accept;")
        nft.transaction(meters.counting(meters.TABLE, meters.birth(), _COUNTERS, (chain,)))
    rules = "".join(f"add rule inet {meters.TABLE} {_CHAIN} {rule}\n" for rule in _rules(node))
    nft.transaction(f"flush chain inet {meters.TABLE} {_CHAIN}\n{rules}")


def _rules(node: Node) -> list[str]:
    """A chain that translates sees the first packet of every flow, and no other."""
    found = []
    for relay in node.relays:
        carried = {"tcp": ("tcp",), "tls": ("tcp",), "udp": ("udp",), "tcp_udp": ("tcp", "udp")}[relay.protocol]
        for protocol in carried:
            kind = "tls" if relay.protocol == "tls" else protocol
            found.append(f'iifname != "lo" {protocol} dport {relay.port} counter name {kind}-flows')
    return found


def counted(node: Node) -> Counted | None:
    """What has passed; None before anybody counts here."""
    found = meters.read(meters.TABLE)
    if found is None:
        return None
    amounts = {name.removesuffix("-flows"): count for name, count in nft.packets(meters.TABLE).items()}
    amounts["bytes"], amounts["packets"] = _received()
    return Counted(born=found.born, amounts=amounts, active=_active(node))


def _received() -> tuple[int, int]:
    lines = [line.partition(":") for line in Path("/proc/thread-self/net/dev").read_text().splitlines()]
    fields = [rest.split() for name, _, rest in lines if name.strip().startswith("eth")]
    return sum(int(field[0]) for field in fields), sum(int(field[1]) for field in fields)


def _active(node: Node) -> int | None:
    """Flows from clients that are open now; None where the kernel does not list them."""
    with Netlink() as kernel:
        links = [link.index for link in kernel.links() if link.name.startswith("eth")]
        own = {str(IPv4Interface(a).ip) for index in links for a in kernel.addresses(index) if ":" not in a}
    ports = {str(relay.port) for relay in node.relays}
    try:
        lines = _TRACKED.read_text().splitlines()
    except OSError:
        return None
    return sum(_is_client(line.split(), own, ports) for line in lines)


def _is_client(words: list[str], own: set[str], ports: set[str]) -> bool:
    first = {key: value for word in reversed(words) if "=" in word for key, _, value in (word.partition("="),)}
    open_ = "tcp" not in words or "ESTABLISHED" in words
    return open_ and first.get("dst") in own and first.get("dport") in ports
