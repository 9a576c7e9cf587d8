"""A query's result as CSV or JSON.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_OutputSerialization.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from cloudjar.services.s3.select.running import Fields
from cloudjar.services.s3.select.tokens import refuse
from cloudjar.services.s3.select.values import MISSING, stamp_text, text_of

Write = Callable[[Fields], bytes]


def writer(form: Mapping[str, Any]) -> Write:
    """From ``OutputSerialization``. Raises InvalidRequestParameter."""
    if form.get("JSON") is not None:
        return _json(form["JSON"].get("RecordDelimiter") or "\n")
    if form.get("CSV") is not None:
        return _csv(form["CSV"])
    raise refuse("MissingRequiredParameter", "The SelectRequest entity is missing a required parameter.")


def _csv(form: Mapping[str, Any]) -> Write:
    comma, end = form.get("FieldDelimiter") or ",", form.get("RecordDelimiter") or "\n"
    quote = '"' if form.get("QuoteCharacter") is None else form["QuoteCharacter"]
    escape = form.get("QuoteEscapeCharacter") or quote
    always = form.get("QuoteFields") == "ALWAYS"

    def field(value: Any) -> str:
        text = text_of(value)
        needed = always or (quote and (comma in text or quote in text or end in text or "\n" in text))
        return f"{quote}{text.replace(quote, escape + quote)}{quote}" if needed and quote else text

    def write(row: Fields) -> bytes:
        return (comma.join(field(value) for value in row.values) + end).encode()

    return write


def _json(end: str) -> Write:
    encode = msgspec.json.Encoder(enc_hook=_plain, decimal_format="number").encode
    tail = end.encode()

    def write(row: Fields) -> bytes:
        named = {
            name: _shown(value) for name, value in zip(row.names, row.values, strict=False) if value is not MISSING
        }
        return encode(named) + tail

    return write


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp_text(value)
    if isinstance(value, Decimal):
        text = text_of(value)
        return msgspec.Raw(text.encode())
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, dict):
        return {name: _shown(one) for name, one in value.items()}
    return value


def _plain(value: Any) -> Any:
    """What JSON has no form of."""
    return value.isoformat() if isinstance(value, date) else str(value)
