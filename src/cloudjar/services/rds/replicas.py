"""Read replicas: instances whose engine follows another instance's.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step
from cloudjar.kit.record import arn_of
from cloudjar.planes.database.port import Engine
from cloudjar.services.rds import errors, following, pairs, telling
from cloudjar.services.rds.loads import Load
from cloudjar.services.rds.records import DB, Change, DbInstance

LIMIT = ("rds", "L-5BC124EF")


def source_of(ctx: Ctx, replica: DbInstance) -> DbInstance | None:
    """The instance that a replica follows, wherever it is; None when it is gone."""
    parsed = arns.parse(replica.source)
    if parsed is None:
        return None
    there = ctx.at(parsed.account, parsed.region)
    return there.db[DbInstance].get(parsed.resource.removeprefix("db:"))


def shown(ctx: Ctx, db: DbInstance, other: DbInstance) -> str:
    """How an instance calls another one: by its name, or by its ARN if it is in another Region."""
    return other.id if other.region == db.region else arn_of(other)


def status(ctx: Ctx, db: DbInstance) -> list[dict[str, Any]]:
    """What a replica says of its replication: whether both machines are there for it."""
    source = source_of(ctx, db)
    normal = source is not None and db.answering and db.state not in ("stopped", "stopping")
    normal = normal and not silent(ctx, db)
    if source is not None:
        dark = ctx.world.faults.is_dark
        normal = normal and source.state != "stopped" and not dark(source.zone, source.account)
        normal = normal and not dark(db.zone, db.account)
    said = "replicating" if normal else "terminated" if source is None else "stopped"
    return [{"StatusType": "read replication", "Normal": normal, "Status": said}]


def refuse_source(ctx: Ctx, source: DbInstance) -> None:
    """What cannot have one more replica."""
    if source.state not in ("available", "backing-up", "modifying"):
        raise errors.state(f"Source instance {source.id} is not in available state.")
    if not source.retention:
        raise errors.state(
            "Automated backups are not enabled for this database instance. To enable automated backups, use "
            "ModifyDBInstance to set the backup retention period to a non-zero value."
        )
    limit = ctx.limit(*LIMIT)
    if limit is not None and len(pairs.replicas(ctx, source)) >= limit:
        raise AwsError(
            "InstanceQuotaExceeded", f"Exceeded max read replicas per source instance: {limit:g}"
        )


# -- the engine
def follow(step: Step, replica: DbInstance, engine: Engine) -> None:
    """Have a replica's engine follow its source, as it is now. Raises `PlaneError` until it can."""
    source = source_of(step.ctx, replica)
    if source is None:
        raise PlaneError(f"the source of {replica.id} is gone")
    port = following.port(step.world)
    port.join(following.place(step, replica.machine), following.place(step, source.machine))
    told = msgspec.structs.replace(engine, source=following.source(step, source, readable=True), verifier="")
    note = source.machine
    there = msgspec.structs.replace(engine, machine=note, port=source.port)
    try:
        port.follow(told)
    except PlaneError:
        if port.near(there, replica.machine):
            raise
        # It begins, and comes to no state that can be read: what it lacks nobody has any more.
        port.follow(told, afresh=True)
    if (replica.follows != note or silent(step.ctx, replica)) and not port.near(there, replica.machine):
        # Its data went on where nobody else's did, or nobody has the log any more that they lack.
        port.follow(told, afresh=True)

    def followed(now: DbInstance) -> DbInstance | None:
        return None if now.follows == note else replace(now, follows=note)

    step.change(DbInstance, followed)


def moved(ctx: Ctx, replica: DbInstance) -> bool:
    """Whether the source is another machine than the replica knows, or nothing comes from it though it is there."""
    source = source_of(ctx, replica)
    if source is None:
        return False
    return source.machine != replica.follows or (source.state == "available" and silent(ctx, replica))


def silent(ctx: Ctx, replica: DbInstance) -> bool:
    """Whether nothing came to a replica's engine when it was looked at last."""
    load = ctx.db[Load].get(replica.resource_id)
    seen = load.figures if load is not None and load.open else None
    return seen is not None and seen.lag_ms is not None and seen.lag_ms < 0


def stir(ctx: Ctx, db: DbInstance) -> None:
    """Have the replicas of an instance looked at. In a transaction."""
    for one in pairs.replicas(ctx, db):
        ctx.world.state.wakes.wake(DB, one.account, one.region, one.id)


def orphan(ctx: Ctx, db: DbInstance) -> None:
    """The source goes: its replicas become instances of their own, but members of a cluster. In a transaction."""
    for one in [] if db.cluster else pairs.replicas(ctx, db):
        there = ctx.at(one.account, one.region)
        if one.state in ("available", "backing-up"):
            promoting(there, one, Change(source=""))


def promoting(ctx: Ctx, replica: DbInstance, change: Change) -> DbInstance:
    """A replica that is becoming an instance of its own."""
    telling.instance(ctx, replica, "RDS-EVENT-0062", "Replication for the read replica was manually stopped",
                     "read replica")  # fmt: skip
    return ctx.db[DbInstance].put(replace(replica, state="modifying", change=change))
