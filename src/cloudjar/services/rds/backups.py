"""Snapshots of instances: taken by hand or every day, kept as long as they are wanted.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.services.rds import kept_logs, telling
from cloudjar.services.rds.backup_records import AutomatedBackup
from cloudjar.services.rds.records import DbInstance, Snapshot


def begin(ctx: Ctx, db: DbInstance, snapshot_id: str, kind: str, tags: dict[str, str]) -> Snapshot:
    """A snapshot that is being taken of an instance's volume."""
    kept = kept_logs.begin(ctx, db) if kind == "automated" else None
    made = ctx.db[Snapshot].add(
        Snapshot(
            id=snapshot_id,
            key=f"dbsnap-{ids.entropy(8).hex()}",
            kind=kind,
            instance_id=db.id,
            resource_id=db.resource_id,
            volume=db.volume,
            begun=ctx.world.clock.now(),
            instance_created=db.created,
            engine=db.engine,
            major=db.major,
            version=db.version,
            master=db.master,
            db_name=db.db_name,
            port=db.port,
            storage=db.storage,
            storage_type=db.storage_type,
            iops=db.iops,
            throughput=db.throughput,
            vpc_id=db.vpc_id,
            zone=db.zone,
            option_group=db.option_group,
            instance_class=db.instance_class,
            iam=db.iam,
            kms_key=db.kms_key,
            data_key=db.data_key,
            log=kept.last if kept is not None else "",
            logged=kept.until if kept is not None else None,
            tags={**(db.tags if db.copies_tags else {}), **tags},
        )
    )
    event = ("RDS-EVENT-0040", "Creating manual snapshot") if kind == "manual" else _AUTOMATED
    telling.snapshot(ctx, made, *event, "creation")
    return made


_AUTOMATED = ("RDS-EVENT-0090", "Creating automated snapshot")
_AUTOMATED_DONE = ("RDS-EVENT-0091", "Automated snapshot created")


def begin_automated(ctx: Ctx, db: DbInstance) -> None:
    """The backup of a day; the instance says so meanwhile."""
    now = ctx.world.clock.now()
    name = f"rds:{db.id}-{now:%Y-%m-%d-%H-%M}"
    if ctx.db[Snapshot].get(name) is None:
        _begin_automated(ctx, db, name)


def cover(ctx: Ctx, db: DbInstance) -> None:
    """A log in which something is missing is whole from some instant on: that needs a backup since, as soon as one can
    be made; no later log makes up for it."""
    kept = ctx.db[AutomatedBackup].get(db.resource_id)
    if kept is None or db.state != "available":
        return
    made = [one for one in ctx.db[Snapshot].all(resource_id=db.resource_id) if one.kind == "automated"]
    if not any(one.frozen is None or one.frozen >= kept.whole for one in made):
        begin_anew(ctx, db)


def begin_anew(ctx: Ctx, db: DbInstance) -> None:
    """A backup besides the day's: the log goes on from none of those that there are."""
    _begin_automated(ctx, db, f"rds:{db.id}-{ctx.world.clock.now():%Y-%m-%d-%H-%M-%S-%f}")


def _begin_automated(ctx: Ctx, db: DbInstance, name: str) -> None:
    now = ctx.world.clock.now()
    begin(ctx, db, name, "automated", {})
    telling.instance(ctx, db, "RDS-EVENT-0001", "Backing up DB instance", "backup")
    ctx.db[DbInstance].put(replace(db, state="backing-up", backed_up=now))


def finish(ctx: Ctx, snapshot: Snapshot) -> None:
    """A snapshot is taken: it is available, and so is its instance; backups that are too old go."""
    ctx.db[Snapshot].put(replace(snapshot, state="available", frozen=ctx.world.clock.now()))
    manual = snapshot.kind == "manual"
    event = ("RDS-EVENT-0042", "Manual snapshot created") if manual else _AUTOMATED_DONE
    telling.snapshot(ctx, snapshot, *event, "creation")
    db = ctx.db[DbInstance].get(snapshot.instance_id)
    if db is None or db.resource_id != snapshot.resource_id:
        return
    if db.state in ("deleting", "modifying"):
        ctx.wake(db)
        return
    others = [s for s in ctx.db[Snapshot].all(resource_id=db.resource_id) if s.state == "creating"]
    if db.state == "backing-up" and not others:
        ctx.db[DbInstance].put(replace(db, state="available"))
        telling.instance(ctx, db, "RDS-EVENT-0002", "Finished DB Instance backup", "backup")
    keep_days(ctx, db)


def copied(ctx: Ctx, snapshot: Snapshot) -> None:
    """A copy is made."""
    made = ctx.db[Snapshot].put(replace(snapshot, state="available"))
    source = made.source_arn.rpartition(":")[2]
    telling.snapshot(ctx, made, "RDS-EVENT-0060", f"Finished copy of snapshot {source}", "notification")


def keep_days(ctx: Ctx, db: DbInstance) -> None:
    """Let go of automated backups that are older than the instance keeps them."""
    oldest = ctx.world.clock.now() - timedelta(days=db.retention)
    for old in ctx.db[Snapshot].all(resource_id=db.resource_id):
        if old.kind == "automated" and old.state == "available" and old.begun < oldest:
            forget(ctx, old)
    kept = ctx.db[AutomatedBackup].get(db.resource_id)
    if kept is not None:
        ctx.wake(kept)  # what only they needed of the log goes too


def forget(ctx: Ctx, snapshot: Snapshot) -> Snapshot:
    """Have a snapshot removed."""
    return ctx.db[Snapshot].put(replace(snapshot, state="deleting"))
