"""Output as Run Command keeps and shows it (pure): the figures are those of AWS's agent."""

from __future__ import annotations

from datetime import datetime

MOST_OUT, MOST_ERR, MOST_LISTED = 24_000, 8_000, 2_500
"""Characters of standard output, of errors, and of both in a list of invocations."""
_CUT = "--output truncated--"
_BETWEEN = "\n----------ERROR-------\n"


def kept(data: bytes, most: int) -> str:
    """The beginning of an output; what was cut off is said."""
    text = data.decode("utf-8", "replace").replace("\0", "")
    return text if len(text) <= most else text[: most - len(_CUT)] + _CUT


def listed(out: str, err: str) -> str:
    """Both outputs in one text."""
    text = out + (_BETWEEN + err if err else "")
    return text if len(text) <= MOST_LISTED else text[: MOST_LISTED - len(_CUT)] + _CUT


def instant(when: datetime | None) -> str:
    """``2026-01-15T12:00:00.000Z``; empty for none."""
    return "" if when is None else when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def elapsed(began: datetime | None, ended: datetime | None) -> str:
    """``PT0.004S``; empty while it is not over."""
    if began is None or ended is None:
        return ""
    seconds = (ended - began).total_seconds()
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "S"
    return "PT" + (f"{int(hours)}H" if hours else "") + (f"{int(minutes)}M" if minutes else "") + text
