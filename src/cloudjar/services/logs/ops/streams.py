"""Log streams.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors, tokens
from cloudjar.services.logs.finding import millis, named, need_stream
from cloudjar.services.logs.records import LogGroup
from cloudjar.services.logs.rows import Stream, rows

_MOST = 50


@op("CreateLogStream")
def create_log_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An empty stream."""
    group = ctx.db[LogGroup].need(req["logGroupName"])
    streams = rows(ctx.world)
    if streams.stream(group.number, req["logStreamName"]) is not None:
        raise errors.exists("log stream")
    streams.new_stream(group.number, req["logStreamName"], millis(ctx.now))
    return {}


@op("DeleteLogStream")
def delete_log_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a stream and its events."""
    group = ctx.db[LogGroup].need(req["logGroupName"])
    if group.protected:
        raise errors.validation("The log group has deletion protection enabled.")
    rows(ctx.world).drop_stream(need_stream(ctx, group, req["logStreamName"]))
    ctx.wake(group)
    return {}


@op("DescribeLogStreams", pages=False)
def describe_log_streams(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Streams by name, or by when they last got an event."""
    group = named(ctx, req)
    prefix, by_time = req.get("logStreamNamePrefix") or "", req.get("orderBy") == "LastEventTime"
    if prefix and by_time:
        raise errors.invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    limit, descending = req.get("limit") or _MOST, bool(req.get("descending"))
    asked = ("streams", group.number, prefix, by_time, descending)
    after = tokens.opened(req.get("nextToken"), asked)
    streams = rows(ctx.world)
    if by_time:
        found = streams.by_last(group.number, (after[0], after[1]) if after else None, limit + 1, descending=descending)
    else:
        found = streams.by_name(group.number, prefix, after[1] if after else "", limit + 1, descending=descending)
    answer: dict[str, Any] = {"logStreams": [_show(ctx, group, one) for one in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        answer["nextToken"] = tokens.sealed((last.last, last.name), asked)
    return answer


def _show(ctx: Ctx, group: LogGroup, stream: Stream) -> dict[str, Any]:
    """AWS's LogStream; it counts no bytes any more."""
    return {
        "arn": f"{ctx.arn(group)}:log-stream:{stream.name}",
        "creationTime": stream.created,
        "firstEventTimestamp": stream.first or None,
        "lastEventTimestamp": stream.last or None,
        "lastIngestionTime": stream.ingested or None,
        "logStreamName": stream.name,
        "storedBytes": 0,
        "uploadSequenceToken": tokens.upload(stream.number),
    }
