"""Requests that are made, fulfilled, held back and ended: every change of their state and what it says.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.linked_roles import SPOT
from cloudjar.services.ec2.spot.records import SpotRequest
from cloudjar.services.ec2.spot.terms import Terms, most

SAID = {
    "pending-evaluation": "Your Spot request has been submitted for review, and is pending evaluation.",
    "not-scheduled-yet": "Your Spot request will not be evaluated until the scheduled date.",
    "price-too-low": "Your Spot request price is lower than the current Spot price.",
    "capacity-not-available": "There is no Spot capacity available that matches your request.",
    "constraint-not-fulfillable": "Your Spot request cannot be fulfilled because of its constraints.",
    "fulfilled": "Your Spot request is fulfilled.",
    "schedule-expired": "Your Spot request expired before it was fulfilled.",
    "canceled-before-fulfillment": "Your Spot request was canceled before it was fulfilled.",
    "request-canceled-and-instance-running": "Your Spot request is canceled, but its instance is still running.",
    "bad-parameters": "One or more parameters of your Spot request are not valid.",
    "marked-for-stop": "Your Spot Instance is marked for stopping.",
    "marked-for-termination": "Your Spot Instance is marked for termination.",
    "instance-stopped-by-user": "You stopped your Spot Instance.",
    "instance-stopped-no-capacity": "Your Spot Instance was stopped because there was no longer enough Spot capacity.",
    "instance-stopped-by-experiment": "Your Spot Instance was stopped by an experiment.",
    "instance-terminated-by-user": "You terminated your Spot Instance.",
    "instance-terminated-no-capacity": "Your Spot Instance was terminated because there was no longer enough Spot "
    "capacity.",
    "instance-terminated-by-experiment": "Your Spot Instance was terminated by an experiment.",
}
_NOT_OF_REQUESTS = frozenset(
    ("ClientToken", "DryRun", "InstanceMarketOptions", "LaunchTemplate", "MaxCount", "MinCount", "TagSpecifications")
)


def made(ctx: Ctx, terms: Terms, params: Mapping[str, Any], given: dict[str, str], **more: Any) -> SpotRequest:
    """A new request, waiting to be evaluated."""
    kind = params.get("InstanceType") or "m1.small"
    return ctx.db[SpotRequest].add(
        SpotRequest(
            id=ctx.new_id("sir"),
            state="open",
            code="pending-evaluation",
            message=SAID["pending-evaluation"],
            updated=ctx.now,
            created=ctx.now,
            type=terms.type,
            behavior=terms.behavior,
            max_price=most(ctx, terms, kind),
            valid_from=terms.valid_from,
            valid_until=terms.valid_until,
            params={name: value for name, value in params.items() if name not in _NOT_OF_REQUESTS},
            kind=kind,
            tags=given,
            **more,
        )
    )


def says(ctx: Ctx, request: SpotRequest, code: str, **changes: Any) -> SpotRequest:
    """Store what has become of a request."""
    if request.code == code and all(getattr(request, name) == value for name, value in changes.items()):
        return request
    message = changes.pop("message", SAID[code])
    return ctx.db[SpotRequest].put(replace(request, code=code, message=message, updated=ctx.now, **changes))


def for_launch(ctx: Ctx, terms: Terms, req: Mapping[str, Any]) -> SpotRequest:
    """The request that an instance is launched for: the one whose token Spot itself launches by, or a new one."""
    token = req.get("ClientToken") or ""
    if SPOT.is_caller(ctx):
        found = ctx.db[SpotRequest].get(token.partition(":")[0])
        if found is not None and found.waiting:
            return found
    return made(ctx, terms, req, tags.specified(req, "spot-instances-request"))


def fulfilled(ctx: Ctx, request: SpotRequest, vm: Instance) -> None:
    """The request has its instance."""
    says(
        ctx, request, "fulfilled", state="active", instance_id=vm.id, zone=vm.zone, launches=request.launches + 1,
        notice=None, fault=None,
    )  # fmt: skip
    detail = {"spot-instance-request-id": request.id, "instance-id": vm.id}
    ctx.emit("aws.ec2", "EC2 Spot Instance Request Fulfillment", detail, (ctx.arn(request),))


def request_of(ctx: Ctx, vm: Instance) -> SpotRequest | None:
    """The request of a spot instance."""
    return ctx.db[SpotRequest].get(vm.spot_request_id) if vm.spot_request_id else None
