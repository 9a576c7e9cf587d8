"""Dict -> XML for the query, ec2 and rest-xml protocols: one generated function per structure shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cloudjar.spec.models import Shape
from cloudjar.wire.json import OUTSIDE
from cloudjar.wire.rendered import xml_text
from cloudjar.wire.source import Block, Source
from cloudjar.wire.values import iso, iso_ms, text_writer

Write = Callable[[Any, Callable[[str], None]], None]

_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_REMEMBERED = 8192


class Escape(dict[str, str]):
    """``ESCAPE[text]``: text made safe for XML content; short texts are remembered, because ids, types and
    states recur. Characters that XML cannot carry become U+FFFD.
    """

    def __missing__(self, text: str) -> str:
        if text.__class__ is not str:
            text = str(text)
        safe = _SPECIAL.sub(lambda m: _ENTITIES.get(m[0], "\ufffd"), text) if _SPECIAL.search(text) else text
        if len(text) <= 64:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[text] = safe
        return safe


ESCAPE = Escape()


def escape(text: str) -> str:
    """Text made safe for XML content."""
    return ESCAPE[text]


def attribute(value: Any) -> str:
    """Text made safe for a double-quoted XML attribute."""
    return ESCAPE[str(value)].replace('"', "&quot;").replace("\n", "&#xA;").replace("\t", "&#x9;")


def member_tag(name: str, shape: Shape) -> str:
    """The element name of a structure's member; flattened lists lend it from their elements."""
    if shape.type == "list" and shape.flattened:
        inner = shape.member.query_name or shape.member.location_name
        if inner:
            return inner
    return shape.query_name or shape.location_name or name


class XmlWriter:
    """Writers of one operation; `protocol` is ``query``, ``ec2`` or ``rest-xml``."""

    def __init__(self, service: str, protocol: str, exact_millis: bool) -> None:
        self._dialect = (service, protocol)
        self._time = iso_ms if exact_millis else iso
        self._source = Source(
            f"{service} {protocol} xml out", {"E": ESCAPE, "P": xml_text, "A": attribute, "ESC": escape}
        )
        self._roots: dict[str, str] = {}

    def key(self, shape: Shape) -> tuple[str, str, str]:
        """Under which a structure's rendering is remembered."""
        return (*self._dialect, shape.name)

    def structure(self, shape: Shape) -> str:
        """The name of the function writing a structure's members, without its own tag."""
        return self._source.function(shape.name, "v, w", lambda b: self._members(b, shape))

    def root(self, shape: Shape) -> Callable[[], Write]:
        """Ask for a structure's writer; call the result after `build`."""
        name = self.structure(shape)
        return lambda: self._built[name]

    def build(self) -> None:
        """Compile; roots may be fetched afterwards."""
        self._built = self._source.build()

    def _members(self, block: Block, shape: Shape) -> None:
        for name, member in shape.members.items():
            if member.location in OUTSIDE or member.xml_attribute or member.event_header:
                continue
            block.line(f"x = v.get({name!r})")
            inner = block.inside("if x is not None:")
            self._value(inner, member, member_tag(name, member), "x")

    def _value(self, block: Block, shape: Shape, tag: str, var: str) -> None:
        if shape.type == "structure":
            self._structure(block, shape, tag, var)
        elif shape.type == "list":
            self._list(block, shape, tag, var)
        elif shape.type == "map":
            self._map(block, shape, tag, var)
        else:
            self._scalar(block, shape, tag, var)

    def _structure(self, block: Block, shape: Shape, tag: str, var: str) -> None:
        function = self.structure(shape)
        block.line(self._open(shape, tag, var))
        plain = block.inside(f"if {var}.__class__ is dict:")
        plain.line(f"{function}({var}, w)")
        block.inside("else:").line(f"w(P({var}, {self.key(shape)!r}, {function}))")
        block.line(f"w({f'</{tag}>'!r})")

    @staticmethod
    def _open(shape: Shape, tag: str, var: str) -> str:
        attributes = [(n, m) for n, m in shape.members.items() if m.xml_attribute]
        start = f"<{tag}{namespace(shape)}"
        if not attributes:
            return f"w({start + '>'!r})"
        parts = [repr(start)]
        for name, member in attributes:
            wire = member.location_name or name
            head = f' {wire}="'
            parts.append(f"('' if {var}.get({name!r}) is None else {head!r} + A({var}[{name!r}]) + '\"')")
        parts.append("'>'")
        return f"w({' + '.join(parts)})"

    def _list(self, block: Block, shape: Shape, tag: str, var: str) -> None:
        item = shape.member
        each = block.variable("i")
        if shape.flattened:
            body = block.inside(f"for {each} in {var}:")
            self._item(body, item, tag, each)
            return
        block.line(f"w({f'<{tag}{namespace(shape)}>'!r})")
        body = block.inside(f"for {each} in {var}:")
        self._item(body, item, item.query_name or item.location_name or "member", each)
        block.line(f"w({f'</{tag}>'!r})")

    def _item(self, block: Block, shape: Shape, tag: str, var: str) -> None:
        self._value(block.inside(f"if {var} is not None:"), shape, tag, var)

    def _map(self, block: Block, shape: Shape, tag: str, var: str) -> None:
        key_tag = shape.key.query_name or shape.key.location_name or "key"
        value_tag = shape.value.query_name or shape.value.location_name or "value"
        entry = tag if shape.flattened else "entry"
        if not shape.flattened:
            block.line(f"w({f'<{tag}{namespace(shape)}>'!r})")
        k, x = block.variable("k"), block.variable("m")
        body = block.inside(f"for {k}, {x} in {var}.items():")
        body.line(f"w({f'<{entry}>'!r})")
        self._scalar(body, shape.key, key_tag, k)
        self._item(body, shape.value, value_tag, x)
        body.line(f"w({f'</{entry}>'!r})")
        if not shape.flattened:
            block.line(f"w({f'</{tag}>'!r})")

    def _scalar(self, block: Block, shape: Shape, tag: str, var: str) -> None:
        start, end = f"<{tag}{namespace(shape)}>", f"</{tag}>"
        if shape.type in ("string", "character"):
            text = f"E[{var}]"
        elif shape.type in ("integer", "long"):
            text = var
        elif shape.type == "boolean":
            block.line(f"w({start + 'true' + end!r} if {var} else {start + 'false' + end!r})")
            return
        else:
            writer = self._source.constant(text_writer(shape.type, shape.timestamp_format, self._time))
            text = f"{writer}({var})"
        block.line("w(f" + repr(f"{_braced(start)}{{{text}}}{_braced(end)}") + ")")


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def namespace(shape: Shape) -> str:
    """`` xmlns="..."`` of a shape that declares one; or empty."""
    declared = shape.xml_namespace
    if declared is None:
        return ""
    prefix, uri = declared
    return f' xmlns{":" + prefix if prefix else ""}="{attribute(uri)}"'
