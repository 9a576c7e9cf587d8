"""Resource policies: what services and other accounts may do with log groups.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.policy.document import PolicySyntaxError, parse
from cloudjar.policy.grammar import Flavour
from cloudjar.services.logs import errors
from cloudjar.services.logs.finding import group_name, millis
from cloudjar.services.logs.records import AccountPolicy, LogGroup

MOST = 10
_ACCOUNT_BYTES = 5120


def _checked(document: str | None) -> str:
    if not document:
        raise errors.invalid("policyDocument must be specified.")
    try:
        parse(document, Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise errors.invalid(f"Policy document is invalid: {error.message}") from error
    return document


@op("PutResourcePolicy")
def put_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A policy for all of the account's groups by name, or one group's own by its ARN."""
    document = _checked(req.get("policyDocument"))
    if req.get("resourceArn"):
        return _put_on_group(ctx, req, document)
    name = req.get("policyName")
    if not name:
        raise errors.invalid("policyName must be specified.")
    if len(document.encode()) > _ACCOUNT_BYTES:
        raise errors.invalid(f"The policy document is longer than {_ACCOUNT_BYTES} characters.")
    table = ctx.db[AccountPolicy]
    policy = AccountPolicy(name=name, document=document, updated=ctx.now)
    held = table.get(name)
    if held is not None:
        policy = table.put(replace(held, document=document, updated=ctx.now))
    elif table.count() >= MOST:
        raise errors.limit()
    else:
        policy = table.add(policy)
    return {"resourcePolicy": _show(policy)}


def _put_on_group(ctx: Ctx, req: dict[str, Any], document: str) -> dict[str, Any]:
    group = ctx.db[LogGroup].need(group_name(ctx, req["resourceArn"]))
    _same_revision(group, req)
    group = ctx.db[LogGroup].put(
        replace(
            group,
            policy=document,
            policy_name=req.get("policyName") or group.policy_name,
            policy_revision=ids.uuid4(),
            policy_updated=ctx.now,
        )
    )
    return {"resourcePolicy": _show_own(ctx, group), "revisionId": group.policy_revision}


def _same_revision(group: LogGroup, req: dict[str, Any]) -> None:
    expected = req.get("expectedRevisionId")
    if expected and expected != group.policy_revision:
        raise AwsError("OperationAbortedException", "The resource policy has another revision than the one expected.")


@op("DeleteResourcePolicy")
def delete_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a policy of the account, or a group's own."""
    if req.get("resourceArn"):
        group = ctx.db[LogGroup].need(group_name(ctx, req["resourceArn"]))
        _same_revision(group, req)
        if not group.policy:
            raise AwsError("ResourceNotFoundException", "The resource has no resource policy.")
        ctx.db[LogGroup].put(replace(group, policy="", policy_name="", policy_revision="", policy_updated=None))
        return {}
    if not req.get("policyName"):
        raise errors.invalid("policyName must be specified.")
    ctx.db[AccountPolicy].drop(ctx.db[AccountPolicy].need(req["policyName"]))
    return {}


@op("DescribeResourcePolicies")
def describe_resource_policies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's policies, or a group's own."""
    if req.get("resourceArn"):
        group = ctx.db[LogGroup].need(group_name(ctx, req["resourceArn"]))
        return {"resourcePolicies": [_show_own(ctx, group)] if group.policy else []}
    if req.get("policyScope") == "RESOURCE":
        return {"resourcePolicies": [_show_own(ctx, group) for group in ctx.db[LogGroup].all() if group.policy]}
    return {"resourcePolicies": [_show(policy) for policy in ctx.db[AccountPolicy].all()]}


def _show(policy: AccountPolicy) -> dict[str, Any]:
    return {
        "lastUpdatedTime": millis(policy.updated),
        "policyDocument": policy.document,
        "policyName": policy.name,
        "policyScope": "ACCOUNT",
    }


def _show_own(ctx: Ctx, group: LogGroup) -> dict[str, Any]:
    return {
        "lastUpdatedTime": millis(group.policy_updated) if group.policy_updated else None,
        "policyDocument": group.policy,
        "policyName": group.policy_name or None,
        "policyScope": "RESOURCE",
        "resourceArn": ctx.arn(group),
        "revisionId": group.policy_revision,
    }
