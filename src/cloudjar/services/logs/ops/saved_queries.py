"""Queries that are kept for later, and one event with all its fields.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op
from cloudjar.services.logs import errors, tokens
from cloudjar.services.logs.finding import horizon, millis
from cloudjar.services.logs.insights.functions import text
from cloudjar.services.logs.insights.running import discovered
from cloudjar.services.logs.records import LogGroup, QueryDefinition
from cloudjar.services.logs.rows import rows
from cloudjar.services.logs.sealing import Opener

MOST = 1000


@op("PutQueryDefinition")
def put_query_definition(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep a query, or change one that is kept. What it says is looked at when it is started."""
    if req.get("queryLanguage") not in (None, "CWLI"):
        raise errors.not_built(f"The query language {req['queryLanguage']}")
    if req.get("parameters"):
        raise errors.not_built("The parameter parameters")
    table, key = ctx.db[QueryDefinition], req.get("queryDefinitionId")
    given = {"name": req["name"], "text": req["queryString"], "groups": tuple(req.get("logGroupNames") or ())}
    if key:
        table.put(replace(table.need(key), **given, changed=ctx.now))
        return {"queryDefinitionId": key}
    if table.count() >= MOST:
        raise errors.limit()
    return {"queryDefinitionId": table.add(QueryDefinition(id=ids.uuid4(), **given, changed=ctx.now)).id}


@op("DeleteQueryDefinition")
def delete_query_definition(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget a query."""
    ctx.db[QueryDefinition].drop(ctx.db[QueryDefinition].need(req["queryDefinitionId"]))
    return {"success": True}


@op("DescribeQueryDefinitions")
def describe_query_definitions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Kept queries, by name."""
    prefix, most = req.get("queryDefinitionNamePrefix") or "", req.get("maxResults") or MOST
    after = tokens.opened(req.get("nextToken"), (prefix,))
    found = sorted(ctx.db[QueryDefinition].all(), key=lambda one: f"{one.name}/{one.id}")
    wanted = [
        one
        for one in found
        if one.name.startswith(prefix)
        and req.get("queryLanguage") in (None, "CWLI")
        and (after is None or f"{one.name}/{one.id}" > after[1])
    ]
    shown = [
        {
            "queryLanguage": "CWLI",
            "queryDefinitionId": one.id,
            "name": one.name,
            "queryString": one.text,
            "lastModified": millis(one.changed),
            "logGroupNames": list(one.groups),
        }
        for one in wanted[:most]
    ]
    answer: dict[str, Any] = {"queryDefinitions": shown}
    if len(wanted) > most:
        last = wanted[most - 1]
        answer["nextToken"] = tokens.sealed((0, f"{last.name}/{last.id}"), (prefix,))
    return answer


def _group(ctx: Ctx, pointer: str) -> LogGroup | None:
    place = tokens.read_event_id(pointer)
    if place is None:
        return None
    return next((group for group in ctx.db[LogGroup].all() if group.number == place[0]), None)


def _may_see(ctx: Ctx, req: dict[str, Any]) -> Iterator[Grant]:
    """An event is for who may see those of its group."""
    group = _group(ctx, req["logRecordPointer"])
    name = group.name if group is not None else "*"
    keys = {f"aws:resourcetag/{tag.lower()}": value for tag, value in group.tags.items()} if group is not None else {}
    yield Grant("logs:GetLogRecord", f"arn:aws:logs:{ctx.region}:{ctx.account}:log-group:{name}:log-stream:", keys)


@op("GetLogRecord", access=_may_see)
def get_log_record(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The event behind a pointer (``@ptr`` of a query's results), with all fields that are found in it."""
    pointer = req["logRecordPointer"]
    place = tokens.read_event_id(pointer)
    if place is None:
        raise errors.invalid("The specified log record pointer is invalid.")
    group = _group(ctx, pointer)
    store = rows(ctx.world)
    time, number = place[1]
    found = store.of_group(group.number, (time, number - 1), (time, number + 1), 1) if group is not None else []
    name = store.name(found[0].stream) if found else None
    if group is None or not found or name is None or found[0].time < horizon(ctx, group):
        raise AwsError("ResourceNotFoundException", "The specified log record does not exist.")
    event = found[0]
    message = Opener(ctx, group)(event.key, event.message)
    shown = {name: text(value) for name, value in discovered(message).items()}
    shown |= {"@timestamp": str(event.time), "@ingestionTime": str(event.ingested), "@message": message}
    return {"logRecord": {**shown, "@logStream": name, "@log": f"{group.account}:{group.name}", "@ptr": pointer}}
