"""Counters of bytes that cost money: in nftables tables of their own, which outlive the server.

A table that is made anew begins at nothing, and says so: it has a chain that is named after its birth. So whoever
writes down what he read knows whether the counters are still the same ones.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from cloudjar.base import ids
from cloudjar.planes.network import nft
from cloudjar.planes.network.filtering import GATEWAY_LINK
from cloudjar.planes.network.port import Carried, DoorTraffic
from cloudjar.planes.network.ruleset import NftChain, Ruleset, render
from cloudjar.planes.network.site import MAIL_PORTS, WEB_PORTS, Site, ports

TABLE = "cloudjar-meter"
"""In a VPC's namespace, beside its packet filter, which is replaced whenever a server starts."""
_BORN = "born-"
ACCEPTED = "accepted"
"""Of an endpoint's counters the one whose packets matter: of its bytes nobody asks."""
_OPEN_SOCKETS, _OPEN_FLOWS = ("01", "03"), ("ESTABLISHED", "SYN_SENT", "SYN_RECV")


def birth() -> str:
    """A name for counters that begin now."""
    return ids.entropy(8).hex()


def counting(table: str, born: str, counters: tuple[str, ...], chains: tuple[NftChain, ...]) -> str:
    """A table with named counters, as text that replaces whatever there is under its name; pure."""
    text = render(Ruleset(table, (), (*chains, NftChain(f"{_BORN}{born}"))))
    head = f"table inet {table} {{\n"
    return text.replace(head, head + "".join(f"\tcounter {name} {{ packets 0 bytes 0; }}\n" for name in counters))


def endpoint(device: str, born: str) -> str:
    """What passes an interface endpoint, both ways, and how often it accepts a connection; pure."""
    taken = f"tcp flags & (syn | ack) == syn | ack counter name {ACCEPTED}"
    return counting("cloudjar", born, ("processed", ACCEPTED), (
        NftChain("asked", (f'iifname "{device}" ip protocol tcp counter name processed',),
                 "type filter hook input priority filter; policy accept;"),
        NftChain("answered", (f'oifname "{device}" ip protocol tcp counter name processed {taken}',),
                 "type filter hook output priority filter; policy accept;"),
        # What an endpoint to somebody's own service passes on, either way.
        NftChain("passed-on", (f"ip protocol tcp counter name processed {taken}",),
                 "type filter hook forward priority filter; policy accept;"),
    ))


def internet(site: Site, api_port: int, born: str) -> str:
    """What a VPC sends to the Internet, and what it exchanges with other public addresses of the installation; pure.

    The host stands for the Internet, except where it is the API.
    """
    api = f"{{ {', '.join(site.api_addresses)} }}"
    sent, got = f'oifname "{GATEWAY_LINK}"', f'iifname "{GATEWAY_LINK}"'
    return counting(TABLE, born, ("internet", "regional"), (
        NftChain("sent", (
            f"{sent} ip6 daddr {{ fe80::/10, ff00::/8 }} return",
            f"{sent} ip daddr {api} tcp dport {ports((api_port, *WEB_PORTS, *MAIL_PORTS))} return",
            f"{sent} ip daddr {site.gateway} counter name internet return",
            f"{sent} ip daddr {site.pool} counter name regional return",
            f"{sent} ip6 daddr {site.gateway6} counter name internet return",
            f"{sent} ip6 daddr {site.pool6} counter name regional return",
            f"{sent} meta nfproto {{ ipv4, ipv6 }} counter name internet",
        ), "type filter hook postrouting priority 300; policy accept;"),
        NftChain("received", (
            f"{got} ip saddr != {api} ip saddr {site.pool} counter name regional",
            f"{got} ip6 saddr != {site.gateway6} ip6 saddr {site.pool6} counter name regional",
        ), "type filter hook prerouting priority -300; policy accept;"),
    ))


def ensure_internet(site: Site, api_port: int) -> None:
    """Count here, in a VPC's namespace, unless it is done already."""
    if TABLE not in nft.tables():
        nft.transaction(internet(site, api_port, birth()))


def read(table: str) -> Carried | None:
    """The bytes of a table of this namespace; None without it."""
    born, found = _counters(table)
    return Carried(born=born, amounts={n: c["bytes"] for n, c in found.items() if n != ACCEPTED}) if born else None


def door(table: str) -> DoorTraffic | None:
    """What this namespace, an interface endpoint's, has counted; None when nothing counts."""
    born, found = _counters(table)
    if not born or ACCEPTED not in found:  # it was made by a version that did not count that
        return None
    return DoorTraffic(
        born=born, bytes=found["processed"]["bytes"], accepted=found[ACCEPTED]["packets"], open=_connections()
    )


def _connections() -> int | None:
    """Connections that end in this namespace, and those that pass it."""
    here = Path("/proc/thread-self/net")
    try:
        sockets = [line.split()[3] for line in (here / "tcp").read_text().splitlines()[1:]]
        flows = [line.split() for line in (here / "nf_conntrack").read_text().splitlines()]
    except OSError:
        return None
    passing = sum(1 for words in flows if words[2] == "tcp" and words[5] in _OPEN_FLOWS)
    return sum(1 for state in sockets if state in _OPEN_SOCKETS) + passing


def _counters(table: str) -> tuple[str, dict[str, dict[str, int]]]:
    """When a table of this namespace was made ("" without it), and its counters."""
    done = subprocess.run([nft.program(), "-j", "list", "table", "inet", table], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        return "", {}
    found = json.loads(done.stdout)["nftables"]
    born = next((c["chain"]["name"] for c in found if c.get("chain", {}).get("name", "").startswith(_BORN)), "")
    counters = [c["counter"] for c in found if "counter" in c]
    return born, {c["name"]: {"bytes": c["bytes"], "packets": c["packets"]} for c in counters}
