"""``AWS/Kinesis``: what was put, read and refused; measured where it happens, written by `kit.gauges`.

https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.gauges import Series, Unwritten, gauges
from cloudjar.kit.metrics import Metric
from cloudjar.kit.observing import Seen, observes
from cloudjar.services.kinesis import iterators
from cloudjar.services.kinesis.records import Stream
from cloudjar.services.kinesis.shards import Shard

NAMESPACE = "AWS/Kinesis"
SHARD_LEVEL = (
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
)
_TIMED = frozenset(("PutRecord", "PutRecords", "GetRecords"))
_UNITS = {"Bytes": "Bytes", "Milliseconds": "Milliseconds", "Latency": "Milliseconds", "Latest": "Milliseconds"}


def _unit(name: str) -> str:
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "Count")


@lru_cache(maxsize=65_536)
def _series(account: str, region: str, name: str, stream: str, more: tuple[tuple[str, str], ...] = ()) -> Series:
    dimensions = tuple(sorted((*more, ("StreamName", stream))))
    return account, region, Metric(NAMESPACE, name, dimensions), _unit(name)


def of_stream(world: World, stream: Stream, name: str, value: float) -> None:
    """A measurement of a stream."""
    of_stream_each(world, stream, ((name, value),))


def of_stream_each(world: World, stream: Stream, values: Iterable[tuple[str, float]]) -> None:
    """Several measurements of a stream, by name."""
    held, now = gauges(world), world.clock.now().timestamp()
    for name, value in values:
        held.measure(_series(stream.account, stream.region, name, stream.name), now, value)


def of_shard(world: World, stream: Stream, shard: Shard, name: str, value: float) -> None:
    """A measurement of a shard, if the stream is to be measured so closely."""
    if name in stream.metrics:
        _of(world, stream, name, value, ("ShardId", shard.id))


def of_consumer(world: World, stream: Stream, consumer: str, name: str, value: float) -> None:
    """A measurement of a consumer with enhanced fan-out."""
    _of(world, stream, name, value, ("ConsumerName", consumer))


def _of(world: World, stream: Stream, name: str, value: float, dimension: tuple[str, str]) -> None:
    series = _series(stream.account, stream.region, name, stream.name, (dimension,))
    gauges(world).measure(series, world.clock.now().timestamp(), value)


@observes("kinesis")
def answered(seen: Seen) -> None:
    """How long an answer took, and whether it was one."""
    if seen.operation not in _TIMED or seen.error == "ResourceNotFoundException":
        return
    try:
        stream = iterators.stream_of(seen.ctx, seen.req)
    except AwsError:
        return
    world = seen.ctx.world
    told = [(f"{seen.operation}.Success", 0.0 if seen.error else 1.0)]
    if not seen.error:
        told.append((f"{seen.operation}.Latency", round(seen.seconds * 1000, 1)))
    of_stream_each(world, stream, told)


metrics.derives(NAMESPACE, Unwritten(NAMESPACE, "kinesis"))
