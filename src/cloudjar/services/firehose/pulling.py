"""A Kinesis stream as the source: read as the role that was given, whenever records have come to it.

What is read and how far is kept in one transaction: nothing is read twice and nothing is left out.

https://docs.aws.amazon.com/firehose/latest/dev/writing-with-kinesis-streams.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step
from cloudjar.services.firehose import buffering, delivering, measuring
from cloudjar.services.firehose.records import Delivery
from cloudjar.services.firehose.settings import PRINCIPAL

_AGAIN = 1.0
"""Seconds after which a refused read is tried again."""
_AT_ONCE = 2_000


def pull(step: Step, held: Delivery) -> None:
    """Read everything that has come."""
    ctx = step.ctx
    try:
        who = delivering.actor(ctx, held, held.source_role)
        listed = ctx.call("kinesis", "ListShards", {"StreamARN": held.source_arn}, caller=who, via=PRINCIPAL)
        for shard in sorted(listed["Shards"], key=lambda one: str(one["ShardId"])):
            _of_shard(step, held.name, who, shard)
    except AwsError as error:
        if error.code != "ProvisionedThroughputExceededException":
            delivering.log_failure(ctx, held, held.config, "DataSource." + error.code, error.message)
        step.soon(_AGAIN if error.code == "ProvisionedThroughputExceededException" else 60.0, "pull")


def _of_shard(step: Step, name: str, who: Caller, shard: dict[str, Any]) -> None:
    """Read one shard to its tip."""
    while True:
        held = step.db[Delivery].get(name)
        if held is None:
            return
        ctx = step.ctx
        at = ctx.call("kinesis", "GetShardIterator", _position(held, shard), caller=who, via=PRINCIPAL)
        asked = {"ShardIterator": at["ShardIterator"], "Limit": _AT_ONCE, "StreamARN": held.source_arn}
        found = ctx.call("kinesis", "GetRecords", asked, caller=who, via=PRINCIPAL)
        if not found["Records"]:
            return
        _keep(step, shard["ShardId"], found)
        if not found["MillisBehindLatest"] and len(found["Records"]) < _AT_ONCE:
            return


def _position(held: Delivery, shard: dict[str, Any]) -> dict[str, Any]:
    """Where to read on: after what was read, or from the delivery stream's beginning."""
    told: dict[str, Any] = {"StreamARN": held.source_arn, "ShardId": shard["ShardId"]}
    upto = held.read_upto.get(shard["ShardId"])
    if upto:
        return {**told, "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": upto}
    since = datetime.fromtimestamp(held.created, UTC)
    return {**told, "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": since}


def _keep(step: Step, shard: str, found: dict[str, Any]) -> None:
    ctx: Ctx = step.ctx
    records = found["Records"]
    with step.world.state.database.transaction():
        held = step.db[Delivery].get(step.key)
        if held is None:
            return
        upto = {**held.read_upto, shard: records[-1]["SequenceNumber"]}
        held = step.db[Delivery].put(replace(held, read_upto=upto))
        data = [one["Data"] for one in records]
        buffering.keep(ctx, held, data)
        measuring.measured(step.world, held, "DataReadFromKinesisStream.Records", len(data))
        measuring.measured(step.world, held, "DataReadFromKinesisStream.Bytes", sum(map(len, data)))
        measuring.measured(step.world, held, "KinesisMillisBehindLatest", found["MillisBehindLatest"])
