"""XML request bodies (rest-xml): text -> nodes -> dict. Document types and entities are refused outright."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from cloudjar.spec.models import Shape
from cloudjar.wire.values import READERS, Malformed

_DEPTH = 100

Read = Callable[["Node"], Any]


class Node:
    """An element: its name without prefix, its attributes as spelled, its children and text."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Node] = []
        self.text = ""


def decode(data: bytes) -> Node:
    """The root element. Malformed: not well formed, a DTD or entity, or nested too deeply."""
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    top = Node("", {})
    stack = [top]
    texts: list[list[str]] = [[]]

    def refuse(*_: Any) -> Any:
        raise Malformed("The XML has a document type or an entity")

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > _DEPTH:
            raise Malformed("The XML is nested too deeply")
        node = Node(name.rpartition(":")[2], attributes)
        stack[-1].children.append(node)
        stack.append(node)
        texts.append([])

    def end(_: str) -> None:
        stack.pop().text = "".join(texts.pop())

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: texts[-1].append(text)
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.UnparsedEntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError):
        raise Malformed("The XML is not well formed") from None
    return top.children[0]


class XmlReader:
    """Readers for the shapes of one operation's body; unknown elements are ignored."""

    def __init__(self) -> None:
        self._structures: dict[str, Read] = {}

    def reader(self, shape: Shape) -> Read:
        """The function from an element to the value of a shape."""
        if shape.type == "structure":
            return self._structure(shape)
        if shape.type == "list":
            return self._list(shape)
        if shape.type == "map":
            return self._map(shape)
        read = READERS[shape.type]
        if shape.type in ("string", "character"):
            return lambda node: node.text
        if shape.type == "blob":
            return lambda node: read(node.text)
        return lambda node: read(node.text.strip())

    def _structure(self, shape: Shape) -> Read:
        ready = self._structures.get(shape.name)
        if ready is not None:
            return ready
        members: dict[str, tuple[str, Read, bool]] = {}
        attributes: dict[str, str] = {}

        def read(node: Node) -> dict[str, Any]:
            out: dict[str, Any] = {}
            for spelled, name in attributes.items():
                if spelled in node.attributes:
                    out[name] = node.attributes[spelled]
            for child in node.children:
                found = members.get(child.name)
                if found is None:
                    continue
                name, value, repeated = found
                if repeated:
                    _join(out, name, value(child))
                elif name not in out:
                    out[name] = value(child)
            return out

        self._structures[shape.name] = read  # before the members: shapes may be recursive
        for name, member in shape.members.items():
            wire = member.location_name or name
            if member.location or member.event_header:
                continue
            if member.xml_attribute:
                attributes[wire] = name
                continue
            entry = (name, self.reader(member), member.flattened and member.type in ("list", "map"))
            if member.flattened and member.type == "list" and member.member.location_name:
                members.setdefault(member.member.location_name, entry)
            members[wire] = entry
            if member.type == "structure":
                members.setdefault(name, entry)  # a name on the structure itself is for when it is the root
        return read

    def _list(self, shape: Shape) -> Read:
        item = self.reader(shape.member)
        if shape.flattened:
            return lambda node: [item(node)]
        return lambda node: [item(child) for child in node.children]

    def _map(self, shape: Shape) -> Read:
        key_tag = shape.key.location_name or "key"
        value_tag = shape.value.location_name or "value"
        value = self.reader(shape.value)

        def entry(node: Node) -> dict[str, Any]:
            parts = {child.name: child for child in node.children}
            if key_tag not in parts or value_tag not in parts:
                raise Malformed(f"An entry of a map needs {key_tag} and {value_tag}")
            return {parts[key_tag].text: value(parts[value_tag])}

        if shape.flattened:
            return entry

        def whole(node: Node) -> dict[str, Any]:
            found: dict[str, Any] = {}
            for child in node.children:
                found.update(entry(child))
            return found

        return whole


def _join(out: dict[str, Any], name: str, piece: Any) -> None:
    have = out.get(name)
    if have is None:
        out[name] = piece
    elif isinstance(have, list):
        have.extend(piece)
    else:
        have.update(piece)
