"""API destinations.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateApiDestination.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.events import calling, connecting, errors, views
from cloudjar.services.events.connecting import AUTHORIZED, AUTHORIZING
from cloudjar.services.events.records import Destination

_RATE = "L-755FD01C"


def _destination(ctx: Ctx, name: str) -> Destination:
    found = ctx.db[Destination].get(name)
    if found is None:
        raise errors.not_found(f"An api-destination '{name}' does not exist.")
    return found


def _settings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if req.get("ConnectionArn"):
        if calling.connection_at(ctx, req["ConnectionArn"]) is None:
            raise errors.not_found(f"Connection '{req['ConnectionArn']}' does not exist.")
        found["connection"] = req["ConnectionArn"]
    if req.get("InvocationEndpoint"):
        found["endpoint"] = connecting.https(req["InvocationEndpoint"], "InvocationEndpoint")
    if req.get("HttpMethod"):
        found["method"] = req["HttpMethod"]
    if req.get("Description") is not None:
        found["description"] = req["Description"]
    if req.get("InvocationRateLimitPerSecond"):
        limit = ctx.limit("events", _RATE)
        if limit is not None and req["InvocationRateLimitPerSecond"] > limit:
            raise errors.too_many()
        found["rate"] = req["InvocationRateLimitPerSecond"]
    return found


def _state(ctx: Ctx, held: Destination) -> str:
    connection = calling.connection_at(ctx, held.connection)
    good = connection is not None and connection.state in (AUTHORIZED, AUTHORIZING)
    return "ACTIVE" if good else "INACTIVE"


def _answer(ctx: Ctx, held: Destination) -> dict[str, Any]:
    return {
        "ApiDestinationArn": ctx.arn(held),
        "ApiDestinationState": _state(ctx, held),
        "CreationTime": views.when(held.made),
        "LastModifiedTime": views.when(held.changed),
    }


def _show(ctx: Ctx, held: Destination) -> dict[str, Any]:
    return {
        **_answer(ctx, held),
        "Name": held.name,
        "ConnectionArn": held.connection,
        "InvocationEndpoint": held.endpoint,
        "HttpMethod": held.method,
        "InvocationRateLimitPerSecond": held.rate,
    }


@op("CreateApiDestination")
def create_api_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An address that rules may call."""
    if ctx.db[Destination].get(req["Name"]) is not None:
        raise errors.exists(f"An api-destination '{req['Name']}' already exists.")
    now = ctx.now.timestamp()
    held = Destination(name=req["Name"], id=ids.uuid4(), made=now, changed=now, **{
        "connection": "", "endpoint": "", "method": "", **_settings(ctx, req),
    })  # fmt: skip
    return _answer(ctx, ctx.db[Destination].add(held))


@op("UpdateApiDestination")
def update_api_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change some of a destination."""
    held = replace(_destination(ctx, req["Name"]), changed=ctx.now.timestamp(), **_settings(ctx, req))
    return _answer(ctx, ctx.db[Destination].put(held))


@op("DescribeApiDestination")
def describe_api_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One destination."""
    held = _destination(ctx, req["Name"])
    return {**_show(ctx, held), "Description": held.description or None}


@op("ListApiDestinations")
def list_api_destinations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Destinations by name and connection."""
    found = [
        _show(ctx, held)
        for held in ctx.db[Destination].all()
        if held.name.startswith(req.get("NamePrefix") or "")
        and held.connection == (req.get("ConnectionArn") or held.connection)
    ]
    return views.page(req, "ApiDestinations", found)


@op("DeleteApiDestination")
def delete_api_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a destination."""
    ctx.db[Destination].drop(_destination(ctx, req["Name"]))
    return {}
