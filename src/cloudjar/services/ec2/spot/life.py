"""The reconciler of a request: it gets its instance, follows it, and gets another one when it is persistent.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instances-request-status-lifecycle.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.events import hears
from cloudjar.kit.linked_roles import Usage, uses_role
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.linked_roles import SPOT
from cloudjar.services.ec2.spot.interrupting import go_on
from cloudjar.services.ec2.spot.making import says
from cloudjar.services.ec2.spot.records import SpotRequest
from cloudjar.services.ec2.spot.terms import PERSISTENT

TABLE = "ec2/spot-instances-request"
REMEMBERED = timedelta(hours=4)
"""How long a request is listed that is over and has no instance."""
AGAIN = timedelta(minutes=1)
"""When a request that found no capacity is evaluated again."""
BACK = timedelta(minutes=10)
"""When there is capacity again for an instance that Spot stopped. AWS promises no time; this is the jar's."""
_NO_ROOM = ("InsufficientInstanceCapacity", "InsufficientHostCapacity", "MaxSpotInstanceCountExceeded")
_CONSTRAINT = ("Unsupported", "InsufficientFreeAddressesInSubnet")


@hears("aws.ec2", "EC2 Instance State-change Notification")
def instance_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """The instance of a request changed, whoever did it: the request looks."""
    vm = Db(world.state, account, region)[Instance].get(detail["instance-id"])
    if vm is not None and vm.spot_request_id:
        world.state.wakes.wake(TABLE, account, region, vm.spot_request_id)


@uses_role(SPOT.principal)
def used_by(ctx: Ctx, _: str) -> list[Usage]:
    """The requests that need Spot's role, by Region."""
    found: dict[str, list[str]] = {}
    for request in ctx.db.everywhere(SpotRequest):
        if request.account == ctx.account and request.state in ("open", "active", "disabled"):
            found.setdefault(request.region, []).append(arn_of(request))
    return [Usage(region, tuple(arns)) for region, arns in sorted(found.items())]


@reconciler(SpotRequest)
def converge(step: Step, _: SpotRequest | None) -> None:
    """One look at a request, in one transaction."""
    with step.world.state.database.transaction():
        request = step.db[SpotRequest].get(step.key)
        if request is not None:
            _look(step.ctx, request)


def _look(ctx: Ctx, request: SpotRequest) -> None:
    vm = ctx.db[Instance].get(request.instance_id) if request.instance_id else None
    request = go_on(ctx, request, vm)
    vm = ctx.db[Instance].get(request.instance_id) if request.instance_id else None
    if request.instance_id and (vm is None or not vm.alive):
        request = _instance_gone(ctx, request)
    elif vm is not None and request.state in ("active", "disabled"):
        request = _followed(ctx, request, vm)
    if request.waiting:
        _evaluate(ctx, request)
    elif request.state in ("closed", "cancelled", "failed") and not _has_instance(ctx, request):
        _forget(ctx, request)


def _has_instance(ctx: Ctx, request: SpotRequest) -> bool:
    vm = ctx.db[Instance].get(request.instance_id) if request.instance_id else None
    return vm is not None and vm.alive


def _instance_gone(ctx: Ctx, request: SpotRequest) -> SpotRequest:
    """Over, or for a persistent request open again."""
    if request.state in ("closed", "failed") or request.code.startswith("instance-terminated"):
        return request
    by_spot = request.notice is not None and request.notice.done and request.behavior == "terminate"
    code = f"instance-terminated-{_why(request) if by_spot else 'by-user'}"
    if request.state == "cancelled":
        return says(ctx, request, code)
    if request.type == PERSISTENT:
        return says(ctx, request, code, state="open", instance_id="", zone="", notice=None)
    return says(ctx, request, code, state="closed")


def _why(request: SpotRequest) -> str:
    experiment = request.notice is not None and request.notice.experiment
    return "by-experiment" if experiment else "no-capacity"


def _followed(ctx: Ctx, request: SpotRequest, vm: Instance) -> SpotRequest:
    """Stopped by its owner or by Spot, and started again."""
    if vm.state in ("stopping", "stopped") and request.state == "active":
        by_spot = request.notice is not None and request.notice.done
        if by_spot:
            ctx.wake(request, purpose="capacity", at=ctx.now + BACK)
        return says(ctx, request, f"instance-stopped-{_why(request) if by_spot else 'by-user'}", state="disabled")
    if vm.state in ("pending", "running") and request.state == "disabled":
        return says(ctx, request, "fulfilled", state="active", notice=None)
    if vm.state == "stopped" and request.code in ("instance-stopped-no-capacity", "instance-stopped-by-experiment"):
        _start_again(ctx, request, vm)
    return request


def _start_again(ctx: Ctx, request: SpotRequest, vm: Instance) -> None:
    """There is capacity again, some time after Spot stopped the instance."""
    due = request.updated + BACK
    if ctx.now < due:
        ctx.wake(request, purpose="capacity", at=due)
        return
    try:
        ctx.call("ec2", "StartInstances", {"InstanceIds": [vm.id]}, caller=SPOT.acting(ctx, ctx.arn(request)))
    except AwsError:
        ctx.wake(request, purpose="capacity", at=ctx.now + AGAIN)


# -- waiting for an instance
def _evaluate(ctx: Ctx, request: SpotRequest) -> None:
    if request.valid_until is not None and ctx.now >= request.valid_until:
        _forget(ctx, says(ctx, request, "schedule-expired", state="cancelled"))
        return
    if request.valid_until is not None:
        ctx.wake(request, purpose="expiry", at=request.valid_until)
    if request.valid_from is not None and ctx.now < request.valid_from:
        says(ctx, request, "not-scheduled-yet")
        ctx.wake(request, purpose="schedule", at=request.valid_from)
        return
    _launch(ctx, request)


def _launch(ctx: Ctx, request: SpotRequest) -> None:
    """RunInstances as Spot's own role. Its token says which launch for which request it is, so that it is one."""
    market: dict[str, Any] = {"SpotInstanceType": request.type, "InstanceInterruptionBehavior": request.behavior}
    if request.max_price:
        market["MaxPrice"] = request.max_price
    asked = {
        **request.params,
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": f"{request.id}:{request.launches + 1}",
        "InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": market},
    }
    try:
        ctx.call("ec2", "RunInstances", asked, caller=SPOT.acting(ctx, ctx.arn(request)))
    except AwsError as error:
        _refused(ctx, request, error)


def _refused(ctx: Ctx, request: SpotRequest, error: AwsError) -> None:
    if error.code == "SpotMaxPriceTooLow":
        says(ctx, request, "price-too-low")  # prices do not move here: only a cancellation ends it
        return
    if error.code in (*_NO_ROOM, *_CONSTRAINT):
        code = "capacity-not-available" if error.code in _NO_ROOM else "constraint-not-fulfillable"
        says(ctx, request, code, message=error.message)
        ctx.wake(request, purpose="again", at=ctx.now + AGAIN)
        return
    fault = (error.code, error.message)
    _forget(ctx, says(ctx, request, "bad-parameters", state="failed", message=error.message, fault=fault))


def _forget(ctx: Ctx, request: SpotRequest) -> None:
    """Listed for some hours more, then gone."""
    if request.ended is None:
        ctx.db[SpotRequest].put(replace(request, ended=ctx.now))
        ctx.wake(request, purpose="forget", at=ctx.now + REMEMBERED)
    elif ctx.now >= request.ended + REMEMBERED:
        ctx.db[SpotRequest].drop(request)
