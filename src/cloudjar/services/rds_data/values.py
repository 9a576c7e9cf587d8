"""Values on their way into the engine, and out of it (pure).

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.calling.html
"""

from __future__ import annotations

import base64
import math
import re
from typing import Any

import msgspec

from cloudjar.planes.database.postgres_wire import Column, Value
from cloudjar.services.rds_data import errors

BOOL, BYTES, LONG, DOUBLE, TEXT, NUMERIC, INSTANT = 16, 17, 20, 701, 1043, 1700, 1184
_LONGS, _DOUBLES = (20, 21, 23, 26), (700, 701)
_HINTS = {
    "DATE": (1082, r"\d{4,}-\d\d?-\d\d?"),
    "TIME": (1083, r"\d\d?:\d\d?:\d\d?(\.\d+)?"),
    "TIMESTAMP": (1114, r"\d{4,}-\d\d?-\d\d?[ T]\d\d?:\d\d?:\d\d?(\.\d+)?"),
    "DECIMAL": (NUMERIC, r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"),
    "UUID": (2950, r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "JSON": (114, r".*"),
}
"""The engine's type, and how its values look."""
_ELEMENTS = {
    1000: BOOL, 1005: 21, 1007: 23, 1016: 20, 1028: 26, 1021: 700, 1022: 701, 1231: NUMERIC, 1009: 25, 1015: TEXT,
    1014: 1042, 1002: 18, 1003: 19, 1182: 1082, 1183: 1083, 1115: 1114, 1185: INSTANT, 2951: 2950, 199: 114, 3807: 3802,
    1001: BYTES,
}  # fmt: skip
"""Arrays of the engine's own types, and of what they are."""


def given(parameters: list[dict[str, Any]] | None, names: list[str]) -> list[Value]:
    """Parameters in the order of the statement's names."""
    held = {one.get("name") or "": one for one in parameters or ()}
    for name in names:
        if name not in held:
            raise errors.bad(f"Cannot find parameter: {name}")
    return [_value(name, held[name]) for name in names]


def _value(name: str, parameter: dict[str, Any]) -> Value:
    """One, with the type that it says or that its hint says."""
    field, hint = parameter.get("value") or {}, parameter.get("typeHint")
    if "arrayValue" in field:
        raise errors.bad("Array parameters are not supported.")
    if field.get("isNull"):
        return Value(None, _HINTS[hint][0] if hint else 0)
    if hint and "stringValue" not in field:
        raise errors.bad(f"The type hint {hint} of parameter {name} needs a stringValue.")
    if "stringValue" in field:
        said = field["stringValue"]
        if "\0" in said:
            raise errors.bad(f"The value of parameter {name} has a character that cannot be stored.")
        if hint:
            _refuse_wrong(name, hint, said)
        return Value(said, _HINTS[hint][0] if hint else TEXT)
    if "booleanValue" in field:
        return Value("true" if field["booleanValue"] else "false", BOOL)
    if "longValue" in field:
        return Value(str(field["longValue"]), LONG)
    if "doubleValue" in field:
        return Value(repr(float(field["doubleValue"])), DOUBLE)
    if "blobValue" in field:
        return Value("\\x" + bytes(field["blobValue"]).hex(), BYTES)
    raise errors.bad(f"The value of parameter {name} is not set.")


def _refuse_wrong(name: str, hint: str, said: str) -> None:
    if not re.fullmatch(_HINTS[hint][1], said, re.DOTALL):
        raise errors.bad(f"The value of parameter {name} is not of the type {hint}.")
    if hint == "JSON":
        try:
            msgspec.json.decode(said)
        except (msgspec.DecodeError, UnicodeError) as wrong:
            raise errors.bad(f"The value of parameter {name} is not of the type {hint}.") from wrong


class Told:
    """How numbers are told: `decimals` and `longs` as text, or as numbers."""

    def __init__(self, options: dict[str, Any] | None) -> None:
        asked = options or {}
        self.decimals = asked.get("decimalReturnType", "STRING") == "STRING"
        self.longs = asked.get("longReturnType", "LONG") == "STRING"

    def plain(self, kind: int, text: str) -> Any:
        """A value of a type as Python has it; bytes of blobs."""
        if kind == BOOL:
            return text == "t"
        if kind in _LONGS:
            return text if self.longs else int(text)
        if kind in _DOUBLES:
            return self._double(text)
        if kind == NUMERIC and not self.decimals:
            return int(text) if "." not in text and _fits(text) else self._double(text)
        if kind == BYTES:
            return bytes.fromhex(text[2:])
        if kind == INSTANT:
            return text.removesuffix("+00")
        return text

    @staticmethod
    def _double(text: str) -> float | str:
        number = float(text)
        return number if math.isfinite(number) else text

    def field(self, column: Column, text: str | None) -> dict[str, Any]:
        """A value as a member of the union."""
        if text is None:
            return {"isNull": True}
        element = _ELEMENTS.get(column.type)
        if element is None:
            return _member(self.plain(column.type, text))
        return {"arrayValue": self._array(element, elements(text))}

    def _array(self, kind: int, found: list[str | None]) -> dict[str, Any]:
        """Every kind of array has a member of its own; what is not of one kind alone is text."""
        if kind == BYTES:
            raise errors.unsupported("The result contains the unsupported data type BYTEA[].")
        held = [None if one is None else self.plain(kind, one) for one in found]
        if kind == BOOL:
            return {"booleanValues": held}
        if kind in _LONGS and not self.longs:
            return {"longValues": held}
        if kind in _DOUBLES and not any(isinstance(one, str) for one in held):
            return {"doubleValues": held}
        if kind == NUMERIC and not self.decimals and not any(isinstance(one, str) for one in held):
            return {"doubleValues": [None if one is None else float(one) for one in held]}
        return {"stringValues": [None if one is None else str(one) for one in held]}

    def json(self, column: Column, text: str | None) -> Any:
        """A value in formatted records."""
        if text is None:
            return None
        element = _ELEMENTS.get(column.type)
        if element is None:
            held = self.plain(column.type, text)
            return base64.b64encode(held).decode() if isinstance(held, bytes) else held
        (found,) = self._array(element, elements(text)).values()
        return found


def _fits(text: str) -> bool:
    return text.lstrip("-").isdigit() and -(1 << 63) <= int(text) < 1 << 63


def _member(held: Any) -> dict[str, Any]:
    names = {bool: "booleanValue", int: "longValue", float: "doubleValue", bytes: "blobValue", str: "stringValue"}
    return {names[type(held)]: held}


_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",{}]+)', re.DOTALL)


def elements(text: str) -> list[str | None]:
    """What an array of one dimension holds, as the engine writes it: ``{1,NULL,"a b"}``."""
    inside = text[text.index("{") + 1 : text.rindex("}")]
    if inside.startswith("{"):
        raise errors.unsupported("The result contains the unsupported data type ARRAY with several dimensions.")
    found = list[str | None]()
    for one in _ELEMENT.finditer(inside):
        if one[1] is not None:
            found.append(re.sub(r"\\(.)", r"\1", one[1], flags=re.DOTALL))
        else:
            found.append(None if one[2] == "NULL" else one[2])
    return found
