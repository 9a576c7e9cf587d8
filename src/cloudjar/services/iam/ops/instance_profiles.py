"""Instance profiles: how an instance gets a role.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, names, rules
from cloudjar.services.iam.access import passed_to_ec2
from cloudjar.services.iam.records import InstanceProfile, Role
from cloudjar.services.iam.views import instance_profile_of


def shown(ctx: Ctx, profile: InstanceProfile, *, whole: bool = True) -> dict[str, Any]:
    """``InstanceProfile`` with its role."""
    return instance_profile_of(profile, ctx.db[Role].get(profile.role) if profile.role else None, whole=whole)


@op("CreateInstanceProfile")
def create_instance_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A profile without a role."""
    name = req["InstanceProfileName"]
    names.need_free(ctx, InstanceProfile, name)
    profile = InstanceProfile(
        name=name,
        folded=name.lower(),
        id=names.new_id(InstanceProfile),
        path=req.get("Path") or "/",
        created=ctx.now.replace(microsecond=0),
        tags=rules.tags(req.get("Tags") or ()),
    )
    return {"InstanceProfile": shown(ctx, ctx.db[InstanceProfile].add(profile))}


@op("GetInstanceProfile")
def get_instance_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A profile and its role."""
    return {"InstanceProfile": shown(ctx, names.need(ctx, InstanceProfile, req["InstanceProfileName"]))}


@op("ListInstanceProfiles")
def list_instance_profiles(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Profiles below a path."""
    prefix = req.get("PathPrefix") or "/"
    profiles = [p for p in ctx.db[InstanceProfile].all() if p.path.startswith(prefix)]
    return {"InstanceProfiles": [shown(ctx, profile, whole=False) for profile in profiles]}


@op("ListInstanceProfilesForRole")
def list_instance_profiles_for_role(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The profiles that hold a role."""
    role = names.need(ctx, Role, req["RoleName"])
    profiles = ctx.db[InstanceProfile].all(role=role.name)
    return {"InstanceProfiles": [shown(ctx, profile, whole=False) for profile in profiles]}


@op("AddRoleToInstanceProfile", keys=passed_to_ec2)
def add_role_to_instance_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put a role into an empty profile; the caller must be allowed to pass it."""
    profile = names.need(ctx, InstanceProfile, req["InstanceProfileName"])
    role = names.need(ctx, Role, req["RoleName"])
    if role.linked_service:
        raise errors.protected_role(role.name)
    if profile.role:
        raise errors.quota("InstanceSessionsPerInstanceProfile", 1)
    ctx.db[InstanceProfile].put(replace(profile, role=role.name))
    return {}


@op("RemoveRoleFromInstanceProfile")
def remove_role_from_instance_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Empty a profile; instances that carry it lose their permissions."""
    profile = names.need(ctx, InstanceProfile, req["InstanceProfileName"])
    if profile.role.lower() != req["RoleName"].lower():
        raise ctx.db[Role].meta.not_found(req["RoleName"])
    ctx.db[InstanceProfile].put(replace(profile, role=""))
    return {}


@op("DeleteInstanceProfile")
def delete_instance_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove an empty profile."""
    profile = names.need(ctx, InstanceProfile, req["InstanceProfileName"])
    if profile.role:
        raise errors.delete_conflict("Cannot delete entity, must remove roles from instance profile first.")
    ctx.db[InstanceProfile].drop(profile)
    return {}
