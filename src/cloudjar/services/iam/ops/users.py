"""Users.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import root
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.iam import errors, managed, names, rules, trust
from cloudjar.services.iam.access import boundary_key
from cloudjar.services.iam.credentials import OfUser, ServiceCredential, SigningCertificate, SshPublicKey
from cloudjar.services.iam.mfa import MfaDevice
from cloudjar.services.iam.records import AccessKey, LoginProfile, User
from cloudjar.services.iam.views import user_of

_HANGS_ON_USERS: dict[type[OfUser], str] = {
    SigningCertificate: "signing certificates",
    SshPublicKey: "SSH public keys",
    ServiceCredential: "service-specific credentials",
}


@op("CreateUser", keys=boundary_key)
def create_user(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A user without any permission."""
    name = req["UserName"]
    names.need_free(ctx, User, name)
    boundary = req.get("PermissionsBoundary")
    user = User(
        name=name,
        folded=name.lower(),
        id=names.new_id(User),
        path=req.get("Path") or "/",
        created=ctx.now.replace(microsecond=0),
        boundary=managed.boundary(ctx, boundary) if boundary else "",
        tags=rules.tags(req.get("Tags") or ()),
    )
    return {"User": user_of(ctx.db[User].add(user))}


@op("GetUser")
def get_user(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A user; without a name the caller's own, also when that is the root user."""
    if not req.get("UserName") and ctx.caller.kind == "root":
        owner = root(ctx.account)
        return {"User": {"UserId": owner.account, "Arn": owner.arn}}
    return {"User": user_of(names.user_or_caller(ctx, req.get("UserName")))}


@op("ListUsers")
def list_users(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Users below a path."""
    prefix = req.get("PathPrefix") or "/"
    return {"Users": [user_of(user, whole=False) for user in ctx.db[User].all() if user.path.startswith(prefix)]}


@op("UpdateUser")
def update_user(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another name or path, and so another ARN; keys, memberships and the unique id stay."""
    user = names.need(ctx, User, req["UserName"])
    name, path = req.get("NewUserName") or user.name, req.get("NewPath") or user.path
    if name != user.name:
        names.need_free(ctx, User, name, but=user)
    moved = replace(user, name=name, folded=name.lower(), path=path)
    if name == user.name:
        ctx.db[User].put(moved)
    else:
        _rename(ctx, user, moved)
    trust.rename(ctx, arn_of(user), arn_of(moved))
    return {}


def _rename(ctx: Ctx, user: User, moved: User) -> None:
    ctx.db[User].drop(user)
    ctx.db[User].add(moved)
    for key in ctx.db[AccessKey].all(user=user.name):
        ctx.db[AccessKey].put(replace(key, user=moved.name))
    profile = ctx.db[LoginProfile].get(user.name)
    if profile is not None:
        ctx.db[LoginProfile].drop(profile)
        ctx.db[LoginProfile].add(replace(profile, user=moved.name))


@op("DeleteUser")
def delete_user(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a user that nothing hangs on any more."""
    user = names.need(ctx, User, req["UserName"])
    if ctx.db[LoginProfile].get(user.name) is not None:
        raise errors.delete_conflict("Cannot delete entity, must delete login profile first.")
    if ctx.db[AccessKey].count(user=user.name):
        raise errors.delete_conflict("Cannot delete entity, must delete access keys first.")
    if ctx.db[MfaDevice].count(user_id=user.id):
        raise errors.delete_conflict("Cannot delete entity, must delete MFA device first.")
    for kind, what in _HANGS_ON_USERS.items():
        if ctx.db[kind].count(user_id=user.id):
            raise errors.delete_conflict(f"Cannot delete entity, must delete {what} first.")
    if user.groups:
        raise errors.delete_conflict("Cannot delete entity, must remove users from group first.")
    if user.attached:
        raise errors.delete_conflict("Cannot delete entity, must detach all policies first.")
    if user.inline:
        raise errors.delete_conflict("Cannot delete entity, must delete policies first.")
    ctx.db[User].drop(user)
    trust.rename(ctx, arn_of(user), user.id)
    return {}
