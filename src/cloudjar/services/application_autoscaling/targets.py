"""Scalable targets: found, moved, and what was done about them.

https://docs.aws.amazon.com/autoscaling/application/userguide/what-is-application-auto-scaling.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import scalable
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.kit.scalable import Dimension
from cloudjar.services.application_autoscaling import errors
from cloudjar.services.application_autoscaling.records import Activity, Target, place

_REMEMBERED = timedelta(weeks=6)
IN, OUT, SCHEDULED = "DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"


def dimension_of(ctx: Ctx, req: Mapping[str, Any]) -> Dimension:
    """What a request wants to scale; raises ValidationException where nobody offers it."""
    namespace, name, resource = req["ServiceNamespace"], req["ScalableDimension"], req["ResourceId"]
    if namespace == "custom-resource":
        raise errors.not_built("The scaling of custom resources")
    found = scalable.offered(ctx, name)
    if found is None or found.namespace != namespace or not found.resource.fullmatch(resource):
        raise errors.unsupported()
    return found


def find(ctx: Ctx, req: Mapping[str, Any]) -> Target | None:
    """The target that a request is about."""
    where = place(req["ServiceNamespace"], req["ResourceId"], req["ScalableDimension"])
    found = ctx.db[Target].all(place=where)
    return found[0] if found else None


def need(ctx: Ctx, req: Mapping[str, Any]) -> Target:
    """The target that a request is about; raises ObjectNotFoundException."""
    found = find(ctx, req)
    if found is None:
        raise errors.no_target(req["ServiceNamespace"], req["ResourceId"], req["ScalableDimension"])
    return found


def need_dimension(ctx: Ctx, target: Target) -> Dimension:
    """The dimension of a target that is registered."""
    found = scalable.offered(ctx, target.dimension)
    if found is None:
        raise errors.unsupported()
    return found


def role_arn(ctx: Ctx, dimension: Dimension) -> str:
    """The service-linked role that acts in a dimension; made, with the caller's rights, when it is not there."""
    if ctx.find("iam", "role", dimension.role) is None:
        asked = {"AWSServiceName": dimension.principal}
        try:
            ctx.call("iam", "CreateServiceLinkedRole", asked, via="application-autoscaling.amazonaws.com")
        except AwsError as error:
            raise errors.invalid(f"Unable to create the service-linked role: {error.message}") from None
    return arns.make("iam", "", ctx.account, f"role/aws-service-role/{dimension.principal}/{dimension.role}")


def acting(ctx: Ctx, target: Target) -> Caller:
    """The target's role as a caller."""
    principal = need_dimension(ctx, target).principal
    return ctx.as_role(
        target.role_arn, service=principal, source_arn=arn_of(target), session_name="ApplicationAutoScaling"
    )


def capacity(ctx: Ctx, target: Target) -> int:
    """The present capacity; raises when the resource is gone."""
    found = need_dimension(ctx, target).read(ctx, acting(ctx, target), target.resource)
    if found is None:
        raise errors.invalid(f"The resource {target.resource} does not exist.")
    return found


def move(ctx: Ctx, target: Target, wanted: int, cause: str) -> bool:
    """Bring a target to a capacity, and tell its activities; False when its service refused."""
    dimension = need_dimension(ctx, target)
    status, message = "Successful", (
        f"Successfully set {dimension.noun} to {wanted}. Change successfully fulfilled by {target.namespace}."
    )
    try:
        with ctx.world.state.database.transaction():
            dimension.write(ctx, acting(ctx, target), target.resource, wanted)
    except AwsError as error:
        status, message = "Failed", f"Failed to set {dimension.noun} to {wanted}. Reason: {error.message}"
    tell(ctx, target, f"Setting {dimension.noun} to {wanted}.", cause, status, message)
    return status == "Successful"


def tell(
    ctx: Ctx, target: Target, description: str, cause: str, status: str, message: str,
    reasons: tuple[dict[str, Any], ...] = (),
) -> None:  # fmt: skip
    """Keep an activity for six weeks."""
    before = ctx.db[Activity].all(place=target.place)
    for old in before:
        if old.at + _REMEMBERED < ctx.now:
            ctx.db[Activity].drop(old)
    ctx.db[Activity].add(
        Activity(
            id=ids.uuid4(), place=target.place, namespace=target.namespace, resource=target.resource,
            dimension=target.dimension, number=max((a.number for a in before), default=0) + 1,
            description=description, cause=cause, at=ctx.now, status=status, message=message, reasons=reasons,
        )
    )  # fmt: skip


def suspend(target: Target, given: Mapping[str, Any] | None) -> Target:
    """The target with what a request suspends and resumes."""
    told = given or {}
    kept = [name for name in (IN, OUT, SCHEDULED) if told.get(name, name in target.suspended)]
    return replace(target, suspended=tuple(kept))
