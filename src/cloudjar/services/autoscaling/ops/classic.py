"""Classic Load Balancers of a group. There are none in this product: each that is named does not exist.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AttachLoadBalancers.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, rules
from cloudjar.services.autoscaling.records import Group


@op("AttachLoadBalancers")
def attach_load_balancers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused, as for load balancers that do not exist."""
    rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    raise rules.no_classic()


@op("DetachLoadBalancers")
def detach_load_balancers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused: there are none attached."""
    rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    names = ", ".join(req["LoadBalancerNames"])
    raise errors.invalid(f"Trying to remove Load Balancers that are not part of the group. Load Balancers: {names}")


@op("DescribeLoadBalancers")
def describe_load_balancers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None."""
    ctx.db[Group].need(req["AutoScalingGroupName"])
    return {"LoadBalancers": []}
