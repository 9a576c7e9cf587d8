"""Roles.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.iam import errors, managed, names, rules, trust, uses
from cloudjar.services.iam.access import boundary_key
from cloudjar.services.iam.activity import TRACKED
from cloudjar.services.iam.identity import identity
from cloudjar.services.iam.records import InstanceProfile, Role, RoleUse
from cloudjar.services.iam.views import role_of


def need_free_role(ctx: Ctx, name: str) -> Role:
    """A role that its account may change; raises UnmodifiableEntity for service-linked ones."""
    role = names.need(ctx, Role, name)
    if role.linked_service:
        raise errors.protected_role(role.name)
    return role


@op("CreateRole", keys=boundary_key)
def create_role(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A role that the trust policy's principals may assume."""
    name, path = req["RoleName"], req.get("Path") or "/"
    if path.startswith("/aws-service-role/"):
        raise errors.invalid_input("Service linked roles cannot be created with this API: use CreateServiceLinkedRole")
    names.need_free(ctx, Role, name)
    boundary = req.get("PermissionsBoundary")
    role = Role(
        name=name,
        folded=name.lower(),
        id=names.new_id(Role),
        path=path,
        created=ctx.now.replace(microsecond=0),
        trust=trust.checked(ctx, req["AssumeRolePolicyDocument"]),
        description=req.get("Description") or "",
        max_session=req.get("MaxSessionDuration") or 3600,
        boundary=managed.boundary(ctx, boundary) if boundary else "",
        tags=rules.tags(req.get("Tags") or ()),
    )
    return {"Role": role_of(ctx.db[Role].add(role))}


@op("GetRole")
def get_role(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A role with its trust policy."""
    role = names.need(ctx, Role, req["RoleName"])
    return {"Role": {**role_of(role), "RoleLastUsed": last_used(ctx, role)}}


def last_used(ctx: Ctx, role: Role) -> dict[str, object]:
    """``RoleLastUsed``."""
    return uses.shown(identity(ctx.world).uses.of_role(ctx.account, role.id), ctx.now, TRACKED)


@op("ListRoles")
def list_roles(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Roles below a path."""
    prefix = req.get("PathPrefix") or "/"
    return {"Roles": [role_of(role, whole=False) for role in ctx.db[Role].all() if role.path.startswith(prefix)]}


@op("UpdateRole")
def update_role(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another description or longest session."""
    role = need_free_role(ctx, req["RoleName"])
    description, longest = req.get("Description"), req.get("MaxSessionDuration")
    ctx.db[Role].put(
        replace(
            role,
            description=role.description if description is None else description,
            max_session=longest or role.max_session,
        )
    )
    return {}


@op("UpdateRoleDescription")
def update_role_description(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another description; UpdateRole is its successor."""
    role = need_free_role(ctx, req["RoleName"])
    return {"Role": role_of(ctx.db[Role].put(replace(role, description=req["Description"])))}


@op("UpdateAssumeRolePolicy")
def update_assume_role_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another trust policy; sessions that exist live on."""
    role = need_free_role(ctx, req["RoleName"])
    ctx.db[Role].put(replace(role, trust=trust.checked(ctx, req["PolicyDocument"])))
    return {}


@op("DeleteRole")
def delete_role(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a role without policies that no instance profile holds."""
    role = need_free_role(ctx, req["RoleName"])
    if ctx.db[InstanceProfile].count(role=role.name):
        raise errors.delete_conflict("Cannot delete entity, must remove roles from instance profile first.")
    if role.attached:
        raise errors.delete_conflict("Cannot delete entity, must detach all policies first.")
    if role.inline:
        raise errors.delete_conflict("Cannot delete entity, must delete policies first.")
    ctx.db[Role].drop(role)
    identity(ctx.world).uses.forget(ctx.account, RoleUse, role.id)
    trust.rename(ctx, arn_of(role), role.id)
    return {}
