"""When a secret is rotated next: rules to windows. Pure; times are UTC.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cloudjar.kit import cron
from cloudjar.kit.cron_fields import CronError
from cloudjar.services.secretsmanager import errors
from cloudjar.services.secretsmanager.records import Rotation

_SHORTEST_HOURS, _LONGEST_DAYS = 4, 999
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


class Window(NamedTuple):
    """The rotation happens as it opens."""

    opens: datetime
    closes: datetime


class Rules(NamedTuple):
    """Rotation rules, checked."""

    after_days: int = 0
    expression: str = ""
    duration: str = ""


def read(given: Mapping[str, Any]) -> Rules:
    """A request's RotationRules; raises InvalidParameterException."""
    rules = Rules(
        given.get("AutomaticallyAfterDays") or 0, given.get("ScheduleExpression") or "", given.get("Duration") or ""
    )
    if bool(rules.after_days) == bool(rules.expression):
        raise errors.invalid("You must specify either AutomaticallyAfterDays or ScheduleExpression, but not both.")
    every = _period(rules)
    hours = _hours(rules.duration)
    if hours is not None and (hours < 1 or (every is not None and timedelta(hours=hours) > every)):
        raise errors.invalid("The rotation window must not extend into the next rotation window.")
    return rules


def following(rotation: Rotation | Rules, moment: datetime) -> Window:
    """The first window that opens after a moment; for periods, the moment is that of the last rotation."""
    rules = Rules(rotation.after_days, rotation.expression, rotation.duration)
    every = _period(rules)
    if every is None:
        compiled = _compiled(rules.expression)
        opens = compiled.after(moment)
        if opens is None:
            raise errors.invalid(f"The schedule expression {rules.expression} has no next time.")
        return Window(opens, _closing(opens, rules.duration, hourly=compiled.several_a_day))
    if every < _DAY:
        opens = (moment + every).replace(minute=0, second=0, microsecond=0)
        opens = opens if opens > moment else opens + _HOUR
        return Window(opens, _closing(opens, rules.duration, hourly=True))
    opens = (moment + every).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(opens, _closing(opens, rules.duration, hourly=False))


def _closing(opens: datetime, duration: str, *, hourly: bool) -> datetime:
    """After its duration; without one after an hour, or at the end of the day."""
    hours = _hours(duration)
    if hours is not None:
        return opens + timedelta(hours=hours)
    if hourly:
        return opens + _HOUR
    return opens.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY


def _hours(duration: str) -> int | None:
    return int(duration.removesuffix("h")) if duration else None


def _period(rules: Rules) -> timedelta | None:
    """How long between rotations; None when a cron expression says when."""
    if rules.after_days:
        return timedelta(days=rules.after_days)
    text = rules.expression.strip()
    if text.startswith("cron("):
        _compiled(text)
        return None
    found = re.fullmatch(r"rate\((\d+) (hour|hours|day|days)\)", text)
    if found is None:
        raise errors.invalid(f"Invalid ScheduleExpression: {rules.expression}")
    number, hourly = int(found[1]), found[2].startswith("hour")
    if not (number >= _SHORTEST_HOURS if hourly else 1 <= number <= _LONGEST_DAYS) or number > _LONGEST_DAYS:
        raise errors.invalid(f"Invalid ScheduleExpression: {rules.expression}. The shortest rate is 4 hours.")
    return timedelta(hours=number) if hourly else timedelta(days=number)


def _compiled(text: str) -> cron.Cron:
    try:
        found = cron.parse(text)
    except CronError as error:
        raise errors.invalid(f"Invalid ScheduleExpression: {text}: {error}.") from None
    if found.minutes != (0,):
        raise errors.invalid(f"Invalid ScheduleExpression: {text}: minutes must be 0.")
    if found.years is not None:
        raise errors.invalid(f"Invalid ScheduleExpression: {text}: the year must be *.")
    return found
