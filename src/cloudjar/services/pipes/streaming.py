"""A Kinesis stream as the source: shard by shard, in order, from where it was begun.

How far a shard was read is kept once the target has taken it. What it does not take is tried again, less and less
often; records that were taken meanwhile are not sent again. A batch may be cut in two at each failure, so that in the
end the one record is found that is to blame. What has been tried often enough, or is too old, is told to the
dead-letter queue or topic, and passed over.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import event_inputs, target_calls
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step
from cloudjar.services.pipes import running, shaping
from cloudjar.services.pipes.records import RUNNING, Failing, Pipe
from cloudjar.services.pipes.sending import Outcome
from cloudjar.services.pipes.shaping import Item

_LONGEST = 300.0
"""Seconds between two tries, at most."""
_THROTTLED = 1.0
_ROUNDS = 200
"""Batches of a shard in one look."""


class Read(NamedTuple):
    """Records of a shard as they were read."""

    shard: str
    records: list[dict[str, Any]]


def check(ctx: Ctx, pipe: Pipe, who: Caller) -> None:
    """Whether the role may read the stream, and it is there; raises the `AwsError` of why not."""
    ctx.call("kinesis", "DescribeStreamSummary", {"StreamARN": pipe.source}, caller=who)


def read(step: Step, pipe: Pipe, who: Caller) -> datetime | None:
    """Read everything that has come; when to look again, None when only something new will bring more."""
    listed = step.ctx.call("kinesis", "ListShards", {"StreamARN": pipe.source}, caller=who)
    again: list[datetime] = []
    behind: set[str] = set()
    for shard in sorted(listed["Shards"], key=lambda one: str(one["ShardId"])):
        name = str(shard["ShardId"])
        if behind & {shard.get("ParentShardId"), shard.get("AdjacentParentShardId")}:
            behind.add(name)  # a parent's records go first
            continue
        due = _of_shard(step, name, who)
        if due is not None:
            again.append(due)
            behind.add(name)
    return min(again, default=None)


def _of_shard(step: Step, shard: str, who: Caller) -> datetime | None:
    """Read one shard to its tip; when to look at it again if that is not reached."""
    ctx = step.ctx
    for _ in range(_ROUNDS):
        pipe = step.db[Pipe].get(step.key)
        if pipe is None or pipe.state != RUNNING:
            return None
        failing = pipe.failing.get(shard)
        if failing is not None and failing.due > ctx.now.timestamp():
            return datetime.fromtimestamp(failing.due, UTC)
        most = failing.most if failing is not None else pipe.reading["BatchSize"]
        try:
            found = _records(ctx, pipe, shard, who, most)
        except AwsError as error:
            if error.code != "ProvisionedThroughputExceededException":
                raise
            return ctx.now + timedelta(seconds=_THROTTLED)
        if not found:
            return None
        if failing is None:
            due = _gathering(step, pipe, found)
            if due is not None:
                return due
        _carry(step, pipe, who, Read(shard, found), failing)
    return ctx.now


def _records(ctx: Ctx, pipe: Pipe, shard: str, who: Caller, most: int) -> list[dict[str, Any]]:
    asked = {"StreamARN": pipe.source, "ShardId": shard, **_position(pipe, shard)}
    at = ctx.call("kinesis", "GetShardIterator", asked, caller=who)["ShardIterator"]
    while at:
        wanted = {"ShardIterator": at, "Limit": most, "StreamARN": pipe.source}
        found = ctx.call("kinesis", "GetRecords", wanted, caller=who)
        records: list[dict[str, Any]] = found["Records"]
        if records or not found.get("MillisBehindLatest"):
            return records
        at = found.get("NextShardIterator")
    return []


def _position(pipe: Pipe, shard: str) -> dict[str, Any]:
    """Where to read on: after what was read, or where the pipe was told to begin."""
    upto = pipe.read_upto.get(shard)
    if upto:
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": upto}
    start = pipe.reading["StartingPosition"]
    if start == "TRIM_HORIZON":
        return {"ShardIteratorType": start}
    # Of a shard that was not read yet the first record may have come while nobody looked: since the pipe was made.
    since = pipe.reading.get("StartingPositionTimestamp") or pipe.made
    return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": datetime.fromtimestamp(since, UTC)}


def _gathering(step: Step, pipe: Pipe, found: Sequence[dict[str, Any]]) -> datetime | None:
    """Until when a batch is gathered; None when it is to go now. It has waited since its first record came."""
    window = pipe.reading["MaximumBatchingWindowInSeconds"]
    until = _arrived(found[0]) + timedelta(seconds=window)
    return until if len(found) < pipe.reading["BatchSize"] and until > step.ctx.now else None


def _carry(step: Step, pipe: Pipe, who: Caller, batch: Read, failing: Failing | None) -> None:
    """Send what a batch has for the target, and keep how far it is read."""
    ctx = step.ctx
    done = failing.done if failing is not None else ()
    items = [shaping.of_record(pipe, batch.shard, record) for record in batch.records]
    meant = [item for item in shaping.wanted(pipe, items)[0] if item.mark not in done]
    old = pipe.reading["MaximumRecordAgeInSeconds"]
    if old >= 0 and meant and failing is not None:
        age = ctx.now - _arrived(batch.records[0])
        if age.total_seconds() > old:
            _give_up(step, pipe, who, batch, "RecordAgeExceeded", failing.tries)
            return
    if not meant:
        with ctx.world.state.database.transaction():
            _upto(step, batch)
        return
    outcome = running.carry(ctx, pipe, who, meant, lambda told: _keep(step, pipe, batch, meant, told, failing))
    if outcome.failed:
        now = step.db[Pipe].get(step.key)
        still = None if now is None else now.failing.get(batch.shard)
        most = pipe.reading["MaximumRetryAttempts"]
        if now is not None and still is not None and 0 <= most < still.tries:
            _give_up(step, now, who, batch, "RetryAttemptsExhausted", still.tries)


def _keep(
    step: Step, pipe: Pipe, batch: Read, meant: Sequence[Item], told: Outcome, failing: Failing | None
) -> None:
    """What the target answered to a batch; in a transaction."""
    if not told.failed:
        _upto(step, batch)
        return
    now = step.ctx.now.timestamp()
    known = failing or Failing(most=len(batch.records), since=now, due=now)
    taken = tuple(item.mark for item in meant if item.mark not in told.failed)
    known = replace(known, done=(*known.done, *taken), most=len(batch.records))
    if pipe.reading.get("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT" and known.most > 1:
        after = replace(known, most=known.most // 2, due=now)
    else:
        after = replace(known, tries=known.tries + 1, due=now + target_calls.pause(known.tries, _LONGEST))
    step.change(Pipe, lambda held: replace(held, failing={**held.failing, batch.shard: after}))


def _upto(step: Step, batch: Read) -> None:
    """A batch is behind us; in a transaction."""
    last = batch.records[-1]["SequenceNumber"]

    def after(held: Pipe) -> Pipe:
        left = {shard: one for shard, one in held.failing.items() if shard != batch.shard}
        return replace(held, read_upto={**held.read_upto, batch.shard: last}, failing=left)

    step.change(Pipe, after)


def _give_up(step: Step, pipe: Pipe, who: Caller, batch: Read, why: str, tries: int) -> None:
    """Tell the dead-letter queue or topic where the records are, and go on behind them."""
    arn = arns.parse((pipe.reading.get("DeadLetterConfig") or {}).get("Arn") or "")
    try:
        with step.world.state.database.transaction():
            if arn is not None:
                told = event_inputs.dumped(_letter(step.ctx, pipe, batch, why, tries))
                target_calls.bury(step.ctx, arn, told, caller=who)
            _upto(step, batch)
    except AwsError:  # the records stay where they are until somebody has been told
        _later(step, batch)


def _later(step: Step, batch: Read) -> None:
    due = step.ctx.now.timestamp() + _LONGEST

    def after(held: Pipe) -> Pipe:
        failing = held.failing.get(batch.shard)
        if failing is None:
            return held
        return replace(held, failing={**held.failing, batch.shard: replace(failing, due=due)})

    step.change(Pipe, after)


def _letter(ctx: Ctx, pipe: Pipe, batch: Read, why: str, tries: int) -> dict[str, Any]:
    first, last = batch.records[0], batch.records[-1]
    return {
        "context": {"partnerResourceArn": pipe.arn, "condition": why, "approximateInvokeCount": tries},
        "version": "1.0",
        "timestamp": _iso(ctx.now),
        "KinesisBatchInfo": {
            "shardId": batch.shard,
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": last["SequenceNumber"],
            "approximateArrivalOfFirstRecord": _iso(_arrived(first)),
            "approximateArrivalOfLastRecord": _iso(_arrived(last)),
            "batchSize": len(batch.records),
            "streamArn": pipe.source,
        },
    }


def _arrived(record: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(record["ApproximateArrivalTimestamp"], UTC)


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
