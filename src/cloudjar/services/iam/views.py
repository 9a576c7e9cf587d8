"""Records as IAM's answers show them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from cloudjar.kit import tags
from cloudjar.kit.record import arn_of
from cloudjar.services.iam.records import AccessKey, Group, InstanceProfile, LoginProfile, Role, User


def encoded(document: str) -> str:
    """A policy document as it travels: percent-encoded (RFC 3986)."""
    return quote(document, safe="")


def boundary(arn: str) -> dict[str, str] | None:
    """The ``PermissionsBoundary`` member, when there is one."""
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None


def tag_list(item: Any) -> list[dict[str, str]] | None:
    """The ``Tags`` member, when there are any."""
    return tags.as_list(item.tags) or None


def user_of(user: User, *, whole: bool = True) -> dict[str, Any]:
    """``User``; lists leave out tags and boundary, as AWS's do."""
    shown: dict[str, Any] = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": arn_of(user),
        "CreateDate": user.created,
        "PasswordLastUsed": user.password_used,
    }
    if whole:
        shown.update(PermissionsBoundary=boundary(user.boundary), Tags=tag_list(user))
    return shown


def group_of(group: Group) -> dict[str, Any]:
    """``Group``."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": arn_of(group),
        "CreateDate": group.created,
    }


def role_of(role: Role, *, whole: bool = True) -> dict[str, Any]:
    """``Role``; lists leave out tags and boundary, as AWS's do."""
    shown: dict[str, Any] = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": arn_of(role),
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": encoded(role.trust),
        "Description": role.description or None,
        "MaxSessionDuration": role.max_session,
    }
    if whole:
        shown.update(PermissionsBoundary=boundary(role.boundary), Tags=tag_list(role))
    return shown


def instance_profile_of(profile: InstanceProfile, role: Role | None, *, whole: bool = True) -> dict[str, Any]:
    """``InstanceProfile`` with the role in it."""
    shown: dict[str, Any] = {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": arn_of(profile),
        "CreateDate": profile.created,
        "Roles": [role_of(role, whole=False)] if role is not None else [],
    }
    if whole:
        shown["Tags"] = tag_list(profile)
    return shown


def access_key_of(key: AccessKey) -> dict[str, Any]:
    """``AccessKeyMetadata``."""
    return {
        "UserName": key.user,
        "AccessKeyId": key.id,
        "Status": "Active" if key.active else "Inactive",
        "CreateDate": key.created,
    }


def login_profile_of(profile: LoginProfile) -> dict[str, Any]:
    """``LoginProfile``."""
    return {"UserName": profile.user, "CreateDate": profile.created, "PasswordResetRequired": profile.reset_required}
