"""How requests name log groups, and instants in AWS's milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.logs import errors
from cloudjar.services.logs.records import LogGroup
from cloudjar.services.logs.rows import Stream, rows

GROUP = "log-group:"


def millis(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def group_name(ctx: Ctx, identifier: str) -> str:
    """The name of a group by its name or ARN; "" when the ARN is another account's, Region's or service's."""
    parsed = arns.parse(identifier)
    if parsed is None:
        return identifier
    here = (parsed.service, parsed.region, parsed.account) == ("logs", ctx.region, ctx.account)
    if not here or not parsed.resource.startswith(GROUP):
        return ""
    return parsed.resource.removeprefix(GROUP).partition(":")[0]


def named(ctx: Ctx, req: Mapping[str, Any]) -> LogGroup:
    """The group that a request names, by exactly one of name and identifier."""
    name, identifier = req.get("logGroupName"), req.get("logGroupIdentifier")
    if bool(name) == bool(identifier):
        raise errors.invalid(
            "Either logGroupName or logGroupIdentifier must be specified, but not both."
            if name
            else "logGroupName or logGroupIdentifier must be specified."
        )
    return ctx.db[LogGroup].need(str(name) if name else group_name(ctx, str(identifier)))


def need_stream(ctx: Ctx, group: LogGroup, name: str) -> Stream:
    """A stream of a group."""
    found = rows(ctx.world).stream(group.number, name)
    if found is None:
        raise errors.no_stream()
    return found


def horizon(ctx: Ctx, group: LogGroup) -> int:
    """What is older than this is not there any more, in milliseconds; 0 when the group keeps everything."""
    return millis(ctx.now - timedelta(days=group.retention)) if group.retention else 0


def standard_only(group: LogGroup, what: str) -> None:
    """Raise for a group of the class that has fewer features."""
    if group.group_class != "STANDARD":
        raise errors.not_for_class(what, group.group_class)


def tagged(given: Mapping[str, str], too_many: AwsError) -> dict[str, str]:
    """Tags of a request, checked."""
    for key in given:
        if key.lower().startswith("aws:"):
            raise errors.invalid("Tag keys starting with 'aws:' are reserved for internal use")
    if len(given) > 50:
        raise too_many
    return dict(given)
