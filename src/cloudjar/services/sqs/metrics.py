"""``AWS/SQS``: derived from the queues themselves when somebody asks.

How deep a queue stood at the end of a minute was written down when the next call came (`close`); since the last call
only time has passed, and what it did to the queue can be seen in it.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.metrics import Metric, Point
from cloudjar.services.sqs import bill, fairness, groups, minutes
from cloudjar.services.sqs.minutes import Minute
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import rows
from cloudjar.services.sqs.standing import NOTHING_SENT

NAMESPACE = "AWS/SQS"
_ACTIVE = 6 * 60
"""Minutes for which a queue is measured after the last call (or the last message)."""
_COUNTERS = ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted", "NumberOfEmptyReceives")
_DEPTHS = (
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateAgeOfOldestMessage",
)
_FAIR = (
    "ApproximateNumberOfNoisyGroups",
    "ApproximateNumberOfMessagesVisibleInQuietGroups",
    "ApproximateNumberOfMessagesNotVisibleInQuietGroups",
    "ApproximateNumberOfMessagesDelayedInQuietGroups",
    "ApproximateAgeOfOldestMessageInQuietGroups",
)
"""Of a standard queue whose messages name groups."""
_SIZE, _GROUPS = "SentMessageSize", "ApproximateNumberOfGroupsWithInflightMessages"


class Depth(NamedTuple):
    """A queue at the end of a minute; `oldest` is when its oldest message was sent, 0 when there is none."""

    visible: int
    flying: int
    delayed: int
    oldest: int
    quiet: fairness.Quiet | None
    """None of a queue without tenants."""


def _depth(world: World, queue: Queue, at: int) -> Depth:
    store = rows(world)
    counts = store.counts(queue.number, at)
    sent = store.oldest_sent(queue.number)
    return Depth(*counts, sent, None if queue.fifo else fairness.quiet(store, queue.number, at, counts, sent))


def close(ctx: Ctx, queue: Queue, minute: int) -> None:
    """Write down how deep the queue stood at the end of the last minute with a call, and of the one before this; in a
    transaction, before anything changes."""
    world = ctx.world
    before = rows(world).known(queue.number).minute or minutes.last(world, queue.number)
    run = world.state.database.execute
    if (before is None or minute - before > _ACTIVE) and metrics.any_is_watched(world, queue.account, queue.region):
        for metric in names(world, queue):
            metrics.moved(world, queue.account, queue.region, metric)
    if before is None or before >= minute:
        return
    bill.settle(world, queue)
    if minute // 60 != before // 60:
        run("DELETE FROM sqs_minute WHERE queue=? AND minute<?", (queue.number, minute - minutes.KEPT // 60))
    depth = _depth(world, queue, (before + 1) * 60_000 - 1)
    _write_down(world, queue, before, depth)
    if before < minute - 1:
        if depth.flying or depth.delayed or depth.quiet is not None:  # else time has changed nothing
            depth = _depth(world, queue, minute * 60_000 - 1)
        _write_down(world, queue, minute - 1, depth)


def _write_down(world: World, queue: Queue, minute: int, depth: Depth) -> None:
    world.state.database.execute(
        "INSERT INTO sqs_minute VALUES (?,?,0,0,?,0,0,0,0,0,0,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
        "visible=excluded.visible, flying=excluded.flying, delayed=excluded.delayed, oldest=excluded.oldest, "
        "noisy=excluded.noisy, quiet_visible=excluded.quiet_visible, quiet_flying=excluded.quiet_flying, "
        "quiet_delayed=excluded.quiet_delayed, quiet_oldest=excluded.quiet_oldest",
        (queue.number, minute, NOTHING_SENT, *depth[:4], *(depth.quiet or (None,) * 5)),
    )


def names(world: World, queue: Queue) -> Iterator[Metric]:
    """The metrics of a queue."""
    own: tuple[str, ...] = (_GROUPS,)
    if not queue.fifo:
        own = _FAIR if rows(world).has_groups(queue.number) or minutes.was_fair(world, queue.number) else ()
    for name in (*_COUNTERS, *_DEPTHS, _SIZE, *own):
        yield Metric(NAMESPACE, name, (("QueueName", queue.name),))


class Source:
    """Answers for the namespace."""

    service = "sqs"

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """Those of the queues that were used since."""
        ctx = Ctx(world, account, region, service_caller("cloudjar.internal", account))
        for queue in ctx.db[Queue].all():
            last = minutes.last(world, queue.number)
            if last is not None and (last + _ACTIVE) * 60 >= since:
                yield from names(world, queue)

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:
        """A minute, while the queue is in use."""
        queue = self._queue(world, account, region, metric)
        last = None if queue is None else minutes.last(world, queue.number)
        now = int(world.clock.now().timestamp()) // 60
        return 60 if last is not None and now - last <= _ACTIVE else 0

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """Its points of the minutes that begin in [start, stop) and are over."""
        queue = self._queue(world, account, region, metric)
        if queue is None:
            return
        first, end = int(-(-start // 60)), int(-(-stop // 60))
        end = min(end, int(world.clock.now().timestamp()) // 60)
        held = {one.minute: one for one in minutes.between(world, queue.number, first, end)}
        if metric.name in (*_COUNTERS, _SIZE):
            yield from _counted(metric.name, held, first, end)
        else:
            yield from _deep(world, queue, metric.name, held, first, end)

    def _queue(self, world: World, account: str, region: str, metric: Metric) -> Queue | None:
        if len(metric.dimensions) != 1 or metric.dimensions[0][0] != "QueueName":
            return None
        ctx = Ctx(world, account, region, service_caller("cloudjar.internal", account))
        return ctx.db[Queue].get(metric.dimensions[0][1])


def _counted(name: str, held: dict[int, Minute], first: int, end: int) -> Iterator[Point]:
    """What was counted: also nothing, while the queue is in use."""
    last = -1
    for minute in range(min([first, *held]), end):
        one = held.get(minute)
        if one is not None and (one.sent or one.received or one.deleted or one.empty):
            last = minute
        if minute < first or last < 0 or minute - last > _ACTIVE:
            continue
        if name == _SIZE:
            if one is not None and one.sent:
                yield Point(minute * 60.0, "Bytes", one.sent, one.bytes, one.low, one.high, None)
            continue
        values = (one.sent, one.received, one.deleted, one.empty) if one is not None else (0, 0, 0, 0)
        value = float(values[_COUNTERS.index(name)])
        yield Point(minute * 60.0, "Count", 1, value, value, value, ((value, 1),))


def _deep(
    world: World, queue: Queue, name: str, held: dict[int, Minute], first: int, end: int
) -> Iterator[Point]:
    """How deep it stood: as was written down, and after the last call as it can be seen still."""
    newest = minutes.last(world, queue.number)
    known: Depth | None = None
    for minute in range(min([first, *held]), end):
        one = held.get(minute)
        if one is not None and one.visible is not None:
            known = Depth(one.visible, one.flying or 0, one.delayed or 0, one.oldest or 0, _quiet(one))
        if newest is not None and minute >= newest and minute - newest <= _ACTIVE:
            known = _depth(world, queue, (minute + 1) * 60_000 - 1)
            if name == _GROUPS:
                value = float(groups.flying(rows(world), queue.number, (minute + 1) * 60_000 - 1))
                yield Point(minute * 60.0, "Count", 1, value, value, value, ((value, 1),))
        if minute < first or known is None or name == _GROUPS or (name in _FAIR and known.quiet is None):
            continue
        yield _point(minute, name, known)
        if newest is None or minute - newest > _ACTIVE:
            return


def _quiet(one: Minute) -> fairness.Quiet | None:
    if one.noisy is None:
        return None
    rest = (one.quiet_visible, one.quiet_flying, one.quiet_delayed, one.quiet_oldest)
    return fairness.Quiet(one.noisy, *(value or 0 for value in rest))


def _point(minute: int, name: str, depth: Depth) -> Point:
    unit = "Count"
    value = float(dict(zip((*_DEPTHS, *_FAIR), (*depth[:4], *(depth.quiet or ())), strict=False))[name])
    if name in (_DEPTHS[3], _FAIR[4]):
        unit = "Seconds"
        value = max((minute + 1) * 60 - value / 1000, 0.0) // 1 if value else 0.0
    return Point(minute * 60.0, unit, 1, value, value, value, ((value, 1),))


metrics.derives(NAMESPACE, Source())
