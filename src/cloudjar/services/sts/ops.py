"""STS's operations.

https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.auth.sessions import Issued, Sessions
from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sts import errors, mfa, rules
from cloudjar.services.sts.access import assuming, federating, need_role


@op("GetCallerIdentity")
def get_caller_identity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who is asking; needs no permission and no policy can forbid it."""
    return {"UserId": ctx.caller.unique_id, "Account": ctx.caller.account, "Arn": ctx.caller.arn}


@op("AssumeRole", writes=False, access=assuming)
def assume_role(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Credentials of a role for a caller whom it trusts. Nothing is stored: the token is the session."""
    role, arn = need_role(ctx, req["RoleArn"])
    caller, name = ctx.caller, req["RoleSessionName"]
    seconds = rules.role_seconds(
        req.get("DurationSeconds"),
        role.max_session,
        chained=caller.kind == "role",
        service=caller.kind == "service",
    )
    narrowed = rules.narrowing(req, role.account)
    tags = rules.session_tags(req, caller.tags, caller.transitive_tags)
    session = Caller(
        kind="role",
        account=role.account,
        arn=arns.make("sts", "", role.account, f"assumed-role/{role.name}/{name}"),
        unique_id=f"{role.id}:{name}",
        role_arn=arn,
        session_name=name,
        tags={**role.tags, **tags.all},
        transitive_tags=tags.transitive,
        session_policies=narrowed.policies,
        session_policy_arns=narrowed.arns,
        source_identity=_source_identity(caller, req.get("SourceIdentity")),
        session_keys=caller.session_keys if caller.kind == "service" else {},
        mfa_at=ctx.now if mfa.given(req) else None,  # `assuming` has verified it
    )
    return {
        "Credentials": _credentials(_issue(ctx, session, seconds)),
        "AssumedRoleUser": {"AssumedRoleId": session.unique_id, "Arn": session.arn},
        "PackedPolicySize": narrowed.percent,
        "SourceIdentity": session.source_identity or None,
    }


def _source_identity(caller: Caller, asked: str | None) -> str:
    """Once set, a source identity stays for the whole chain."""
    if asked and caller.source_identity and asked != caller.source_identity:
        raise errors.access_denied("The source identity of a session cannot be changed by role chaining.")
    return asked or caller.source_identity


def _issue(ctx: Ctx, session: Caller, seconds: int) -> Issued:
    sessions: Sessions = ctx.world.ports["sessions"]
    now = ctx.now.replace(microsecond=0)
    return sessions.issue(session, now + timedelta(seconds=seconds), now)


def _credentials(issued: Issued) -> dict[str, Any]:
    return {
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret,
        "SessionToken": issued.token,
        "Expiration": issued.expires,
    }


def _need_long_term(ctx: Ctx, operation: str) -> None:
    if ctx.caller.token_issued is not None or ctx.caller.kind not in ("user", "root"):
        raise errors.access_denied(f"Cannot call {operation} with session credentials")


@op("GetSessionToken")
def get_session_token(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Temporary credentials with the caller's own permissions; needs no permission."""
    _need_long_term(ctx, "GetSessionToken")
    seconds = rules.user_seconds(req.get("DurationSeconds"), root=ctx.caller.kind == "root")
    session = replace(ctx.caller, mfa_at=ctx.now) if mfa.verified(ctx, req) else ctx.caller
    return {"Credentials": _credentials(_issue(ctx, session, seconds))}


@op("GetFederationToken", access=federating)
def get_federation_token(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Credentials for somebody whom the calling user vouches for: his permissions are the user's, cut by the
    session policies; without session policies he has none."""
    _need_long_term(ctx, "GetFederationToken")
    caller, name = ctx.caller, req["Name"]
    narrowed = rules.narrowing(req, ctx.account)
    session = replace(
        caller,
        kind="federated",
        arn=arns.make("sts", "", ctx.account, f"federated-user/{name}"),
        unique_id=f"{ctx.account}:{name}",
        role_arn=caller.arn,
        session_name=name,
        tags={**caller.tags, **rules.session_tags(req, {}, ()).given},
        session_policies=narrowed.policies,
        session_policy_arns=narrowed.arns,
    )
    seconds = rules.user_seconds(req.get("DurationSeconds"), root=caller.kind == "root")
    return {
        "Credentials": _credentials(_issue(ctx, session, seconds)),
        "FederatedUser": {"FederatedUserId": session.unique_id, "Arn": session.arn},
        "PackedPolicySize": narrowed.percent,
    }


@op("GetAccessKeyInfo")
def get_access_key_info(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account of a key, which its id carries."""
    return {"Account": rules.account_of_key(req["AccessKeyId"])}


@op("DecodeAuthorizationMessage")
def decode_authorization_message(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What an encoded authorization failure says, as JSON."""
    text = req["EncodedMessage"]
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        sealed = b""
    opened = ctx.world.sealer.open(sealed, "authorization-message")
    if opened is None:
        raise AwsError("InvalidAuthorizationMessageException", "Message is not valid", 400)
    return {"DecodedMessage": opened.decode()}
