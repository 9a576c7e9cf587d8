"""The end of a spot instance by Spot: the rebalance recommendation, the notice of two minutes, and the end itself.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2.instances.life import LIFE
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.spot.making import request_of, says
from cloudjar.services.ec2.spot.records import Notice, SpotRequest

AHEAD = timedelta(minutes=2)
"""How long before its end a guest is told."""
LONGEST = timedelta(minutes=15)
_SOURCE = "aws.ec2"


def interrupt(ctx: Ctx, vm: Instance, *, within: timedelta = AHEAD, experiment: bool = False) -> SpotRequest:
    """Have a spot instance interrupted after `within`, two to fifteen minutes from now, by AWS's clock.

    Raises InvalidParameterValue for one that is not spot, IncorrectInstanceState for one that does not run. One that
    is being interrupted already is left to it.
    """
    request = request_of(ctx, vm)
    if request is None:
        raise AwsError("InvalidParameterValue", f"The instance '{vm.id}' is not a Spot Instance.")
    if not AHEAD <= within <= LONGEST:
        raise AwsError("InvalidParameterValue", "A Spot Instance is interrupted 2 to 15 minutes from now.")
    if vm.state not in ("pending", "running"):
        raise AwsError("IncorrectInstanceState", f"The instance '{vm.id}' is not running.")
    if request.notice is not None and not request.notice.done:
        return request
    due = ctx.now + within
    notice = Notice(asked=ctx.now, warned=due - AHEAD, due=due, experiment=experiment)
    _event(ctx, vm, "EC2 Instance Rebalance Recommendation", {})
    return go_on(ctx, ctx.db[SpotRequest].put(replace(request, notice=notice)), vm)


def _event(ctx: Ctx, vm: Instance, name: str, more: dict[str, Any]) -> None:
    ctx.world.events.emit(vm.account, vm.region, _SOURCE, name, {"instance-id": vm.id, **more}, (arn_of(vm),))


def go_on(ctx: Ctx, request: SpotRequest, vm: Instance | None) -> SpotRequest:
    """Whatever of an interruption is due by now, and the alarm for what is not."""
    notice = request.notice
    if notice is None or notice.done or vm is None or vm.state not in ("pending", "running"):
        return request
    if not notice.told and ctx.now >= notice.warned:
        request = _warn(ctx, request, notice, vm)
        notice = request.notice
        assert notice is not None
    if ctx.now >= notice.due:
        return _end(ctx, request, notice, vm)
    ctx.wake(request, purpose="interruption", at=notice.due if notice.told else notice.warned)
    return request


def _warn(ctx: Ctx, request: SpotRequest, notice: Notice, vm: Instance) -> SpotRequest:
    _event(ctx, vm, "EC2 Spot Instance Interruption Warning", {"instance-action": request.behavior})
    code = "marked-for-stop" if request.behavior == "stop" else "marked-for-termination"
    kept = request.code if request.state == "cancelled" else code
    return says(ctx, request, kept, notice=replace(notice, told=True))


def _end(ctx: Ctx, request: SpotRequest, notice: Notice, vm: Instance) -> SpotRequest:
    stops = request.behavior == "stop"
    code = "Server.SpotInstanceShutdown" if stops else "Server.SpotInstanceTermination"
    said = "A Spot Instance was stopped." if stops else "Spot instance termination"
    after = ctx.db[SpotRequest].put(replace(request, notice=replace(notice, done=True)))
    LIFE.move(
        ctx, vm, "stopping" if stops else "shutting-down", state_code=code, state_reason=f"{code}: {said}",
        transition_reason=f"Service initiated ({ctx.now:%Y-%m-%d %H:%M:%S} GMT)",
    )  # fmt: skip
    return after


def told_guest(ctx: Ctx, vm: Instance) -> tuple[dict[str, Any], dict[str, Any]]:
    """What IMDS says of an interruption: ``spot/`` and ``events/recommendations/``; empty when there is none."""
    request = request_of(ctx, vm)
    notice = request.notice if request is not None else None
    if request is None or notice is None or (notice.done and vm.alive):
        return {}, {}
    advice = {"rebalance": json.dumps({"noticeTime": f"{notice.asked:%Y-%m-%dT%H:%M:%SZ}"})}
    if not notice.told:
        return {}, advice
    due = f"{notice.due:%Y-%m-%dT%H:%M:%SZ}"
    action: dict[str, Any] = {"instance-action": json.dumps({"action": request.behavior, "time": due})}
    if request.behavior == "terminate":
        action["termination-time"] = due
    return action, advice
