"""What a node writes down of its requests: lines of a file that it was given open, be anybody there to listen or not.

Each process has a file of its own: HAProxy does not append, so two would write over each other.

https://docs.haproxy.org/2.6/configuration.html#8.2.4
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from msgspec.structs import replace

from cloudjar.planes.proxy.port import Connection, Request

DESCRIPTOR = 9
GLOBAL = (f"log fd@{DESCRIPTOR} len 16384 format raw local0",)
_MOST = 8 << 20
"""Bytes that are read at once."""
_KEPT = 32
"""Files of processes that stay: those of processes that ended long ago go."""
_CLIENT = (
    "%[ssl_c_s_dn(,0,rfc2253),url_enc]", "%[ssl_c_notbefore]", "%[ssl_c_notafter]",
    "%[ssl_c_serial,hex]",
)  # fmt: skip
_FIELDS = (
    "R", "%Ts", "%ms", "%ci:%cp", "%fp", "%b", "%si:%sp", "%TR", "%Tw", "%Tc", "%Tr", "%Ta", "%ST", "%U", "%B",
    "%[var(txn.line),url_enc]", "%[var(txn.agent),url_enc]", "%[var(txn.host),url_enc]", "%[var(txn.trace),url_enc]",
    "%sslc", "%sslv", "%[var(txn.rule)]", "%[var(sess.id)]", "%[var(txn.first)]", "%fi", "%Th", *_CLIENT,
)  # fmt: skip
"""Of a request; the last ones are of its connection, which the first one tells of."""
_FAILED = ("E", "%Ts", "%ms", "%ci:%cp", "%fp", "%fi", "%Th", "%[ssl_c_err]", "%[ssl_c_ca_err]", *_CLIENT)
_RELAYED = (
    "T", "%Ts", "%ms", "%ci:%cp", "%fp", "%fi", "%Th", "%Tt", "%U", "%B", "%sslc", "%sslv", "%[ssl_f_sha1,hex]",
    "%[ssl_fc_sni,url_enc]", "%[ssl_fc_alpn]",
)  # fmt: skip
FRONTEND = (
    "log global",
    "tcp-request session set-var(sess.id) uuid",
    "http-request set-var(txn.first) bool(true) if !{ var(sess.known) -m found }",
    "http-request set-var(sess.known) bool(true)",
    "http-request set-var-fmt(txn.line) '%[method] %[ssl_fc,iif(https,http)]://%[req.hdr(host),field(1,:)]:%[dst_port]"
    "%[pathq] HTTP/%[req.ver]'",
    "http-request set-var(txn.agent) req.fhdr(user-agent)",
    "http-request set-var(txn.host) req.hdr(host)",
    "log-format '" + "|".join(_FIELDS) + "'",
    "error-log-format '" + "|".join(_FAILED) + "'",
)
RELAY = (
    "log global",
    "log-format '" + "|".join(_RELAYED) + "'",
    "error-log-format '" + "|".join(_FAILED) + "'",
)
_FAILURES = {
    9: "early", 10: "expired", 23: "revoked", 11: "unlisted", 12: "unlisted", 26: "purpose", 18: "untrusted",
    19: "untrusted", 20: "untrusted", 21: "untrusted", 27: "untrusted", 28: "untrusted", 7: "invalid", 24: "invalid",
    8: "unlisted",
}  # fmt: skip
"""What OpenSSL's verification says: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/"""
_PASSED = (2, 3)
"""Faults that are passed over (`mutual.bind_words`)."""


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
    """The requests of whole lines from where each file was left, and where they end."""
    lines, after = _lines(home, places)
    return [one for one in map(_request, lines) if one is not None], after


def read_connections(home: Path, places: Mapping[str, int]) -> tuple[list[Connection], dict[str, int]]:
    """The same of connections."""
    lines, after = _lines(home, places)
    return [one for one in map(_connection, lines) if one is not None], after


def _lines(home: Path, places: Mapping[str, int]) -> tuple[list[list[str]], dict[str, int]]:
    """Lines in their parts."""
    found: list[list[str]] = []
    after: dict[str, int] = {}
    for path in _files(home):
        start = places.get(path.name, 0)
        data = _bytes(path, start)
        end = data.rfind(b"\n") + 1
        found += [line.split("|") for line in data[:end].decode("utf-8", "replace").splitlines()]
        after[path.name] = start + end
    return found, after


def _bytes(path: Path, start: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(_MOST)
    except FileNotFoundError:
        return b""


def _request(parts: list[str]) -> Request | None:
    """None for what is none: a connection in which nothing was asked, a notice of the proxy."""
    if len(parts) != len(_FIELDS) or parts[0] != "R":
        return None
    try:
        times = [int(part) / 1000 for part in parts[7:12]]
        begun, status = _begun(parts), int(parts[12])
        received, given = int(parts[13]), int(parts[14])
    except ValueError:
        return None
    asked, queued, connected, answered, whole = times
    reached = min(queued, connected, answered) >= 0 and parts[6][0].isdigit()
    rule = parts[21]
    return Request(
        begun=begun,
        client=parts[3],
        listener=int(parts[4]) if parts[4].isdigit() else 0,
        group=parts[5].removesuffix(".open"),
        target=parts[6] if parts[6][0].isdigit() else "",
        waited=max(asked, 0) + queued + connected if reached else -1,
        answered=answered if reached else -1,
        sent=max(whole - max(asked, 0) - queued - connected - answered, 0) if reached else -1,
        status=status,
        received=received,
        given=given,
        line=_clear(parts[15]),
        agent=_clear(parts[16]),
        host=_clear(parts[17]),
        trace=_clear(parts[18]),
        cipher=parts[19],
        protocol=parts[20],
        rule=int(rule) if rule.isdigit() else -1,
        connection=_clear(parts[22]).replace("-", ""),
    )


def _connection(parts: list[str]) -> Connection | None:
    """Of the first request of a connection, of one that failed, or of a relay's that ended."""
    try:
        if parts[0] == "R" and len(parts) == len(_FIELDS):
            first = parts[23] == "1" or not _clear(parts[15])
            return _met(parts, parts[19], parts[20], parts[24:26], parts[26:]) if first else None
        if parts[0] == "E" and len(parts) == len(_FAILED):
            why = next((int(code) for code in parts[7:9] if code.isdigit() and int(code)), 0)
            made = _met(parts, "", "", parts[5:7], parts[9:])
            return replace(made, failure=_by_date(made) if why in _PASSED else _FAILURES.get(why, "unmapped"))
        if parts[0] == "T" and len(parts) == len(_RELAYED):
            made = _met(parts, parts[10], parts[11], parts[5:7], ())
            return replace(
                made, lasted=int(parts[7]) / 1000, received=int(parts[8]), given=int(parts[9]),
                certificate=_clear(parts[12]).lower(), name=_clear(parts[13]), alpn=_clear(parts[14]),
            )  # fmt: skip
    except ValueError:
        pass
    return None


def _by_date(met: Connection) -> str:
    """Why one failed of which only a fault is known that nobody minds: it hides those that were found later."""
    begun = datetime.fromtimestamp(met.begun, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if met.not_after and met.not_after < begun:
        return "expired"
    return "early" if met.not_before > begun else "invalid"


def _met(parts: list[str], cipher: str, protocol: str, where: Sequence[str], client: Sequence[str]) -> Connection:
    shown = [_clear(part) for part in client] or ["", "", "", ""]
    return Connection(
        begun=_begun(parts), client=parts[3], listener=int(parts[4]), address=where[0], handshake=int(where[1]) / 1000,
        cipher=_clear(cipher), protocol=_clear(protocol), subject=shown[0],
        not_before=_moment(shown[1]), not_after=_moment(shown[2]),
        serial=shown[3], id=_clear(parts[22]).replace("-", "") if parts[0] == "R" else "",
    )  # fmt: skip


def _moment(text: str) -> str:
    """``260115120000Z`` as ISO 8601."""
    found = re.fullmatch(r"(..)(..)(..)(..)(..)(..)Z", text)
    return "20{}-{}-{}T{}:{}:{}Z".format(*found.groups()) if found else ""


def _begun(parts: list[str]) -> float:
    return int(parts[1]) + int(parts[2]) / 1000


def _clear(text: str) -> str:
    return "" if text == "-" else unquote(text)
