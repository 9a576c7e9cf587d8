"""Records: put and read.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.gauges import gauges
from cloudjar.kit.operation import op
from cloudjar.kit.windows import in_force
from cloudjar.services.kinesis import (
    bill,
    errors,
    feeding,
    finding,
    iterators,
    measuring,
    reading,
    sequence,
    throttling,
    writing,
)
from cloudjar.services.kinesis.records import Stream

_MOST = 10_000


@op("PutRecord", data=True)
def put_record(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep one record."""
    stream = finding.usable(ctx, req)
    _ordered(stream, req.get("SequenceNumberForOrdering"))
    if req.get("DryRun"):
        raise errors.dry_run()
    [kept] = writing.put(ctx, stream, [req])
    size = len(req["Data"])
    if kept.number is None:
        raise errors.too_fast(kept.shard.id, stream.name, stream.account)
    measuring.of_stream(ctx.world, stream, "PutRecord.Bytes", size)
    return {"ShardId": kept.shard.id, "SequenceNumber": kept.number, "EncryptionType": stream.encryption}


def _ordered(stream: Stream, number: str | None) -> None:
    """Numbers grow anyway: what they are to be greater than need only be one."""
    if number is not None and sequence.read(number) is None:
        raise errors.invalid(
            f"ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream {stream.name} under account "
            f"{stream.account} is invalid."
        )


@op("PutRecords", data=True)
def put_records(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep several records, in order; those whose shard is full come back as failed."""
    stream = finding.usable(ctx, req)
    if req.get("DryRun"):
        raise errors.dry_run()
    kept = writing.put(ctx, stream, req["Records"])
    failed = sum(1 for one in kept if one.number is None)
    world = ctx.world
    measuring.of_stream_each(
        world,
        stream,
        (
            ("PutRecords.Bytes", sum(len(one["Data"]) for one in req["Records"])),
            ("PutRecords.TotalRecords", len(kept)),
            ("PutRecords.SuccessfulRecords", len(kept) - failed),
            ("PutRecords.Records", len(kept) - failed),
            ("PutRecords.FailedRecords", 0),
            ("PutRecords.ThrottledRecords", failed),
        ),
    )
    told: dict[str, Any] = {"FailedRecordCount": failed, "EncryptionType": stream.encryption}
    told["Records"] = [
        {"SequenceNumber": one.number, "ShardId": one.shard.id} if one.number is not None else _failure(stream, one)
        for one in kept
    ]
    return told


def _failure(stream: Stream, one: writing.Kept) -> dict[str, Any]:
    error = errors.too_fast(one.shard.id, stream.name, stream.account)
    return {"ErrorCode": error.code, "ErrorMessage": error.message}


@op("GetShardIterator", data=True)
def get_shard_iterator(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Where to read a shard from."""
    stream = finding.usable(ctx, req)
    shard = finding.shard(ctx, stream, req["ShardId"])
    after = iterators.start(
        ctx, stream, shard, req["ShardIteratorType"], req.get("StartingSequenceNumber"), req.get("Timestamp")
    )
    if req.get("DryRun"):
        raise errors.dry_run()
    return {"ShardIterator": iterators.text(stream, shard, after, ctx)}


@op("GetRecords", writes=False, data=True)
def get_records(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The next records of a shard, and where to read on."""
    iterator = iterators.read(ctx, req["ShardIterator"])
    stream = iterators.stream_of(ctx, req)
    iterators.fresh(ctx, iterator)
    shard = finding.shard(ctx, stream, sequence.shard_id(iterator.ordinal))
    if req.get("DryRun"):
        raise errors.dry_run()
    world, second = ctx.world, int(ctx.now.timestamp())
    limited = in_force(world)
    meter = throttling.meter(world, shard.sid)
    allowed = not limited or meter.ask(second)
    measuring.of_stream(world, stream, "ReadProvisionedThroughputExceeded", 0 if allowed else 1)
    measuring.of_shard(world, stream, shard, "ReadProvisionedThroughputExceeded", 0 if allowed else 1)
    if not allowed:
        raise errors.too_fast(shard.id, stream.name, stream.account)
    limit = req.get("Limit") or _MOST
    found = reading.batch(ctx, stream, shard, iterator.after, limit)
    meter.gave(found.size)
    told: dict[str, Any] = {"Records": found.records, "MillisBehindLatest": found.behind}
    if found.over:
        told["ChildShards"] = reading.children(ctx, stream, shard)
    else:
        told["NextShardIterator"] = iterators.text(stream, shard, found.after, ctx)
    _read(ctx, stream, shard.ordinal, found)
    return told


def _read(ctx: Ctx, stream: Stream, ordinal: int, found: reading.Batch) -> None:
    """Count what was read."""
    world, shard = ctx.world, finding.layout(ctx, stream).by_ordinal[ordinal]
    age = 0.0
    if found.records:
        age = max(ctx.now.timestamp() - found.records[-1]["ApproximateArrivalTimestamp"], 0.0) * 1000
    measuring.of_stream(world, stream, "GetRecords.Bytes", found.size)
    measuring.of_stream(world, stream, "GetRecords.Records", len(found.records))
    measuring.of_stream(world, stream, "GetRecords.IteratorAgeMilliseconds", round(age))
    if found.records:
        measuring.of_shard(world, stream, shard, "OutgoingBytes", found.size)
        measuring.of_shard(world, stream, shard, "OutgoingRecords", len(found.records))
    measuring.of_shard(world, stream, shard, "IteratorAgeMilliseconds", round(age))
    bill.read(world, stream, found.size)
    gauges(world).tick()


@op("SubscribeToShard", writes=False, data=True)
def subscribe_to_shard(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A shard's records as they come, for five minutes."""
    consumer = finding.consumer(ctx, req)
    stream = finding.look(ctx, consumer.account, consumer.region, consumer.stream)
    if stream is None or consumer.state == "DELETING":
        raise errors.no_consumer(req["ConsumerARN"], ctx.account)
    if consumer.state != "ACTIVE":
        raise errors.in_use(f"Consumer {req['ConsumerARN']} is not ACTIVE, instead in state {consumer.state}")
    shard, position = finding.shard(ctx, stream, req["ShardId"]), req["StartingPosition"]
    after = iterators.start(
        ctx, stream, shard, position["Type"], position.get("SequenceNumber"), position.get("Timestamp")
    )
    if req.get("DryRun"):
        raise errors.dry_run()
    measuring.of_consumer(ctx.world, stream, consumer.name, "SubscribeToShard.Success", 1)
    return {"EventStream": feeding.Subscription(ctx, consumer, stream, shard, after).feed()}
