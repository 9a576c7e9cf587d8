"""Parameter groups: the one that a request names, or the family's default, which is there when it is first wanted."""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.rds import errors
from cloudjar.services.rds.clusters import groups as clusters
from cloudjar.services.rds.records import DbInstance, ParameterGroup
from cloudjar.spec import databases
from cloudjar.spec.databases import Line

DEFAULT = "default."


def named(ctx: Ctx, name: str | None, line: Line) -> ParameterGroup:
    """A group that instances of a major version can have."""
    found = need(ctx, name or DEFAULT + line.family)
    if found.family != line.family:
        raise errors.combination(
            f"The parameter group {found.name} with DBParameterGroupFamily {found.family} can't be used for this "
            f"instance. Please use a parameter group with DBParameterGroupFamily {line.family}."
        )
    return found


def for_upgrade(ctx: Ctx, name: str | None, db: DbInstance, line: Line) -> str:
    """The group that an instance has once it is of another major: the named one, or that family's default. Raises
    InvalidParameterCombination where neither is plain."""
    if not name and not db.parameter_group.startswith(DEFAULT):
        raise errors.combination(
            f"The current DB parameter group {db.parameter_group} is custom. You must explicitly specify a new DB "
            "parameter group, either default or custom, for the engine version upgrade."
        )
    return named(ctx, name, line).name


def need(ctx: Ctx, name: str) -> ParameterGroup:
    """A group by its name. Raises DBParameterGroupNotFound."""
    found = ctx.db[ParameterGroup].get(name.lower())
    if found is not None:
        return found
    default = _default(name.lower())
    if default is None:
        return ctx.db[ParameterGroup].need(name.lower())
    return ctx.db[ParameterGroup].add(default)


def read(ctx: Ctx, name: str) -> ParameterGroup:
    """Likewise, for who only reads."""
    return ctx.db[ParameterGroup].get(name.lower()) or _default(name) or ctx.db[ParameterGroup].need(name.lower())


def every(ctx: Ctx) -> list[ParameterGroup]:
    """All groups of the account."""
    return sorted(ctx.db[ParameterGroup].all(), key=lambda group: group.name)


def own(ctx: Ctx, name: str) -> ParameterGroup:
    """A group that may be changed: none that is a default."""
    found = need(ctx, name)
    if found.name.startswith(DEFAULT):
        raise AwsError("InvalidDBParameterGroupState", f"Cannot modify a default parameter group: {found.name}")
    return found


def settings_of(ctx: Ctx, db: DbInstance) -> ParameterGroup | None:
    """What an instance's engine is to run with: its group, or its cluster's."""
    if db.cluster:
        return clusters.of_member(ctx, db)
    return ctx.db[ParameterGroup].get(db.parameter_group)


def users(ctx: Ctx, group: ParameterGroup) -> list[DbInstance]:
    """The instances that have a group."""
    return list(ctx.db[DbInstance].all(parameter_group=group.name))


def _default(name: str) -> ParameterGroup | None:
    family = name.removeprefix(DEFAULT)
    if not name.startswith(DEFAULT) or family not in {line.family for line in databases.LINES}:
        return None
    return ParameterGroup(name=name, family=family, description=f"Default parameter group for {family}")
