"""What a transit gateway counts, in tables of its own beside its routing: bytes that each attachment has sent (for the
bill) and what came, left and was lost by attachment (for metrics), always; flows by attachment, while somebody logs
them. Linux only, but for the texts.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping

from cloudjar.planes.network import flowlog, meters, nft
from cloudjar.planes.network.port import Carried, TransitTraffic
from cloudjar.planes.network.ruleset import NftChain, NftSet, Ruleset, render

BYTES = meters.TABLE
FLOWS = "cloudjar-flows"
TRAFFIC = "cloudjar-traffic"
_WAYS = {"came": "in", "left": "out", "fell": "blackhole", "strayed": "no_route"}
"""Sets of `TRAFFIC`, by link, and what `TransitTraffic` calls them."""
_BORN = "born-"
_FIRST = "type filter hook prerouting priority -300; policy accept;"


def bytes_table(born: str) -> str:
    """Bytes by the link that they came in by, in a table that says when it was made; pure."""
    sent = NftSet("sent", "ifname", flags="dynamic", extra="size 65535; counter;")
    chains = (NftChain("counting", ("update @sent { iifname }",), _FIRST), NftChain(f"{_BORN}{born}"))
    return render(Ruleset(BYTES, (sent,), chains))


def traffic_table(born: str) -> str:
    """Packets and bytes by link, in a table that says when it was made; pure. What the routes let end here is lost:
    the kernel is asked with the packet's own mark, after it was set and before it is routed."""
    counted = tuple(NftSet(name, "ifname", flags="dynamic", extra="size 65535; counter;") for name in _WAYS)
    holes = tuple(NftSet(f"holes{v}", f"mark . ipv{v}_addr", flags="interval") for v in (4, 6))
    own = ("ip daddr 224.0.0.0/4 return", "ip6 daddr { fe80::/10, ff00::/8 } return")
    return render(Ruleset(TRAFFIC, (*counted, *holes), (
        NftChain("arriving", (*own, "update @came { iifname }"), _FIRST),
        NftChain("losing", (
            *own,
            "fib daddr type local return",
            "fib daddr . mark oif != 0 return",
            "meta mark . ip daddr @holes4 update @fell { iifname } return",
            "meta mark . ip6 daddr @holes6 update @fell { iifname } return",
            "update @strayed { iifname }",
        ), "type filter hook prerouting priority -140; policy accept;"),
        NftChain("leaving", ("update @left { oifname }",), "type filter hook forward priority 300; policy accept;"),
        NftChain(f"{_BORN}{born}"),
    )))


def know_holes(holes: Iterable[tuple[int, str]]) -> None:
    """Tell the counters of this namespace which blocks of which tables are black holes."""
    if TRAFFIC not in nft.tables():  # the gateway goes, and another version of this had made it
        return
    lines = [f"flush set inet {TRAFFIC} holes{version}\n" for version in (4, 6)]
    for number, block in holes:
        lines.append(f"add element inet {TRAFFIC} holes{6 if ':' in block else 4} {{ {number:#010x} . {block} }}\n")
    nft.transaction("".join(lines))


def traffic(links: Mapping[str, str]) -> dict[str, TransitTraffic]:
    """What this namespace has counted, by attachment; `links` maps each link to its own."""
    born = _born(TRAFFIC)
    if not born:
        return {}
    found: dict[str, dict[str, int]] = {link: {} for link in links}
    sets = nft.elements(TRAFFIC)
    for name, kind in _WAYS.items():
        before = kind in ("in", "out")
        for element in sets.get(name, ()):
            counter = element["counter"]
            for what in ("packets", "bytes"):
                field = f"{what}_{kind}" if before else f"{kind}_{what}"
                found.setdefault(element["val"], {})[field] = int(counter[what])
    whole: dict[str, dict[str, int]] = {attachment: {} for attachment in links.values()}
    for link, amounts in found.items():
        if link in links:
            sums = whole[links[link]]
            sums |= {field: sums.get(field, 0) + amount for field, amount in amounts.items()}
    return {attachment: TransitTraffic(born=born, **sums) for attachment, sums in whole.items()}


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
    if TRAFFIC not in tables:
        nft.transaction(traffic_table(meters.birth()))
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
    born = _born(BYTES)
    if not born:
        return None
    found = {e["val"]: int(e["counter"]["bytes"]) for e in nft.elements(BYTES).get("sent", ())}
    return Carried(born=born, amounts={"sent": found.get(link, 0)})


def _born(table: str) -> str:
    done = subprocess.run([nft.program(), "-j", "list", "chains", "inet"], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        return ""
    chains = (c["chain"] for c in json.loads(done.stdout)["nftables"] if "chain" in c)
    return next((c["name"] for c in chains if c["table"] == table and c["name"].startswith(_BORN)), "")
