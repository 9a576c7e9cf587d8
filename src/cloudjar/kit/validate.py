"""The model's constraints, checked in AWS's words: required, length, range, pattern, enum, nested.

`validator(op)` compiles one function per operation. Three families word it differently: the JSON and query
services list every violation, EC2 names the first in its own way, S3 speaks of XML and arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import violations
from cloudjar.kit.violations import Violation
from cloudjar.spec import patterns
from cloudjar.spec.models import OperationModel, Shape
from cloudjar.wire.source import Block, Source

Validate = Callable[[dict[str, Any]], None]

_SIZED = ("string", "character", "blob", "list", "map")
_NUMERIC = ("integer", "long", "float", "double")


def validator(op: OperationModel) -> Validate:
    """The check of a parsed request; raises `AwsError` as the service does, else returns None.

    Compiled at first use and remembered on nobody: callers keep it (one per operation).
    """
    if op.input is None:
        return _nothing
    service = op.service
    lenient = "ec2" in service.protocols
    builder = _Builder(service.name, lenient)
    check = builder.build(op.input)
    if check is None:
        return _nothing
    refuse = violations.family(op)

    def validate(request: dict[str, Any]) -> None:
        found: list[Violation] = []
        check(request, None, found)
        if found:
            raise refuse(found)

    return validate


def _nothing(_request: dict[str, Any]) -> None:
    return None


class _Builder:
    """Writes the checks of one operation's input."""

    def __init__(self, service: str, lenient: bool) -> None:
        self._lenient = lenient
        self._source = Source(f"{service} validate", {"V": Violation})
        self._worth: dict[str, bool] = {}

    def build(self, shape: Shape) -> Callable[[dict[str, Any], Any, list[Violation]], None] | None:
        if not self._matters(shape):
            return None
        name = self._structure(shape)
        check: Callable[[dict[str, Any], Any, list[Violation]], None] = self._source.build()[name]
        return check

    def _matters(self, shape: Shape, seen: frozenset[str] = frozenset()) -> bool:
        """False when nothing below `shape` constrains anything: then no code is written for it."""
        if shape.document or shape.eventstream:
            return False
        if self._limits(shape)[0] or self._pattern(shape) or shape.enum:
            return True
        if shape.name in seen or shape.type not in ("structure", "list", "map"):
            return False
        known = self._worth.get(shape.name)
        if known is None:
            inside = seen | {shape.name}
            if shape.type == "structure":
                known = bool(shape.required) or any(self._matters(m, inside) for m in shape.members.values())
            elif shape.type == "list":
                known = self._matters(shape.member, inside)
            else:
                known = self._matters(shape.key, inside) or self._matters(shape.value, inside)
            if known or not seen:
                self._worth[shape.name] = known
        return known

    def _limits(self, shape: Shape) -> tuple[str, str]:
        """A condition that holds for good values (empty: none), on ``{}``."""
        low, high = shape.min, shape.max
        if shape.type in _NUMERIC:
            subject = "{}"
        elif shape.type in _SIZED and not shape.streaming and not self._lenient:
            subject = "len({})"
            low = low or None
        else:
            return "", ""
        if low is None and high is None:
            return "", ""
        if low is None:
            return f"{subject} <= {high!r}", subject
        return (f"{low!r} <= {subject}" + ("" if high is None else f" <= {high!r}")), subject

    def _pattern(self, shape: Shape) -> Callable[[str], bool] | None:
        if not shape.pattern or shape.type != "string" or self._lenient or shape.pattern in (".*", "[\\s\\S]*"):
            return None
        return patterns.matcher(shape.pattern)

    def _structure(self, shape: Shape) -> str:
        return self._source.function(shape.name, "v, p, e", lambda b: self._members(b, shape))

    def _members(self, block: Block, shape: Shape) -> None:
        required = set(shape.required)
        for name, member in shape.members.items():
            must = name in required and not member.idempotency_token
            if not must and not self._matters(member):
                continue
            block.line(f"x = v.get({name!r})")
            where = f"(p, {name!r})"
            if must:
                block.inside("if x is None:").line(
                    f"e.append(V({where}, None, {self._source.constant(member)}, 'null'))"
                )
                inner = block.inside("else:")
            else:
                inner = block.inside("if x is not None:")
            self._value(inner, member, "x", where)
            inner.line("pass")

    def _value(self, block: Block, shape: Shape, var: str, where: str) -> None:
        if shape.document or shape.eventstream:
            return
        self._own(block, shape, var, where)
        if shape.type == "structure" and self._matters(shape):
            block.line(f"{self._structure(shape)}({var}, {where}, e)")
        elif shape.type == "list":
            self._elements(block, shape, var, where)
        elif shape.type == "map":
            self._entries(block, shape, var, where)

    def _own(self, block: Block, shape: Shape, var: str, where: str) -> None:
        """The shape's own constraints: the fast test inline, the words only when it fails."""
        good = [t.format(var) for t in (self._limits(shape)[0],) if t]
        if shape.enum and shape.type == "string":
            good.append(f"{var} in {self._source.constant(frozenset(shape.enum))}")
        test = self._pattern(shape)
        if test is not None:
            good.append(f"{self._source.constant(test)}({var})")
        if good:
            block.inside(f"if not ({' and '.join(good)}):").line(
                f"e.append(V({where}, {var}, {self._source.constant(shape)}, 'self'))"
            )

    def _elements(self, block: Block, shape: Shape, var: str, where: str) -> None:
        item = shape.member
        if not self._matters(item) and shape.sparse:
            return
        if not self._matters(item):
            block.inside(f"if None in {var}:").line(
                f"e.append(V({where}, {var}, {self._source.constant(shape)}, 'nulls'))"
            )
            return
        one, number = block.variable("i"), block.variable("n")
        loop = block.inside(f"for {number}, {one} in enumerate({var}, 1):")
        null = loop.inside(f"if {one} is None:")
        if not shape.sparse:
            null.line(f"e.append(V({where}, {var}, {self._source.constant(shape)}, 'nulls'))")
        null.line("continue")
        if item.type in ("structure", "list", "map"):
            self._value(loop, item, one, f"({where}, {number})")
        else:
            self._scalar_element(loop, shape, var, one, where)

    def _scalar_element(self, loop: Block, shape: Shape, var: str, one: str, where: str) -> None:
        """AWS reports a list of bad scalars once, whole."""
        probe: list[str] = []
        item = shape.member
        limit = self._limits(item)[0]
        if limit:
            probe.append(limit.format(one))
        if item.enum and item.type == "string":
            probe.append(f"{one} in {self._source.constant(frozenset(item.enum))}")
        test = self._pattern(item)
        if test is not None:
            probe.append(f"{self._source.constant(test)}({one})")
        bad = loop.inside(f"if not ({' and '.join(probe)}):")
        bad.line(f"e.append(V({where}, {var}, {self._source.constant(shape)}, 'elements'))")
        bad.line("break")

    def _entries(self, block: Block, shape: Shape, var: str, where: str) -> None:
        keys, inner = self._matters(shape.key), self._matters(shape.value)
        if not keys and not inner:
            return
        k, one = block.variable("k"), block.variable("i")
        loop = block.inside(f"for {k}, {one} in {var}.items():")
        if keys:
            self._own(loop, shape.key, k, f"({where}, '$key')")
        if inner:
            guarded = loop.inside(f"if {one} is not None:")
            self._value(guarded, shape.value, one, f"(({where}, {k}), '$value')")
            guarded.line("pass")
        loop.line("pass")


def check(op: OperationModel, request: dict[str, Any]) -> AwsError | None:
    """The error that `validator` would raise, or None: for tests and tools."""
    try:
        validator(op)(request)
    except AwsError as e:
        return e
    return None
