"""Metric streams at work: each minute, what was measured goes to Firehose, as the role that the stream was given.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-trustpolicy.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.metric_taps import OLDEST, Entry, Wanted, taps
from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import arn_of
from cloudjar.services.cloudwatch import streaming
from cloudjar.services.cloudwatch.records import RUNNING, MetricStream

_NAMESPACE = "AWS/CloudWatch/MetricStreams"
_BATCH = 16
"""Records in one call, which takes 4 MiB."""
_MINUTE = timedelta(minutes=1)


@reconciler(MetricStream)
def converge(step: Step, stream: MetricStream | None) -> None:
    """One look at a stream: gather what is derived, send what waits, oldest first."""
    if stream is None or stream.state != RUNNING:
        return
    if _gather(step, stream):
        now = step.ctx.now.timestamp()
        step.again("gather", datetime.fromtimestamp(now - now % 60 + 60, UTC))
    held, place = taps(step.world), streaming.place(stream)
    database = step.world.state.database
    with database.transaction():
        held.expire(place)
    while (waiting := held.first(place)) is not None:
        sent = list(streaming.updates(waiting.entries))
        records = streaming.records(stream, sent)
        try:
            for begin in range(0, len(records), _BATCH):
                _send(step, stream, records[begin : begin + _BATCH])
        except AwsError:
            with database.transaction():
                _measured(step, stream, "PublishErrorRate", 1)
            step.again("retry", step.ctx.now + _MINUTE)
            return
        with database.transaction():
            held.done(place, waiting)
            all_of_them, billed = streaming.counted(stream, sent)
            _measured(step, stream, "MetricUpdate", all_of_them)
            _measured(step, stream, "TotalMetricUpdate", billed)
            _measured(step, stream, "PublishErrorRate", 0)


def _send(step: Step, stream: MetricStream, records: list[bytes]) -> None:
    parsed = arns.parse(stream.firehose)
    assert parsed is not None
    who = step.ctx.as_role(
        stream.role, service=streaming.PRINCIPAL, source_arn=arn_of(stream), session_name="CloudWatchMetricStreams"
    )
    asked = {
        "DeliveryStreamName": parsed.resource.removeprefix("deliverystream/"),
        "Records": [{"Data": one} for one in records],
    }
    answer = step.ctx.call("firehose", "PutRecordBatch", asked, caller=who)
    if answer["FailedPutCount"]:
        raise AwsError("ServiceUnavailableException", "Some records were not taken.", 503)


def _measured(step: Step, stream: MetricStream, name: str, amount: float) -> None:
    metric = Metric(_NAMESPACE, name, (("MetricStreamName", stream.name),))
    metrics.put(step.world, stream.account, stream.region, metric, [metrics.value(step.ctx.now, amount)])


def _gather(step: Step, stream: MetricStream) -> bool:
    """Have wait what services derive of the minutes that are over; whether there may be more."""
    held, place, wanted = taps(step.world), streaming.place(stream), streaming.wanted(stream)
    if not any(wanted.some_of(namespace) for namespace, _ in metrics.derived(step.world)):
        return False
    now = int(step.ctx.now.timestamp()) // 60
    with step.world.state.database.transaction():
        upto = held.upto(place)
        if upto is None:
            return False
        if upto < now:
            since = max(upto, now - OLDEST // 60)
            held.handed(place, _derived(step.world, stream, wanted, since * 60, now * 60), now)
    return True


def _derived(world: World, stream: MetricStream, wanted: Wanted, since: int, now: int) -> list[Entry]:
    """Points of periods that ended after `since` and no later than `now`."""
    found: list[Entry] = []
    account, region = stream.account, stream.region
    for namespace, source in metrics.derived(world):
        if not wanted.some_of(namespace):
            continue
        for metric in source.metrics(world, account, region, since):
            step = source.step(world, account, region, metric)
            if not step or not wanted.has(metric.namespace, metric.name):
                continue
            read = source.read(world, account, region, metric, since - step, now)
            points = [point for point in read if since < point.at + step <= now]
            if points:
                found.append((*metric, points))
    return found
