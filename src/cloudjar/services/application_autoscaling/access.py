"""What authorisation asks of Application Auto Scaling: the target that a request is about, and condition keys.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.linked_roles import Usage, uses_role
from cloudjar.kit.operation import by_arn, finds, request_keys
from cloudjar.kit.record import Record, arn_of
from cloudjar.services.application_autoscaling.records import Target

_PRINCIPALS = ("ec2", "ecs", "dynamodb")
"""Of the service-linked roles that there may be."""


@finds("application-autoscaling:target")
def target_of(ctx: Ctx, resource: str) -> Record | None:
    """A target of a resource."""
    found = ctx.db[Target].all(resource=resource)
    return found[0] if found else None


@by_arn("application-autoscaling", "ScalableTarget")
def target_by_arn(ctx: Ctx, arn: arns.Arn) -> Record | None:
    """Its id is the ARN's end."""
    return ctx.db[Target].get(arn.name)


@request_keys("application-autoscaling")
def of_request(ctx: Ctx, operation: str, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys that requests bring."""
    told = {
        "application-autoscaling:service-namespace": req.get("ServiceNamespace"),
        "application-autoscaling:scalable-dimension": req.get("ScalableDimension"),
    }
    return {name: value for name, value in told.items() if value}


def _used_by(ctx: Ctx, role_arn: str) -> list[Usage]:
    found: dict[str, list[str]] = {}
    for target in ctx.db.everywhere(Target):
        if target.account == ctx.account and target.role_arn == role_arn:
            found.setdefault(target.region, []).append(arn_of(target))
    return [Usage(region, tuple(held)) for region, held in sorted(found.items())]


for _name in _PRINCIPALS:
    uses_role(f"{_name}.application-autoscaling.amazonaws.com")(_used_by)
