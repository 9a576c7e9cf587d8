"""Other firewalls of the host (Docker's, firewalld's): where one drops what it does not know, guests get leave.

In nftables an accept in our table does not overrule a drop in another's. So every foreign chain that
drops forwarded packets by default gets two rules at its head for this installation's bridge; they carry
its tag as a comment and are taken away again. Our own table still decides what may enter.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import nft
from cloudjar.planes.network.site import Site


class Chain(NamedTuple):
    """A base chain of somebody else's."""

    family: str
    table: str
    name: str

    def __str__(self) -> str:
        return f"{self.family} {self.table} {self.name}"


def blockers() -> list[Chain]:
    """Every chain on this host that drops forwarded IPv4 packets unless told otherwise."""
    return [
        Chain(c["family"], c["table"], c["name"]) for c in _listed("chains", "chain")
        if c["family"] in ("ip", "inet") and c.get("hook") == "forward" and c.get("policy") == "drop"
        and not c["table"].startswith("cloudjar-")
    ]


def legacy() -> bool:
    """Whether the old iptables filters here too; its rules are not seen by nft."""
    try:
        return "filter" in Path("/proc/thread-self/net/ip_tables_names").read_text().split()
    except OSError:
        return False


def give_leave(site: Site) -> None:
    """Let the bridge's packets through every blocker; those that have leave already are left alone."""
    chains = blockers()
    if not chains:
        return
    done = {chain for chain, _ in leaves(site)}
    comment = f'comment "{site.table}"'
    lines = [
        f"insert rule {chain} {match} counter accept {comment}\n" for chain in chains if chain not in done
        for match in (f'oifname "{site.bridge}"', f'iifname "{site.bridge}"')
    ]
    if lines:
        nft.transaction("".join(lines))


def take_back(site: Site) -> None:
    """Remove the rules of `give_leave`."""
    lines = [f"delete rule {chain} handle {handle}\n" for chain, handle in leaves(site)]
    if lines:
        nft.transaction("".join(lines))


def leaves(site: Site) -> list[tuple[Chain, int]]:
    """The rules of `give_leave` that are there: (chain, handle)."""
    out = []
    for chain in {Chain(c["family"], c["table"], c["name"]) for c in _listed("chains", "chain")
                  if c.get("hook") == "forward" and not c["table"].startswith("cloudjar-")}:
        for rule in _listed(f"chain {chain}", "rule"):
            if rule.get("comment") == site.table:
                out.append((chain, int(rule["handle"])))
    return sorted(out)


def _listed(what: str, kind: str) -> list[dict[str, Any]]:
    done = subprocess.run([nft.program(), "-j", "-a", "list", *what.split()], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise PlaneError(f"nft could not list {what}: {done.stderr.strip()[:200]}. Try running as root.")
    return [item[kind] for item in json.loads(done.stdout)["nftables"] if kind in item]
