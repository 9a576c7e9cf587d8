"""Parameter groups of clusters: made, shown, changed, deleted.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithDBClusterParamGroups.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors, rules, tagging
from cloudjar.services.rds.clusters import groups, members
from cloudjar.services.rds.clusters.records import ClusterParameterGroup
from cloudjar.services.rds.clusters.views import show_parameter_group
from cloudjar.services.rds.ops import parameters
from cloudjar.services.rds.records import Setting

_NAME = "DBClusterParameterGroupName"


@op("CreateDBClusterParameterGroup")
def create_db_cluster_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group of a family's parameters, all at their defaults."""
    name, family = _new(ctx, _NAME, req[_NAME]), req["DBParameterGroupFamily"]
    if family not in groups.families():
        raise errors.invalid(f"ParameterGroupFamily {family} is not a valid parameter group family")
    return _made(ctx, req, name, family, "Description", {})


@op("CopyDBClusterParameterGroup")
def copy_db_cluster_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another group with what is in one of the account's own."""
    source = groups.read(ctx, req["SourceDBClusterParameterGroupIdentifier"].rpartition(":cluster-pg:")[2])
    if source.name.startswith(groups.DEFAULT):
        raise errors.invalid("Cannot copy a default DB cluster parameter group.")
    member = "TargetDBClusterParameterGroupIdentifier"
    name = _new(ctx, member, req[member])
    return _made(ctx, req, name, source.family, "TargetDBClusterParameterGroupDescription", source.settings)


def _new(ctx: Ctx, member: str, given: str) -> str:
    name = rules.identifier(member, given, 255)
    if ctx.db[ClusterParameterGroup].get(name) is not None:
        raise AwsError("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
    return name


def _made(
    ctx: Ctx, req: dict[str, Any], name: str, family: str, member: str, settings: dict[str, Setting]
) -> dict[str, Any]:
    if not req[member]:
        raise errors.missing(member)
    made = ClusterParameterGroup(
        name=name, family=family, description=req[member], settings=settings, tags=tagging.asked(req)
    )
    return {"DBClusterParameterGroup": show_parameter_group(ctx.db[ClusterParameterGroup].add(made))}


@op("DescribeDBClusterParameterGroups")
def describe_db_cluster_parameter_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One group, or all."""
    name = req.get(_NAME)
    found = [groups.read(ctx, name)] if name else sorted(ctx.db[ClusterParameterGroup].all(), key=lambda one: one.name)
    shown = filters.apply(req.get("Filters"), {}, found)
    return {"DBClusterParameterGroups": [show_parameter_group(group) for group in shown]}


@op("DescribeDBClusterParameters")
def describe_db_cluster_parameters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a group, with the values that it gives them."""
    return {"Parameters": parameters.shown(groups.as_group(groups.read(ctx, req[_NAME])), req)}


@op("ModifyDBClusterParameterGroup")
def modify_db_cluster_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give parameters other values; members of clusters that have the group take them at once, or at their next
    start."""
    group = groups.own(ctx, req[_NAME])
    return _stored(ctx, group, parameters.modified(groups.as_group(group), req))


@op("ResetDBClusterParameterGroup")
def reset_db_cluster_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give parameters, or all, the family's values again."""
    group = groups.own(ctx, req[_NAME])
    return _stored(ctx, group, parameters.reset(groups.as_group(group), req))


def _stored(ctx: Ctx, group: ClusterParameterGroup, settings: dict[str, Setting]) -> dict[str, Any]:
    stored = ctx.db[ClusterParameterGroup].put(replace(group, settings=settings))
    for cluster in groups.users(ctx, stored):
        for db in members.every(ctx, cluster):
            ctx.wake(db)
    return {_NAME: group.name}


@op("DeleteDBClusterParameterGroup")
def delete_db_cluster_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group that no cluster has."""
    group = groups.read(ctx, req[_NAME])
    if group.name.startswith(groups.DEFAULT):
        raise AwsError("InvalidDBParameterGroupState", "Default DB cluster parameter groups cannot be deleted")
    if groups.users(ctx, group):
        raise AwsError(
            "InvalidDBParameterGroupState", "One or more DB clusters are still members of this parameter group "
            f"{group.name}, so the group cannot be deleted",
        )  # fmt: skip
    ctx.db[ClusterParameterGroup].drop(group)
    return {}
