"""Parameter groups: made, shown, deleted."""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors, groups, rules, tagging
from cloudjar.services.rds.records import ParameterGroup
from cloudjar.services.rds.views import show_parameter_group
from cloudjar.spec import databases


@op("CreateDBParameterGroup")
def create_db_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group of a family's parameters, all at their defaults."""
    name = rules.identifier("DBParameterGroupName", req["DBParameterGroupName"], 255)
    family = req["DBParameterGroupFamily"]
    if family not in {line.family for line in databases.LINES}:
        raise errors.invalid(f"ParameterGroupFamily {family} is not a valid parameter group family")
    if ctx.db[ParameterGroup].get(name) is not None:
        raise AwsError("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
    if not req["Description"]:
        raise errors.missing("Description")
    made = ParameterGroup(name=name, family=family, description=req["Description"], tags=tagging.asked(req))
    return {"DBParameterGroup": show_parameter_group(ctx.db[ParameterGroup].add(made))}


@op("DescribeDBParameterGroups")
def describe_db_parameter_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One group, or all."""
    name = req.get("DBParameterGroupName")
    found = [groups.read(ctx, name)] if name else groups.every(ctx)
    shown = filters.apply(req.get("Filters"), {}, found)
    return {"DBParameterGroups": [show_parameter_group(group) for group in shown]}


@op("CopyDBParameterGroup")
def copy_db_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another group with what is in one of the account's own."""
    named = req["SourceDBParameterGroupIdentifier"]
    source = groups.read(ctx, named.rpartition(":pg:")[2])
    if source.name.startswith(groups.DEFAULT):
        raise errors.invalid("Cannot copy a default DB parameter group.")
    member = "TargetDBParameterGroupIdentifier"
    name = rules.identifier(member, req[member], 255)
    if ctx.db[ParameterGroup].get(name) is not None:
        raise AwsError("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
    if not req["TargetDBParameterGroupDescription"]:
        raise errors.missing("TargetDBParameterGroupDescription")
    made = ParameterGroup(
        name=name,
        family=source.family,
        description=req["TargetDBParameterGroupDescription"],
        settings=source.settings,
        tags=tagging.asked(req),
    )
    return {"DBParameterGroup": show_parameter_group(ctx.db[ParameterGroup].add(made))}


@op("DeleteDBParameterGroup")
def delete_db_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group that no instance has."""
    group = groups.read(ctx, req["DBParameterGroupName"])
    if group.name.startswith(groups.DEFAULT):
        raise AwsError("InvalidDBParameterGroupState", "Default DB parameter groups cannot be deleted")
    if groups.users(ctx, group):
        raise AwsError(
            "InvalidDBParameterGroupState", "One or more database instances are still members of this parameter group "
            f"{group.name}, so the group cannot be deleted",
        )  # fmt: skip
    ctx.db[ParameterGroup].drop(group)
    return {}
