"""The account itself: summary, alias, password policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/console-account-alias.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, names
from cloudjar.services.iam.credentials import ServerCertificate
from cloudjar.services.iam.mfa import MfaDevice
from cloudjar.services.iam.providers import OidcProvider, SamlProvider
from cloudjar.services.iam.records import (
    AccountAlias,
    AccountPreferences,
    Group,
    InstanceProfile,
    ManagedPolicy,
    PasswordPolicy,
    Role,
    User,
)
from cloudjar.spec import quotas

_RAISED = {
    "UsersQuota": quotas.IAM_USERS,
    "GroupsQuota": quotas.IAM_GROUPS,
    "RolesQuota": quotas.IAM_ROLES,
    "PoliciesQuota": quotas.IAM_POLICIES,
    "InstanceProfilesQuota": quotas.IAM_INSTANCE_PROFILES,
    "AttachedPoliciesPerRoleQuota": quotas.IAM_POLICIES_PER_ROLE,
    "AttachedPoliciesPerUserQuota": quotas.IAM_POLICIES_PER_USER,
    "AssumeRolePolicySizeQuota": quotas.IAM_TRUST_POLICY_LENGTH,
}
# The root user has no password and no certificates here.
_NONE = ("AccountSigningCertificatesPresent", "AccountPasswordPresent")


@op("GetAccountSummary")
def get_account_summary(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How many entities there are, and how many there may be."""
    policies = ctx.db[ManagedPolicy].all()
    devices = ctx.db[MfaDevice].all()
    limits = {name: ctx.world.state.quotas.limit(ctx.account, "", code) for name, code in _RAISED.items()}
    return {
        "SummaryMap": {
            **dict.fromkeys(_NONE, 0),
            **quotas.IAM_SUMMARY,
            **{name: int(limit) for name, limit in limits.items() if limit is not None},
            "GlobalEndpointTokenVersion": _preferences(ctx).token_version,
            "AccountAccessKeysPresent": int(ctx.world.ports["root_keys"].count(ctx.account) > 0),
            "ServerCertificates": ctx.db[ServerCertificate].count(),
            "Users": ctx.db[User].count(),
            "Groups": ctx.db[Group].count(),
            "Roles": ctx.db[Role].count(),
            "InstanceProfiles": ctx.db[InstanceProfile].count(),
            "MFADevices": len(devices),
            "Providers": ctx.db[OidcProvider].count() + ctx.db[SamlProvider].count(),
            "MFADevicesInUse": sum(1 for device in devices if device.user_id),
            "AccountMFAEnabled": int(any(device.user_id == ctx.account for device in devices)),
            "Policies": len(policies),
            "PolicyVersionsInUse": sum(len(policy.versions) for policy in policies),
        }
    }


def _preferences(ctx: Ctx) -> AccountPreferences:
    return ctx.db[AccountPreferences].get(ctx.account) or AccountPreferences(name=ctx.account)


@op("SetSecurityTokenServicePreferences")
def set_security_token_service_preferences(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Which version of session tokens the global endpoint gives."""
    wanted = {"v1Token": 1, "v2Token": 2}[req["GlobalEndpointTokenVersion"]]
    ctx.db[AccountPreferences].add(replace(_preferences(ctx), token_version=wanted))  # in place of what there was
    return {}


@op("CreateAccountAlias")
def create_account_alias(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's one alias, in place of the one it had."""
    wanted = req["AccountAlias"]
    if ctx.db.find(AccountAlias, wanted) is not None:
        raise errors.already_exists(f"The account alias {wanted} already exists.")
    present = names.alias(ctx)
    if present is not None:
        ctx.db[AccountAlias].drop(present)
    ctx.db[AccountAlias].add(AccountAlias(alias=wanted))
    return {}


@op("ListAccountAliases")
def list_account_aliases(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The alias, if there is one."""
    return {"AccountAliases": [item.alias for item in ctx.db[AccountAlias].all()]}


@op("DeleteAccountAlias")
def delete_account_alias(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give the alias back."""
    ctx.db[AccountAlias].drop(ctx.db[AccountAlias].need(req["AccountAlias"]))
    return {}


@op("UpdateAccountPasswordPolicy")
def update_account_password_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's own rules; what is not said falls back to AWS's default, not to what was."""
    table = ctx.db[PasswordPolicy]
    present = table.get(ctx.account)
    if present is not None:
        table.drop(present)
    table.add(
        PasswordPolicy(
            name=ctx.account,
            minimum=req.get("MinimumPasswordLength") or 6,
            symbols=bool(req.get("RequireSymbols")),
            numbers=bool(req.get("RequireNumbers")),
            upper=bool(req.get("RequireUppercaseCharacters")),
            lower=bool(req.get("RequireLowercaseCharacters")),
            users_change=bool(req.get("AllowUsersToChangePassword")),
            max_age=req.get("MaxPasswordAge") or 0,
            reuse=req.get("PasswordReusePrevention") or 0,
            hard_expiry=req.get("HardExpiry"),
        )
    )
    return {}


@op("GetAccountPasswordPolicy")
def get_account_password_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's own rules; raises NoSuchEntity when it has none."""
    policy = ctx.db[PasswordPolicy].need(ctx.account)
    return {
        "PasswordPolicy": {
            "MinimumPasswordLength": policy.minimum,
            "RequireSymbols": policy.symbols,
            "RequireNumbers": policy.numbers,
            "RequireUppercaseCharacters": policy.upper,
            "RequireLowercaseCharacters": policy.lower,
            "AllowUsersToChangePassword": policy.users_change,
            "ExpirePasswords": policy.max_age > 0,
            "MaxPasswordAge": policy.max_age or None,
            "PasswordReusePrevention": policy.reuse or None,
            "HardExpiry": policy.hard_expiry,
        }
    }


@op("DeleteAccountPasswordPolicy")
def delete_account_password_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Back to AWS's default rules."""
    ctx.db[PasswordPolicy].drop(ctx.db[PasswordPolicy].need(ctx.account))
    return {}
