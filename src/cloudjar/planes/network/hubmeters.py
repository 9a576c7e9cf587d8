"""What a transit gateway counts, in tables of its own beside its routing: bytes that each attachment has sent, always;
flows by attachment, while somebody logs them. Linux only, but for the texts.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

from cloudjar.planes.network import flowlog, meters, nft
from cloudjar.planes.network.port import Carried
from cloudjar.planes.network.ruleset import NftChain, NftSet, Ruleset, render

BYTES = meters.TABLE
FLOWS = "cloudjar-flows"
_BORN = "born-"
_FIRST = "type filter hook prerouting priority -300; policy accept;"


def bytes_table(born: str) -> str:
    """Bytes by the link that they came in by, in a table that says when it was made; pure."""
    sent = NftSet("sent", "ifname", flags="dynamic", extra="size 65535; counter;")
    chains = (NftChain("counting", ("update @sent { iifname }",), _FIRST), NftChain(f"{_BORN}{born}"))
    return render(Ruleset(BYTES, (sent,), chains))


def flows_table() -> str:
    """Flows by the link that they came in by, in sets that `flowlog.Tally` reads; pure."""
    sets = {s.name: s for s in flowlog.sets(("lo",)) if s.name in dict(_named())}
    rules = tuple(_note(name, kind, version) for name, (kind, version) in _named())
    return render(Ruleset(FLOWS, tuple(sets.values()), (NftChain("counting", rules, _FIRST),)))


def _named() -> Iterator[tuple[str, tuple[str, int]]]:
    for name, (verdict, direction, kind, version) in flowlog.named():
        if (verdict, direction) == ("accept", "ingress"):
            yield name, (kind, version)


def _note(name: str, kind: str, version: int) -> str:
    ip = "ip" if version == 4 else "ip6"
    if kind == "other":
        key = f"iifname . {ip} saddr . {ip} daddr . meta l4proto"
        return f"meta l4proto != {{ tcp, udp }} update @{name} {{ {key} }}"
    return f"update @{name} {{ iifname . {ip} saddr . {ip} daddr . {kind} sport . {kind} dport }}"


def begin() -> None:
    """Count bytes in this namespace, unless it is done already; of flows a process begins with nothing."""
    tables = nft.tables()
    if BYTES not in tables:
        nft.transaction(bytes_table(meters.birth()))
    if FLOWS in tables:
        nft.drop_table(FLOWS)


def log(wanted: bool) -> None:
    """Count flows in this namespace, or do not."""
    present = FLOWS in nft.tables()
    if wanted and not present:
        nft.transaction(flows_table())
    elif present and not wanted:
        nft.drop_table(FLOWS)


def carried(link: str) -> Carried | None:
    """What came in by a link of this namespace; None when nothing counts."""
    done = subprocess.run([nft.program(), "-j", "list", "chains", "inet"], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        return None
    chains = (c["chain"] for c in json.loads(done.stdout)["nftables"] if "chain" in c)
    born = next((c["name"] for c in chains if c["table"] == BYTES and c["name"].startswith(_BORN)), "")
    if not born:
        return None
    found = {e["val"]: int(e["counter"]["bytes"]) for e in nft.elements(BYTES).get("sent", ())}
    return Carried(born=born, amounts={"sent": found.get(link, 0)})
