"""What a node writes down of its requests: lines of a file that it was given open, be anybody there to listen or not.

Each process has a file of its own: HAProxy does not append, so two would write over each other.

https://docs.haproxy.org/2.6/configuration.html#8.2.4
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from cloudjar.planes.proxy.port import Request

DESCRIPTOR = 9
GLOBAL = (f"log fd@{DESCRIPTOR} len 16384 format raw local0",)
_MOST = 8 << 20
"""Bytes that are read at once."""
_KEPT = 32
"""Files of processes that stay: those of processes that ended long ago go."""
_FIELDS = (
    "%Ts", "%ms", "%ci:%cp", "%fp", "%b", "%si:%sp", "%TR", "%Tw", "%Tc", "%Tr", "%Ta", "%ST", "%U", "%B",
    "%[var(txn.line),url_enc]", "%[var(txn.agent),url_enc]", "%[var(txn.host),url_enc]", "%[var(txn.trace),url_enc]",
    "%sslc", "%sslv", "%[var(txn.rule)]",
)  # fmt: skip
FRONTEND = (
    "log global",
    "http-request set-var-fmt(txn.line) '%[method] %[ssl_fc,iif(https,http)]://%[req.hdr(host),field(1,:)]:%[dst_port]"
    "%[pathq] HTTP/%[req.ver]'",
    "http-request set-var(txn.agent) req.fhdr(user-agent)",
    "http-request set-var(txn.host) req.hdr(host)",
    "log-format '" + "|".join(_FIELDS) + "'",
)


def fresh(home: Path) -> Path:
    """A file for a process that is about to start."""
    held = _files(home)
    for old in held[: 1 - _KEPT]:
        old.unlink(missing_ok=True)
    number = int(held[-1].stem.partition("-")[2]) + 1 if held else 1
    return home / f"requests-{number}.log"


def _files(home: Path) -> list[Path]:
    return sorted(home.glob("requests-*.log"), key=lambda file: int(file.stem.partition("-")[2]))


def read(home: Path, places: Mapping[str, int]) -> tuple[list[Request], dict[str, int]]:
    """The whole lines from where each file was left, and where they end."""
    found: list[Request] = []
    after: dict[str, int] = {}
    for path in _files(home):
        start = places.get(path.name, 0)
        data = _bytes(path, start)
        end = data.rfind(b"\n") + 1
        lines = data[:end].decode("utf-8", "replace").splitlines()
        found += [one for one in map(_request, lines) if one is not None]
        after[path.name] = start + end
    return found, after


def _bytes(path: Path, start: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(_MOST)
    except FileNotFoundError:
        return b""


def _request(line: str) -> Request | None:
    """One line; None for what is none (a notice of the proxy)."""
    parts = line.split("|")
    if len(parts) != len(_FIELDS):
        return None
    try:
        times = [int(part) / 1000 for part in parts[6:11]]
        begun, status = int(parts[0]) + int(parts[1]) / 1000, int(parts[11])
        received, given = int(parts[12]), int(parts[13])
    except ValueError:
        return None
    asked, queued, connected, answered, whole = times
    reached = min(queued, connected, answered) >= 0 and parts[5][0].isdigit()
    rule = parts[20]
    return Request(
        begun=begun,
        client=parts[2],
        listener=int(parts[3]) if parts[3].isdigit() else 0,
        group=parts[4].removesuffix(".open"),
        target=parts[5] if parts[5][0].isdigit() else "",
        waited=max(asked, 0) + queued + connected if reached else -1,
        answered=answered if reached else -1,
        sent=max(whole - max(asked, 0) - queued - connected - answered, 0) if reached else -1,
        status=status,
        received=received,
        given=given,
        line=_clear(parts[14]),
        agent=_clear(parts[15]),
        host=_clear(parts[16]),
        trace=_clear(parts[17]),
        cipher=parts[18],
        protocol=parts[19],
        rule=int(rule) if rule.isdigit() else -1,
    )


def _clear(text: str) -> str:
    return "" if text == "-" else unquote(text)
