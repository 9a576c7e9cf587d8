"""Groups and who is in them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, names, rules
from cloudjar.services.iam.records import Group, User
from cloudjar.services.iam.views import group_of, user_of


@op("CreateGroup")
def create_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An empty group."""
    name = req["GroupName"]
    names.need_free(ctx, Group, name)
    group = Group(
        name=name,
        folded=name.lower(),
        id=names.new_id(Group),
        path=req.get("Path") or "/",
        created=ctx.now.replace(microsecond=0),
    )
    return {"Group": group_of(ctx.db[Group].add(group))}


@op("GetGroup")
def get_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group and its members."""
    group = names.need(ctx, Group, req["GroupName"])
    return {"Group": group_of(group), "Users": [user_of(user, whole=False) for user in names.members(ctx, group)]}


@op("ListGroups")
def list_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Groups below a path."""
    prefix = req.get("PathPrefix") or "/"
    return {"Groups": [group_of(group) for group in ctx.db[Group].all() if group.path.startswith(prefix)]}


@op("ListGroupsForUser")
def list_groups_for_user(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The groups that a user is in."""
    user = names.need(ctx, User, req["UserName"])
    return {"Groups": [group_of(ctx.db[Group].need(name)) for name in user.groups]}


@op("UpdateGroup")
def update_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another name or path; members and policies stay."""
    group = names.need(ctx, Group, req["GroupName"])
    name, path = req.get("NewGroupName") or group.name, req.get("NewPath") or group.path
    moved = replace(group, name=name, folded=name.lower(), path=path)
    if name == group.name:
        ctx.db[Group].put(moved)
        return {}
    names.need_free(ctx, Group, name, but=group)
    inside = names.members(ctx, group)
    ctx.db[Group].drop(group)
    ctx.db[Group].add(moved)
    for user in inside:
        ctx.db[User].put(replace(user, groups=tuple(name if g == group.name else g for g in user.groups)))
    return {}


@op("DeleteGroup")
def delete_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a group without members and policies."""
    group = names.need(ctx, Group, req["GroupName"])
    if names.members(ctx, group):
        raise errors.delete_conflict("Cannot delete entity, must remove users from group first.")
    if group.attached:
        raise errors.delete_conflict("Cannot delete entity, must detach all policies first.")
    if group.inline:
        raise errors.delete_conflict("Cannot delete entity, must delete policies first.")
    ctx.db[Group].drop(group)
    return {}


@op("AddUserToGroup")
def add_user_to_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Membership; repeating it changes nothing."""
    group = names.need(ctx, Group, req["GroupName"])
    user = names.need(ctx, User, req["UserName"])
    if group.name in user.groups:
        return {}
    if len(user.groups) >= rules.GROUPS_PER_USER:
        raise errors.quota("GroupsPerUser", rules.GROUPS_PER_USER)
    ctx.db[User].put(replace(user, groups=(*user.groups, group.name)))
    return {}


@op("RemoveUserFromGroup")
def remove_user_from_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The end of a membership."""
    group = names.need(ctx, Group, req["GroupName"])
    user = names.need(ctx, User, req["UserName"])
    if group.name not in user.groups:
        raise errors.no_such_entity(f"User {user.name} not in group {group.name}")
    ctx.db[User].put(replace(user, groups=tuple(g for g in user.groups if g != group.name)))
    return {}
