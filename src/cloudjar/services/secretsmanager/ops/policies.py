"""Resource policies.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.public_policies import is_public
from cloudjar.services.secretsmanager import errors, lookup, making, policies, views
from cloudjar.services.secretsmanager.access import asked
from cloudjar.services.secretsmanager.records import Secret

_ONLY = "default"


def _name(req: dict[str, Any]) -> str:
    name = str(req.get("PolicyName") or _ONLY)
    if name != _ONLY:
        raise errors.invalid(f"You can only attach or delete the policy that is named {_ONLY}.")
    return name


@op("PutResourcePolicy", keys=asked)
def put_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The secret's policy; with BlockPublicPolicy one that lets everyone in is refused."""
    secret = lookup.need_primary(ctx, req["SecretId"])
    name = _name(req)
    policies.checked(ctx, req["ResourcePolicy"])
    if req.get("BlockPublicPolicy") and is_public(req["ResourcePolicy"]):
        raise errors.public_policy()
    _store(ctx, secret, req["ResourcePolicy"])
    return views.show_id(secret, PolicyName=name)


@op("GetResourcePolicy", keys=asked)
def get_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The policy, left out when there is none."""
    secret = lookup.need(ctx, req["SecretId"])
    if (req.get("PolicyName") or _ONLY) != _ONLY:
        raise errors.no_policy()
    return views.show_id(secret, ResourcePolicy=secret.policy or None, PolicyName=_ONLY)


@op("DeleteResourcePolicy", keys=asked)
def delete_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No policy; fine when there was none."""
    secret = lookup.need_primary(ctx, req["SecretId"])
    name = _name(req)
    _store(ctx, secret, "")
    return views.show_id(secret, PolicyName=name)


@op("ValidateResourcePolicy", writes=False, keys=asked)
def validate_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What would be wrong with a policy: its syntax, its breadth, its author locked out."""
    found = []
    secret = lookup.need(ctx, req["SecretId"]) if req.get("SecretId") else None
    try:
        document = policies.checked(ctx, req["ResourcePolicy"])
    except AwsError as error:
        found.append(_error("POLICY_SYNTAX", error.message))
    else:
        if is_public(req["ResourcePolicy"]):
            found.append(_error("PUBLIC_ACCESS", "This policy grants broad access to the secret."))
        if secret is not None and policies.locks_out(ctx, secret, document):
            found.append(_error("LOCKOUT", "This policy would lock you out of the secret."))
    return {"PolicyValidationPassed": not found, "ValidationErrors": found}


def _error(check: str, message: str) -> dict[str, str]:
    return {"CheckName": check, "ErrorMessage": message}


def _store(ctx: Ctx, secret: Secret, text: str) -> None:
    ctx = lookup.home(ctx, secret)
    making.changed(ctx, ctx.db[Secret].put(replace(secret, policy=text)))
