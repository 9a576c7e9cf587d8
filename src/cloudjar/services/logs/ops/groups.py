"""Log groups: made, described, kept for so long, protected, deleted.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors, sealing
from cloudjar.services.logs.finding import group_name, millis, tagged
from cloudjar.services.logs.outbox import outbox
from cloudjar.services.logs.records import LogGroup, MetricFilter, SubscriptionFilter
from cloudjar.services.logs.rows import rows

RETENTION = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
_CLASSES = ("STANDARD", "INFREQUENT_ACCESS")
_TOO_MANY = errors.invalid("A log group can have 50 tags at most.")


@op("CreateLogGroup")
def create_log_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An empty group."""
    name = req["logGroupName"]
    if name.lower().startswith("aws/"):
        raise errors.invalid("Log groups starting with AWS/ are reserved for AWS.")
    if ctx.db[LogGroup].get(name) is not None:
        raise errors.exists("log group")
    wanted = req.get("logGroupClass") or "STANDARD"
    if wanted not in _CLASSES:
        raise errors.not_built(f"The log group class {wanted}")
    group = ctx.db[LogGroup].add(
        LogGroup(
            name=name,
            number=rows(ctx.world).new_group(),
            created=ctx.now,
            group_class=wanted,
            protected=bool(req.get("deletionProtectionEnabled")),
            tags=tagged(req.get("tags") or {}, _TOO_MANY),
        )
    )
    if req.get("kmsKeyId"):
        ctx.db[LogGroup].put(sealing.associated(ctx, group, req["kmsKeyId"]))
    return {}


@op("DeleteLogGroup")
def delete_log_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a group with all that it holds; the events themselves go afterwards."""
    group = ctx.db[LogGroup].need(req["logGroupName"])
    if group.protected:
        raise errors.validation("The log group has deletion protection enabled.")
    for one in ctx.db[MetricFilter].all(group=group.name):
        ctx.db[MetricFilter].drop(one)
    for subscription in ctx.db[SubscriptionFilter].all(group=group.name):
        outbox(ctx.world).drop(subscription.number)
        ctx.db[SubscriptionFilter].drop(subscription)
    rows(ctx.world).drop_group(group.number)
    ctx.db[LogGroup].drop(group)
    return {}


@op("PutLogGroupDeletionProtection")
def put_log_group_deletion_protection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a group, and its streams, can be deleted."""
    group = ctx.db[LogGroup].need(group_name(ctx, req["logGroupIdentifier"]))
    ctx.db[LogGroup].put(replace(group, protected=bool(req["deletionProtectionEnabled"])))
    return {}


@op("DescribeLogGroups")
def describe_log_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Groups in the order of their names."""
    prefix, pattern = req.get("logGroupNamePrefix"), req.get("logGroupNamePattern")
    names = req.get("logGroupIdentifiers")
    if prefix and pattern:
        raise errors.invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    if names and (prefix or pattern):
        raise errors.invalid("logGroupIdentifiers cannot be used with logGroupNamePrefix or logGroupNamePattern.")
    wanted = {group_name(ctx, name) for name in names or ()}
    others = req.get("accountIdentifiers") or ()
    found = [
        group
        for group in ctx.db[LogGroup].all()
        if group.name.startswith(prefix or "")
        and (pattern or "").lower() in group.name.lower()
        and (not names or group.name in wanted)
        and req.get("logGroupClass") in (None, group.group_class)
        and (not others or ctx.account in others)
    ]
    filters: dict[str, int] = {}
    for one in ctx.db[MetricFilter].all():
        filters[one.group] = filters.get(one.group, 0) + 1
    return {"logGroups": [_show(ctx, group, filters) for group in found]}


def _show(ctx: Ctx, group: LogGroup, filters: Mapping[str, int]) -> dict[str, Any]:
    """AWS's LogGroup."""
    return {
        "arn": group.public_arn,
        "creationTime": millis(group.created),
        "deletionProtectionEnabled": group.protected,
        "kmsKeyId": group.kms_key or None,
        "logGroupArn": ctx.arn(group),
        "logGroupClass": group.group_class,
        "logGroupName": group.name,
        "metricFilterCount": filters.get(group.name, 0),
        "retentionInDays": group.retention or None,
        "storedBytes": rows(ctx.world).stored(group.number),
    }


@op("ListLogGroups", pages=True)
def list_log_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Groups by a pattern of up to five alternatives, each anywhere in the name or (``^``) at its beginning."""
    for member in ("dataSources", "fieldIndexNames"):
        if req.get(member):
            raise errors.not_built(f"The parameter {member}")
    tests = [_alternative(one) for one in (req.get("logGroupNamePattern") or "").split("|")]
    others = req.get("accountIdentifiers") or ()
    found = [
        group
        for group in ctx.db[LogGroup].all()
        if any(test.search(group.name) for test in tests)
        and req.get("logGroupClass") in (None, group.group_class)
        and (not others or ctx.account in others)
        and all(_wears(group, wanted) for wanted in req.get("logGroupTags") or ())
    ]
    shown = [
        {"logGroupName": group.name, "logGroupArn": ctx.arn(group), "logGroupClass": group.group_class}
        for group in found
    ]
    return {"logGroups": shown}


def _alternative(text: str) -> re.Pattern[str]:
    anchored = text.startswith("^")
    return re.compile(("^" if anchored else "") + re.escape(text.removeprefix("^")))


def _wears(group: LogGroup, wanted: Mapping[str, Any]) -> bool:
    value = group.tags.get(wanted["key"])
    return value is not None and (not wanted.get("values") or value in wanted["values"])


@op("PutRetentionPolicy")
def put_retention_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep events for so many days; older ones are out of sight at once, and gone soon."""
    days = req["retentionInDays"]
    if days not in RETENTION:
        raise errors.invalid(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(map(str, RETENTION))}]"
        )
    group = ctx.db[LogGroup].need(req["logGroupName"])
    ctx.db[LogGroup].put(replace(group, retention=days))
    return {}


@op("DeleteRetentionPolicy")
def delete_retention_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep events for ever."""
    ctx.db[LogGroup].put(replace(ctx.db[LogGroup].need(req["logGroupName"]), retention=0))
    return {}
