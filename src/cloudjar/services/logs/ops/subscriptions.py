"""Subscription filters: who gets a log group's events as they come.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors, forwarding
from cloudjar.services.logs.finding import millis
from cloudjar.services.logs.outbox import outbox
from cloudjar.services.logs.patterns.filter import compiled
from cloudjar.services.logs.records import LogGroup, SubscriptionFilter

MOST = 2
"""Subscriptions of a group."""
_NOT_DELIVERED = {
    "kinesis": "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in "
    "ACTIVE state.",
    "firehose": "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in "
    "ACTIVE state.",
    "lambda": "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute "
    "your function.",
    "logs": "Could not deliver message to specified destination. Check if the destination is valid.",
}


@op("PutSubscriptionFilter")
def put_subscription_filter(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a subscription, or change it, after a message to its destination has shown that it can be reached."""
    for member in ("applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFields"):
        if req.get(member):
            raise errors.not_built(f"The parameter {member}")
    group = ctx.db[LogGroup].need(req["logGroupName"])
    if group.group_class != "STANDARD":
        raise errors.not_for_class("PutSubscriptionFilter", group.group_class)
    if compiled(req["filterPattern"]).regexes > 2:
        raise errors.invalid("Invalid filter pattern: more than 2 regular expressions")
    _check_destination(ctx, req)
    table, key = ctx.db[SubscriptionFilter], f"{group.name}:{req['filterName']}"
    held = table.get(key)
    if held is None and len(table.all(group=group.name)) >= MOST:
        raise errors.limit()
    _try(ctx, req, group)
    made = SubscriptionFilter(
        key=key,
        group=group.name,
        name=req["filterName"],
        number=held.number if held is not None else outbox(ctx.world).number(),
        pattern=req["filterPattern"],
        destination=req["destinationArn"],
        role=req.get("roleArn") or "",
        distribution=req.get("distribution") or "ByLogStream",
        created=held.created if held is not None else ctx.now,
    )
    if held is None:
        table.add(made)
    else:
        table.put(replace(made, account=held.account, region=held.region))
    return {}


def _check_destination(ctx: Ctx, req: dict[str, Any]) -> None:
    parsed = arns.parse(req["destinationArn"])
    if parsed is None or parsed.service not in forwarding.KINDS:
        raise errors.invalid("PutSubscriptionFilter operation cannot work with destinationArn for vendor unknown")
    if parsed.region != ctx.region:
        raise errors.invalid("destinationArn must be in the same region as the log group.")
    if parsed.service != "logs" and parsed.account != ctx.account:
        raise errors.invalid("destinationArn for vendor " + parsed.service + " cannot be used cross-account.")
    if parsed.service in ("kinesis", "firehose") and not req.get("roleArn"):
        raise errors.invalid(f"destinationArn for vendor {parsed.service} cannot be used without roleArn")
    if parsed.service == "lambda" and req.get("roleArn"):
        raise errors.invalid("destinationArn for vendor lambda cannot be used with roleArn")
    if parsed.service in ("firehose", "lambda") and not ctx.world.load(parsed.service):
        raise errors.not_built(f"A subscription to {parsed.service}")


def _try(ctx: Ctx, req: dict[str, Any], group: LogGroup) -> None:
    parsed = arns.parse(req["destinationArn"])
    assert parsed is not None
    try:
        to = forwarding.way(ctx, req["destinationArn"], req.get("roleArn") or "")
        forwarding.probe(ctx, to, group)
    except AwsError:
        raise errors.invalid(_NOT_DELIVERED[parsed.service]) from None


@op("DeleteSubscriptionFilter")
def delete_subscription_filter(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End a subscription; what has not been sent yet is not sent any more."""
    group = ctx.db[LogGroup].need(req["logGroupName"])
    remove(ctx, ctx.db[SubscriptionFilter].need(f"{group.name}:{req['filterName']}"))
    return {}


def remove(ctx: Ctx, one: SubscriptionFilter) -> None:
    """Forget a subscription and what waits for it."""
    outbox(ctx.world).drop(one.number)
    ctx.db[SubscriptionFilter].drop(one)


@op("DescribeSubscriptionFilters")
def describe_subscription_filters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group's subscriptions by name."""
    group, prefix = ctx.db[LogGroup].need(req["logGroupName"]), req.get("filterNamePrefix") or ""
    found = ctx.db[SubscriptionFilter].all(group=group.name)
    return {"subscriptionFilters": [_show(one) for one in found if one.name.startswith(prefix)]}


def _show(one: SubscriptionFilter) -> dict[str, Any]:
    return {
        "filterName": one.name,
        "logGroupName": one.group,
        "filterPattern": one.pattern,
        "destinationArn": one.destination,
        "roleArn": one.role or None,
        "distribution": one.distribution,
        "applyOnTransformedLogs": False,
        "creationTime": millis(one.created),
    }
