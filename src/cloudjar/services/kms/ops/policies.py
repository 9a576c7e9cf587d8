"""Key policies: a key has exactly one, called ``default``.

https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, errors, finding, policies
from cloudjar.services.kms.records import Key

_NAME = "default"


@op("GetKeyPolicy", keys=access.of_request)
def get_key_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The policy as it reads now: whoever was deleted since stands there by his unique id."""
    key = finding.need(ctx, req["KeyId"], action="GetKeyPolicy")
    _check_name(req)
    return {"Policy": policies.in_force(ctx, key), "PolicyName": _NAME}


@op("PutKeyPolicy", keys=access.of_request)
def put_key_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another policy, which whoever puts it must be able to change again."""
    key = finding.need(ctx, req["KeyId"], action="PutKeyPolicy")
    _check_name(req)
    bypass = bool(req.get("BypassPolicyLockoutSafetyCheck"))
    named = policies.checked(ctx, req["Policy"], arn_of(key), bypass=bypass)
    ctx.db[Key].put(replace(key, policy=req["Policy"], principals=named))
    return {}


@op("ListKeyPolicies", keys=access.of_request)
def list_key_policies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The name of the one policy."""
    finding.need(ctx, req["KeyId"], action="ListKeyPolicies")
    return {"PolicyNames": [_NAME], "Truncated": False}


def _check_name(req: dict[str, Any]) -> None:
    if req.get("PolicyName", _NAME) != _NAME:
        raise errors.not_found("No such policy exists")
