"""Questions about the load of databases.

https://docs.aws.amazon.com/performance-insights/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.database_load import database_load
from cloudjar.kit.operation import op
from cloudjar.services.pi import groups, reading
from cloudjar.services.pi.groups import invalid
from cloudjar.services.pi.reading import Span, Table

_TEXTS = {
    "db.load.avg": ("The number of active sessions for the DB engine, on average", "Sessions"),
    "db.sampledload.avg": ("The raw number of active sessions for the DB engine, on average", "Sessions"),
}


@op("GetResourceMetrics", pages=False)
def get_resource_metrics(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Load over time, of all sessions or of the busiest by some dimensions."""
    subject, where = reading.need(ctx, req), reading.span(req)
    found = [one for query in req["MetricQueries"] for one in _series(ctx, subject, where, query)]
    start, count = _page(req, len(found))
    return {
        "AlignedStartTime": reading.moment(where.start),
        "AlignedEndTime": reading.moment(where.stop),
        "Identifier": subject.id,
        "MetricList": found[start : start + count],
        "NextToken": str(start + count) if start + count < len(found) else None,
    }


def _series(ctx: Ctx, subject: Any, where: Span, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    metric, wanted = groups.metric(query["Metric"]), groups.filtered(query.get("Filter"))
    load = database_load(ctx.world)
    whole = reading.table(load, subject, where, None, wanted)
    yield {"Key": {"Metric": metric}, "DataPoints": _points(whole, (), where)}
    if query.get("GroupBy"):
        by = groups.by(query["GroupBy"])
        seen = reading.table(load, subject, where, by, wanted)
        for key in reading.highest(seen, by.limit):
            named = {"Metric": metric, "Dimensions": reading.named(by, key)}
            yield {"Key": named, "DataPoints": _points(seen, key, where)}


def _points(seen: Table, key: reading.Key, where: Span) -> list[dict[str, Any]]:
    """A point is called by the end of its period."""
    values = ((at, seen.average(key, at)) for at in where.moments)
    return [{"Timestamp": reading.moment(at + where.step), "Value": value} for at, value in values if value is not None]


@op("DescribeDimensionKeys", pages=False)
def describe_dimension_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The busiest by some dimensions, each told apart once more by others."""
    subject, where = reading.need(ctx, req), reading.span(req)
    groups.metric(req["Metric"])
    if req.get("AdditionalMetrics"):
        raise invalid("There are no additional metrics of this database.")
    by, wanted = groups.by(req["GroupBy"]), groups.filtered(req.get("Filter"))
    load = database_load(ctx.world)
    seen = reading.table(load, subject, where, by, wanted)
    keys = reading.highest(seen, by.limit)
    answer: dict[str, Any] = {
        "AlignedStartTime": reading.moment(where.start), "AlignedEndTime": reading.moment(where.stop),
    }  # fmt: skip
    shown: list[dict[str, Any]] = [
        {"Dimensions": reading.named(by, key), "Total": seen.total(key)} for key in keys
    ]
    if req.get("PartitionBy"):
        parts = groups.by(req["PartitionBy"])
        whole = reading.table(load, subject, where, parts, wanted)
        columns = reading.highest(whole, parts.limit)
        answer["PartitionKeys"] = [{"Dimensions": reading.named(parts, column)} for column in columns]
        for one in shown:
            narrowed = reading.table(load, subject, where, parts, {**wanted, **one["Dimensions"]})
            one["Partitions"] = [narrowed.total(column) for column in columns]
    start, count = _page(req, len(shown))
    answer["Keys"] = shown[start : start + count]
    answer["NextToken"] = str(start + count) if start + count < len(shown) else None
    return answer


@op("GetDimensionKeyDetails")
def get_dimension_key_details(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A whole statement, by its id."""
    subject = reading.need(ctx, req)
    group = req["Group"]
    if group not in ("db.sql", "db.sql_tokenized"):
        raise invalid(f"The dimension group {group} is not valid for this request.")
    kinds = database_load(ctx.world).kinds(subject.id)
    found = next((kind for kind in kinds if kind.get(f"{group}.id") == req["GroupIdentifier"]), None)
    if found is None:
        raise invalid(f"There is no {group} with the identifier {req['GroupIdentifier']}.")
    wanted = req.get("RequestedDimensions") or ["statement"]
    names = [name if name.startswith("db.") else f"{group}.{name}" for name in wanted]
    for name in names:
        if name != f"{group}.statement":
            raise invalid(f"The dimension {name} is not valid for this request.")
    return {"Dimensions": [
        {"Dimension": name, "Value": found.get(name), "Status": "AVAILABLE"} for name in names
    ]}  # fmt: skip


@op("GetResourceMetadata")
def get_resource_metadata(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What is known of a database besides its load: no statistics of statements."""
    subject = reading.need(ctx, req)
    return {"Identifier": subject.id, "Features": {"SQL_STATISTICS": {"Status": "DISABLED"}}}


@op("ListAvailableResourceMetrics", pages=False)
def list_available_resource_metrics(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The metrics of load; there are none of the system, and none of statements."""
    reading.need(ctx, req)
    for kind in req["MetricTypes"]:
        if kind not in ("os", "db", "db.sql.stats", "db.sql_tokenized.stats"):
            raise invalid(f"The metric type {kind} is not valid.")
    found = [{"Metric": name, "Description": text, "Unit": unit} for name, (text, unit) in _TEXTS.items()]
    return {"Metrics": found if "db" in req["MetricTypes"] else []}


@op("ListAvailableResourceDimensions", pages=False)
def list_available_resource_dimensions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """By what load can be told apart."""
    reading.need(ctx, req)
    for metric in req["Metrics"]:
        if metric not in ("db.load", "db.sampledload"):
            raise invalid(f"The metric {metric} is not valid.")
    known = [
        {"Group": group, "Dimensions": [{"Identifier": one} for one in dimensions]}
        for group, dimensions in sorted(groups.GROUPS.items())
    ]
    return {"MetricDimensions": [{"Metric": metric, "Groups": known} for metric in req["Metrics"]]}


def _page(req: dict[str, Any], length: int) -> tuple[int, int]:
    """(first, how many) of what is told at once."""
    token = req.get("NextToken") or "0"
    if not token.isdecimal() or int(token) > length:
        raise invalid("The token is not valid.")
    return int(token), req.get("MaxResults") or length or 1
