"""The fields of a cron expression, which AWS's own form and Unix's share. Pure.

What the fields together mean differs from service to service, and is theirs.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import re

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class CronError(ValueError):
    """The expression is none; the message says why."""


def named(field: str, names: tuple[str, ...], first: int) -> str:
    """The field with names as numbers from `first` on; a name may be followed by ``L`` or ``#``."""
    for number, name in enumerate(names, first):
        field = re.sub(rf"\b{name}\b|{name}(?=L|#)", str(number), field)
    return field


def numbers(field: str, low: int, high: int) -> set[int]:
    """What ``*``, ``5``, ``1-5``, ``*/15`` and lists of these stand for; raises `CronError`."""
    found: set[int] = set()
    for part in field.split(","):
        shape = re.fullmatch(r"(\*|\d{1,4})(?:-(\d{1,4}))?(?:/(\d{1,4}))?", part, re.ASCII)
        if shape is None or (shape[1] == "*" and shape[2]):
            raise CronError(f"{part} cannot be read")
        start = low if shape[1] == "*" else int(shape[1])
        end = int(shape[2]) if shape[2] else high if shape[1] == "*" or shape[3] else start
        step = int(shape[3] or 1)
        if not (low <= start <= end <= high and step):
            raise CronError(f"{part} is not between {low} and {high}")
        found.update(range(start, end + 1, step))
    return found
