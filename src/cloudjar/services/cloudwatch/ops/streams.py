"""Putting, starting, stopping and deleting metric streams.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Metric-Streams.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.metric_taps import taps
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.cloudwatch import errors, streaming
from cloudjar.services.cloudwatch.records import RUNNING, STOPPED, Filter, MetricStream


@op("PutMetricStream")
def put_metric_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a stream, which runs, or give the one of that name other settings; its state stays then."""
    asked, table = streaming.settings(ctx, req), ctx.db[MetricStream]
    known = table.get(req["Name"])
    if known is None:
        given = {tag["Key"]: tag["Value"] for tag in req.get("Tags") or ()}
        stream = table.add(MetricStream(name=req["Name"], created=ctx.now, updated=ctx.now, tags=given, **asked))
    else:
        stream = table.put(replace(known, updated=ctx.now, **asked))
    if stream.state == RUNNING:
        taps(ctx.world).open(streaming.place(stream), streaming.wanted(stream))
    return {"Arn": arn_of(stream)}


@op("DeleteMetricStream")
def delete_metric_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a stream for good; one that is not there is passed over."""
    stream = ctx.db[MetricStream].get(req["Name"])
    if stream is not None:
        taps(ctx.world).close(streaming.place(stream))
        ctx.db[MetricStream].drop(stream)
    return {}


@op("StartMetricStreams")
def start_metric_streams(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let streams run, all or none; what was measured meanwhile is not sent."""
    for stream in _named(ctx, req):
        if stream.state != RUNNING:
            ctx.db[MetricStream].put(replace(stream, state=RUNNING))
            taps(ctx.world).open(streaming.place(stream), streaming.wanted(stream))
    return {}


@op("StopMetricStreams")
def stop_metric_streams(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Stop streams, all or none; what was not sent yet is not sent any more."""
    for stream in _named(ctx, req):
        if stream.state != STOPPED:
            ctx.db[MetricStream].put(replace(stream, state=STOPPED))
            taps(ctx.world).close(streaming.place(stream))
    return {}


def _named(ctx: Ctx, req: dict[str, Any]) -> list[MetricStream]:
    found = []
    for name in dict.fromkeys(req["Names"]):
        stream = ctx.db[MetricStream].get(name)
        if stream is None:
            raise errors.value(f"Metric stream {name} does not exist.")
        found.append(stream)
    return found


@op("GetMetricStream")
def get_metric_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A stream with all its settings."""
    stream = ctx.db[MetricStream].need(req["Name"])
    more = [
        {
            "IncludeMetrics": [{"Namespace": namespace, "MetricName": name} for namespace, name in one.metrics],
            "AdditionalStatistics": list(one.statistics),
        }
        for one in stream.more
    ]
    return {
        **_entry(stream),
        "RoleArn": stream.role,
        "IncludeFilters": _filters(stream.include),
        "ExcludeFilters": _filters(stream.exclude),
        "StatisticsConfigurations": more or None,
        "IncludeLinkedAccountsMetrics": False,
    }


@op("ListMetricStreams")
def list_metric_streams(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Streams by name."""
    return {"Entries": [_entry(stream) for stream in ctx.db[MetricStream].all()]}


def _filters(held: tuple[Filter, ...]) -> list[dict[str, Any]] | None:
    return [{"Namespace": one.namespace, "MetricNames": list(one.names) or None} for one in held] or None


def _entry(stream: MetricStream) -> dict[str, Any]:
    return {
        "Arn": arn_of(stream),
        "Name": stream.name,
        "FirehoseArn": stream.firehose,
        "State": stream.state,
        "OutputFormat": stream.format,
        "CreationDate": stream.created,
        "LastUpdateDate": stream.updated,
    }
