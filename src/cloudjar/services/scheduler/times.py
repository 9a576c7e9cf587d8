"""When schedules are due."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import meta
from cloudjar.services.scheduler import expressions
from cloudjar.services.scheduler.invocations import invocations
from cloudjar.services.scheduler.records import DISABLED, Schedule

PURPOSE = "schedule"


def moment(seconds: float) -> datetime:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)


def begin(ctx: Ctx, schedule: Schedule) -> Schedule:
    """A schedule as it is to be kept, with the first time it is due; wakes it then."""
    if schedule.state == DISABLED:
        return replace(schedule, next=0.0)
    start = moment(schedule.start) if schedule.start else None
    return _until_end(schedule, expressions.first(schedule.expression, schedule.zone, moment(schedule.since), start))


def reached(ctx: Ctx, schedule: Schedule) -> float:
    """The time at which a stored schedule is due next, 0 when it never is again; in a transaction."""
    due = invocations(ctx.world).followed(schedule.place) if schedule.next else None
    return schedule.next if due is None else due


def follow(ctx: Ctx, schedule: Schedule, last: float) -> float:
    """A stored schedule was due: its next time, 0 when there is none. Times that a server slept through are passed
    over."""
    due = expressions.following(schedule.expression, schedule.zone, moment(last), ctx.now)
    if due is not None and not _is_over(schedule, due):
        at = due.timestamp()
        invocations(ctx.world).follow(schedule.place, at)
        ctx.wake(schedule, purpose=PURPOSE, at=due)
        return at
    with ctx.world.state.wakes.looking(meta(Schedule), schedule):
        restarted(ctx, ctx.db[Schedule].put(replace(schedule, next=0.0)))
    return 0.0


def restarted(ctx: Ctx, schedule: Schedule) -> Schedule:
    """A schedule that was made, or made anew: its times are those of its record; in a transaction."""
    invocations(ctx.world).restart(schedule.place)
    return schedule


def wake(ctx: Ctx, schedule: Schedule) -> None:
    """Have a schedule looked at when it is due; in a transaction."""
    if schedule.next:
        ctx.wake(schedule, purpose=PURPOSE, at=moment(schedule.next))


def _until_end(schedule: Schedule, due: datetime | None) -> Schedule:
    if due is None or _is_over(schedule, due):
        return replace(schedule, next=0.0)
    return replace(schedule, next=due.timestamp())


def _is_over(schedule: Schedule, due: datetime) -> bool:
    return bool(
        schedule.end and due.timestamp() > schedule.end and not expressions.is_once(schedule.expression)
    )
