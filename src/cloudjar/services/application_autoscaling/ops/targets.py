"""Scalable targets: registered, changed, deregistered, listed.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.kit.scalable import Dimension
from cloudjar.services.application_autoscaling import errors, targets
from cloudjar.services.application_autoscaling.ops.policies import drop_alarms
from cloudjar.services.application_autoscaling.records import Policy, Scheduled, Target, place


@op("RegisterScalableTarget")
def register_scalable_target(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Register a resource, or change one that is; what it has now is left alone until something moves it."""
    dimension = targets.dimension_of(ctx, req)
    known = targets.find(ctx, req)
    least, most = req.get("MinCapacity"), req.get("MaxCapacity")
    if known is None and (least is None or most is None):
        raise errors.invalid("MinCapacity and MaxCapacity are required to register a new scalable target")
    if known is not None and req.get("Tags"):
        raise errors.invalid("Tags can only be specified when a scalable target is registered for the first time")
    least = known.least if known and least is None else least
    most = known.most if known and most is None else most
    assert least is not None
    assert most is not None
    if least < 0 or most < 0:
        raise errors.invalid("Capacity cannot be negative")
    if most < least:
        raise errors.invalid("Maximum capacity cannot be less than minimum capacity")
    if known is not None:
        changed = replace(known, least=least, most=most)
        return {"ScalableTargetARN": arn_of(ctx.db[Target].put(targets.suspend(changed, req.get("SuspendedState"))))}
    return {"ScalableTargetARN": arn_of(_add(ctx, req, dimension, least, most))}


def _add(ctx: Ctx, req: dict[str, Any], dimension: Dimension, least: int, most: int) -> Target:
    limit = ctx.limit("application-autoscaling", dimension.quota)
    namespace, resource = req["ServiceNamespace"], req["ResourceId"]
    if limit is not None and ctx.db[Target].count(namespace=namespace) >= limit:
        raise errors.limit(f"You may only have {int(limit)} scalable targets for {namespace} in this region.")
    made = Target(
        id=ids.uuid4().replace("-", "")[:34], place=place(namespace, resource, dimension.name), namespace=namespace,
        resource=resource, dimension=dimension.name, least=least, most=most,
        role_arn=targets.role_arn(ctx, dimension), created=ctx.now, tags=tags.within_limit(dict(req.get("Tags") or {})),
    )  # fmt: skip
    stored = ctx.db[Target].add(targets.suspend(made, req.get("SuspendedState")))
    targets.capacity(ctx, stored)  # a resource that is not there is refused
    return stored


@op("DeregisterScalableTarget")
def deregister_scalable_target(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget a target with its policies, their alarms and its scheduled actions; the resource stays as it is."""
    target = targets.need(ctx, req)
    for policy in ctx.db[Policy].all(target=target.id):
        drop_alarms(ctx, target, policy)
        ctx.db[Policy].drop(policy)
    for action in ctx.db[Scheduled].all(target=target.id):
        ctx.db[Scheduled].drop(action)
    ctx.db[Target].drop(target)
    return {}


@op("DescribeScalableTargets")
def describe_scalable_targets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Targets of a namespace, of some resources, of one dimension."""
    wanted, dimension = req.get("ResourceIds"), req.get("ScalableDimension")
    if dimension and not wanted:
        raise errors.invalid("ResourceIds must be specified together with ScalableDimension")
    found = [
        target
        for target in ctx.db[Target].all(namespace=req["ServiceNamespace"])
        if (not wanted or target.resource in wanted) and dimension in (None, "", target.dimension)
    ]
    return {"ScalableTargets": [show_target(t) for t in sorted(found, key=lambda t: t.place)]}


def show_target(target: Target) -> dict[str, Any]:
    """AWS's ScalableTarget."""
    return {
        "ServiceNamespace": target.namespace,
        "ResourceId": target.resource,
        "ScalableDimension": target.dimension,
        "MinCapacity": target.least,
        "MaxCapacity": target.most,
        "RoleARN": target.role_arn,
        "CreationTime": target.created,
        "SuspendedState": {
            name: name in target.suspended for name in (targets.IN, targets.OUT, targets.SCHEDULED)
        },
        "ScalableTargetARN": arn_of(target),
    }
