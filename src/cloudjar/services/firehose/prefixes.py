"""Names of files: prefixes with expressions, and what Firehose appends.

https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloudjar.base import ids
from cloudjar.services.firehose import errors

_EXPRESSION = re.compile(r"!\{([^}]*)\}")
_RUN = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+")
_LETTERS: dict[str, Callable[[datetime, int], str]] = {
    "y": lambda at, width: f"{at.year % 100:02d}" if width == 2 else f"{at.year:0{width}d}",
    "M": lambda at, width: at.strftime({3: "%b", 4: "%B"}.get(width, "")) or f"{at.month:0{width}d}",
    "d": lambda at, width: f"{at.day:0{width}d}",
    "D": lambda at, width: f"{at.timetuple().tm_yday:0{width}d}",
    "H": lambda at, width: f"{at.hour:0{width}d}",
    "h": lambda at, width: f"{(at.hour - 1) % 12 + 1:0{width}d}",
    "m": lambda at, width: f"{at.minute:0{width}d}",
    "s": lambda at, width: f"{at.second:0{width}d}",
    "S": lambda at, width: f"{at.microsecond:06d}".ljust(width, "0")[:width],
    "E": lambda at, width: at.strftime("%A" if width == 4 else "%a"),
    "a": lambda at, _: "AM" if at.hour < 12 else "PM",
}
_RANDOM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ERROR_TYPE = "firehose:error-output-type"
_EXTENSIONS = {"GZIP": ".gz", "ZIP": ".zip"}


def zone(name: str) -> ZoneInfo:
    """A time zone. Raises InvalidArgumentException."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise errors.invalid(f"CustomTimeZone {name} is not a time zone.") from None


def _formatted(pattern: str, at: datetime) -> str:
    out = []
    for run in _RUN.finditer(pattern):
        letter = run[2]
        if letter is None:
            out.append(run[1] if run[0].startswith("'") else run[0])
        elif letter in _LETTERS:
            out.append(_LETTERS[letter](at, len(run[0])))
        else:
            raise errors.invalid(f"The timestamp pattern {pattern} has a letter that is not supported: {letter}.")
    return "".join(out)


def evaluated(prefix: str, at: datetime, *, error_type: str = "") -> str:
    """A prefix with its expressions worked out; `at` is in the time zone that counts. Without an expression of time the
    hour follows, as ``2026/01/15/12/``. Raises InvalidArgumentException."""

    def value(match: re.Match[str]) -> str:
        namespace, _, what = match[1].partition(":")
        if namespace == "timestamp":
            return _formatted(what, at)
        if match[1] == "firehose:random-string":
            return "".join(_RANDOM[ids.below(len(_RANDOM))] for _ in range(11))
        if match[1] == _ERROR_TYPE and error_type:
            return error_type
        raise errors.invalid(f"The expression !{{{match[1]}}} is not supported here.")

    out = _EXPRESSION.sub(value, prefix)
    if "!{timestamp:" in prefix:
        return out
    if error_type and f"!{{{_ERROR_TYPE}}}" not in prefix:
        out += f"{error_type}/"
    return out + at.strftime("%Y/%m/%d/%H/")


def checked(prefix: str, error_prefix: str, at: datetime) -> None:
    """Raises InvalidArgumentException for prefixes that cannot be worked out."""
    if "partitionKeyFrom" in prefix + error_prefix:
        raise errors.not_built("Dynamic partitioning")
    if _EXPRESSION.search(prefix) and not error_prefix:
        raise errors.invalid("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions.")
    if _EXPRESSION.search(error_prefix) and f"!{{{_ERROR_TYPE}}}" not in error_prefix:
        raise errors.invalid(
            "ErrorOutputPrefix with expressions must have at least one instance of !{firehose:error-output-type}."
        )
    evaluated(prefix, at)
    evaluated(error_prefix, at, error_type="processing-failed")


def file_name(stream: str, version: int, at: datetime, compression: str, extension: str) -> str:
    """What comes after the prefix."""
    ending = extension or _EXTENSIONS.get(compression, "")
    return f"{stream}-{version}-{at:%Y-%m-%d-%H-%M-%S}-{ids.uuid4()}{ending}"
