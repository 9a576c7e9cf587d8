"""What happened in a queue, minute by minute: of this come its metrics and its bill.

A row is added to by every call, in the call's own transaction. When the first call of a new minute comes, the minutes
before are closed: how deep the queue stood at their end is written down (nothing has changed since but time).
"""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.kit.context import Ctx, World
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import rows

KEPT = 15 * 86_400
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS sqs_minute (queue INTEGER, minute INTEGER, sent INTEGER, bytes INTEGER, low INTEGER, "
    "high INTEGER, received INTEGER, deleted INTEGER, empty INTEGER, requests INTEGER, billed INTEGER, "
    "visible INTEGER, flying INTEGER, delayed INTEGER, oldest INTEGER, PRIMARY KEY (queue, minute)) WITHOUT ROWID"
)
_ADD = (
    "INSERT INTO sqs_minute VALUES (?,?,?,?,?,?,?,?,?,?,0,NULL,NULL,NULL,NULL) ON CONFLICT DO UPDATE SET "
    "sent=sent+excluded.sent, bytes=bytes+excluded.bytes, low=min(low, excluded.low), high=max(high, excluded.high), "
    "received=received+excluded.received, deleted=deleted+excluded.deleted, empty=empty+excluded.empty, "
    "requests=requests+excluded.requests"
)
_CHUNK = 64 << 10
_PORT = "sqs.minutes"
NOTHING_SENT = 1 << 40
"""`low` of a minute in which nothing was sent."""


class Minute(NamedTuple):
    """One minute of a queue; the last four are None while it goes on. `oldest` is when the oldest message was sent
    (milliseconds), 0 when there is none."""

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


def ready(world: World) -> None:
    """Make the table when it is not there."""
    if _PORT not in world.ports:
        world.state.database.query(_SCHEMA)
        world.ports[_PORT] = True
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))


def turn(ctx: Ctx, queue: Queue, now: int) -> None:
    """Close the minutes that are over; to be called before anything in the queue changes."""
    minute = now // 60_000
    if rows(ctx.world).known(queue.number).minute != minute:
        from cloudjar.services.sqs import metrics  # which reads what is written here

        ready(ctx.world)
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
    chunks = max(-(-size // _CHUNK), 1)
    sizes = size if sent else 0
    ctx.world.state.database.execute(
        _ADD, (queue.number, minute, sent, sizes, low, high, received, deleted, empty, chunks)
    )


_COLUMNS = "minute, sent, bytes, low, high, received, deleted, empty, visible, flying, delayed, oldest"


def between(world: World, queue: int, first: int, last: int) -> list[Minute]:
    """The minutes in [first, last) in which anything happened, and the one before."""
    ready(world)
    found = world.state.database.query(
        f"SELECT {_COLUMNS} FROM sqs_minute WHERE queue=? AND minute<? AND minute>=coalesce((SELECT max(minute) FROM "
        "sqs_minute WHERE queue=? AND minute<?), ?) ORDER BY minute",
        (queue, last, queue, first, first),
    )
    return [Minute(*row) for row in found]


def last(world: World, queue: int) -> int | None:
    """The last minute in which anything happened."""
    ready(world)
    found: int | None = world.state.database.query("SELECT max(minute) FROM sqs_minute WHERE queue=?", (queue,))[0][0]
    return found
