"""Scalars of the wire: timestamps in every form AWS takes and gives, numbers, booleans, blobs.

Readers raise `Malformed` for what they cannot read; a codec turns that into its protocol's own error.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Instant = datetime | int | float
"""What a handler may give for a timestamp: a datetime (naive is UTC) or epoch seconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HTTP_DATE = re.compile(
    r"(?:[A-Za-z]+, ?)?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}) (\d\d):(\d\d):(\d\d)(\.\d+)? "
    r"(?:GMT|UTC|Z|([+-])(\d\d):?(\d\d))",
    re.A,
)
_NUMBER = re.compile(r"[+-]?\d{1,19}(?:\.\d*)?(?:[eE][+-]?\d{1,3})?", re.A)
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.A)
_REAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.A)
_SPECIAL = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_I64 = 1 << 63


class Malformed(Exception):
    """The text is no value of the expected type; `text` is what came, `kind` what was wanted."""

    def __init__(self, message: str, text: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.kind = kind


def _bad(text: Any, kind: str) -> Malformed:
    shown = str(text)[:256]
    return Malformed(f"{shown!r} is not a valid {kind}", shown, kind)


def epoch(seconds: float) -> datetime:
    """Epoch seconds -> aware UTC, to the microsecond."""
    try:
        whole = int(seconds)
        return _EPOCH + timedelta(seconds=whole, microseconds=round((seconds - whole) * 1e6))
    except (OverflowError, ValueError):
        raise _bad(seconds, "timestamp") from None


def timestamp(value: Any) -> datetime:
    """Any form AWS accepts, whatever the model prefers: ISO 8601, HTTP date, epoch seconds -> aware UTC."""
    if value.__class__ is str:
        return _timestamp_text(value)
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return epoch(value)
    raise _bad(value, "timestamp")


def _timestamp_text(text: str) -> datetime:
    text = text.strip()
    if _NUMBER.fullmatch(text) and not (len(text) == 8 and text.isdigit()):
        return epoch(float(text) if not text.lstrip("+-").isdigit() else int(text))
    try:
        return _aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    found = _HTTP_DATE.fullmatch(text)
    if found is None:
        raise _bad(text, "timestamp")
    day, month, year, hour, minute, second, fraction, sign, off_h, off_m = found.groups()
    try:
        at = datetime(
            int(year), _MONTHS.index(month.title()) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
        if fraction:
            at += timedelta(microseconds=round(float(fraction) * 1e6))
        if sign:
            offset = timedelta(hours=int(off_h), minutes=int(off_m))
            at = at - offset if sign == "+" else at + offset
    except (ValueError, OverflowError):
        raise _bad(text, "timestamp") from None
    return at


def _aware(at: datetime) -> datetime:
    if at.tzinfo is UTC:
        return at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def integer(text: Any) -> int:
    """A decimal integer of at most 64 bits, from text."""
    if text.__class__ is str and _INTEGER.fullmatch(text):
        value = int(text)
        if -_I64 <= value < _I64:
            return value
    raise _bad(text, "integer")


def real(text: Any) -> float:
    """A decimal number, ``NaN``, ``Infinity`` or ``-Infinity``, from text."""
    if text.__class__ is str and len(text) < 400:
        if _REAL.fullmatch(text):
            return float(text)
        if text in _SPECIAL:
            return _SPECIAL[text]
    raise _bad(text, "number")


def boolean(text: Any) -> bool:
    """``true`` or ``false``, in any case, from text."""
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    raise _bad(text, "boolean")


def blob(text: Any) -> bytes:
    """Base64, standard or URL-safe alphabet, whitespace ignored, from text."""
    if text.__class__ is str:
        try:
            return b64decode("".join(text.split()).replace("-", "+").replace("_", "/"), validate=True)
        except (Base64Error, ValueError):
            pass
    raise _bad(text, "base64 value")


def string(text: Any) -> str:
    """Text as it came."""
    if text.__class__ is not str:
        raise _bad("", "string")
    return str(text)


READERS: dict[str, Callable[[Any], Any]] = {
    "string": string,
    "character": string,
    "integer": integer,
    "long": integer,
    "float": real,
    "double": real,
    "boolean": boolean,
    "timestamp": timestamp,
    "blob": blob,
}
"""Shape type -> reader of text, for query parameters, headers, path labels and XML."""


# -- writing -----------------------------------------------------------------------------------------------------


def iso(at: Instant) -> str:
    """``2026-01-15T12:00:00Z``, with milliseconds only when there are any."""
    at = _instant(at)
    if at.microsecond >= 1000:
        return at.isoformat(timespec="milliseconds")[:23] + "Z"
    return at.isoformat(timespec="seconds")[:19] + "Z"


def iso_ms(at: Instant) -> str:
    """``2026-01-15T12:00:00.000Z``: always milliseconds, as EC2 and S3 write it."""
    return _instant(at).isoformat(timespec="milliseconds")[:23] + "Z"


def http_date(at: Instant) -> str:
    """``Thu, 15 Jan 2026 12:00:00 GMT``."""
    at = _instant(at)
    return (
        f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year:04d} "
        f"{at.hour:02d}:{at.minute:02d}:{at.second:02d} GMT"
    )


def unix(at: Instant) -> int | float:
    """Epoch seconds: an integer when whole, else to the millisecond."""
    if not isinstance(at, datetime):
        return int(at) if at == int(at) else at
    gone = _aware(at) - _EPOCH
    whole = gone.days * 86400 + gone.seconds
    millis = gone.microseconds // 1000
    return (whole * 1000 + millis) / 1000 if millis else whole


def unix_text(at: Instant) -> str:
    """`unix` as text, for headers and XML."""
    return str(unix(at))


def _instant(at: Instant) -> datetime:
    return _aware(at) if isinstance(at, datetime) else epoch(at)


def number(value: float) -> str:
    """A double as text: ``NaN``, ``Infinity`` and ``-Infinity`` are spelled out."""
    value = float(value)
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def truth(value: Any) -> str:
    """A boolean as text."""
    return "true" if value else "false"


def base64(value: bytes | str) -> str:
    """Base64 text of bytes (or of text's UTF-8)."""
    return b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


def timestamp_writer(form: str, default: Callable[[Any], str]) -> Callable[[Any], str]:
    """The writer for a model's ``timestampFormat`` as text; `default` when the model names none."""
    return {"iso8601": iso, "rfc822": http_date, "unixtimestamp": unix_text}.get(form.lower(), default)


def text_writer(kind: str, form: str, default_time: Callable[[Any], str]) -> Callable[[Any], str]:
    """How a scalar of shape type `kind` is spelled in text (not escaped)."""
    if kind == "timestamp":
        return timestamp_writer(form, default_time)
    return {"boolean": truth, "float": number, "double": number, "blob": base64}.get(kind, str)
