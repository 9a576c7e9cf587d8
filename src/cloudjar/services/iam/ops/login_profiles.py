"""Console passwords.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords.html
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, names, rules
from cloudjar.services.iam.records import LoginProfile, PasswordPolicy, User
from cloudjar.services.iam.views import login_profile_of

_REMEMBERED = 23
"""As many as a policy may forbid (24), without the present one."""


def _checked(ctx: Ctx, password: str) -> str:
    policy = ctx.db[PasswordPolicy].get(ctx.account)
    wanted = rules.PasswordRules()
    if policy is not None:
        wanted = rules.PasswordRules(
            policy.minimum, policy.symbols, policy.numbers, policy.upper, policy.lower, kinds=0
        )
    wrong = rules.weakness(password, wanted)
    if wrong:
        raise _violation(wrong)
    return password


def _with_password(ctx: Ctx, profile: LoginProfile, password: str) -> LoginProfile:
    salt = ids.entropy(16)
    before = ((profile.salt, profile.hash), *profile.previous) if profile.hash else ()
    return replace(
        profile,
        salt=salt,
        hash=rules.password_hash(password, salt),
        changed=ctx.now.replace(microsecond=0),
        previous=before[:_REMEMBERED],
    )


def _refuse_reuse(policy: PasswordPolicy, profile: LoginProfile, password: str) -> None:
    """The account may forbid so many of the last passwords, of which the present one is the first."""
    last = ((profile.salt, profile.hash), *profile.previous)[: policy.reuse]
    if any(hmac.compare_digest(hashed, rules.password_hash(password, salt)) for salt, hashed in last):
        raise _violation("Policy constraint violation with password reuse prevention during password change.")


def _refuse_expired(ctx: Ctx, policy: PasswordPolicy, profile: LoginProfile) -> None:
    """After a hard expiry only an administrator can set another password."""
    ends = (profile.changed or profile.created) + timedelta(days=policy.max_age)
    if policy.max_age and policy.hard_expiry and ctx.now >= ends:
        raise AwsError("AccessDenied", "The password has expired. An administrator must set another one.", 403)


def _violation(message: str) -> AwsError:
    return AwsError("PasswordPolicyViolation", message, 400)


@op("CreateLoginProfile")
def create_login_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A password for a user."""
    user = names.user_or_caller(ctx, req.get("UserName"))
    if ctx.db[LoginProfile].get(user.name) is not None:
        raise errors.already_exists(f"Login Profile for user {user.name} already exists.")
    if not req.get("Password"):
        raise errors.validation("A password is required to create a login profile.")
    profile = LoginProfile(
        user=user.name,
        created=ctx.now.replace(microsecond=0),
        reset_required=bool(req.get("PasswordResetRequired")),
    )
    profile = _with_password(ctx, profile, _checked(ctx, req["Password"]))
    return {"LoginProfile": login_profile_of(ctx.db[LoginProfile].add(profile))}


@op("GetLoginProfile")
def get_login_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a user has a password, and since when."""
    user = names.user_or_caller(ctx, req.get("UserName"))
    return {"LoginProfile": login_profile_of(ctx.db[LoginProfile].need(user.name))}


@op("UpdateLoginProfile")
def update_login_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another password, or the demand to change it."""
    user = names.need(ctx, User, req["UserName"])
    profile = ctx.db[LoginProfile].need(user.name)
    reset = req.get("PasswordResetRequired")
    if reset is not None:
        profile = replace(profile, reset_required=reset)
    if req.get("Password"):
        profile = _with_password(ctx, profile, _checked(ctx, req["Password"]))
    ctx.db[LoginProfile].put(profile)
    return {}


@op("ChangePassword")
def change_password(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The calling user's own password."""
    if ctx.caller.kind != "user":
        raise AwsError("InvalidUserType", "Only IAM Users can change their own password.", 400)
    user = names.user_or_caller(ctx, None)
    profile = ctx.db[LoginProfile].need(user.name)
    if not hmac.compare_digest(profile.hash, rules.password_hash(req["OldPassword"], profile.salt)):
        raise AwsError("AccessDenied", "The old password was incorrect.", 403)
    policy = ctx.db[PasswordPolicy].get(ctx.account)
    if policy is not None:
        _refuse_expired(ctx, policy, profile)
        _refuse_reuse(policy, profile, req["NewPassword"])
    changed = _with_password(ctx, profile, _checked(ctx, req["NewPassword"]))
    ctx.db[LoginProfile].put(replace(changed, reset_required=False))
    return {}


@op("DeleteLoginProfile")
def delete_login_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take the password away; keys stay."""
    user = names.user_or_caller(ctx, req.get("UserName"))
    ctx.db[LoginProfile].drop(ctx.db[LoginProfile].need(user.name))
    return {}
