"""Condition keys of IAM's resources and requests, and what requests name by something else than an ARN.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finds, resource_keys
from cloudjar.services.iam import names
from cloudjar.services.iam.credentials import ServerCertificate
from cloudjar.services.iam.records import AccessKey, DeletionTask, Group, InstanceProfile, Named, Role, User


@resource_keys("iam", "user")
@resource_keys("iam", "role")
def boundary_in_force(item: User | Role) -> dict[str, str]:
    """``iam:PermissionsBoundary`` of whoever is to be changed: delegation rests on it."""
    return {"iam:PermissionsBoundary": item.boundary} if item.boundary else {}


def boundary_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, str]:
    """``iam:PermissionsBoundary`` of a request that sets one."""
    asked = req.get("PermissionsBoundary")
    return {"iam:PermissionsBoundary": asked} if asked else {}


def policy_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, str]:
    """``iam:PolicyARN`` of a request that attaches or detaches one."""
    return {"iam:PolicyARN": req["PolicyArn"]}


def passed_to_ec2(ctx: Ctx, req: dict[str, Any]) -> dict[str, str]:
    """``iam:PassedToService``: what lies in an instance profile goes to EC2."""
    return {"iam:PassedToService": "ec2.amazonaws.com"}


def _named(ctx: Ctx, kind: type[Named], name: str) -> Named | None:
    """The record by name in any case: a policy that speaks of ``Ann`` is not got round by asking for ``ann``."""
    return names.find(ctx, kind, name) if name else None


@finds("iam:user")
def _find_user(ctx: Ctx, value: str) -> Named | None:
    return _named(ctx, User, value)


@finds("iam:group")
def _find_group(ctx: Ctx, value: str) -> Named | None:
    return _named(ctx, Group, value)


@finds("iam:role")
def _find_role(ctx: Ctx, value: str) -> Named | None:
    return _named(ctx, Role, value)


@finds("iam:instance-profile")
def _find_instance_profile(ctx: Ctx, value: str) -> Named | None:
    return _named(ctx, InstanceProfile, value)


@finds("iam:server-certificate")
def _find_server_certificate(ctx: Ctx, value: str) -> Named | None:
    return _named(ctx, ServerCertificate, value)


@finds("iam:instance-profile-role")
def _find_role_in_profile(ctx: Ctx, value: str) -> Named | None:
    """The role that is passed with a profile, which is named by its name or ARN."""
    parsed = arns.parse(value)
    if parsed is not None and (parsed.type != "instance-profile" or parsed.account != ctx.account):
        return None
    profile = names.find(ctx, InstanceProfile, value if parsed is None else parsed.name.rpartition("/")[2])
    return None if profile is None else _named(ctx, Role, profile.role)


@finds("iam:access-key-owner")
def _find_owner(ctx: Ctx, value: str) -> Named | None:
    """The user whose key it is, within the account."""
    key = ctx.db[AccessKey].get(value)
    return None if key is None else _named(ctx, User, key.user)


@finds("iam:deletion-task-role")
def _find_deleted_role(ctx: Ctx, value: str) -> str | None:
    """The service-linked role that a deletion was about; the task's id is ``task/PATH/NAME/UUID``."""
    if ctx.db[DeletionTask].get(value) is None:
        return None
    return arns.make("iam", "", ctx.account, "role" + value.removeprefix("task").rpartition("/")[0])
