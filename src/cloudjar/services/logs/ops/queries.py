"""Logs Insights: queries started, looked at, stopped.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op
from cloudjar.services.logs import errors
from cloudjar.services.logs.finding import group_name, millis
from cloudjar.services.logs.insights.commands import read
from cloudjar.services.logs.queries import results
from cloudjar.services.logs.records import LogGroup, Query

_GROUPS, _RUNNING = 50, 30
_MEMBERS = ("logGroupName", "logGroupNames", "logGroupIdentifiers")


@op("StartQuery")
def start_query(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A query that runs behind the request."""
    if req.get("queryLanguage") not in (None, "CWLI"):
        raise errors.not_built(f"The query language {req['queryLanguage']}")
    names = _groups(ctx, req)
    if req["startTime"] > req["endTime"]:
        raise errors.invalid("The start time must be before the end time.")
    read(req["queryString"])
    running = [one for one in ctx.db[Query].all() if one.status in ("Scheduled", "Running")]
    if len(running) >= _RUNNING:
        raise errors.limit()
    made = ctx.db[Query].add(
        Query(
            id=ids.uuid4(),
            groups=tuple(names),
            text=req["queryString"],
            start=_millis(req["startTime"]),
            end=_millis(req["endTime"]),
            limit=req.get("limit") or 10_000,
            created=ctx.now,
        )
    )
    return {"queryId": made.id}


def _millis(given: int) -> int:
    """Times are given in seconds, or in milliseconds."""
    return given if given >= 10_000_000_000 else given * 1000


def _groups(ctx: Ctx, req: dict[str, Any]) -> list[str]:
    given = [name for name in _MEMBERS if req.get(name)]
    if len(given) != 1:
        raise errors.invalid("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified.")
    value = req[given[0]]
    names = [value] if isinstance(value, str) else list(dict.fromkeys(value))
    if len(names) > _GROUPS:
        raise errors.invalid(f"A query can be of {_GROUPS} log groups at most.")
    return [ctx.db[LogGroup].need(group_name(ctx, name)).name for name in names]


def _need(ctx: Ctx, key: str) -> Query:
    found = ctx.db[Query].get(key)
    if found is None:
        raise AwsError("ResourceNotFoundException", "The specified query does not exist.")
    return found


def _may_see(ctx: Ctx, req: dict[str, Any]) -> Iterator[Grant]:
    """Results are for who may see those of the groups that were asked."""
    query = ctx.db[Query].get(req["queryId"])
    if query is None:
        yield Grant("logs:GetQueryResults", "*")
    for name in query.groups if query is not None else ():
        yield Grant("logs:GetQueryResults", f"arn:aws:logs:{ctx.region}:{ctx.account}:log-group:{name}:log-stream:")


@op("GetQueryResults", access=_may_see)
def get_query_results(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a query has found, and how much it looked at."""
    if req.get("nextToken"):
        raise errors.invalid("The specified nextToken is invalid.")
    query = _need(ctx, req["queryId"])
    found = results(ctx.world, query.id)[: req.get("maxItems") or None]
    return {
        "queryLanguage": "CWLI",
        "results": [[{"field": field, "value": value} for field, value in row] for row in found],
        "statistics": {
            "bytesScanned": float(query.bytes),
            "recordsMatched": float(query.matched),
            "recordsScanned": float(query.scanned),
        },
        "status": query.status,
    }


@op("StopQuery")
def stop_query(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End a query that has not ended yet."""
    query = _need(ctx, req["queryId"])
    if query.status not in ("Scheduled", "Running"):
        raise errors.invalid("The query has ended already.")
    ctx.db[Query].put(replace(query, status="Cancelled"))
    return {"success": True}


@op("DescribeQueries")
def describe_queries(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The latest queries first."""
    found = sorted(ctx.db[Query].all(), key=lambda query: (query.created, query.id), reverse=True)
    shown = [
        {
            "bytesScanned": float(query.bytes),
            "createTime": millis(query.created),
            "logGroupName": query.groups[0],
            "queryDuration": query.took,
            "queryId": query.id,
            "queryLanguage": "CWLI",
            "queryString": query.text,
            "status": query.status,
        }
        for query in found
        if req.get("logGroupName") in (None, *query.groups)
        and req.get("status") in (None, query.status)
        and req.get("queryLanguage") in (None, "CWLI")
    ]
    return {"queries": shown}
