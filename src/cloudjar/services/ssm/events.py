"""What EventBridge is told of parameters.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ssm.records import Parameter, Policy

_SOURCE = "aws.ssm"


def changed(ctx: Ctx, parameter: Parameter, operation: str, **more: Any) -> None:
    """``Parameter Store Change``: Create, Update, Delete or LabelParameterVersion."""
    detail = {"operation": operation, "name": parameter.name, "type": parameter.type, **more}
    if parameter.description:
        detail["description"] = parameter.description
    _emit(ctx, parameter, "Parameter Store Change", detail)


def acted(ctx: Ctx, parameter: Parameter, policy: Policy) -> None:
    """``Parameter Store Policy Action``: a policy's time has come."""
    detail = {
        "parameter-name": parameter.name,
        "parameter-type": parameter.type,
        "policy-type": policy.type,
        "policy-content": policy.text,
        "action-status": "Success",
        "action-reason": "",
    }
    _emit(ctx, parameter, "Parameter Store Policy Action", detail)


def _emit(ctx: Ctx, parameter: Parameter, kind: str, detail: dict[str, Any]) -> None:
    ctx.world.events.emit(parameter.account, parameter.region, _SOURCE, kind, detail, (arn_of(parameter),))
