"""The whole of an account's IAM in one answer.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import managed
from cloudjar.services.iam.managed import Managed
from cloudjar.services.iam.ops.instance_profiles import shown as shown_profile
from cloudjar.services.iam.ops.policies import policy_of, version_of
from cloudjar.services.iam.ops.roles import last_used
from cloudjar.services.iam.records import Group, InstanceProfile, Principal, Role, User
from cloudjar.services.iam.views import encoded, group_of, role_of, user_of


@op("GetAccountAuthorizationDetails")
def get_account_authorization_details(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Users, groups, roles and managed policies (AWS's: those in use), as the filter asks."""
    wanted = req.get("Filter") or ()

    def asked(word: str) -> bool:
        return not wanted or word in wanted

    return {
        "UserDetailList": [_user(ctx, user) for user in ctx.db[User].all()] if asked("User") else [],
        "GroupDetailList": [_group(ctx, group) for group in ctx.db[Group].all()] if asked("Group") else [],
        "RoleDetailList": [_role(ctx, role) for role in ctx.db[Role].all()] if asked("Role") else [],
        "Policies": _policies(ctx, local=asked("LocalManagedPolicy"), aws=asked("AWSManagedPolicy")),
    }


def _inline(item: Principal) -> list[dict[str, str]]:
    return [{"PolicyName": name, "PolicyDocument": encoded(text)} for name, text in sorted(item.inline.items())]


def _attached(ctx: Ctx, item: Principal) -> list[dict[str, str]]:
    found = (managed.need(ctx, arn) for arn in item.attached)
    return [{"PolicyName": policy.name, "PolicyArn": policy.arn} for policy in found]


def _user(ctx: Ctx, user: User) -> dict[str, Any]:
    detail = user_of(user)
    detail.pop("PasswordLastUsed")
    return {
        **detail,
        "UserPolicyList": _inline(user) or None,
        "GroupList": list(user.groups),
        "AttachedManagedPolicies": _attached(ctx, user),
    }


def _group(ctx: Ctx, group: Group) -> dict[str, Any]:
    return {
        **group_of(group),
        "GroupPolicyList": _inline(group),
        "AttachedManagedPolicies": _attached(ctx, group),
    }


def _role(ctx: Ctx, role: Role) -> dict[str, Any]:
    detail = role_of(role)
    for member in ("Description", "MaxSessionDuration"):
        detail.pop(member)
    profiles = ctx.db[InstanceProfile].all(role=role.name)
    return {
        **detail,
        "RoleLastUsed": last_used(ctx, role),
        "InstanceProfileList": [shown_profile(ctx, profile, whole=False) for profile in profiles],
        "RolePolicyList": _inline(role),
        "AttachedManagedPolicies": _attached(ctx, role),
    }


def _policies(ctx: Ctx, *, local: bool, aws: bool) -> list[dict[str, Any]]:
    counts = managed.counts(ctx)
    used = counts.attached + counts.boundaries

    def detail(policy: Managed) -> dict[str, Any]:
        versions = [version_of(version, policy.default, document=True) for version in reversed(policy.versions)]
        described = policy_of(policy, counts)
        described.pop("Tags")
        return {**described, "PolicyVersionList": versions}

    return [
        detail(policy)
        for policy in managed.everything(ctx)
        if (local if policy.own is not None else aws and used[policy.arn])
    ]
