"""How many: the desired capacity, by hand.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scaling-manually.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, rules
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.records import Group


@op("SetDesiredCapacity")
def set_desired_capacity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Set what is wanted; the group gets there afterwards."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    wanted = req["DesiredCapacity"]
    rules.desired(group, wanted)
    if req.get("HonorCooldown"):
        cooled(ctx, group)
    if wanted == group.desired:
        return {}
    text = (
        "a user request explicitly set group desired capacity changing the desired capacity from "
        f"{group.desired} to {wanted}."
    )
    ctx.db[Group].put(replace(group, desired=wanted, reason=at(ctx.now, text), failures=0, retry_at=None))
    return {}


def cooled(ctx: Ctx, group: Group) -> None:
    """Refuse while the cooldown after the last scaling activity goes on."""
    if group.cooled is not None and ctx.now < group.cooled:
        raise errors.in_progress(f"Scaling activity {group.last_activity} is in progress and blocks this action")
