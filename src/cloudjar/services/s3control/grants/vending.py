"""Credentials for what somebody was granted, and what that is.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetDataAccess.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op
from cloudjar.kit.record import arn_of
from cloudjar.services.s3control.grants import rules
from cloudjar.services.s3control.grants.ops import instance_arn
from cloudjar.services.s3control.grants.records import (
    DEFAULT,
    PRINCIPAL,
    AccessGrant,
    GrantsInstance,
    GrantsLocation,
)
from cloudjar.services.s3control.lookup import not_built

_HOUR = 3600


def _there(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """The account whose instance is asked."""
    return ctx.at(req["AccountId"], ctx.region)


def _access(action: str) -> Callable[[Ctx, dict[str, Any]], Iterable[Grant]]:
    def needed(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
        owner: str = req["AccountId"]
        held = _there(ctx, req).db[GrantsInstance].get(DEFAULT)
        policy = held.policy if held is not None else ""
        yield Grant(f"s3:{action}", instance_arn(ctx, owner), None, policy, owner)

    return needed


def _own(ctx: Ctx, req: dict[str, Any]) -> list[AccessGrant]:
    """The grants of who asks: by the ARN of his user or role."""
    who = ctx.caller.role_arn or ctx.caller.arn
    return _there(ctx, req).db[AccessGrant].all(grantee=who)


@op("GetDataAccess", access=_access("GetDataAccess"))
def get_data_access(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Credentials of the location's role that can do what the closest grant allows, or only what was asked for."""
    there = _there(ctx, req)
    there.db[GrantsInstance].need(DEFAULT)
    if req.get("InstanceScope") == "ALL":
        raise not_built("GetDataAccess over all instances")
    target, permission = req["Target"], req["Permission"]
    if req.get("TargetType") != "Object" and not target.endswith("*"):
        target = f"{target}*"
    rules.check_scope(target)
    grant = rules.best(_own(ctx, req), target, permission)
    if grant is None:
        text = f"You do not have {permission} permissions to the requested S3 Prefix: {req['Target']}"
        raise AwsError("AccessDenied", text, 403)
    minimal = req.get("Privilege") == "Minimal"
    scope, allowed = (target, permission) if minimal else (grant.scope, permission)
    return {
        "Credentials": _credentials(ctx, there, grant, rules.session_policy(scope, allowed), req),
        "MatchedGrantTarget": scope,
        "Grantee": {"GranteeType": "IAM", "GranteeIdentifier": grant.grantee},
        "MatchedInstanceArn": instance_arn(ctx, there.account),
    }


def _credentials(ctx: Ctx, there: Ctx, grant: AccessGrant, policy: str, req: dict[str, Any]) -> dict[str, Any]:
    location = there.db[GrantsLocation].need(grant.location)
    held = there.db[GrantsInstance].need(DEFAULT)
    asked = {
        "RoleArn": location.role,
        "RoleSessionName": f"access-grants-{ids.uuid4()}",
        "DurationSeconds": req.get("DurationSeconds") or _HOUR,
        "Policy": policy,
        "SourceIdentity": ctx.caller.unique_id.partition(":")[0] or ctx.caller.account,
    }
    who = callers.service(PRINCIPAL, there.account, arn_of(held))
    try:
        issued = there.call("sts", "AssumeRole", asked, caller=who)["Credentials"]
    except AwsError as error:
        if error.code == "AccessDenied":
            raise AwsError("AccessDenied", "S3 Access Grants may not assume the role of the location", 403) from error
        raise AwsError("InvalidRequest", error.message, 400) from error
    return {name: issued[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")}


@op("ListCallerAccessGrants", access=_access("ListCallerAccessGrants"))
def list_caller_access_grants(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What who asks was granted."""
    there = _there(ctx, req)
    held = there.db[GrantsInstance].need(DEFAULT)
    if req.get("InstanceScope") == "ALL":
        raise not_built("ListCallerAccessGrants over all instances")
    wanted = req.get("GrantScope")
    found = [one for one in _own(ctx, req) if not wanted or one.scope.startswith(wanted.rstrip("*"))]
    return {
        "CallerAccessGrantsList": [
            {"Permission": one.permission, "GrantScope": one.scope, "AccessGrantsInstanceArn": arn_of(held)}
            for one in sorted(found, key=lambda one: one.id)
        ]
    }
