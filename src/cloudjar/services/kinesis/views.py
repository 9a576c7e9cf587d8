"""Streams, shards and consumers as AWS shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.kinesis import sequence
from cloudjar.services.kinesis.records import Consumer, Stream
from cloudjar.services.kinesis.shards import Shard


def summary(ctx: Ctx, stream: Stream) -> dict[str, Any]:
    """What a stream's description and its summary have in common."""
    told: dict[str, Any] = {
        "StreamName": stream.name,
        "StreamARN": ctx.arn(stream),
        "StreamStatus": stream.state,
        "StreamModeDetails": {"StreamMode": stream.mode},
        "RetentionPeriodHours": stream.retention,
        "StreamCreationTimestamp": stream.created / 1000,
        "EnhancedMonitoring": [{"ShardLevelMetrics": list(stream.metrics)}],
        "EncryptionType": stream.encryption,
    }
    if stream.kms_key:
        told["KeyId"] = stream.kms_key
    return told


def shown(shard: Shard) -> dict[str, Any]:
    """A shard."""
    numbers = {"StartingSequenceNumber": sequence.text(shard.base, 0)}
    if shard.last is not None:
        numbers["EndingSequenceNumber"] = sequence.text(shard.base, shard.last + 1)
    told: dict[str, Any] = {
        "ShardId": shard.id,
        "HashKeyRange": {"StartingHashKey": str(shard.lo), "EndingHashKey": str(shard.hi)},
        "SequenceNumberRange": numbers,
    }
    if shard.parent is not None:
        told["ParentShardId"] = sequence.shard_id(shard.parent)
    if shard.adjacent is not None:
        told["AdjacentParentShardId"] = sequence.shard_id(shard.adjacent)
    return told


def consuming(consumer: Consumer) -> dict[str, Any]:
    """A consumer."""
    return {
        "ConsumerName": consumer.name,
        "ConsumerARN": arn_of(consumer),
        "ConsumerStatus": consumer.state,
        "ConsumerCreationTimestamp": consumer.created / 1000,
    }
