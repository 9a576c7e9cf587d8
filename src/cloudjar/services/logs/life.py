"""What time does to log groups: events come to the end of their retention, what was deleted is cleared away, and what
is stored is measured for the bill.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import meta
from cloudjar.kit.wakes import Wake
from cloudjar.services.logs.finding import horizon
from cloudjar.services.logs.records import LogGroup
from cloudjar.services.logs.rows import rows

_MEASURE, _EXPIRE = "measure", "expire"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_TABLE = meta(LogGroup).spec.name


def tend_soon(ctx: Ctx, group: LogGroup) -> None:
    """Have a group that got events looked at within the hour."""
    place = Wake(_TABLE, group.account, group.region, group.name, "", 0, 0, 0)
    if not ctx.world.state.wakes.expects(place, _MEASURE):
        ctx.wake(group, purpose=_MEASURE, at=ctx.now + _HOUR)


@reconciler(LogGroup)
def tend(step: Step, group: LogGroup | None) -> None:
    """Clear away what is gone and what has expired; measure; see when to look again."""
    _clear(step.world)
    if group is None:
        return
    while _expire(step, group):
        pass
    with step.world.state.database.transaction():
        now = step.db[LogGroup].get(group.name)
        if now is None:
            return
        stored = rows(step.world).stored(now.number)
        if stored != now.billed:
            step.db[LogGroup].put(replace(now, billed=stored))
        oldest = rows(step.world).oldest(now.number) if now.retention else None
        if oldest is not None:
            due = datetime.fromtimestamp(oldest / 1000, UTC) + timedelta(days=now.retention)
            step.again(_EXPIRE, min(max(due, step.ctx.now + _HOUR), step.ctx.now + _DAY))


def _clear(world: World) -> None:
    more = True
    while more:
        with world.state.database.transaction():
            more = rows(world).sweep()


def _expire(step: Step, group: LogGroup) -> bool:
    with step.world.state.database.transaction():
        before = horizon(step.ctx, group)
        return bool(before) and rows(step.world).expire(group.number, before)


@on_boot("logs")
def at_start(world: World) -> None:
    """Clear away what was deleted when the server ended."""
    _clear(world)
