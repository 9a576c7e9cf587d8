"""What happened in a queue, minute by minute: of this come its metrics and its bill.

A row is added to by every call, in the call's own transaction; calls whose transactions are committed together add to
it once. When the first call of a new minute comes, the minutes
before are closed: how deep the queue stood at their end is written down (nothing has changed since but time).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from cloudjar.kit.context import Ctx, World
from cloudjar.services.sqs.leases import Counted
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import made, rows
from cloudjar.services.sqs.standing import NOTHING_SENT, requests

KEPT = 15 * 86_400
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS sqs_minute (queue INTEGER, minute INTEGER, sent INTEGER, bytes INTEGER, low INTEGER, "
    "high INTEGER, received INTEGER, deleted INTEGER, empty INTEGER, requests INTEGER, billed INTEGER, "
    "visible INTEGER, flying INTEGER, delayed INTEGER, oldest INTEGER, PRIMARY KEY (queue, minute)) WITHOUT ROWID"
)
_FAIR = ("noisy", "quiet_visible", "quiet_flying", "quiet_delayed", "quiet_oldest")
"""Columns that came later: a queue whose messages name tenants has them."""
_ADD = (
    "INSERT INTO sqs_minute (queue, minute, sent, bytes, low, high, received, deleted, empty, requests, billed) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,0) ON CONFLICT DO UPDATE SET "
    "sent=sent+excluded.sent, bytes=bytes+excluded.bytes, low=min(low, excluded.low), high=max(high, excluded.high), "
    "received=received+excluded.received, deleted=deleted+excluded.deleted, empty=empty+excluded.empty, "
    "requests=requests+excluded.requests"
)
_PORT = "sqs.minutes"
_COUNTED = "sqs.counted"
Count = tuple[int, int, int, int, int, int, int, int, int, int]
"""Of one call: queue, minute, and what `_ADD` adds."""


class Minute(NamedTuple):
    """One minute of a queue; from `visible` on all are None while it goes on. `oldest` is when the oldest message was
    sent (milliseconds), 0 when there is none. The last five are of a queue with tenants alone: how many are noisy, and
    the same of the messages of all others."""

    minute: int
    sent: int
    bytes: int
    low: int
    high: int
    received: int
    deleted: int
    empty: int
    visible: int | None
    flying: int | None
    delayed: int | None
    oldest: int | None
    noisy: int | None
    quiet_visible: int | None
    quiet_flying: int | None
    quiet_delayed: int | None
    quiet_oldest: int | None


def ready(world: World) -> None:
    """Make the table when it is not there."""
    if _PORT not in world.ports:
        database = world.state.database
        database.query(_SCHEMA)
        have = {row[1] for row in database.query("PRAGMA table_info(sqs_minute)")}
        for column in _FAIR:
            if column not in have:
                database.query(f"ALTER TABLE sqs_minute ADD COLUMN {column} INTEGER")
        world.ports[_PORT] = True
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))


def turn(ctx: Ctx, queue: Queue, now: int) -> None:
    """Close the minutes that are over; to be called before anything in the queue changes."""
    minute = now // 60_000
    if rows(ctx.world).known(queue.number).minute != minute:
        from cloudjar.services.sqs import metrics  # which reads what is written here

        ready(ctx.world)
        _write(ctx.world)
        metrics.close(ctx, queue, minute)
        rows(ctx.world).change(queue.number).minute = minute


def count(
    ctx: Ctx,
    queue: Queue,
    now: int,
    *,
    sent: int = 0,
    size: int = 0,
    low: int = NOTHING_SENT,
    high: int = 0,
    received: int = 0,
    deleted: int = 0,
    empty: int = 0,
) -> None:
    """Count one call; `size` is of all messages sent or received."""
    minute = now // 60_000
    sizes = size if sent else 0
    world = ctx.world
    counted: list[Count] = world.ports.setdefault(_COUNTED, [])
    entry = (queue.number, minute, sent, sizes, low, high, received, deleted, empty, requests(size))
    if not counted:
        world.state.database.before_commit(_COUNTED, lambda: _write(world))
    counted.append(entry)
    world.state.database.on_rollback(partial(_uncount, counted, entry))


def _uncount(counted: list[Count], entry: Count) -> None:
    if entry in counted:  # else it was written, and that is undone too
        counted.remove(entry)


def _write(world: World) -> None:
    """Add up what was counted and not yet written."""
    counted: list[Count] | None = world.ports.get(_COUNTED)
    if not counted:
        return
    entries = counted.copy()
    counted.clear()
    database = world.state.database
    if database.in_transaction:  # before others that joined are committed: should this one be undone, they stay
        database.on_rollback(lambda: counted.extend(entries if database.is_open else ()))
    sums: dict[tuple[int, int], Count] = {}
    for entry in entries:
        known = sums.get(entry[:2])
        sums[entry[:2]] = entry if known is None else _sum(known, entry)
    _add(world, list(sums.values()))


def _add(world: World, sums: list[Count]) -> None:
    world.state.database.executemany(_ADD, sums)
    held = made(world)
    if held is None:
        return
    for queue, minute, *_ in sums:  # a call may have begun before the clock was moved on
        known = held.known(queue)
        known.billed = min(known.billed, minute)


def _sum(one: Count, other: Count) -> Count:
    queue, minute, sent, size, low, high, received, deleted, empty, chunks = one
    return (
        queue, minute, sent + other[2], size + other[3], min(low, other[4]), max(high, other[5]),
        received + other[6], deleted + other[7], empty + other[8], chunks + other[9],
    )  # fmt: skip


def told(world: World, counted: Iterable[Counted]) -> None:
    """Add calls that were counted by themselves (`leases`); in a transaction."""
    ready(world)
    _add(world, [(*one[:8], 0, one[8]) for one in counted])


def settle(world: World) -> None:
    """Who asks sees every receive, and within a transaction what it has counted itself."""
    ready(world)
    rows(world).leases.settle_all()
    if world.state.database.in_transaction:
        _write(world)


_COLUMNS = (
    "minute, sent, bytes, low, high, received, deleted, empty, visible, flying, delayed, oldest, noisy, quiet_visible, "
    "quiet_flying, quiet_delayed, quiet_oldest"
)


def between(world: World, queue: int, first: int, last: int) -> list[Minute]:
    """The minutes in [first, last) in which anything happened, and the one before."""
    settle(world)
    found = world.state.database.query(
        f"SELECT {_COLUMNS} FROM sqs_minute WHERE queue=? AND minute<? AND minute>=coalesce((SELECT max(minute) FROM "
        "sqs_minute WHERE queue=? AND minute<?), ?) ORDER BY minute",
        (queue, last, queue, first, first),
    )
    return [Minute(*row) for row in found]


def was_fair(world: World, queue: int) -> bool:
    """Whether a queue had tenants in any of the minutes that are kept."""
    ready(world)
    asked = "SELECT 1 FROM sqs_minute WHERE queue=? AND noisy IS NOT NULL LIMIT 1"
    return bool(world.state.database.query(asked, (queue,)))


def last(world: World, queue: int) -> int | None:
    """The last minute in which anything happened."""
    settle(world)
    found: int | None = world.state.database.query("SELECT max(minute) FROM sqs_minute WHERE queue=?", (queue,))[0][0]
    return found
