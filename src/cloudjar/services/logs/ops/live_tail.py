"""StartLiveTail.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op
from cloudjar.services.logs import errors
from cloudjar.services.logs.finding import group_name, standard_only
from cloudjar.services.logs.patterns.filter import compiled
from cloudjar.services.logs.records import LogGroup
from cloudjar.services.logs.tailing import MOST_SESSIONS, Session, sessions


def _may_see(ctx: Ctx, req: dict[str, Any]) -> Iterator[Grant]:
    for identifier in req["logGroupIdentifiers"]:
        group = ctx.db[LogGroup].get(group_name(ctx, identifier))
        tags = group.tags if group is not None else {}
        arn = f"arn:aws:logs:{ctx.region}:{ctx.account}:log-group:{group_name(ctx, identifier) or '*'}"
        yield Grant("logs:StartLiveTail", arn, {f"aws:resourcetag/{tag.lower()}": value for tag, value in tags.items()})


@op("StartLiveTail", access=_may_see, writes=False)
def start_live_tail(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Events as they come, each second, for as long as the connection is there, three hours at most."""
    names, prefixes = tuple(req.get("logStreamNames") or ()), tuple(req.get("logStreamNamePrefixes") or ())
    if names and prefixes:
        raise errors.invalid("logStreamNames and logStreamNamePrefixes cannot both be specified.")
    given = req["logGroupIdentifiers"]
    if (names or prefixes) and len(given) > 1:
        raise errors.invalid("Log streams can be specified for a single log group only.")
    if any(not one.startswith("arn:") or one.endswith("*") for one in given):
        raise errors.invalid("logGroupIdentifiers must be ARNs of log groups, without an asterisk.")
    groups = [ctx.db[LogGroup].need(group_name(ctx, one)) for one in given]
    for group in groups:
        standard_only(group, "StartLiveTail")
    if sum(session.account == ctx.account for session in sessions(ctx.world)) >= MOST_SESSIONS:
        raise errors.limit()
    pattern = req.get("logEventFilterPattern") or ""
    key = ids.uuid4()
    start = {
        "requestId": ctx.request_id,
        "sessionId": key,
        "logGroupIdentifiers": list(given),
        "logStreamNames": list(names),
        "logStreamNamePrefixes": list(prefixes),
        "logEventFilterPattern": pattern,
    }
    return {"responseStream": Session(ctx, key, groups, names, prefixes, compiled(pattern)).feed(start)}
