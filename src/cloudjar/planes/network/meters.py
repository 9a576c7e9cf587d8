"""Counters of bytes that cost money: in nftables tables of their own, which outlive the server.

A table that is made anew begins at nothing, and says so: it has a chain that is named after its birth. So whoever
writes down what he read knows whether the counters are still the same ones.
"""

from __future__ import annotations

import json
import subprocess

from cloudjar.base import ids
from cloudjar.planes.network import nft
from cloudjar.planes.network.filtering import GATEWAY_LINK
from cloudjar.planes.network.port import Carried
from cloudjar.planes.network.ruleset import NftChain, Ruleset, render
from cloudjar.planes.network.site import Site

TABLE = "cloudjar-meter"
"""In a VPC's namespace, beside its packet filter, which is replaced whenever a server starts."""
_BORN = "born-"


def birth() -> str:
    """A name for counters that begin now."""
    return ids.entropy(8).hex()


def counting(table: str, born: str, counters: tuple[str, ...], chains: tuple[NftChain, ...]) -> str:
    """A table with named counters, as text that replaces whatever there is under its name; pure."""
    text = render(Ruleset(table, (), (*chains, NftChain(f"{_BORN}{born}"))))
    head = f"table inet {table} {{\n"
    return text.replace(head, head + "".join(f"\tcounter {name} {{ packets 0 bytes 0; }}\n" for name in counters))


def endpoint(device: str, born: str) -> str:
    """What passes an interface endpoint, both ways; pure."""
    return counting("cloudjar", born, ("processed",), (
        NftChain("asked", (f'iifname "{device}" ip protocol tcp counter name processed',),
                 "type filter hook input priority filter; policy accept;"),
        NftChain("answered", (f'oifname "{device}" ip protocol tcp counter name processed',),
                 "type filter hook output priority filter; policy accept;"),
        # What an endpoint to somebody's own service passes on, either way.
        NftChain("passed-on", ("ip protocol tcp counter name processed",),
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
            f"{sent} ip daddr {api} tcp dport {api_port} return",
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
    """The counters of a table of this namespace; None without it."""
    done = subprocess.run([nft.program(), "-j", "list", "table", "inet", table], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        return None
    found = json.loads(done.stdout)["nftables"]
    born = next((c["chain"]["name"] for c in found if c.get("chain", {}).get("name", "").startswith(_BORN)), "")
    counters = (c["counter"] for c in found if "counter" in c)
    return Carried(born=born, amounts={c["name"]: c["bytes"] for c in counters}) if born else None
