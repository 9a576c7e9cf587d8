"""Users' access keys.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op
from cloudjar.kit.record import arn_of
from cloudjar.services.iam import errors, names, rules
from cloudjar.services.iam.identity import identity, key_purpose
from cloudjar.services.iam.records import AccessKey, KeyUse, User
from cloudjar.services.iam.views import access_key_of


def _need_key(ctx: Ctx, req: dict[str, Any]) -> AccessKey:
    """The key that a request names; it must be the named user's, or the caller's own."""
    user = names.user_or_caller(ctx, req.get("UserName"))
    key = ctx.db[AccessKey].need(req["AccessKeyId"])
    if key.user != user.name:
        raise ctx.db[AccessKey].meta.not_found(key.id)
    return key


@op("CreateAccessKey")
def create_access_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A key for a user; the secret is shown this once."""
    user = names.user_or_caller(ctx, req.get("UserName"))
    if ctx.db[AccessKey].count(user=user.name) >= rules.ACCESS_KEYS_PER_USER:
        raise errors.quota("AccessKeysPerUser", rules.ACCESS_KEYS_PER_USER)
    key_id, secret = ids.access_key_id("AKIA", ctx.account), ids.secret_access_key()
    sealed = ctx.world.sealer.seal(secret.encode(), key_purpose(key_id))
    key = ctx.db[AccessKey].add(
        AccessKey(id=key_id, user=user.name, secret=sealed, created=ctx.now.replace(microsecond=0))
    )
    return {"AccessKey": {**access_key_of(key), "SecretAccessKey": secret}}


@op("ListAccessKeys")
def list_access_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A user's keys, oldest first."""
    user = names.user_or_caller(ctx, req.get("UserName"))
    keys = sorted(ctx.db[AccessKey].all(user=user.name), key=lambda key: key.created)
    return {"AccessKeyMetadata": [access_key_of(key) for key in keys]}


@op("UpdateAccessKey")
def update_access_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a key active or inactive."""
    if req["Status"] not in ("Active", "Inactive"):
        raise errors.invalid_input(f"Status {req['Status']} is not valid for an access key.")
    key = _need_key(ctx, req)
    if key.active != (req["Status"] == "Active"):
        ctx.db[AccessKey].put(replace(key, active=not key.active, changed=ctx.now.replace(microsecond=0)))
    return {}


@op("DeleteAccessKey")
def delete_access_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a key: whoever signs with it is refused from now on."""
    key = _need_key(ctx, req)
    ctx.db[AccessKey].drop(key)
    identity(ctx.world).uses.forget(ctx.account, KeyUse, key.id)
    return {}


def _owner(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """GetAccessKeyLastUsed acts on the key's user, whom the request does not name."""
    key = ctx.db[AccessKey].get(req["AccessKeyId"])
    user = ctx.db[User].get(key.user) if key is not None else None
    unknown = arns.make("iam", "", ctx.account, "user/*")
    return [Grant("iam:GetAccessKeyLastUsed", arn_of(user) if user is not None else unknown)]


@op("GetAccessKeyLastUsed", access=_owner)
def get_access_key_last_used(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """When, where and for which service a key was last used; ``N/A`` when never."""
    key = ctx.db[AccessKey].get(req["AccessKeyId"])
    if key is None:
        raise AwsError(
            "AccessDenied",
            f"User: {ctx.caller.arn} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: "
            f"{req['AccessKeyId']}",
            403,
        )
    use = identity(ctx.world).uses.of_key(ctx.account, key.id)
    if use is None:
        return {"UserName": key.user, "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}
    shown = {"LastUsedDate": use.at.replace(microsecond=0), "ServiceName": use.service, "Region": use.used_in}
    return {"UserName": key.user, "AccessKeyLastUsed": shown}
