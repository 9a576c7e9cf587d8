"""``AWS/Firehose``: what came, what was delivered, how old it was; and what costs money.

https://docs.aws.amazon.com/firehose/latest/dev/cloudwatch-metrics.html
https://aws.amazon.com/firehose/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.gauges import Unwritten, gauges
from cloudjar.kit.metrics import Metric
from cloudjar.kit.observing import Seen, observes
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.services.firehose.records import Delivery

NAMESPACE = "AWS/Firehose"
_BYTES = Tally("AmazonKinesisFirehose", "BilledBytes", "Event")
_ROUNDED = 5 << 10
_TIMED = frozenset(("PutRecord", "PutRecordBatch"))


def measured(world: World, stream: Delivery, name: str, value: float) -> None:
    """A measurement of a delivery stream."""
    unit = "Bytes" if name.endswith("Bytes") else "Seconds" if name.endswith("Freshness") else "Count"
    if name.endswith(("Latency", "Latest")):
        unit = "Milliseconds"
    metric = Metric(NAMESPACE, name, (("DeliveryStreamName", stream.name),))
    gauges(world).add(stream.account, stream.region, metric, float(value), unit)


def billed(world: World, stream: Delivery, sizes: Iterable[int]) -> None:
    """Records that were taken in, each rounded up to 5 KB; in their transaction."""
    quantities: Quantities = world.ports["quantities"]
    amount = sum(-(-max(size, 1) // _ROUNDED) * _ROUNDED for size in sizes)
    quantities.add(Owner(stream.account, stream.region, stream.name), _BYTES, amount)


@observes("firehose")
def answered(seen: Seen) -> None:
    """How long an answer took."""
    if seen.operation not in _TIMED or seen.error:
        return
    stream = seen.ctx.db[Delivery].get(seen.req["DeliveryStreamName"])
    if stream is not None:
        measured(seen.ctx.world, stream, f"{seen.operation}.Latency", round(seen.seconds * 1000, 1))


metrics.derives(NAMESPACE, Unwritten(NAMESPACE, "firehose"))
