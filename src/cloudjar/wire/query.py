"""Input of the query and ec2 protocols: form parameters -> dict, by functions generated per shape.

The two differ in names (EC2 capitalises, and honours `queryName`), in lists (EC2's are always flat) and
in what is unknown: query services ignore it, EC2 refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudjar.spec.models import Shape
from cloudjar.wire import form
from cloudjar.wire.source import Block, Source
from cloudjar.wire.values import READERS, Malformed

Read = Callable[[Any], dict[str, Any]]

FRAME = frozenset(
    {
        "Action", "Version", "AWSAccessKeyId", "Signature", "SignatureVersion", "SignatureMethod", "Timestamp",
        "Expires", "SecurityToken", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
        "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token",
    }
)  # fmt: skip
"""Parameters that belong to every query request and to no operation."""


class UnknownParameter(Exception):
    """EC2 was given a parameter that the operation does not have; found exactly by `unknown_name`."""


def ec2_name(name: str, shape: Shape) -> str:
    """A member's name in an EC2 request: always capitalised, unless `queryName` says otherwise."""
    if shape.query_name:
        return shape.query_name
    wire = shape.location_name or name
    return wire[0].upper() + wire[1:]


def query_name(name: str, shape: Shape) -> str:
    """A member's name in a query request; flattened lists take it from their elements."""
    if shape.type == "list" and shape.flattened:
        inner = shape.member.query_name or shape.member.location_name
        if inner:
            return inner
    return shape.query_name or shape.location_name or name


def _scalar(reader: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    def read(text: Any) -> Any:
        try:
            return reader(text)
        except Malformed as e:
            raise Malformed(f"{e.message} for parameter {name}", e.text, f"{e.kind}|{name}") from None

    return read


def _structure_expected(name: str) -> Malformed:
    return Malformed(f"Parameter {name} is a structure; name its members.", "", f"structure|{name}")


class QueryReader:
    """The reader of one operation's input."""

    def __init__(self, service: str, ec2: bool) -> None:
        self._ec2 = ec2
        self._name = ec2_name if ec2 else query_name
        self._source = Source(
            f"{service} query in",
            {"L": form.indexed, "S": _structure_expected, "M": Malformed, "U": UnknownParameter},
        )

    def build(self, shape: Shape) -> Read:
        """The function from a `form.tree` to the request's dict."""
        top = self._structure(shape, top=True)
        read: Read = self._source.build()[top]
        return read

    def _structure(self, shape: Shape, top: bool = False) -> str:
        return self._source.function((shape.name, top), "v", lambda b: self._members(b, shape, top))

    def _members(self, block: Block, shape: Shape, top: bool) -> None:
        block.inside("if v.__class__ is not dict:").line(f"raise S({shape.name!r})")
        names = {n: self._name(n, m) for n, m in shape.members.items()}
        if self._ec2:
            known = frozenset(names.values()) | (FRAME if top else frozenset())
            block.inside(f"if not v.keys() <= {self._source.constant(known)}:").line("raise U")
        block.line("o = {}")
        for name, member in shape.members.items():
            block.line(f"x = v.get({names[name]!r})")
            other = member.location_name
            if other and other != names[name] and not self._ec2 and not member.query_name:
                # a flattened list with two names: SDKs disagree which one goes over the wire
                block.inside("if x is None:").line(f"x = v.get({other!r})")
            inner = block.inside("if x is not None:")
            inner.line(f"o[{name!r}] = {self._value(inner, member, 'x', names[name])}")
        block.line("return o")

    def _value(self, block: Block, shape: Shape, var: str, name: str) -> str:
        """An expression for the value of `var`; may first write statements into `block`."""
        if shape.type == "structure":
            return f"{self._structure(shape)}({var} or {{}})"
        if shape.type == "list":
            return self._list(block, shape, var, name)
        if shape.type == "map":
            return self._map(block, shape, var, name)
        if shape.type in ("string", "character"):
            block.inside(f"if {var}.__class__ is not str:").line(
                f"raise M('unexpected members', '', {f'string|{name}'!r})"
            )
            return var
        return f"{self._source.constant(_scalar(READERS[shape.type], name))}({var})"

    def _list(self, block: Block, shape: Shape, var: str, name: str) -> str:
        item = shape.member
        elements, one, got = block.variable("l"), block.variable("i"), block.variable("o")
        if self._ec2 or shape.flattened:
            block.line(f"{elements} = L({var}, {name!r})")
        else:
            inner = repr(item.query_name or item.location_name or "member")
            block.line(f"{elements} = {var}")
            nest = block.inside(f"if {var}.__class__ is dict:")
            nest.line(f"{elements} = {var}.get({inner})")
            # AWS takes `member` whatever the model calls the element, and bare indexes as well
            nest.inside(f"if {elements} is None:").line(f"{elements} = {var}.get('member', {var})")
            block.line(f"{elements} = L({elements}, {name!r})")
        if item.type in ("string", "character"):
            block.inside(f"for {one} in {elements}:").inside(f"if {one}.__class__ is not str:").line(
                f"raise M('unexpected members', '', {f'string|{name}'!r})"
            )
            return elements
        block.line(f"{got} = []")
        loop = block.inside(f"for {one} in {elements}:")
        loop.line(f"{got}.append({self._value(loop, item, one, name)})")
        return got

    def _map(self, block: Block, shape: Shape, var: str, name: str) -> str:
        key = shape.key.query_name or shape.key.location_name or "key"
        value = shape.value.query_name or shape.value.location_name or "value"
        entry, got, k, x = (block.variable(s) for s in "eokm")
        entries = (
            var
            if shape.flattened or self._ec2
            else f"({var}.get('entry', {var}) if {var}.__class__ is dict else {var})"
        )
        block.line(f"{got} = {{}}")
        loop = block.inside(f"for {entry} in L({entries}, {name!r}):")
        loop.inside(f"if {entry}.__class__ is not dict or {entry}.get({key!r}).__class__ is not str:").line(
            f"raise S({name!r})"
        )
        loop.line(f"{k} = {entry}[{key!r}]")
        loop.line(f"{x} = {entry}.get({value!r}, '')")
        loop.line(f"{got}[{k}] = {self._value(loop, shape.value, x, name)}")
        return got


def unknown_name(shape: Shape | None, tree: dict[str, Any], path: str = "") -> str:
    """The first parameter of an EC2 request that the model does not have, spelled as it was sent."""
    members = {ec2_name(n, m): m for n, m in shape.members.items()} if shape else {}
    for name, node in tree.items():
        if not path and name in FRAME:
            continue
        if name not in members:
            return _first_leaf(node, path + name)
        found = _unknown_inside(members[name], node, path + name)
        if found:
            return found
    return ""


def _unknown_inside(shape: Shape, node: Any, path: str) -> str:
    if node.__class__ is not dict:
        return ""
    if shape.type == "structure":
        return unknown_name(shape, node, path + ".")
    if shape.type == "list":
        return next(filter(None, (_unknown_inside(shape.member, n, f"{path}.{i}") for i, n in node.items())), "")
    return ""


def _first_leaf(node: Any, path: str) -> str:
    while node.__class__ is dict and node:
        step, node = next(iter(node.items()))
        path = f"{path}.{step}"
    return path
