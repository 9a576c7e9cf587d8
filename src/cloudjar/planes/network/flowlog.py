"""Counting what passes and what does not, per logged interface: sets that the packet filter fills; pure.

A set per verdict, direction, family and kind of protocol, since five fields are all that nft shows of a key. Counters
only grow; an entry goes when nothing has updated it for a while, so a reader remembers what it has seen (`Tally`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any, Literal

from cloudjar.planes.network.match import NUMBERS
from cloudjar.planes.network.port import Flow
from cloudjar.planes.network.ruleset import NftChain, NftSet

DIRECTIONS: tuple[Literal["egress", "ingress"], ...] = ("egress", "ingress")
_FORGET = "30m"
_SIZE = 65535
_VERDICTS: dict[str, Literal["ACCEPT", "REJECT"]] = {"accept": "ACCEPT", "reject": "REJECT", "barred": "REJECT"}
_OFTEN = ("accept", "reject")
_KINDS = ("tcp", "udp", "other")
_Key = tuple[str, Literal["egress", "ingress"], str, int]


def named(verdicts: Iterable[str] = _OFTEN) -> Iterator[tuple[str, _Key]]:
    """(name of a set, (verdict, direction, kind, IP version)) of every one."""
    for verdict, direction, kind, version in product(verdicts, DIRECTIONS, _KINDS, (4, 6)):
        yield f"flows-{verdict}-{direction}-{kind}{version}", (verdict, direction, kind, version)


def sets(logged: Iterable[str], *, barring: bool = False) -> Iterator[NftSet]:
    """The sets for these links (their names quoted for nft); none when nothing is logged. `barring` adds those of
    what Block Public Access ended."""
    names = tuple((name, "") for name in logged)
    if not names:
        return
    yield NftSet("logged", "ifname", names)
    for name, (_, _, kind, version) in named(_verdicts(barring=barring)):
        family = f"ipv{version}_addr"
        last = "inet_proto" if kind == "other" else "inet_service . inet_service"
        yield NftSet(name, f"ifname . {family} . {family} . {last}", flags="dynamic, timeout",
                     extra=f"size {_SIZE}; timeout {_FORGET}; counter;")


def _verdicts(*, barring: bool) -> tuple[str, ...]:
    return (*_OFTEN, "barred") if barring else _OFTEN


def chains(*, logging: bool, barring: bool = False) -> Iterator[NftChain]:
    """`denied-…` end what a filter refuses, `barred-out` and `barred-in` what Block Public Access does; the others
    note what was let through."""
    for direction in DIRECTIONS:
        note = [f"jump note-reject-{direction}"] if logging else []
        if logging and direction == "ingress":
            note.append("jump note-accept-egress")  # its own side let it go
        yield NftChain(f"denied-{direction}", (*note, "drop"))
    for way, direction in (("out", "egress"), ("in", "ingress")) if barring else ():
        yield NftChain(f"barred-{way}", ((f"jump note-barred-{direction}", "drop") if logging else ("drop",)))
    if not logging:
        return
    verdicts = _verdicts(barring=barring)
    for verdict, direction in product(verdicts, DIRECTIONS):
        side = "iifname" if direction == "egress" else "oifname"
        yield NftChain(f"note-{verdict}-{direction}", (
            f"{side} != @logged return", *(_note(name, key, side) for name, key in named(verdicts)
                                           if key[:2] == (verdict, direction))))
    yield NftChain("passed", ("jump note-accept-egress", "jump note-accept-ingress"),
                   "type filter hook forward priority filter + 10; policy accept;")


def _note(name: str, key: _Key, side: str) -> str:
    _, _, kind, version = key
    ip = "ip" if version == 4 else "ip6"
    if kind == "other":
        return (f"meta l4proto != {{ tcp, udp }} update @{name} "
                f"{{ {side} . {ip} saddr . {ip} daddr . meta l4proto }}")
    return f"update @{name} {{ {side} . {ip} saddr . {ip} daddr . {kind} sport . {kind} dport }}"


class Tally:
    """What one VPC's sets have shown so far: turns totals into what is new. Not thread-safe."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Any, ...], tuple[int, int]] = {}

    def flows(self, listed: dict[str, list[dict[str, Any]]], interfaces: dict[str, str]) -> tuple[Flow, ...]:
        """Flows since the last call, of nft's JSON elements by set name; `interfaces` names ENIs by link."""
        now: dict[tuple[Any, ...], tuple[int, int]] = {}
        out = []
        for name, key in named(_VERDICTS):
            for element in listed.get(name, ()):
                fields = tuple(element["val"]["concat"])
                total = int(element["counter"]["packets"]), int(element["counter"]["bytes"])
                now[name, *fields] = total
                before = self._seen.get((name, *fields), (0, 0))
                if before[0] > total[0]:
                    before = (0, 0)  # forgotten by the kernel, and begun again
                if total[0] > before[0] and fields[0] in interfaces:
                    out.append(_flow(key, interfaces[fields[0]], fields, total[0] - before[0], total[1] - before[1]))
        self._seen = now
        return tuple(out)


def _flow(key: _Key, interface: str, fields: tuple[Any, ...], packets: int, size: int) -> Flow:
    verdict, direction, kind, _ = key
    protocol = int(fields[3]) if kind == "other" else NUMBERS[kind]
    ports = (0, 0) if kind == "other" else (int(fields[3]), int(fields[4]))
    return Flow(interface=interface, direction=direction, action=_VERDICTS[verdict], source=fields[1],
                target=fields[2], source_port=ports[0], target_port=ports[1], protocol=protocol, packets=packets,
                bytes=size, reason="BPA" if verdict == "barred" else "")
