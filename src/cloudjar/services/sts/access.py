"""What assuming a role needs: the trust policy's consent to the session, its tags and its source identity.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

from cloudjar.auth.authorize import Kept
from cloudjar.base import arn as arns
from cloudjar.kit import accounts, tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, keys_of_resource
from cloudjar.kit.record import arn_of
from cloudjar.services.sts import errors, mfa, rules

_PLAIN = frozenset(("RoleArn", "RoleSessionName", "DurationSeconds"))
"""Members of a request that bring no condition key but the session's name."""
_PORT, _REMEMBERED = "sts.grants", 1024


class Role(Protocol):
    """What STS reads of IAM's role record."""

    account: str
    name: str
    id: str
    trust: str
    max_session: int
    tags: dict[str, str]


def need_role(ctx: Ctx, arn: str) -> tuple[Role, str]:
    """The role of an ARN, in whatever account, and its ARN; raises AccessDenied when there is none (any more)."""
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "iam" or parsed.type != "role":
        raise errors.validation(f"{arn} is invalid")
    found = ctx.at(parsed.account, "").find("iam", "role", arn.rpartition("/")[2])
    if found is None or arn_of(found) != arn or not accounts.is_open(ctx.db, parsed.account):
        raise errors.not_authorized(ctx.caller.arn, "sts:AssumeRole", arn)
    return cast(Role, found), arn


def assuming(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """The grants of AssumeRole, each decided by the trust policy first."""
    if ctx.caller.kind == "root":
        raise errors.access_denied("Roles may not be assumed by root accounts.")
    if ctx.caller.kind == "federated":
        raise errors.access_denied("Cannot call AssumeRole with federated user credentials")
    role, arn = need_role(ctx, req["RoleArn"])
    if ctx.caller.kind == "service" and role.account != ctx.account:  # a service acts for one account at a time
        raise errors.not_authorized(ctx.caller.arn, "sts:AssumeRole", arn)
    if ctx.caller.kind == "service" and _PLAIN.issuperset(req):
        return _again(ctx, req, role, arn)
    session = rules.session_tags(req, ctx.caller.tags, ctx.caller.transitive_tags)
    keys = _keys(ctx, req, role, session)
    if mfa.verified(ctx, req):  # before the trust policy is asked, since it may demand it
        keys.update({"aws:multifactorauthpresent": "true", "aws:multifactorauthage": "0"})

    def grant(action: str, extra: Mapping[str, Any]) -> Grant:
        return Grant(action, arn, {**keys, **extra}, role.trust, role.account, "trust")

    grants = [grant("sts:AssumeRole", {})]
    if session.given:
        transitive = {"sts:transitivetagkeys": list(req.get("TransitiveTagKeys") or ())}
        grants.append(grant("sts:TagSession", transitive if transitive["sts:transitivetagkeys"] else {}))
    if req.get("SourceIdentity"):
        grants.append(grant("sts:SetSourceIdentity", {}))
    return grants


def _again(ctx: Ctx, req: dict[str, Any], role: Role, arn: str) -> Kept[Grant]:
    """The one grant of a service that assumes a role again and again: the same object, as long as the role is the same
    and the session is called the same."""
    held: dict[tuple[str, str], tuple[Role, Kept[Grant]]] = ctx.world.ports.setdefault(_PORT, {})
    place = (arn, req["RoleSessionName"])
    known = held.get(place)
    if known is None or known[0] is not role:
        if len(held) >= _REMEMBERED:
            held.clear()
        keys = _keys(ctx, req, role, rules.session_tags(req, {}, ()))
        known = held[place] = (role, Kept((Grant("sts:AssumeRole", arn, keys, role.trust, role.account, "trust"),)))
    return known[1]


def _keys(ctx: Ctx, req: dict[str, Any], role: Role, session: rules.SessionTags) -> dict[str, Any]:
    keys: dict[str, Any] = {
        **keys_of_resource("iam", "role", role),
        **tags.request_keys(session.given),
        "sts:rolesessionname": req["RoleSessionName"],
    }
    if req.get("ExternalId"):
        keys["sts:externalid"] = req["ExternalId"]
    identity = req.get("SourceIdentity") or ctx.caller.source_identity
    if identity:
        keys["sts:sourceidentity"] = identity
    return keys


def federating(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """The grants of GetFederationToken."""
    arn = arns.make("sts", "", ctx.account, f"federated-user/{req['Name']}")
    session = rules.session_tags(req, {}, ())
    keys = tags.request_keys(session.given)
    yield Grant("sts:GetFederationToken", arn, keys)
    if session.given:
        yield Grant("sts:TagSession", arn, keys)
