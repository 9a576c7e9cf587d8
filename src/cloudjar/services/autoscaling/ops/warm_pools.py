"""Warm pools: made, shown, removed.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, mixing, pool, rules
from cloudjar.services.autoscaling.records import Group, WarmPool
from cloudjar.services.autoscaling.views import show_member, show_pool


@op("PutWarmPool")
def put_warm_pool(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give a group a warm pool, or change the one it has; it fills afterwards."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    if req.get("PoolState") == "Hibernated":
        raise errors.not_built("A warm pool of hibernated instances")
    if group.mixed is not None and mixing.on_demand(group.mixed, 100) < 100:
        raise errors.invalid("You cannot add a warm pool to an Auto Scaling group that launches Spot Instances.")
    known = pool.of_group(ctx, group.name)
    if known is not None and known.deleting:
        raise errors.in_progress(f"The warm pool of group {group.name} is pending delete")
    base = known or WarmPool(group=group.name)
    prepared = req.get("MaxGroupPreparedCapacity", base.prepared)
    reuse = (req.get("InstanceReusePolicy") or {}).get("ReuseOnScaleIn")
    changed = replace(
        base,
        prepared=None if prepared == -1 else prepared,
        least=base.least if req.get("MinSize") is None else req["MinSize"],
        state=req.get("PoolState") or base.state,
        reuse=base.reuse if reuse is None else reuse,
    )
    if known is None:
        ctx.db[WarmPool].add(changed)
    else:
        ctx.db[WarmPool].put(changed)
    return {}


@op("DescribeWarmPool")
def describe_warm_pool(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group's warm pool and who is in it."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    found = pool.of_group(ctx, group.name)
    if found is None:
        return {"Instances": []}
    return {
        "WarmPoolConfiguration": show_pool(found),
        "Instances": [show_member(m) for m in pool.held(ctx, group.name)],
    }


@op("DeleteWarmPool")
def delete_warm_pool(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a warm pool with its instances; forced, without asking any hook."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    found = pool.of_group(ctx, group.name)
    if found is None:
        raise errors.invalid(f"No warm pool found for Auto Scaling group {group.name}")
    ctx.db[WarmPool].put(replace(found, status="PendingDelete", forced=bool(req.get("ForceDelete"))))
    return {}
