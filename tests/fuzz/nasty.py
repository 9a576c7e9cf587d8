"""Values that programs fall over, and ways to put them into requests. Everything is drawn from a seeded source."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from cloudjar.spec.models import Shape
from tests.calls import MOMENT, Sent, minimal, prefix_of

TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\n",
    "\r\nX-Injected: 1",
    "é" * 300,
    "\u202eevil",
    "\ufeff",
    "😀" * 40,
    "a" * 70_000,
    "-1",
    "0",
    "00",
    "1" * 5000,
    "99999999999999999999999",
    "-99999999999999999999999",
    "1e400",
    "-0.0",
    "NaN",
    "Infinity",
    "0x10",
    "١٢٣",
    "true",
    "TRUE",
    "null",
    "None",
    "${aws:username}",
    "${",
    "*",
    "?" * 200,
    "*a" * 60,
    "(a+)+$" * 9,
    "{}",
    "[]",
    '{"a":',
    "[" * 3000,
    '{"Version":"2012-10-17","Statement":[]}',
    '{"Statement":' * 500,
    "<a>&lt;",
    "]]>",
    "arn:aws:iam::000000000000:user/nobody",
    "arn:",
    ":::::::",
    "arn:aws:iam::abc:role/x",
    "../../etc/passwd",
    "%00%ff",
    "10.0.0.0/33",
    "10.0.0.256/8",
    "999.999.0.0/0",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/-1",
    "10.0.0.0/1e1",
    "٣.0.0.0/8",
    "2026-99-99T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1e18",
    "i-0123456789abcdef0",
    "vpc-",
    "sg-é",
    "i-" + "f" * 500,
    "ami-0123456789abcdef0",
    "t3.micro",
    "t3.nano.",
    "' OR 1=1 --",
    "\ud7ff\U0010ffff",
    "\\",
    "\\*\\?",
)
NUMBERS = (0, -1, 1, 5, 1000, 65535, 65536, 2**31, -(2**31) - 1, 2**63, 10**30, 0.5, -0.0, 1e300, math.pi)

Draw = random.Random


def text(draw: Draw) -> str:
    """A nasty text, sometimes two in one."""
    one = draw.choice(TEXTS)
    return one if draw.random() < 0.9 else one + draw.choice(TEXTS)


class Maker:
    """Random values of a shape: mostly plausible, sometimes nasty; ids that exist are drawn from `known`."""

    def __init__(self, draw: Draw, known: Sequence[str], nastiness: float = 0.1) -> None:
        self._draw = draw
        self._wealth = draw.choice((0.0, 0.2, 0.5, 1.0))
        self._known = list(known) or ["i-0123456789abcdef0"]
        self._nastiness = nastiness

    def params(self, shape: Shape | None) -> dict[str, Any]:
        """The members of an operation's input."""
        return self._structure(shape, 0) if shape is not None else {}

    def value(self, shape: Shape, depth: int, name: str = "") -> Any:
        """One value."""
        match shape.type:
            case "structure":
                return self._structure(shape, depth)
            case "list":
                amount = self._draw.choice((0, 1, 1, 1, 2, 3, 40 if depth < 2 else 1))
                return [self.value(shape.member, depth + 1, name.removesuffix("s")) for _ in range(amount)]
            case "map":
                return {
                    self._text(shape.key): self.value(shape.value, depth + 1) for _ in range(self._draw.randint(0, 2))
                }
            case "boolean":
                return self._draw.random() < 0.5
            case "integer" | "long" | "float" | "double":
                return self._number(shape)
            case "timestamp":
                return MOMENT
            case "blob":
                return self._draw.randbytes(self._draw.choice((0, 1, 17, 20_000)))
        return self._text(shape, name)

    def _structure(self, shape: Shape, depth: int) -> dict[str, Any]:
        members = list(shape.members.items())
        share = (0.3, 0.5, 0.6)[min(depth, 2)] * self._wealth if depth < 6 else 0.0
        return {
            name: self.value(member, depth + 1, name)
            for name, member in members
            if name != "DryRun"
            and (name in shape.required or self._draw.random() < share / max(1, len(members) / 8))
            and (self._draw.random() > self._nastiness / 3)
        }

    def _number(self, shape: Shape) -> float | int:
        if self._draw.random() < self._nastiness:
            return self._draw.choice(NUMBERS)
        low, high = int(shape.min or 0), int(min(shape.max or 100, 2**31))
        return self._draw.randint(min(low, high), high)

    def _text(self, shape: Shape, name: str = "") -> str:
        if self._draw.random() < self._nastiness:
            return text(self._draw)
        if shape.enum and self._draw.random() < 0.9:
            return str(self._draw.choice(shape.enum))
        prefix = prefix_of(name)
        fitting = [one for one in self._known if one.startswith(prefix)] if prefix else []
        if fitting and self._draw.random() < 0.9:
            return self._draw.choice(fitting)
        if self._draw.random() < 0.4:
            return str(minimal(shape, name))
        return self._draw.choice(self._known)


# -- at the level of the wire --------------------------------------------------------------------------------------

Mutation = Callable[[Draw, Sent], Sent]


def mangle(draw: Draw, sent: Sent) -> Sent:
    """The request with one thing wrong that its writer could not have written."""
    if sent.headers.get("content-type", "").startswith("application/x-www-form"):
        return sent._replace(body=_mangled_form(draw, sent.body))
    if "json" in sent.headers.get("content-type", ""):
        return sent._replace(body=_mangled_json(draw, sent.body))
    return sent._replace(body=_mangled_bytes(draw, sent.body))


def _mangled_bytes(draw: Draw, body: bytes) -> bytes:
    at = draw.randint(0, len(body))
    junk = draw.randbytes(draw.choice((1, 4, 200)))
    return draw.choice((body[:at], body[:at] + junk + body[at:], body + body, junk, body[:at] + body[at + 1 :]))


def _mangled_form(draw: Draw, body: bytes) -> bytes:
    if draw.random() < 0.1:
        return _mangled_bytes(draw, body)
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    fixed = [pair for pair in pairs if pair[0] in ("Action", "Version")]
    rest = [pair for pair in pairs if pair[0] not in ("Action", "Version")] or [("X", "1")]
    at = draw.randrange(len(rest))
    name, value = rest[at]
    rest[at : at + 1] = draw.choice(
        (
            [(name, text(draw))],
            [],
            [(name, value), (name, "other")],
            [(name + draw.choice((".1", ".0", ".-1", ".x", ".1.1.1", ".member", ".999999999", ".", "..")), value)],
            [(name.replace(".1", draw.choice((".0", ".2", ".01", ".99999999999", ".é", "."))), value)],
            [(f"{name.rstrip('0123456789')}{n}", value) for n in range(1, 1500)],
            [(text(draw), value)],
            [(name + ".1" * 400, value)],
            [(name, value), (name + ".1", "both a text and a list")],
        )
    )
    return "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in fixed + rest).encode()


def _mangled_json(draw: Draw, body: bytes) -> bytes:
    if draw.random() < 0.2:
        return _mangled_bytes(draw, body)
    tree = json.loads(body or b"{}")
    if not isinstance(tree, dict):
        return b"{}"
    name = draw.choice([*tree, "Unknown"])
    tree[name] = draw.choice(
        (text(draw), draw.choice(NUMBERS), None, True, [], {}, [[]], [None], {"a": {"b": [1]}}, [{}] * 99)
    )
    if isinstance(tree[name], float) and math.isinf(tree[name]):
        tree[name] = 0
    return json.dumps(tree).encode()
