"""What streams and consumers do by themselves: they become ready, change their shards, end; old records go.

https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from cloudjar.kit import arrivals
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Machine, Step, reconciler
from cloudjar.services.kinesis import finding, reshaping
from cloudjar.services.kinesis.records import (
    ACTIVE,
    CREATING,
    DELETING,
    ON_DEMAND,
    UPDATING,
    Consumer,
    Stream,
)
from cloudjar.services.kinesis.rows import rows
from cloudjar.services.kinesis.shards import shards
from cloudjar.services.kinesis.writing import tell

SECONDS = 1.0
"""How long a change of a stream or a consumer takes, in AWS time."""
_AT_ONCE = 5_000
_AGAIN = 900
"""Seconds between two growths of an on-demand stream."""
_MOST_ON_DEMAND = 200
_WEEK = 168

LIFE = Machine(
    Stream,
    start=CREATING,
    moves="""
    CREATING -> ACTIVE | DELETING
    ACTIVE   -> UPDATING | DELETING
    UPDATING -> ACTIVE | DELETING
""",
)
CONSUMING = Machine(
    Consumer,
    start=CREATING,
    moves="""
    CREATING -> ACTIVE | DELETING
    ACTIVE   -> DELETING
""",
)


def later(ctx: Ctx) -> float:
    """When a change that begins now will be done."""
    return ctx.now.timestamp() + SECONDS


def begin(ctx: Ctx, stream: Stream, steps: Sequence[reshaping.Step], **fields: object) -> Stream:
    """Have a stream's shards changed; until it is done it is UPDATING, and its shards are as they were."""
    text = msgspec.json.encode([(step.closed, [(str(lo), str(hi)) for lo, hi in step.opened]) for step in steps])
    return LIFE.move(ctx, stream, UPDATING, change=text.decode(), due=later(ctx), **fields)


def _steps(text: str) -> list[reshaping.Step]:
    told = msgspec.json.decode(text, type=list[tuple[tuple[int, ...], list[tuple[str, str]]]])
    return [reshaping.Step(closed, tuple((int(lo), int(hi)) for lo, hi in opened)) for closed, opened in told]


@reconciler(Stream)
def converge(step: Step, stream: Stream | None) -> None:
    """One look at a stream, in a transaction of its own."""
    if stream is None:
        return
    if step.wake.purpose == "trim":
        _trim(step)
    elif step.wake.purpose == "grow":
        _grow(step)
    elif stream.state != ACTIVE:
        _finish(step)


def _finish(step: Step) -> None:
    with step.world.state.database.transaction():
        stream = step.db[Stream].get(step.key)
        if stream is None or stream.state == ACTIVE:
            return
        if step.early(stream.due):
            return
        if stream.state != DELETING:
            count = apply(step.ctx, stream, _steps(stream.change)) if stream.change else stream.open_shards
            LIFE.move(step.ctx, stream, ACTIVE, change="", target=0, open_shards=count)
            _count_consumers(step, stream, count)
            return
    while not _erased(step):
        pass


def apply(ctx: Ctx, stream: Stream, steps: Sequence[reshaping.Step]) -> int:
    """Change a stream's shards in the running transaction; how many are open then."""
    table, store, now = shards(ctx.world), rows(ctx.world), int(ctx.now.timestamp() * 1000)
    for one in steps:
        held = table.of(stream.number).by_ordinal
        closing = [held[ordinal] for ordinal in one.closed]
        table.apply(stream.number, one, [store.tip(shard).number for shard in closing], now)
        for shard in closing:
            tell(ctx, shard)
    arrivals.arrived(ctx.world, ctx.arn(stream))
    return len(table.of(stream.number).open)


def _count_consumers(step: Step, stream: Stream, count: int) -> None:
    for consumer in finding.consumers(step.ctx, stream):
        if consumer.shards != count:
            step.db[Consumer].put(replace(consumer, shards=count))


def _erased(step: Step) -> bool:
    """Remove some of a stream that goes; True when it is gone."""
    with step.world.state.database.transaction():
        stream = step.db[Stream].get(step.key)
        if stream is None:
            return True
        table, store = shards(step.world), rows(step.world)
        left = _AT_ONCE
        for shard in table.of(stream.number).all:
            gone = store.remove(shard, store.tip(shard).number, left)
            left -= gone - shard.trimmed
            table.trim(shard, gone)
            tell(step.ctx, shard)
            if left <= 0:
                return False
        for shard in table.of(stream.number).all:
            table.drop(shard)
            store.forget(shard)
        store.drop_keys(stream.number)
        for consumer in finding.consumers(step.ctx, stream):
            step.db[Consumer].drop(consumer)
        step.db[Stream].drop(stream)
        return True


def _trim(step: Step) -> None:
    """Remove expired records, and closed shards that have nothing any more; look again when the next expire."""
    with step.world.state.database.transaction():
        stream = step.db[Stream].get(step.key)
        if stream is None or stream.state == DELETING:
            return
        left = _trimmed(step.ctx, stream)
        long_kept = _long_kept(step.ctx, stream)
        if long_kept != stream.long_kept:
            step.db[Stream].put(replace(stream, long_kept=long_kept))
        soon = 60.0 if left <= 0 else 3600.0
        if _has_anything(step.ctx, stream):
            step.soon(soon, "trim")
        else:
            step.world.ports.get("kinesis.trimming", set()).discard(stream.number)


def _trimmed(ctx: Ctx, stream: Stream) -> int:
    table, store, horizon = shards(ctx.world), rows(ctx.world), finding.horizon(ctx, stream)
    left = _AT_ONCE
    for shard in list(table.of(stream.number).all):
        upto = store.before(shard, horizon)
        if upto > shard.trimmed and left > 0:
            gone = store.remove(shard, upto, left)
            left -= gone - shard.trimmed
            table.trim(shard, gone)
        elif shard.closed is not None and shard.closed < horizon and upto >= (shard.last or 0):
            table.drop(shard)
            store.forget(shard)
    return left


def _long_kept(ctx: Ctx, stream: Stream) -> int:
    """Bytes that are older than a week."""
    if stream.retention <= _WEEK:
        return 0
    store, week = rows(ctx.world), int((ctx.now - timedelta(hours=_WEEK)).timestamp() * 1000)
    return sum(store.size(shard, store.before(shard, week)) for shard in shards(ctx.world).of(stream.number).all)


def _has_anything(ctx: Ctx, stream: Stream) -> bool:
    store = rows(ctx.world)
    held = shards(ctx.world).of(stream.number).all
    return any(shard.closed is not None or store.tip(shard).number > shard.trimmed for shard in held)


def _grow(step: Step) -> None:
    """Twice as many shards for an on-demand stream that has much to do, four times an hour at most."""
    with step.world.state.database.transaction():
        stream, now = step.db[Stream].get(step.key), step.ctx.now.timestamp()
        if stream is None or stream.mode != ON_DEMAND or stream.state != ACTIVE or now < stream.grown + _AGAIN:
            return
        held = shards(step.world).of(stream.number).open
        if 2 * len(held) > _MOST_ON_DEMAND:
            return
        count = apply(step.ctx, stream, reshaping.doubled([shard.range for shard in held]))
        step.db[Stream].put(replace(stream, open_shards=count, grown=now))
        _count_consumers(step, stream, count)


@reconciler(Consumer)
def consume(step: Step, consumer: Consumer | None) -> None:
    """A consumer becomes ready, or goes."""
    if consumer is None or consumer.state == ACTIVE:
        return
    with step.world.state.database.transaction():
        now = step.db[Consumer].get(step.key)
        if now is None or now.state == ACTIVE:
            return
        if step.early(now.due):
            return
        if now.state == DELETING:
            step.db[Consumer].drop(now)
        else:
            stream = step.db[Stream].get(now.stream)
            CONSUMING.move(step.ctx, now, ACTIVE, shards=0 if stream is None else stream.open_shards)
