"""The functions of a query.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-sql-functions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from cloudjar.services.s3.select.tokens import refuse
from cloudjar.services.s3.select.values import absent, alike, cast, is_number, timestamp

Function = Callable[[Sequence[Any], str], Any]


def _arity(name: str, args: Sequence[Any], least: int, most: int) -> None:
    if not least <= len(args) <= most:
        raise refuse("EvaluatorInvalidArguments", f"Incorrect number of arguments in the function call {name}.")


def check(name: str, count: int) -> None:
    """Whether a function takes so many arguments. Raises EvaluatorInvalidArguments."""
    least, most = _ARITIES[name]
    _arity(name, range(count), least, most)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise refuse("InvalidDataType", f"The SQL expression contains an invalid data type: {name} takes text.")
    return value


def _coalesce(args: Sequence[Any], word: str) -> Any:
    return next((value for value in args if not absent(value)), None)


def _nullif(args: Sequence[Any], word: str) -> Any:
    left, right = alike(args[0], args[1])
    return None if left == right else args[0]


def _char_length(args: Sequence[Any], word: str) -> Any:
    return None if absent(args[0]) else len(_text("CHAR_LENGTH", args[0]))


def _lower(args: Sequence[Any], word: str) -> Any:
    return None if absent(args[0]) else _text("LOWER", args[0]).lower()


def _upper(args: Sequence[Any], word: str) -> Any:
    return None if absent(args[0]) else _text("UPPER", args[0]).upper()


def _substring(args: Sequence[Any], word: str) -> Any:
    if any(absent(value) for value in args):
        return None
    text, start = _text("SUBSTRING", args[0]), int(cast(args[1], "INT"))
    if len(args) == 2:
        return text[max(start - 1, 0) :]
    length = int(cast(args[2], "INT"))
    if length < 0:
        raise refuse("EvaluatorInvalidArguments", "The length of a SUBSTRING must not be negative.")
    return text[max(start - 1, 0) : max(start - 1 + length, 0)]


def _trim(args: Sequence[Any], word: str) -> Any:
    if any(absent(value) for value in args):
        return None
    text, what = _text("TRIM", args[0]), _text("TRIM", args[1]) if len(args) > 1 else " "
    if word != "TRAILING":
        text = text.lstrip(what)
    return text.rstrip(what) if word != "LEADING" else text


def _instant(value: Any) -> datetime:
    found = timestamp(value) if isinstance(value, str) else value
    if not isinstance(found, datetime):
        raise refuse("InvalidDataType", "The SQL expression contains an invalid data type: a timestamp is needed.")
    return found


def _date_add(args: Sequence[Any], part: str) -> Any:
    if any(absent(value) for value in args):
        return None
    count, when = int(cast(args[0], "INT")), _instant(args[1])
    try:
        if part in ("YEAR", "MONTH"):
            return _months_on(when, count * (12 if part == "YEAR" else 1))
        return when + timedelta(**{part.lower() + "s": count})
    except (OverflowError, ValueError):
        raise refuse("EvaluatorTimestampFormatPatternInvalid", "The timestamp is out of range.") from None


def _months_on(when: datetime, count: int) -> datetime:
    year, month = divmod(when.year * 12 + when.month - 1 + count, 12)
    after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=when.tzinfo)
    last = (_following(after) - timedelta(days=1)).day
    return when.replace(year=after.year, month=after.month, day=min(when.day, last))


def _following(first: datetime) -> datetime:
    return (first + timedelta(days=32)).replace(day=1)


def _date_diff(args: Sequence[Any], part: str) -> Any:
    if any(absent(value) for value in args):
        return None
    start, stop = _instant(args[0]), _instant(args[1])
    if part == "YEAR":
        return stop.year - start.year
    if part == "MONTH":
        return (stop.year - start.year) * 12 + stop.month - start.month
    seconds = {"DAY": 86400, "HOUR": 3600, "MINUTE": 60, "SECOND": 1}.get(part)
    if seconds is None:
        raise refuse("ParseExpectedDatePart", "Did not find the expected date part in the SQL expression.")
    whole = timedelta(seconds=seconds)
    return (stop - start) // whole if stop >= start else -((start - stop) // whole)


def _extract(args: Sequence[Any], part: str) -> Any:
    if absent(args[0]):
        return None
    when = _instant(args[0])
    offset = when.utcoffset() or timedelta(0)
    minutes = int(offset.total_seconds() // 60)
    if part == "TIMEZONE_HOUR":
        return int(minutes / 60)
    if part == "TIMEZONE_MINUTE":
        return minutes - int(minutes / 60) * 60
    return getattr(when, part.lower())


_STAMP = re.compile(r"y{4}|yy?|M{1,5}|d{1,2}|a|h{1,2}|H{1,2}|m{1,2}|s{1,2}|S+|n|X{1,5}|x{1,5}|'[^']*'|.", re.DOTALL)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


def _to_string(args: Sequence[Any], word: str) -> Any:
    if any(absent(value) for value in args):
        return None
    when, pattern = _instant(args[0]), _text("TO_STRING", args[1])
    return "".join(_stamp_part(when, piece) for piece in _STAMP.findall(pattern))


def _stamp_part(when: datetime, piece: str) -> str:
    month = _MONTHS[when.month - 1]
    hour = (when.hour - 1) % 12 + 1
    fixed = {
        "yyyy": f"{when.year:04d}", "yy": f"{when.year % 100:02d}", "y": str(when.year),
        "M": str(when.month), "MM": f"{when.month:02d}", "MMM": month[:3], "MMMM": month, "MMMMM": month[:1],
        "d": str(when.day), "dd": f"{when.day:02d}", "a": "AM" if when.hour < 12 else "PM",
        "h": str(hour), "hh": f"{hour:02d}", "H": str(when.hour), "HH": f"{when.hour:02d}",
        "m": str(when.minute), "mm": f"{when.minute:02d}", "s": str(when.second), "ss": f"{when.second:02d}",
        "n": str(when.microsecond * 1000),
    }  # fmt: skip
    if piece in fixed:
        return fixed[piece]
    if piece[0] == "S":
        return f"{when.microsecond * 1000:09d}".ljust(len(piece), "0")[: len(piece)]
    if piece[0] in "Xx":
        return _zone(when, piece)
    if piece[0] == "'":
        return piece[1:-1] or "'"
    if piece.isalpha():
        raise refuse("EvaluatorTimestampFormatPatternInvalid", f"Time stamp format pattern {piece!r} is not valid.")
    return piece


def _zone(when: datetime, piece: str) -> str:
    minutes = int((when.utcoffset() or timedelta(0)).total_seconds() // 60)
    if not minutes and piece[0] == "X":
        return "Z"
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    if len(piece) == 1:
        return f"{sign}{hours:02d}" + (f"{rest:02d}" if rest else "")
    return f"{sign}{hours:02d}" + (":" if len(piece) in (3, 5) else "") + f"{rest:02d}"


def _to_timestamp(args: Sequence[Any], word: str) -> Any:
    return None if absent(args[0]) else cast(args[0], "TIMESTAMP")


_ARITIES = {
    "COALESCE": (1, 1000), "NULLIF": (2, 2), "CHAR_LENGTH": (1, 1), "CHARACTER_LENGTH": (1, 1), "LOWER": (1, 1),
    "UPPER": (1, 1), "SUBSTRING": (2, 3), "TRIM": (1, 2), "DATE_ADD": (2, 2), "DATE_DIFF": (2, 2), "EXTRACT": (1, 1),
    "TO_STRING": (2, 2), "TO_TIMESTAMP": (1, 1), "UTCNOW": (0, 0),
}  # fmt: skip
BUILT: dict[str, Function] = {
    "COALESCE": _coalesce, "NULLIF": _nullif, "CHAR_LENGTH": _char_length, "CHARACTER_LENGTH": _char_length,
    "LOWER": _lower, "UPPER": _upper, "SUBSTRING": _substring, "TRIM": _trim, "DATE_ADD": _date_add,
    "DATE_DIFF": _date_diff, "EXTRACT": _extract, "TO_STRING": _to_string, "TO_TIMESTAMP": _to_timestamp,
}  # fmt: skip
"""By name; UTCNOW is the query's own instant and not here."""


@lru_cache(maxsize=256)
def like(pattern: str, escape: str) -> re.Pattern[str]:
    """A LIKE pattern as a regular expression. Raises for an escape that escapes nothing."""
    if len(escape) > 1:
        raise refuse("LikeInvalidInputs", "Invalid argument given to the LIKE clause in the SQL expression.")
    segments, letters = [""], iter(pattern)
    for letter in letters:
        if escape and letter == escape:
            following = next(letters, "")
            if following not in ("%", "_", escape) or not following:
                raise refuse("LikeInvalidInputs", "Invalid argument given to the LIKE clause in the SQL expression.")
            segments[-1] += re.escape(following)
        elif letter == "%":
            segments.append("")
        else:
            segments[-1] += "." if letter == "_" else re.escape(letter)
    return re.compile(_linear(segments), re.DOTALL)


def _linear(segments: list[str]) -> str:
    """Segments with anything between them, as an expression that never tries again: a segment in the middle is best
    found where it comes first."""
    if len(segments) == 1:
        return segments[0]
    first, *middle, last = segments
    return first + "".join(f"(?>.*?{segment})" for segment in middle if segment) + ".*" + last


class Tally:
    """One aggregate under way."""

    def __init__(self, name: str, *, rows: bool) -> None:
        self._name = name
        self._rows = rows
        self._count = 0
        self._held: Any = None

    def add(self, value: Any) -> None:
        """One row more; what is not there counts for COUNT(*) alone."""
        if self._rows:
            self._count += 1
            return
        if absent(value):
            return
        self._count += 1
        if self._name == "COUNT":
            return
        found = _numeric_or(value)
        if self._name in ("SUM", "AVG"):
            if not is_number(found):
                raise refuse("InvalidDataType", f"The SQL expression contains a value that {self._name} cannot take.")
            self._held = found if self._held is None else self._held + found
        elif self._held is None:
            self._held = found
        else:
            one, other = alike(self._held, found)
            try:
                less = other < one
            except TypeError:
                raise refuse("InvalidDataType", f"{self._name} met values that do not compare.") from None
            if less == (self._name == "MIN") and one != other:
                self._held = found

    def value(self) -> Any:
        """What came of it."""
        if self._name == "COUNT":
            return self._count
        if self._name == "AVG" and self._held is not None:
            return Decimal(self._held) / self._count
        return self._held


def _numeric_or(value: Any) -> Any:
    """Numbers may be text (CSV); what is none stays what it is."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str):
        from cloudjar.services.s3.select.values import number

        found = number(value)
        return value if found is None else found
    return value


