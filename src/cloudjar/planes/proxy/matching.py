"""Conditions of listener rules in HAProxy's words; pure.

Whatever a user gave is written as a regular expression whose every character but letters and digits is a hexadecimal
escape, so nothing of it can mean anything else in a configuration.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network

from cloudjar.planes.proxy.port import Condition

_TOKEN = re.compile(r"[A-Za-z0-9!#$&+.^_`|~-]{1,40}")


def acl(name: str, condition: Condition) -> list[str]:
    """The lines that declare one condition under a name: any of them holding makes it hold."""
    if condition.field == "query-string":
        return [f"acl {name} query -m reg -i {_query(key, value)}" for key, value in condition.pairs]
    if condition.field == "http-request-method":
        return [f"acl {name} method -m reg ^{literal(value)}$" for value in condition.values]
    if condition.field == "source-ip":
        return [f"acl {name} src {IPv4Network(value, strict=False)}" for value in condition.values]
    sample = {"host-header": "req.hdr(host),field(1,:) -m reg -i", "path-pattern": "path -m reg"}.get(condition.field)
    if sample is None:
        sample = f"req.fhdr({token(condition.name)}) -m reg -i"
    return [f"acl {name} {sample} ^{pattern(value)}$" for value in condition.values]


def token(name: str) -> str:
    """A header's name, or `ValueError`."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"not the name of a header: {name!r}")
    return name


def literal(text: str) -> str:
    """A regular expression for exactly this text."""
    return "".join(c if c.isascii() and c.isalnum() else _escaped(c) for c in text)


def pattern(text: str, anything: str = ".") -> str:
    """A regular expression for a text with ``*`` (any characters) and ``?`` (exactly one); a backslash takes that
    meaning away. `anything` is what a wild character may be."""
    made, at = [], 0
    while at < len(text):
        c = text[at]
        if c == "\\" and text[at + 1 : at + 2] in ("*", "?", "\\"):
            at += 1
            made.append(literal(text[at]))
        else:
            made.append({"*": f"{anything}*", "?": anything}.get(c) or literal(c))
        at += 1
    return "".join(made)


def _query(key: str, value: str) -> str:
    wanted = pattern(value, "[^&]")
    front = f"{pattern(key, '[^&=]')}=" if key else "([^&=]*=)?"
    return f"'(^|&){front}{wanted}(&|$)'"


def _escaped(c: str) -> str:
    return "".join(f"[\\x{byte:02x}]" for byte in c.encode())
