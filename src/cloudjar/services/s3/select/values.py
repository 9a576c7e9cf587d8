"""Values of a query: how they are cast, compared and calculated with.

Text of a CSV file is text until it is cast; where it meets a number it is read as one.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-data-types.html
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any

from cloudjar.services.s3.select.tokens import refuse

_LARGEST = 400
"""Powers of ten beyond which text is no number: its digits would fill the memory."""


class _Missing:
    """What is not there: neither a value nor NULL."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()


def absent(value: Any) -> bool:
    """NULL or MISSING."""
    return value is None or value is MISSING


def number(text: str) -> int | Decimal | None:
    """Text as a number, or None."""
    stripped = text.strip()
    try:
        return int(stripped)
    except ValueError:
        pass
    try:
        found = Decimal(stripped)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) < _LARGEST else None


def is_number(value: Any) -> bool:
    """Whether a value is one that can be calculated with."""
    return isinstance(value, (int, Decimal, float)) and not isinstance(value, bool)


def alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values in a form in which they compare. Raises InvalidDataType when there is none."""
    left, right = _plain(left), _plain(right)
    if is_number(left) and isinstance(right, str):
        right = number(right)
    elif is_number(right) and isinstance(left, str):
        left = number(left)
    elif isinstance(left, bool) and isinstance(right, str):
        right = _truth(right)
    elif isinstance(right, bool) and isinstance(left, str):
        left = _truth(left)
    elif isinstance(left, datetime) and isinstance(right, str):
        right = timestamp(right)
    elif isinstance(right, datetime) and isinstance(left, str):
        left = timestamp(left)
    return left, right


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.strip().lower())


def compare(sign: str, left: Any, right: Any) -> bool | None:
    """A comparison; None when a side is not there, or the two cannot be compared."""
    if absent(left) or absent(right):
        return None
    left, right = alike(left, right)
    if left is None or right is None:
        return None
    if sign == "=":
        return bool(left == right)
    if sign == "<>":
        return bool(left != right)
    try:
        if sign == "<":
            return bool(left < right)
        if sign == "<=":
            return bool(left <= right)
        return bool(left > right) if sign == ">" else bool(left >= right)
    except TypeError:
        return None


def calculate(sign: str, left: Any, right: Any) -> Any:
    """Arithmetic. Raises InvalidDataType for what is no number, and EvaluatorInvalidArguments for division by zero."""
    if absent(left) or absent(right):
        return None
    if sign == "||":
        return text_of(left) + text_of(right)
    one, other = _operand(left), _operand(right)
    try:
        if sign == "+":
            return one + other
        if sign == "-":
            return one - other
        if sign == "*":
            return one * other
        if isinstance(one, int) and isinstance(other, int):
            if other == 0:
                raise ZeroDivisionError
            quotient = abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)
            return quotient if sign == "/" else one - other * quotient
        return Decimal(one) / Decimal(other) if sign == "/" else Decimal(one) % Decimal(other)
    except (ZeroDivisionError, DivisionByZero, InvalidOperation):
        raise refuse("EvaluatorInvalidArguments", "Incorrect number of arguments or a division by zero.") from None


def _operand(value: Any) -> int | Decimal:
    value = _plain(value)
    found = number(value) if isinstance(value, str) else value
    if isinstance(found, bool) or not isinstance(found, (int, Decimal)):
        raise refuse("InvalidDataType", "The SQL expression contains a value that is no number where one is needed.")
    return found


def negative(value: Any) -> Any:
    """The number with the other sign."""
    return None if absent(value) else -_operand(value)


_TRUE, _FALSE = ("true", "t", "1", "yes"), ("false", "f", "0", "no")


def cast(value: Any, kind: str) -> Any:
    """``CAST``. Raises CastFailed."""
    if absent(value):
        return value
    found = _cast(_plain(value), kind)
    if found is None:
        raise refuse(
            "CastFailed",
            "Attempt to convert from one data type to another using CAST failed in the SQL expression: "
            f"{text_of(value)[:80]!r} to {kind}.",
        )
    return found


def _cast(value: Any, kind: str) -> Any:
    if kind in ("STRING", "VARCHAR", "CHAR", "CHARACTER"):
        return text_of(value)
    if kind in ("INT", "INTEGER"):
        found = _numeric(value)
        return None if found is None else int(found)
    if kind in ("DECIMAL", "NUMERIC", "FLOAT", "DOUBLE", "REAL"):
        found = _numeric(value)
        return None if found is None else Decimal(found)
    if kind in ("BOOL", "BOOLEAN"):
        return _to_bool(value)
    if isinstance(value, datetime):
        return value
    return timestamp(value) if isinstance(value, str) else None


def _numeric(value: Any) -> int | Decimal | None:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return number(value)
    return value if isinstance(value, (int, Decimal)) else None


def _to_bool(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return bool(value) if is_number(value) else None


def timestamp(text: str) -> datetime | None:
    """Text as an instant: ISO 8601, of which the year suffices (``2007T``, ``2007-02-23T12:14Z``); None: it is none."""
    body = text.strip().rstrip("T")
    forms = {4: f"{body}-01-01", 7: f"{body}-01"}
    try:
        found = datetime.fromisoformat(forms.get(len(body), body))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def text_of(value: Any) -> str:
    """A value as a query's result shows it; "" for what is not there."""
    if absent(value):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, datetime):
        return stamp_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (dict, list)):
        import msgspec

        return msgspec.json.encode(value, enc_hook=str).decode()
    return str(value)


def _decimal_text(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def stamp_text(value: datetime) -> str:
    """An instant in ISO 8601, its fraction only where there is one."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value.isoformat().replace("+00:00", "Z")
