"""What rules and schedules must be like.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cloudjar.kit import cron, event_patterns
from cloudjar.kit.context import Ctx
from cloudjar.kit.cron_fields import CronError
from cloudjar.kit.event_patterns import Pattern, PatternError
from cloudjar.services.events import errors

_PATTERN_SIZE = "L-664C5505"
_RATE = re.compile(r"rate\(([1-9][0-9]{0,9}) (minute|hour|day)(s?)\)", re.ASCII)
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_KEYS = {
    ("source",): "events:source",
    ("detail-type",): "events:detail-type",
    ("detail", "service"): "events:detail.service",
    ("detail", "eventTypeCode"): "events:detail.eventTypeCode",
    ("detail", "userIdentity", "principalId"): "events:detail.userIdentity.principalId",
}


@lru_cache(maxsize=8192)
def compiled(text: str) -> Pattern:
    """A pattern that was checked, read once."""
    return event_patterns.read(text)


def pattern(ctx: Ctx, text: str) -> str:
    """A pattern that may be; raises InvalidEventPatternException."""
    limit = ctx.limit("events", _PATTERN_SIZE)
    if limit is not None and len(text) > limit:
        raise errors.pattern(f"Event pattern is longer than {int(limit)} characters")
    try:
        compiled(text)
    except PatternError as error:
        raise errors.pattern(str(error)) from None
    return text


def exact_texts(text: str) -> dict[str, list[str]]:
    """Condition keys: the texts that a pattern names at some places; nothing of what cannot be read."""
    try:
        data: Any = json.loads(text)
    except ValueError:
        return {}
    found: dict[str, list[str]] = {}
    for path, key in _KEYS.items():
        held = data
        for name in path:
            held = held.get(name) if isinstance(held, dict) else None
        if isinstance(held, list):
            found[key] = [one for one in held if isinstance(one, str)]
    return found


def schedule(text: str) -> str:
    """A schedule that may be; raises ValidationException."""
    try:
        _schedule(text)
    except CronError:
        raise errors.parameter("ScheduleExpression") from None
    return text


@lru_cache(maxsize=1024)
def _schedule(text: str) -> timedelta | cron.Cron:
    found = _RATE.fullmatch(text)
    if found is None:
        return cron.parse(text)
    if (found[1] == "1") == bool(found[3]):
        raise CronError("one minute, several minutes")
    try:
        return int(found[1]) * _UNITS[found[2]]
    except OverflowError:
        raise CronError("the rate is too large") from None


def next_time(text: str, last: datetime, now: datetime) -> datetime | None:
    """When a schedule is due after `last`, and not before `now`; None when it never is again."""
    held = _schedule(text)
    if isinstance(held, cron.Cron):
        return held.after(max(last, now))
    try:
        passed = max((now - last) // held, 0)
        return last + (passed + 1) * held
    except OverflowError:
        return None
