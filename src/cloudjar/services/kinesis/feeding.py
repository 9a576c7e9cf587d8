"""Enhanced fan-out: a shard's records pushed to a consumer, for five minutes at a time.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.base.clock import monotonic
from cloudjar.kit.context import Ctx
from cloudjar.kit.feeds import EVERYBODY, Feed, Look
from cloudjar.kit.gauges import gauges
from cloudjar.services.kinesis import bill, errors, finding, measuring, reading, sequence
from cloudjar.services.kinesis.records import ACTIVE, UPDATING, Consumer, Stream
from cloudjar.services.kinesis.shards import Shard
from cloudjar.services.kinesis.writing import key

_SECONDS = 300
_AGAIN = 5.0
"""Seconds in which a consumer may not subscribe to a shard a second time; later the new subscription takes over."""
_HEARTBEAT = 2.0
"""Seconds after which an event without records says that the connection lives."""
_AT_ONCE, _BYTES = 10_000, 1 << 20
_PORT = "kinesis.subscriptions"


class _Place(NamedTuple):
    consumer: str
    sid: int


class Subscription:
    """One consumer's connection to one shard."""

    def __init__(self, ctx: Ctx, consumer: Consumer, stream: Stream, shard: Shard, after: int) -> None:
        self._ctx = ctx
        self._consumer = consumer
        self._stream = stream
        self._shard = shard
        self._after = after
        self._told = float("-inf")
        self.began = monotonic()
        self._place = _Place(f"{consumer.account}/{consumer.path}", shard.sid)

    def feed(self) -> Feed:
        """The events. Raises ResourceInUseException when the consumer has subscribed to the shard just now."""
        held = _held(self._ctx)
        known = held.get(self._place)
        if known is not None and self.began - known.began < _AGAIN:
            raise errors.in_use(
                f"Another active subscription exists for this consumer: {self._stream.account}:{self._stream.name}:"
                f"{self._shard.id}:{self._consumer.name}"
            )
        held[self._place] = self
        waits = self._ctx.world.waits
        if known is not None:
            waits.notify(key(self._shard), EVERYBODY)  # who had it before learns that it has not any more
        return Feed(waits, key(self._shard), _SECONDS, self._look, self._left)

    def _left(self) -> None:
        held = _held(self._ctx)
        if held.get(self._place) is self:
            del held[self._place]

    def _look(self) -> Look:
        if _held(self._ctx).get(self._place) is not self:
            return Look(over=True)
        self._ctx = ctx = self._ctx.at(self._ctx.account, self._ctx.region)  # with the time of now
        stream = finding.look(ctx, self._stream.account, self._stream.region, self._stream.name)
        if stream is None or stream.number != self._stream.number or stream.state not in (ACTIVE, UPDATING):
            raise errors.no_stream(self._stream.name, self._stream.account)
        if finding.consumer_of(ctx, ctx.arn(self._consumer)) is None:
            raise errors.no_consumer(ctx.arn(self._consumer), ctx.account)
        self._shard = finding.shard(ctx, stream, self._shard.id)
        found = reading.batch(ctx, stream, self._shard, self._after, _AT_ONCE, _BYTES)
        idle = monotonic() - self._told
        if not found.records and not found.over and idle < _HEARTBEAT:
            return Look(again=_HEARTBEAT - idle)
        self._after, self._told = found.after, monotonic()
        self._count(stream, found)
        more = not found.over and bool(found.records)
        return Look([self._event(ctx, stream, found)], again=0 if more else _HEARTBEAT, over=found.over)

    def _event(self, ctx: Ctx, stream: Stream, found: reading.Batch) -> dict[str, Any]:
        event: dict[str, Any] = {
            "Records": found.records,
            "ContinuationSequenceNumber": sequence.text(self._shard.base, found.after),
            "MillisBehindLatest": found.behind,
        }
        if found.over:
            event["ChildShards"] = reading.children(ctx, stream, self._shard)
        return {"SubscribeToShardEvent": event}

    def _count(self, stream: Stream, found: reading.Batch) -> None:
        world, name = self._ctx.world, self._consumer.name
        measuring.of_consumer(world, stream, name, "SubscribeToShardEvent.MillisBehindLatest", found.behind)
        measuring.of_consumer(world, stream, name, "SubscribeToShardEvent.Success", 1)
        if found.records:
            measuring.of_consumer(world, stream, name, "SubscribeToShardEvent.Records", len(found.records))
            measuring.of_consumer(world, stream, name, "SubscribeToShardEvent.Bytes", found.size)
            bill.fanned_out(world, stream, found.size)
        gauges(world).tick()


def _held(ctx: Ctx) -> dict[_Place, Subscription]:
    held: dict[_Place, Subscription] = ctx.world.ports.setdefault(_PORT, {})
    return held
