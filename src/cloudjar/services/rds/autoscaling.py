"""Storage that grows by itself when it is nearly full.

It does when no more than a tenth was free for five minutes, and nothing made it larger in the last six hours: by 10
GiB, by a tenth, or by what the last hour says of the next seven, whichever is most.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record, record
from cloudjar.services.rds import rules, telling
from cloudjar.services.rds.records import Change, DbInstance

_FULL, _LASTS, _APART = 0.1, timedelta(minutes=5), timedelta(hours=6)
_LEAST, _PAST, _AHEAD = 10, timedelta(hours=1), 7
_EVERY = timedelta(minutes=5)
_GIB = 1 << 30


@record("rds", "growth", key="id")
class Growth(Record, frozen=True, kw_only=True):
    """How full an instance (by its resource id) is. `free`: (when, bytes) of the last hour, oldest first."""

    id: str
    low: datetime | None = None
    """Since when it is nearly full."""
    grown: datetime | None = None
    """When its storage was last made larger."""
    scaling: bool = False
    """By itself: it is being made so."""
    told: bool = False
    """That it may not grow."""
    free: tuple[tuple[datetime, float], ...] = ()


def consider(ctx: Ctx, db: DbInstance, free: float | None) -> None:
    """Look at what is free (bytes), and have the storage grow when it is time. In a transaction."""
    if free is None or db.cluster:
        return
    now, held = ctx.world.clock.now(), ctx.db[Growth].get(db.resource_id)
    is_low = free <= db.storage * _GIB * _FULL
    if held is None:
        if not is_low and not db.most_storage:
            return
        held = ctx.db[Growth].add(Growth(id=db.resource_id))
    if is_low and held.low is None:
        _say_low(ctx, db, free)
    past = tuple(one for one in held.free if now - one[0] <= _PAST)
    if not past or now - past[-1][0] >= _EVERY:
        past = (*past, (now, free))
    since = (held.low or now) if is_low else None
    held = replace(held, low=since, free=past, told=held.told and is_low)
    if since is None or not db.most_storage or db.state != "available" or now - since < _LASTS:
        _put(ctx, held)
        return
    if held.grown is not None and now - held.grown < _APART:
        _put(ctx, held)
        return
    _grow(ctx, db, held, free)


def _grow(ctx: Ctx, db: DbInstance, held: Growth, free: float) -> None:
    wanted = db.storage + max(_LEAST, math.ceil(db.storage / 10), predicted(held.free, free))
    size = min(wanted, db.most_storage)
    if size < wanted and not held.told:
        said = (
            "Storage autoscaling has triggered a pending scale storage task that will reach or exceed the maximum "
            "storage threshold. Increase the maximum storage threshold."
        )
        telling.instance(ctx, db, "RDS-EVENT-0224", said, "low storage")
        held = replace(held, told=True)
    if size <= db.storage:
        _put(ctx, held)
        return
    _put(ctx, replace(held, scaling=True))
    kept = db.storage >= rules.GP3_WIDE or db.storage_type in ("io1", "io2")
    speed = (db.iops or None, db.throughput or None) if kept else (None, None)
    iops, throughput = rules.performance(db.storage_type, size, *speed, db.engine)
    change = Change(storage=size, iops=iops, throughput=throughput)
    ctx.db[DbInstance].put(replace(db, state="modifying", change=change))
    said = "Applying autoscaling-initiated modification to allocated storage."
    telling.instance(ctx, db, "RDS-EVENT-0217", said, "configuration change")


def predicted(free: tuple[tuple[datetime, float], ...], now: float) -> int:
    """GiB that the next seven hours will take, if they are as the last one (pure)."""
    taken = free[0][1] - now if free else 0.0
    return max(0, math.ceil(taken * _AHEAD / _GIB))


def finished(ctx: Ctx, db: DbInstance) -> bool:
    """Storage was made larger; whether it was by itself. In a transaction."""
    held = ctx.db[Growth].get(db.resource_id)
    after = replace(held or Growth(id=db.resource_id), grown=ctx.world.clock.now(), scaling=False, low=None, free=())
    if held is None:
        ctx.db[Growth].add(after)
        return False
    _put(ctx, after)
    if held.scaling:
        said = "Finished applying autoscaling-initiated modification to allocated storage."
        telling.instance(ctx, db, "RDS-EVENT-0218", said, "configuration change")
    return held.scaling


def forget(ctx: Ctx, resource_id: str) -> None:
    """An instance is gone. In a transaction."""
    held = ctx.db[Growth].get(resource_id)
    if held is not None:
        ctx.db[Growth].drop(held)


def _put(ctx: Ctx, held: Growth) -> None:
    if ctx.db[Growth].get(held.id) != held:
        ctx.db[Growth].put(held)


def _say_low(ctx: Ctx, db: DbInstance, free: float) -> None:
    share = 100 * free / (db.storage * _GIB)
    said = (
        f"The free storage capacity for DB instance: {db.id} is low at {share:.0f}% of the provisioned storage "
        f"[Provisioned Storage: {db.storage} GB, Free Storage: {free / _GIB:.2f} GB]. You may want to increase the "
        "provisioned storage to address this issue."
    )
    telling.instance(ctx, db, "RDS-EVENT-0089", said, "low storage")
