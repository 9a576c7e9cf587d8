"""``AWS/Kinesis``: what was put, read and refused; measured where it happens, written by `kit.gauges`.

https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.gauges import Unwritten, gauges
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


def of_stream(world: World, stream: Stream, name: str, value: float) -> None:
    """A measurement of a stream."""
    _add(world, stream, name, value, (("StreamName", stream.name),))


def of_shard(world: World, stream: Stream, shard: Shard, name: str, value: float) -> None:
    """A measurement of a shard, if the stream is to be measured so closely."""
    if name in stream.metrics:
        _add(world, stream, name, value, (("ShardId", shard.id), ("StreamName", stream.name)))


def of_consumer(world: World, stream: Stream, consumer: str, name: str, value: float) -> None:
    """A measurement of a consumer with enhanced fan-out."""
    _add(world, stream, name, value, (("ConsumerName", consumer), ("StreamName", stream.name)))


def _add(world: World, stream: Stream, name: str, value: float, dimensions: tuple[tuple[str, str], ...]) -> None:
    metric = Metric(NAMESPACE, name, dimensions)
    gauges(world).add(stream.account, stream.region, metric, float(value), _unit(name))


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
    of_stream(world, stream, f"{seen.operation}.Success", 0 if seen.error else 1)
    if not seen.error:
        of_stream(world, stream, f"{seen.operation}.Latency", round(seen.seconds * 1000, 1))


metrics.derives(NAMESPACE, Unwritten(NAMESPACE, "kinesis"))
