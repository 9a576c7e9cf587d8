"""Shard iterators: sealed texts that say where to read next; nothing is stored. They are good for five minutes.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html
"""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.kinesis import errors, finding, sequence
from cloudjar.services.kinesis.records import Stream
from cloudjar.services.kinesis.rows import rows
from cloudjar.services.kinesis.shards import Shard

_LIFE = 300_000
_PURPOSE = "kinesis-iterator"
_FORM = struct.Struct(">QQQI12s")
AT, AFTER, HORIZON, LATEST, TIME = (
    "AT_SEQUENCE_NUMBER",
    "AFTER_SEQUENCE_NUMBER",
    "TRIM_HORIZON",
    "LATEST",
    "AT_TIMESTAMP",
)


class Iterator(NamedTuple):
    """Where to read: after a place of a shard (its ordinal) of a stream. `made` is in milliseconds."""

    made: int
    number: int
    after: int
    ordinal: int
    account: str
    name: str


def text(stream: Stream, shard: Shard, after: int, ctx: Ctx) -> str:
    """An iterator that reads after a place."""
    made = int(ctx.now.timestamp() * 1000)
    head = _FORM.pack(made, stream.number, after, shard.ordinal, stream.account.encode())
    return base64.b64encode(ctx.world.sealer.seal(head + stream.name.encode(), _PURPOSE)).decode()


def read(ctx: Ctx, said: str) -> Iterator:
    """What an iterator says. Raises InvalidArgumentException."""
    try:
        opened = ctx.world.sealer.open(base64.b64decode(said.encode(), validate=True), _PURPOSE)
    except ValueError:
        opened = None
    if opened is None:
        raise errors.invalid("Invalid ShardIterator.")
    made, number, after, ordinal, account = _FORM.unpack(opened[: _FORM.size])
    return Iterator(made, number, after, ordinal, account.decode(), opened[_FORM.size :].decode())


def fresh(ctx: Ctx, iterator: Iterator) -> None:
    """Raises ExpiredIteratorException when it is too old."""
    now = int(ctx.now.timestamp() * 1000)
    if now - iterator.made > _LIFE:
        raise AwsError(
            "ExpiredIteratorException",
            f"Iterator expired. The iterator was created at time {_date(iterator.made)} while right now it is "
            f"{_date(now)} which is further in the future than the tolerated delay of {_LIFE} milliseconds.",
            400,
        )


def _date(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")


def stream_of(ctx: Ctx, req: dict[str, Any]) -> Stream:
    """The stream of a request with an iterator, or else by its name. Raises AwsError."""
    said = req.get("ShardIterator")
    if not said:
        return finding.stream(ctx, req)
    iterator = read(ctx, said)
    found = finding.look(ctx, iterator.account, ctx.region, iterator.name)
    if found is None or found.number != iterator.number:
        raise errors.no_stream(iterator.name, iterator.account)
    if req.get("StreamARN") and req["StreamARN"] != ctx.arn(found):
        raise errors.invalid("The ShardIterator is not of the stream of the StreamARN.")
    return found


def start(ctx: Ctx, stream: Stream, shard: Shard, kind: str, number: str | None, instant: datetime | None) -> int:
    """The place after which to read, by a kind of iterator. Raises InvalidArgumentException."""
    wants_number = kind in (AT, AFTER)
    if wants_number != (number is not None):
        raise errors.invalid(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) "
            f"TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {kind} and "
            + ("no StartingSequenceNumber." if number is None else "also a StartingSequenceNumber.")
        )
    store = rows(ctx.world)
    first = store.before(shard, finding.horizon(ctx, stream))
    if number is not None:
        place = _place(stream, shard, number)
        return max(place if kind == AFTER else place - 1, first)
    if kind == LATEST:
        return store.tip(shard).number
    if kind == TIME:
        return max(_since(ctx, shard, instant), first)
    return first


def _since(ctx: Ctx, shard: Shard, instant: datetime | None) -> int:
    if instant is None:
        raise errors.invalid("Must specify timestamp parameter for iterator of type AT_TIMESTAMP.")
    if instant > ctx.now:
        raise errors.invalid(
            f"The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: "
            f"{int(instant.timestamp() * 1000)}, currentTimestampInMillis: {int(ctx.now.timestamp() * 1000)}"
        )
    return rows(ctx.world).before(shard, -(-int(instant.timestamp() * 1_000_000) // 1000))


def _place(stream: Stream, shard: Shard, number: str) -> int:
    found = sequence.read(number)
    if found is None or found.opened != shard.opened // 1000 or found.ordinal != shard.ordinal:
        other = "" if found is None else sequence.shard_id(found.ordinal)
        if found is not None and other != shard.id:
            raise errors.invalid(
                f"Invalid StartingSequenceNumber. It encodes {other}, while it was used in a call to a shard with "
                f"{shard.id}"
            )
        raise errors.invalid(
            f"StartingSequenceNumber {number} used in GetShardIterator on shard {shard.id} in stream {stream.name} "
            f"under account {stream.account} is invalid because it did not come from this stream."
        )
    return found.number
