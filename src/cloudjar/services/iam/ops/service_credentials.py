"""Credentials that are good for one service: CodeCommit, Keyspaces, API keys of Bedrock and CloudWatch Logs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_service-specific-creds.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, names, rules
from cloudjar.services.iam.credentials import ServiceCredential
from cloudjar.services.iam.ops.signing_certificates import asked_status, status_of
from cloudjar.services.iam.records import User

_PASSWORDS = ("codecommit.amazonaws.com", "cassandra.amazonaws.com")
_API_KEYS = ("bedrock.amazonaws.com", "logs.amazonaws.com")
"""These have an alias and a secret in place of a name and a password, and may expire."""
_PER_SERVICE = 2


def _need_service(name: str) -> str:
    if name not in (*_PASSWORDS, *_API_KEYS):
        raise AwsError(
            "NotSupportedService", f"Service {name} does not support service-specific credentials.", 404
        )
    return name


def _metadata(ctx: Ctx, user: User, item: ServiceCredential) -> dict[str, Any]:
    expired = item.expires is not None and item.expires <= ctx.now
    return {
        "UserName": user.name,
        "Status": "Expired" if expired else status_of(item.active),
        ("ServiceCredentialAlias" if item.service in _API_KEYS else "ServiceUserName"): item.name,
        "CreateDate": item.made,
        "ExpirationDate": item.expires,
        "ServiceSpecificCredentialId": item.id,
        "ServiceName": item.service,
    }


def _with_secret(ctx: Ctx, user: User, item: ServiceCredential, secret: str) -> dict[str, Any]:
    member = "ServiceCredentialSecret" if item.service in _API_KEYS else "ServicePassword"
    return {"ServiceSpecificCredential": {**_metadata(ctx, user, item), member: secret}}


def _secret() -> tuple[str, bytes, bytes]:
    """A secret to be shown once, its salt and its hash."""
    secret, salt = ids.token(33), ids.entropy(16)
    return secret, salt, rules.password_hash(secret, salt)


def _need(ctx: Ctx, req: dict[str, Any]) -> tuple[User, ServiceCredential]:
    user = names.user_or_caller(ctx, req.get("UserName"))
    item = ctx.db[ServiceCredential].need(req["ServiceSpecificCredentialId"])
    if item.user_id != user.id:
        raise ctx.db[ServiceCredential].meta.not_found(item.id)
    return user, item


@op("CreateServiceSpecificCredential")
def create_service_specific_credential(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A credential whose secret is shown this once; two for each service."""
    user, service = names.need(ctx, User, req["UserName"]), _need_service(req["ServiceName"])
    age = req.get("CredentialAgeDays")
    if age is not None and service not in _API_KEYS:
        raise errors.validation(f"CredentialAgeDays is not supported for {service}.")
    present = [c.name for c in ctx.db[ServiceCredential].all(user_id=user.id) if c.service == service]
    if len(present) >= _PER_SERVICE:
        raise errors.quota("ServiceSpecificCredentialsPerUser", _PER_SERVICE)
    secret, salt, hashed = _secret()
    item = ServiceCredential(
        id=ids.unique_id("ACCA"),
        user_id=user.id,
        made=ctx.now.replace(microsecond=0),
        service=service,
        name=next(n for n in (f"{user.name}{x}-at-{ctx.account}" for x in ("", "+1")) if n not in present),
        salt=salt,
        hash=hashed,
        expires=None if age is None else ctx.now.replace(microsecond=0) + timedelta(days=age),
    )
    return _with_secret(ctx, user, ctx.db[ServiceCredential].add(item), secret)


@op("ListServiceSpecificCredentials")
def list_service_specific_credentials(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A user's credentials, or everybody's, narrowed to one service."""
    service = _need_service(req["ServiceName"]) if req.get("ServiceName") else ""
    if req.get("AllUsers"):
        if req.get("UserName"):
            raise errors.validation("UserName cannot be given together with AllUsers.")
        users = {user.id: user for user in ctx.db[User].all()}
    else:
        user = names.user_or_caller(ctx, req.get("UserName"))
        users = {user.id: user}
    found = [c for user_id in users for c in ctx.db[ServiceCredential].all(user_id=user_id)]
    shown = [_metadata(ctx, users[c.user_id], c) for c in found if service in ("", c.service)]
    return {"ServiceSpecificCredentials": sorted(shown, key=lambda c: (c["UserName"], c["CreateDate"]))}


@op("ResetServiceSpecificCredential")
def reset_service_specific_credential(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another secret; the old one is nobody's at once."""
    user, item = _need(ctx, req)
    secret, salt, hashed = _secret()
    return _with_secret(ctx, user, ctx.db[ServiceCredential].put(replace(item, salt=salt, hash=hashed)), secret)


@op("UpdateServiceSpecificCredential")
def update_service_specific_credential(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a credential active or inactive."""
    active = asked_status(req, "a service-specific credential")
    ctx.db[ServiceCredential].put(replace(_need(ctx, req)[1], active=active))
    return {}


@op("DeleteServiceSpecificCredential")
def delete_service_specific_credential(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a credential."""
    ctx.db[ServiceCredential].drop(_need(ctx, req)[1])
    return {}
