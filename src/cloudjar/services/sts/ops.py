"""STS's operations.

https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sts import errors, mfa, rules
from cloudjar.services.sts.access import assuming, federating, need_role
from cloudjar.services.sts.sessions import credentials, role_session


@op("GetCallerIdentity")
def get_caller_identity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who is asking; needs no permission and no policy can forbid it."""
    return {"UserId": ctx.caller.unique_id, "Account": ctx.caller.account, "Arn": ctx.caller.arn}


@op("AssumeRole", writes=False, access=assuming)
def assume_role(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Credentials of a role for a caller whom it trusts. Nothing is stored: the token is the session."""
    rules.refuse_unbuilt(req)
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
    session = replace(
        role_session(role, arn, name, tags, narrowed),
        source_identity=_source_identity(caller, req.get("SourceIdentity")),
        session_keys=caller.session_keys if caller.kind == "service" else {},
        mfa_at=ctx.now if mfa.given(req) else None,  # `assuming` has verified it
    )
    return {
        "Credentials": credentials(ctx, session, seconds),
        "AssumedRoleUser": {"AssumedRoleId": session.unique_id, "Arn": session.arn},
        "PackedPolicySize": narrowed.percent,
        "SourceIdentity": session.source_identity or None,
    }


def _source_identity(caller: Caller, asked: str | None) -> str:
    """Once set, a source identity stays for the whole chain."""
    if asked and caller.source_identity and asked != caller.source_identity:
        raise errors.access_denied("The source identity of a session cannot be changed by role chaining.")
    return asked or caller.source_identity


def _need_long_term(ctx: Ctx, operation: str) -> None:
    if ctx.caller.token_issued is not None or ctx.caller.kind not in ("user", "root"):
        raise errors.access_denied(f"Cannot call {operation} with session credentials")


@op("GetSessionToken")
def get_session_token(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Temporary credentials with the caller's own permissions; needs no permission."""
    _need_long_term(ctx, "GetSessionToken")
    seconds = rules.user_seconds(req.get("DurationSeconds"), root=ctx.caller.kind == "root")
    session = replace(ctx.caller, mfa_at=ctx.now) if mfa.verified(ctx, req) else ctx.caller
    return {"Credentials": credentials(ctx, session, seconds)}


@op("GetFederationToken", access=federating)
def get_federation_token(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Credentials for somebody whom the calling user vouches for: his permissions are the user's, cut by the
    session policies; without session policies he has none."""
    _need_long_term(ctx, "GetFederationToken")
    rules.refuse_unbuilt(req)
    caller, name = ctx.caller, req["Name"]
    narrowed = rules.narrowing(req, ctx.account)
    session = replace(
        caller,
        kind="federated",
        arn=arns.make("sts", "", ctx.account, f"federated-user/{name}"),
        unique_id=f"{ctx.account}:{name}",
        role_arn=caller.arn,
        session_name=name,
        tags=rules.laid_over(caller.tags, rules.session_tags(req, {}, ()).given),
        session_policies=narrowed.policies,
        session_policy_arns=narrowed.arns,
    )
    seconds = rules.user_seconds(req.get("DurationSeconds"), root=caller.kind == "root")
    return {
        "Credentials": credentials(ctx, session, seconds),
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
        raise errors.invalid_message()
    rules.check_message(msgspec.json.decode(opened), ctx.account, ctx.now)
    return {"DecodedMessage": opened.decode()}
