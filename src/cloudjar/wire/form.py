"""``application/x-www-form-urlencoded``: bytes -> flat names -> the tree that dotted names spell."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from cloudjar.wire.values import Malformed

_DEPTH = 64


def decoded(text: str) -> str:
    """Percent-decoded, with ``+`` as a space. Malformed: not UTF-8."""
    if "%" not in text and "+" not in text:
        return text
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise Malformed("The request contains bytes that are not UTF-8.") from None


def flat(data: bytes | str) -> dict[str, str]:
    """Names to values; of a repeated name the first counts. Malformed: not UTF-8."""
    try:
        text = data if isinstance(data, str) else data.decode()
    except UnicodeDecodeError:
        raise Malformed("The request body is not UTF-8.") from None
    found: dict[str, str] = {}
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            if "%" in name or "+" in name:
                name = decoded(name)
            if name not in found:
                found[name] = decoded(value) if "%" in value or "+" in value else value
    return found


def tree(pairs: dict[str, str]) -> dict[str, Any]:
    """``{"A.1.B": "x"}`` -> ``{"A": {"1": {"B": "x"}}}``.

    An empty value beside longer names (``A=`` and ``A.1=x``) yields to them; any other clash is Malformed.
    """
    root: dict[str, Any] = {}
    for name, value in pairs.items():
        if "." not in name:
            here = root.setdefault(name, value)
            if here is not value and value and here.__class__ is dict:
                raise Malformed(f"Parameter {name} has both a value and members.")
            continue
        *path, last = name.split(".", _DEPTH)
        node = root
        for step in path:
            inner = node.get(step)
            if inner.__class__ is not dict:
                if inner:
                    raise Malformed(f"Parameter {name} clashes with another.")
                inner = node[step] = {}
            node = inner
        if node.get(last).__class__ is dict:
            if value:
                raise Malformed(f"Parameter {name} has both a value and members.")
            continue
        node[last] = value
    return root


def indexed(node: Any, name: str) -> list[Any]:
    """The elements of a list in the order of their indexes; the empty text is the empty list."""
    if node.__class__ is not dict:
        if node == "":
            return []
        raise Malformed(f"Parameter {name} is a list; number its elements.", str(node), "list")
    if len(node) == 1 and "1" in node:
        return [node["1"]]
    try:
        return [node[i] for i in sorted(node, key=_index)]
    except ValueError:
        raise Malformed(f"Parameter {name} is a list; number its elements.", "", "list") from None


def _index(text: str) -> int:
    if len(text) > 9 or not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)
