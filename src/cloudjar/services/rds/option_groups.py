"""Option groups: the one that an instance names, or the default of its engine's major version.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithOptionGroups.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Quota, Record, record
from cloudjar.services.rds import errors
from cloudjar.services.rds.options import Chosen
from cloudjar.services.rds.records import DbInstance, Snapshot
from cloudjar.spec import databases
from cloudjar.spec.databases import Line

DEFAULT = "default:"


@record(
    "rds",
    "og",
    key="name",
    arn="og:{name}",
    missing=("OptionGroupNotFoundFault", "Specified OptionGroupName: {key} not found.", 404),
    quotas=(
        Quota(
            ("rds", "L-9FA33840"),
            ("OptionGroupQuotaExceededFault", "The number of option groups exceeds the quota of {limit}."),
        ),
    ),
)
class OptionGroup(Record, frozen=True, kw_only=True):
    """Options that instances of one major version have."""

    name: str
    engine: str
    major: str
    description: str
    options: tuple[Chosen, ...] = ()
    copied_from: str = ""
    copied: datetime | None = None
    tags: dict[str, str] = {}


def read(ctx: Ctx, name: str) -> OptionGroup:
    """A group by its name or ARN. Raises OptionGroupNotFoundFault."""
    plain = name.rpartition(":og:")[2].lower()
    return ctx.db[OptionGroup].get(plain) or _default(plain) or ctx.db[OptionGroup].need(plain)


def named(ctx: Ctx, name: str | None, line: Line) -> OptionGroup:
    """The group that instances of a major version can have."""
    found = read(ctx, name or databases.option_group(line.engine, line.major))
    if (found.engine, found.major) != (line.engine, line.major):
        raise errors.combination(
            f"The option group {found.name} is associated with a different engine or engine version: it is of "
            f"{found.engine} {found.major}."
        )
    return found


def own(ctx: Ctx, name: str) -> OptionGroup:
    """A group that may be changed: none that is a default."""
    found = read(ctx, name)
    if found.name.startswith(DEFAULT):
        raise AwsError("InvalidOptionGroupStateFault", f"Cannot modify a default option group: {found.name}")
    return found


def every(ctx: Ctx) -> list[OptionGroup]:
    """All groups of the account, and the defaults that instances have."""
    used = {of(db) for db in ctx.db[DbInstance].all()}
    defaults = [found for name in used if (found := _default(name)) is not None]
    return sorted([*ctx.db[OptionGroup].all(), *defaults], key=lambda group: group.name)


def of(db: DbInstance) -> str:
    """The name of an instance's group."""
    return db.option_group or databases.option_group(db.engine, db.major)


def of_snapshot(snapshot: Snapshot) -> str:
    """The name of the group that a snapshot's instance had."""
    return snapshot.option_group or databases.option_group(snapshot.engine, snapshot.major)


def stored(group: OptionGroup) -> str:
    """What records keep of a group: "" for the default."""
    return "" if group.name.startswith(DEFAULT) else group.name


def users(ctx: Ctx, group: OptionGroup) -> list[DbInstance]:
    """The instances that have a group, or will."""
    return [db for db in ctx.db[DbInstance].all() if group.name in (db.option_group, db.pending.option_group)]


def status(ctx: Ctx, db: DbInstance) -> str:
    """How far an instance has what its group says."""
    if db.change.option_group is not None:
        return "applying"
    if db.pending.option_group is not None:
        return "pending-maintenance-apply"
    return "in-sync"


def _default(name: str) -> OptionGroup | None:
    for line in databases.LINES:
        if name == databases.option_group(line.engine, line.major):
            said = f"Default option group for {line.engine} {line.major}"
            return OptionGroup(name=name, engine=line.engine, major=line.major, description=said)
    return None
