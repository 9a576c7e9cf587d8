"""The part of Handlebars that letters are written in: values, paths, comments, if, unless, each, with. Pure.

Nothing is escaped, as SES does not. Partials, other helpers and parameters are refused: they are not built.

https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-advanced.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from cloudjar.base.errors import AwsError

_TAG = re.compile(
    r"\{\{\{(?P<raw>[^{}]*)\}\}\}|\{\{!--.*?--\}\}|\{\{!(?P<note>[^}]*)\}\}|\{\{(?P<tag>[^{}]*?)\}\}", re.S
)
_PATH = re.compile(r"(?:this|@index|@key|@first|@last|(?:\.\./)*[A-Za-z_][\w-]*)(?:\.[\w-]+)*")
_BLOCKS = ("if", "unless", "each", "with")
_DEEPEST = 20


class Block(msgspec.Struct):
    """``{{#kind path}} then {{else}} otherwise {{/kind}}``."""

    kind: str
    path: str
    then: list[Any]
    otherwise: list[Any]


class Value(msgspec.Struct):
    """``{{path}}``."""

    path: str


def _bad(message: str) -> AwsError:
    return AwsError("InvalidTemplate", message, 400)


def parse(text: str) -> list[Any]:
    """Texts, values and blocks in their order. Raises InvalidTemplate."""
    root: list[Any] = []
    open_: list[Block] = []
    into, at = root, 0
    for found in _TAG.finditer(text):
        into.append(text[at : found.start()])
        at = found.end()
        tag = found["raw"] if found["raw"] is not None else found["tag"]
        if tag is None:
            continue
        tag = tag.strip().removeprefix("&").strip()
        if tag.startswith("#"):
            kind, _, path = tag[1:].strip().partition(" ")
            block = Block(kind, _path(path.strip()), [], [])
            if kind not in _BLOCKS or len(open_) >= _DEEPEST:
                raise _bad(f"The block {{{{{tag}}}}} is not supported.")
            into.append(block)
            open_.append(block)
            into = block.then
        elif tag in ("else", "^") and open_:
            into = open_[-1].otherwise
        elif tag.startswith("/"):
            if not open_ or open_.pop().kind != tag[1:].strip():
                raise _bad(f"There is no block for {{{{{tag}}}}}.")
            into = (open_[-1].otherwise or open_[-1].then) if open_ else root
        else:
            into.append(Value(_path(tag)))
    if open_ or "{{" in text[at:]:
        raise _bad("A block or an expression is not closed.")
    root.append(text[at:])
    return root


def _path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise _bad(f"The expression {{{{{text}}}}} is not supported.")
    return text


def data_of(text: str) -> dict[str, Any]:
    """What fills the gaps. Raises InvalidRenderingParameter."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise AwsError("InvalidRenderingParameter", "Template rendering data is invalid", 400)
    return found


def render(text: str, data: dict[str, Any]) -> str:
    """Fill the gaps. Raises InvalidTemplate and MissingRenderingAttribute."""
    return _fill(parse(text), (data,), {})


_MISSING = object()


def _look(path: str, scopes: Sequence[Any], loop: dict[str, Any]) -> Any:
    if path.startswith("@"):
        return loop.get(path, _MISSING)
    up = path.count("../")
    names = path.replace("../", "").split(".")
    if up >= len(scopes):
        return _MISSING
    value = scopes[-1 - up]
    for name in names[1:] if names[0] == "this" else names:
        if isinstance(value, dict):
            value = value.get(name, _MISSING)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return _MISSING
    return value


def _fill(parts: Sequence[Any], scopes: tuple[Any, ...], loop: dict[str, Any]) -> str:
    made = []
    for part in parts:
        if isinstance(part, str):
            made.append(part)
        elif isinstance(part, Value):
            value = _look(part.path, scopes, loop)
            if value is _MISSING:
                message = f"Attribute '{part.path}' is not present in the rendering data."
                raise AwsError("MissingRenderingAttribute", message, 400)
            made.append(_text(value))
        else:
            made.append(_block(part, scopes, loop))
    return "".join(made)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return "[object Object]" if isinstance(value, dict) else str(value)


def _block(block: Block, scopes: tuple[Any, ...], loop: dict[str, Any]) -> str:
    value = _look(block.path, scopes, loop)
    holds = value is not _MISSING and value not in (None, False, 0, "", [])
    if block.kind == "unless":
        holds = not holds
    if not holds:
        return _fill(block.otherwise, scopes, loop)
    if block.kind == "with":
        return _fill(block.then, (*scopes, value), loop)
    if block.kind != "each":
        return _fill(block.then, scopes, loop)
    items = list(value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()))
    return "".join(
        _fill(block.then, (*scopes, one), {
            "@index": n, "@key": key, "@first": n == 0, "@last": n == len(items) - 1,
        })
        for n, (key, one) in enumerate(items)
    )  # fmt: skip
