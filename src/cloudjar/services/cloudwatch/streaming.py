"""Metric streams: what may be asked of them, which metrics they have, and how these are written down.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricStream.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-formats-json.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.metric_taps import Entry, Place, Wanted
from cloudjar.kit.record import arn_of
from cloudjar.services.cloudwatch import errors, statistics, telemetry
from cloudjar.services.cloudwatch.records import Filter, MetricStream, MoreStatistics
from cloudjar.store.points import Dimensions, Point, merged

PRINCIPAL = "streams.metrics.cloudwatch.amazonaws.com"
TABLE = "cloudwatch/metric-stream"
JSON = "json"
_FORMATS = (JSON, telemetry.OLD, telemetry.NEW)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MOST_FILTERS = 1000
_MOST_CONFIGURATIONS, _MOST_METRICS, _MOST_STATISTICS = 100, 100, 20
_RECORD = 250_000
"""Bytes of lines in one record of Firehose, which takes 1,000 KiB."""


# -- what is asked
def settings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The fields of a stream that a request asks for; raises what is wrong with it."""
    if not _NAME.fullmatch(req["Name"]):
        raise errors.value("The parameter Name may have letters, digits, dashes and underscores only.")
    if req["OutputFormat"] not in _FORMATS:
        raise errors.value(f"The value {req['OutputFormat']} for parameter OutputFormat is invalid.")
    if req.get("IncludeLinkedAccountsMetrics"):
        raise errors.not_built("Metric streams of linked accounts (IncludeLinkedAccountsMetrics)")
    if req.get("IncludeFilters") and req.get("ExcludeFilters"):
        raise errors.combination("IncludeFilters and ExcludeFilters cannot be specified together.")
    _check_arn(ctx, req["FirehoseArn"], "FirehoseArn", "firehose", "deliverystream", ctx.region)
    _check_arn(ctx, req["RoleArn"], "RoleArn", "iam", "role", "")
    return {
        "firehose": req["FirehoseArn"],
        "role": req["RoleArn"],
        "format": req["OutputFormat"],
        "include": _filters(req, "IncludeFilters"),
        "exclude": _filters(req, "ExcludeFilters"),
        "more": tuple(_more(req)),
    }


def _check_arn(ctx: Ctx, text: str, member: str, service: str, kind: str, region: str) -> None:
    parsed = arns.parse(text)
    there = parsed is not None and (parsed.service, parsed.type) == (service, kind)
    if parsed is None or not there or (parsed.account, parsed.region) != (ctx.account, region):
        raise errors.value(f"The value {text} for parameter {member} is invalid.")


def _filters(req: dict[str, Any], member: str) -> tuple[Filter, ...]:
    given = req.get(member) or ()
    if sum(max(1, len(one.get("MetricNames") or ())) for one in given) > _MOST_FILTERS:
        raise errors.value(f"The parameter {member} may have {_MOST_FILTERS} filters at most.")
    found = []
    for one in given:
        if not one.get("Namespace"):
            raise errors.missing(f"Each filter of {member} must have a Namespace.")
        found.append(Filter(namespace=one["Namespace"], names=tuple(one.get("MetricNames") or ())))
    if len({one.namespace for one in found}) < len(found):
        raise errors.value(f"The parameter {member} has a namespace twice.")
    return tuple(found)


def _more(req: dict[str, Any]) -> Iterator[MoreStatistics]:
    given = req.get("StatisticsConfigurations") or ()
    if len(given) > _MOST_CONFIGURATIONS:
        raise errors.value(f"StatisticsConfigurations may have {_MOST_CONFIGURATIONS} entries at most.")
    for one in given:
        metrics = tuple((metric["Namespace"], metric["MetricName"]) for metric in one["IncludeMetrics"])
        names = tuple(dict.fromkeys(one["AdditionalStatistics"]))
        if not 0 < len(metrics) <= _MOST_METRICS:
            raise errors.value(f"IncludeMetrics must have 1 to {_MOST_METRICS} metrics.")
        if not 0 < len(names) <= _MOST_STATISTICS:
            raise errors.value(f"AdditionalStatistics must have 1 to {_MOST_STATISTICS} statistics.")
        for name in names:
            if name in statistics.PLAIN or statistics.parse(name) is None:
                raise errors.value(f"The value {name} for parameter AdditionalStatistics is invalid.")
            if req["OutputFormat"] != JSON and not telemetry.PERCENTILE.fullmatch(name):
                raise errors.value("In OpenTelemetry's formats AdditionalStatistics may be percentiles only.")
        yield MoreStatistics(metrics=metrics, statistics=names)


def place(stream: MetricStream) -> Place:
    """Where a stream's tap is."""
    return Place(stream.account, stream.region, TABLE, stream.name)


def wanted(stream: MetricStream) -> Wanted:
    """The metrics that a stream has."""
    listed = stream.include or stream.exclude
    return Wanted(not stream.include, {one.namespace: one.names for one in listed})


# -- what is sent
def updates(entries: Iterable[Entry]) -> Iterator[telemetry.Update]:
    """What came, put together by metric, minute and unit."""
    held: dict[tuple[str, str, Dimensions], list[Point]] = {}
    for namespace, name, dimensions, points in entries:
        held.setdefault((namespace, name, dimensions), []).extend(points)
    for metric in sorted(held):
        for point in merged(held[metric], 60):
            yield (*metric, point)


def added(stream: MetricStream, namespace: str, name: str) -> list[str]:
    """The statistics that a metric has beside the usual ones."""
    found = (one.statistics for one in stream.more if (namespace, name) in one.metrics)
    return list(dict.fromkeys(statistic for several in found for statistic in several))


def line(stream: MetricStream, namespace: str, name: str, dimensions: Dimensions, point: Point) -> bytes:
    """One update as a line of JSON. A statistic that its values do not tell is left out."""
    value = {"count": point.samples, "sum": point.total, "max": point.high, "min": point.low}
    for statistic in added(stream, namespace, name):
        measure = statistics.parse(statistic)
        amount = measure(point) if measure is not None else None
        if amount is not None:
            value[statistic] = amount
    said = {
        "metric_stream_name": stream.name,
        "account_id": stream.account,
        "region": stream.region,
        "namespace": namespace,
        "metric_name": name,
        "dimensions": dict(dimensions),
        "timestamp": int(point.at) * 1000,
        "value": {key: float(amount) for key, amount in value.items()},
        "unit": point.unit,
    }
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def records(stream: MetricStream, sent: Sequence[telemetry.Update]) -> list[bytes]:
    """Updates in the stream's format, as records of a size that Firehose takes."""
    if stream.format == JSON:
        return packed(line(stream, *one) for one in sent)
    about = {
        "cloud.provider": "aws", "cloud.account.id": stream.account, "cloud.region": stream.region,
        "aws.exporter.arn": arn_of(stream),
    }  # fmt: skip
    return packed(telemetry.requests(stream.format, about, sent, lambda update: _quantiles(stream, update)))


def _quantiles(stream: MetricStream, update: telemetry.Update) -> dict[float, float]:
    namespace, name, _, point = update
    found = {}
    for statistic in added(stream, namespace, name):
        measure, named = statistics.parse(statistic), telemetry.PERCENTILE.fullmatch(statistic)
        amount = measure(point) if measure is not None and named is not None else None
        if named is not None and amount is not None:
            found[float(named[1]) / 100] = amount
    return found


def packed(lines: Iterable[bytes]) -> list[bytes]:
    """Lines as records of a size that Firehose takes."""
    found: list[bytes] = []
    held: list[bytes] = []
    size = 0
    for one in lines:
        if held and size + len(one) > _RECORD:
            found.append(b"".join(held))
            held, size = [], 0
        held.append(one)
        size += len(one)
    return [*found, b"".join(held)] if held else found


def counted(stream: MetricStream, sent: Sequence[telemetry.Update]) -> tuple[int, int]:
    """(updates, updates as they are billed: every five additional statistics are another)."""
    more = sum(-(-len(added(stream, one[0], one[1])) // 5) for one in sent)
    return len(sent), len(sent) + more
