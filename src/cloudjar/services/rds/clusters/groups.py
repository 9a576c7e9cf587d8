"""Parameter groups of clusters: the one that a request names, or the family's default, which needs not be stored."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.rds import errors
from cloudjar.services.rds.clusters.records import SHARED, ClusterParameterGroup, DbCluster
from cloudjar.services.rds.records import DbInstance, ParameterGroup
from cloudjar.spec import databases
from cloudjar.spec.databases import Line

DEFAULT = "default."
ENGINES = ("postgres", "aurora-postgresql")
"""Of which there are clusters."""


def families() -> list[str]:
    """Those that clusters can have."""
    return [line.family for line in databases.LINES if line.engine in ENGINES]


def read(ctx: Ctx, name: str) -> ClusterParameterGroup:
    """A group by its name. Raises DBParameterGroupNotFound."""
    found = ctx.db[ClusterParameterGroup].get(name.lower())
    family = name.removeprefix(DEFAULT)
    if found is None and name.startswith(DEFAULT) and family in families():
        said = f"Default cluster parameter group for {family}"
        return ClusterParameterGroup(
            account=ctx.account, region=ctx.region, name=name, family=family, description=said
        )
    return found or ctx.db[ClusterParameterGroup].need(name.lower())


def own(ctx: Ctx, name: str) -> ClusterParameterGroup:
    """A group that may be changed: none that is a default."""
    found = read(ctx, name)
    if found.name.startswith(DEFAULT):
        raise AwsError("InvalidDBParameterGroupState", f"Cannot modify a default parameter group: {found.name}")
    return found


def named(ctx: Ctx, name: str | None, line: Line) -> str:
    """The name of the group that a request wants for a cluster; empty for the default."""
    if not name or name == DEFAULT + line.family:
        return ""
    try:
        found = read(ctx, name)
    except AwsError as missing:
        raise AwsError("DBClusterParameterGroupNotFound", missing.message, 404) from missing
    if found.family != line.family:
        raise errors.combination(
            f"The parameter group {found.name} with DBParameterGroupFamily {found.family} can't be used for this "
            f"cluster. Please use a parameter group with DBParameterGroupFamily {line.family}."
        )
    return found.name


def name_of(cluster: DbCluster) -> str:
    """What a cluster's group is called."""
    return cluster.parameter_group or f"{DEFAULT}{cluster.engine}{cluster.major}"


def users(ctx: Ctx, group: ClusterParameterGroup) -> list[DbCluster]:
    """The clusters that have a group."""
    return list(ctx.db[DbCluster].all(parameter_group=group.name))


def of_member(ctx: Ctx, db: DbInstance) -> ParameterGroup | None:
    """A member's group: the cluster's, as an instance's would be; over that, what its own says, if it has one."""
    cluster = ctx.db[DbCluster].get(db.cluster)
    if cluster is None:
        return None
    found = as_group(read(ctx, name_of(cluster)))
    own = ctx.db[ParameterGroup].get(db.parameter_group) if db.engine in SHARED else None
    return found if own is None else replace(found, settings={**found.settings, **own.settings})


def wanted_of(ctx: Ctx, db: DbInstance) -> dict[str, str]:
    """What a member is to run with."""
    found = of_member(ctx, db)
    return {name: one.value for name, one in found.settings.items()} if found is not None else {}


def as_group(group: ClusterParameterGroup) -> ParameterGroup:
    """As an instance's would be."""
    return ParameterGroup(
        account=group.account, region=group.region, name=group.name, family=group.family,
        description=group.description, settings=group.settings,
    )  # fmt: skip
