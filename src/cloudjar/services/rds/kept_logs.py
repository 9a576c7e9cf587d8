"""Which instants of an instance can be had again: the log that is kept of it, and the backups that it goes on from."""

from __future__ import annotations

from datetime import datetime

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.planes.database.archive import SETTINGS
from cloudjar.services.rds.backup_records import AutomatedBackup
from cloudjar.services.rds.records import DbInstance, Recovery, Snapshot
from cloudjar.spec import databases

ENGINES = ("postgres", "mariadb")
"""Of which logs are kept."""
_OFF = (("archive_mode", "on"), ("archive_command", "true"))


def latest(ctx: Ctx, db: DbInstance) -> datetime | None:
    """Until when an instance can be had again; None when it cannot."""
    kept = ctx.db[AutomatedBackup].get(db.resource_id)
    seen = window(ctx, kept) if kept is not None and db.engine in ENGINES else None
    return seen[1] if seen else None


def begin(ctx: Ctx, db: DbInstance) -> AutomatedBackup:
    """What is kept of an instance from its first backup on."""
    kept = ctx.db[AutomatedBackup].get(db.resource_id)
    if kept is not None:
        return kept
    name = f"ab-{ids.unique_id('')}{ids.unique_id('')[:9]}".lower()
    return ctx.db[AutomatedBackup].add(
        AutomatedBackup(id=name, resource_id=db.resource_id, instance_id=db.id, whole=ctx.world.clock.now())
    )


def bases(ctx: Ctx, kept: AutomatedBackup) -> list[Snapshot]:
    """The backups that a restore may begin with, oldest first."""
    found = [
        one
        for one in ctx.db[Snapshot].all(resource_id=kept.resource_id)
        if one.kind == "automated" and one.state == "available" and one.frozen is not None and one.frozen >= kept.whole
    ]
    return sorted(found, key=lambda one: (one.frozen, one.id))


def window(ctx: Ctx, kept: AutomatedBackup) -> tuple[datetime, datetime] | None:
    """(earliest, latest) instant that can be had; None before the first backup is there."""
    found = bases(ctx, kept)
    if not found or found[0].frozen is None:
        return None
    earliest = found[0].frozen
    return (earliest, max(kept.until or earliest, earliest))


def instance_of(ctx: Ctx, kept: AutomatedBackup) -> DbInstance | None:
    """Whose log it is: as the instance is, or as it was when it was deleted."""
    if kept.retained is not None:
        return kept.retained
    found = ctx.db[DbInstance].get(kept.instance_id)
    return found if found is not None and found.resource_id == kept.resource_id else None


def recovery(ctx: Ctx, kept: AutomatedBackup, until: datetime) -> tuple[Snapshot, Recovery]:
    """With what a restore to an instant of the window begins, and how it goes on."""
    before = [one for one in bases(ctx, kept) if one.frozen is not None and one.frozen <= until]
    later = [one for one in bases(ctx, kept) if one.logged is not None and one.logged >= until]
    upto = later[0].log if later else kept.last
    return before[-1], Recovery(source=kept.resource_id, first=before[-1].log, last=upto, until=until)


def settings(db: DbInstance) -> tuple[tuple[str, str], ...]:
    """What an engine is told of its log. Its mode is never changed: that would need a restart."""
    if databases.kind(db.engine) != "postgres":
        return ()
    return SETTINGS if db.retention else _OFF
