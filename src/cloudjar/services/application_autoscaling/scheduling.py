"""When scheduled actions happen, and what they do.

https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from cloudjar.kit import cron
from cloudjar.kit.context import Ctx
from cloudjar.kit.cron_fields import CronError
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.application_autoscaling import errors, targets
from cloudjar.services.application_autoscaling.records import Scheduled, Target

_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"rate\((\d{1,6}) (minute|hour|day)(s?)\)")


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name; raises ValidationException."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        raise errors.invalid(f"Invalid time zone: {name}") from None


def following(schedule: str, zone: str, moment: datetime, start: datetime | None) -> datetime | None:
    """The first time after `moment` that is not before `start`; None when there is none. Raises ValidationException."""
    place = zone_of(zone)
    floor = moment if start is None else max(moment, start - timedelta(microseconds=1))
    if schedule.startswith("at("):
        found = _once(schedule, place)
        return found if found > floor else None
    rate = _RATE.fullmatch(schedule)
    if rate is not None and int(rate[1]) and (int(rate[1]) == 1) == (rate[3] == ""):
        return _each(timedelta(seconds=int(rate[1]) * _UNITS[rate[2]]), moment, start)
    try:
        return cron.parse(schedule).after(floor, place)
    except CronError:
        raise errors.invalid(f"Invalid schedule expression: {schedule}") from None


def _once(schedule: str, place: ZoneInfo) -> datetime:
    try:
        found = datetime.strptime(schedule, "at(%Y-%m-%dT%H:%M:%S)")  # noqa: DTZ007  the zone is the action's
    except ValueError:
        raise errors.invalid(f"Invalid schedule expression: {schedule}") from None
    return found.replace(tzinfo=place).astimezone(UTC)


def _each(every: timedelta, moment: datetime, start: datetime | None) -> datetime:
    if start is None or start + every < moment:
        return moment + every
    return start if start > moment else start + every


@reconciler(Scheduled)
def converge(step: Step, _: Scheduled | None) -> None:
    """Do it when it is due, and wait for the next time."""
    with step.world.state.database.transaction():
        action = step.db[Scheduled].get(step.key)
        if action is None:
            return
        if action.due <= step.ctx.now:
            action = _happen(step.ctx, action)
    if action is not None:
        step.again("due", action.due)


def _happen(ctx: Ctx, action: Scheduled) -> Scheduled | None:
    target = ctx.db[Target].get(action.target)
    if target is not None and targets.SCHEDULED not in target.suspended:
        _apply(ctx, target, action)
    due = None
    if target is not None and not action.schedule.startswith("at("):
        due = following(action.schedule, action.zone, ctx.now, action.start)
    if due is None or (action.end is not None and due > action.end):
        ctx.db[Scheduled].drop(action)
        return None
    return ctx.db[Scheduled].put(replace(action, due=due))


def _apply(ctx: Ctx, target: Target, action: Scheduled) -> None:
    """Set the bounds, and bring the capacity within them."""
    least = target.least if action.least is None else action.least
    most = target.most if action.most is None else action.most
    if least > most:
        least, most = (least, least) if action.most is None else (most, most)
    target = ctx.db[Target].put(replace(target, least=least, most=most))
    told = [("minimum", action.least), ("maximum", action.most)]
    what = " and ".join(f"{which} capacity was set to {value}" for which, value in told if value is not None)
    now = targets.capacity(ctx, target)
    wanted = max(least, min(most, now))
    if wanted != now:
        targets.move(ctx, target, wanted, f"scheduled action name {action.name} was triggered: {what}")
