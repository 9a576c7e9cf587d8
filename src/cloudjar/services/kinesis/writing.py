"""Records into shards.

A record is placed by the MD5 of its partition key (or where it says), in the order in which calls come. Everything of
one call is kept in its transaction: what is answered is on disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit import arrivals
from cloudjar.kit.context import Ctx
from cloudjar.kit.feeds import EVERYBODY
from cloudjar.kit.gauges import gauges
from cloudjar.kit.windows import in_force
from cloudjar.services.kinesis import bill, errors, finding, measuring, sealing, sequence, throttling
from cloudjar.services.kinesis.records import ON_DEMAND, Stream
from cloudjar.services.kinesis.rows import Entry, Tip, row_id, rows
from cloudjar.services.kinesis.shards import Shard

_KIB = 1024
_PER_CALL = 10 << 20
_GROW = 0.5
"""The part of a shard's bytes or records in a second from which an on-demand stream gets more shards."""


class Kept(NamedTuple):
    """Where a record went: its shard and sequence number; None when its shard had no room for it."""

    shard: Shard
    number: str | None


def key(shard: Shard) -> tuple[str, int]:
    """What who waits for a shard's records waits for (`kit.waiting`)."""
    return ("kinesis", shard.sid)


def tell(ctx: Ctx, *changed: Shard) -> None:
    """Who waits for these shards' records hears that something has changed, when it is committed."""
    waits = ctx.world.waits

    def now() -> None:
        for shard in changed:
            waits.notify(key(shard), EVERYBODY)

    ctx.world.state.database.on_commit(now)


def hashed(record: dict[str, Any]) -> int:
    """The hash key of a record. Raises InvalidArgumentException when it names one that is too great."""
    told = record.get("ExplicitHashKey")
    if record.get("PartitionKey") is None:  # which only streams do without that distribute records themselves
        said = "Value null at 'partitionKey' failed to satisfy constraint: Member must not be null"
        raise errors.validation(f"1 validation error detected: {said}")
    if told is None:
        return sequence.hash_of(record["PartitionKey"])
    value = int(told)
    if value >= sequence.HASHES:
        raise errors.invalid(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {told}"
        )
    return value


def measured(stream: Stream, records: Iterable[dict[str, Any]]) -> list[int]:
    """The sizes of records, data and key. Raises what is too large for the stream or for one call."""
    sizes = []
    for record in records:
        if len(record["Data"]) > stream.max_record * _KIB:
            raise _too_large(stream)
        sizes.append(len(record["Data"]) + len(record["PartitionKey"].encode()))
    if len(sizes) > 1 and sum(sizes) > _PER_CALL:
        raise errors.invalid(f"Records size exceeds {_PER_CALL // (1 << 20)} MB limit")
    return sizes


def _too_large(stream: Stream) -> AwsError:
    most = stream.max_record * _KIB
    return AwsError(
        "ValidationException",
        "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than "
        f"or equal to {most}",
        400,
    )


def put(ctx: Ctx, stream: Stream, records: list[dict[str, Any]]) -> list[Kept]:
    """Keep records in the running transaction, in order; those of a shard that is full are left out."""
    hashes = [hashed(record) for record in records]
    sizes = measured(stream, records)
    number, cipher = sealing.for_putting(ctx, stream)
    layout, store, now = finding.layout(ctx, stream), rows(ctx.world), int(ctx.now.timestamp() * 1000)
    second, meters = now // 1000, throttling.meters(ctx.world) if in_force(ctx.world) else None
    tips: dict[Shard, Tip] = {}
    store.database.on_rollback(lambda: store.forget(*tips))
    entries: list[Entry] = []
    kept: list[Kept] = []
    taken: list[tuple[Shard, int]] = []
    for record, where, size in zip(records, hashes, sizes, strict=True):
        shard = layout.at(where)
        if meters is not None and not meters[shard.sid].write(second, size):
            kept.append(Kept(shard, None))
            continue
        tip = tips.get(shard)
        if tip is None:
            tip = tips[shard] = store.tip(shard)
            tip.at = max(tip.at, now)
        tip.number += 1
        data = sealing.sealed(cipher, record["Data"])
        entries.append((row_id(shard, tip.number), tip.at, number, record["PartitionKey"], data))
        kept.append(Kept(shard, sequence.text(shard.base, tip.number)))
        taken.append((shard, size))
    store.add(entries)
    _account(ctx, stream, kept, taken)
    tell(ctx, *tips)
    if stream.mode == ON_DEMAND and meters is not None:
        _grow(ctx, stream, {shard.sid: shard for shard, _ in kept}, second)
    return kept


def _account(ctx: Ctx, stream: Stream, kept: list[Kept], taken: list[tuple[Shard, int]]) -> None:
    """Count what was put, for the bill and for the metrics."""
    world = ctx.world
    told: list[tuple[str, float]] = [("WriteProvisionedThroughputExceeded", len(kept) - len(taken))]
    if taken:
        sizes = [size for _, size in taken]
        bill.put(ctx, stream, sizes)
        told += (("IncomingBytes", sum(sizes)), ("IncomingRecords", len(taken)))
        arrivals.arrived(world, ctx.arn(stream))
        _watch_retention(ctx, stream)
    measuring.of_stream_each(world, stream, told)
    if stream.metrics:
        _by_shard(ctx, stream, kept, taken)
    gauges(world).tick()


def _by_shard(ctx: Ctx, stream: Stream, kept: list[Kept], taken: list[tuple[Shard, int]]) -> None:
    world = ctx.world
    for shard in {one.shard.sid: one.shard for one in kept}.values():
        sizes = [size for of, size in taken if of is shard]
        refused = sum(1 for one in kept if one.shard is shard and one.number is None)
        measuring.of_shard(world, stream, shard, "WriteProvisionedThroughputExceeded", refused)
        if sizes:
            measuring.of_shard(world, stream, shard, "IncomingBytes", sum(sizes))
            measuring.of_shard(world, stream, shard, "IncomingRecords", len(sizes))


def _watch_retention(ctx: Ctx, stream: Stream) -> None:
    """Have expired records removed: an alarm is set by the first record of a life, and by its ringing."""
    armed: set[int] = ctx.world.ports.setdefault("kinesis.trimming", set())
    if stream.number in armed:
        return
    from datetime import timedelta

    armed.add(stream.number)
    ctx.world.state.database.on_rollback(lambda: armed.discard(stream.number))
    ctx.wake(stream, purpose="trim", at=ctx.now + timedelta(hours=stream.retention, minutes=1))


def _grow(ctx: Ctx, stream: Stream, used: dict[int, Shard], second: int) -> None:
    """An on-demand stream of which a shard is half used in a second gets more of them."""
    for sid in used:
        meter = throttling.meter(ctx.world, sid)
        windows = ((meter.written, throttling.WRITE_BYTES), (meter.records, throttling.WRITE_RECORDS))
        if any(limit - window.left(second) > limit * _GROW for window, limit in windows):
            ctx.wake(stream, purpose="grow")
            return
