"""Destinations: where other accounts may send their events.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDestination.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.policy.document import PolicySyntaxError, parse
from cloudjar.policy.grammar import Flavour
from cloudjar.services.logs import errors
from cloudjar.services.logs.finding import millis, tagged
from cloudjar.services.logs.records import Destination

_BYTES = 5120


@op("PutDestination")
def put_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a destination, or change where it leads; its policy stays."""
    parsed = arns.parse(req["targetArn"])
    if parsed is None or parsed.service not in ("kinesis", "firehose"):
        raise errors.invalid("PutDestination operation cannot work with targetArn for vendor unknown")
    if not ctx.world.load(parsed.service):
        raise errors.not_built(f"A destination for {parsed.service}")
    table = ctx.db[Destination]
    held = table.get(req["destinationName"])
    if held is None:
        tags = tagged(req.get("tags") or {}, errors.invalid("More than 50 tags"))
        held = table.add(
            Destination(
                name=req["destinationName"], target=req["targetArn"], role=req["roleArn"], created=ctx.now, tags=tags
            )
        )
    else:
        held = table.put(replace(held, target=req["targetArn"], role=req["roleArn"]))
    return {"destination": _show(ctx, held)}


@op("PutDestinationPolicy")
def put_destination_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say which accounts may subscribe to a destination."""
    held = ctx.db[Destination].get(req["destinationName"])
    if held is None:
        raise AwsError("InvalidParameterException", "The specified destination does not exist.")
    if len(req["accessPolicy"].encode()) > _BYTES:
        raise errors.invalid(f"The access policy is longer than {_BYTES} characters.")
    try:
        parse(req["accessPolicy"], Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise errors.invalid(f"Access policy is invalid: {error.message}") from error
    ctx.db[Destination].put(replace(held, policy=req["accessPolicy"]))
    return {}


@op("DeleteDestination")
def delete_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a destination; subscriptions that lead there stay, and fail."""
    ctx.db[Destination].drop(ctx.db[Destination].need(req["destinationName"]))
    return {}


@op("DescribeDestinations")
def describe_destinations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's destinations by name."""
    prefix = req.get("DestinationNamePrefix") or ""
    return {"destinations": [_show(ctx, one) for one in ctx.db[Destination].all() if one.name.startswith(prefix)]}


def _show(ctx: Ctx, one: Destination) -> dict[str, Any]:
    return {
        "destinationName": one.name,
        "targetArn": one.target,
        "roleArn": one.role,
        "accessPolicy": one.policy or None,
        "arn": ctx.arn(one),
        "creationTime": millis(one.created),
    }
