"""Resource policies of advanced parameters: how they are shared with other accounts.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-shared-parameters.html
"""

from __future__ import annotations

import hashlib
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.policy.document import PolicySyntaxError, parse
from cloudjar.policy.grammar import Flavour
from cloudjar.services.ssm import errors, lookup, sealing
from cloudjar.services.ssm.paging import page
from cloudjar.services.ssm.records import ADVANCED, SECURE, Parameter

SHAREABLE = frozenset(
    f"ssm:{action}".lower()
    for action in ("DescribeParameters", "GetParameter", "GetParameters", "GetParameterHistory")
)


def _need(ctx: Ctx, arn: str) -> Parameter:
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "ssm":
        raise errors.bad_share(f"The resource ARN is not valid: {arn}")
    if parsed.type != "parameter":
        raise errors.not_built(f"A resource policy on {parsed.type or arn} of Systems Manager")
    found = lookup.find(ctx, arn)
    if found is None:
        raise errors.no_shared_resource(arn)
    return found


@op("PutResourcePolicy")
def put_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A policy on an advanced parameter; a known one is replaced when its hash is told."""
    parameter = _need(ctx, req["ResourceArn"])
    if parameter.tier != ADVANCED:
        raise errors.bad_share("Only parameters of the advanced-parameter tier can be shared.")
    if parameter.type == SECURE and parameter.key_id in ("", sealing.DEFAULT_KEY):
        raise errors.bad_share("A SecureString parameter that is shared must be encrypted with a customer managed key.")
    _check(req["Policy"])
    policy_id = req.get("PolicyId") or ""
    if policy_id:
        _check_hash(parameter, policy_id, req.get("PolicyHash") or "")
    else:
        if parameter.shared:
            raise errors.bad_share("The resource has a policy already: tell its PolicyId and PolicyHash.")
        policy_id = ids.uuid4()
    _store(ctx, parameter, {**parameter.shared, policy_id: req["Policy"]})
    return {"PolicyId": policy_id, "PolicyHash": _hash(req["Policy"])}


@op("GetResourcePolicies", pages=False)
def get_resource_policies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The policies on a parameter."""
    shared = _need(ctx, req["ResourceArn"]).shared
    return page(
        "GetResourcePolicies",
        req,
        "Policies",
        sorted(shared.items()),
        lambda item: {"PolicyId": item[0], "PolicyHash": _hash(item[1]), "Policy": item[1]},
    )


@op("DeleteResourcePolicy")
def delete_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One policy less."""
    parameter = _need(ctx, req["ResourceArn"])
    _check_hash(parameter, req["PolicyId"], req["PolicyHash"])
    _store(ctx, parameter, {key: text for key, text in parameter.shared.items() if key != req["PolicyId"]})
    return {}


def _check(text: str) -> None:
    """A policy that lets others read, and nothing else."""
    try:
        document = parse(text, Flavour.RESOURCE)
    except PolicySyntaxError:
        raise errors.malformed_share() from None
    for statement in document.statements:
        exact = statement.actions.exact
        if statement.negates_actions or statement.actions.anything or statement.actions.wild or not exact <= SHAREABLE:
            raise errors.bad_share(
                "A parameter can be shared with these actions only: ssm:DescribeParameters, ssm:GetParameter, "
                "ssm:GetParameterHistory, ssm:GetParameters."
            )


def _check_hash(parameter: Parameter, policy_id: str, known: str) -> None:
    if policy_id not in parameter.shared:
        raise errors.no_share()
    if _hash(parameter.shared[policy_id]) != known:
        raise errors.share_conflict()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _store(ctx: Ctx, parameter: Parameter, shared: dict[str, str]) -> None:
    ctx.db.at(parameter.account, parameter.region)[Parameter].put(replace(parameter, shared=shared))
