"""Performance Insights: who was at work in an engine, each second, for as many days as that is kept.

What was seen lies in `kit.database_load`, which the service ``pi`` reads.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PerfInsights.html
"""

from __future__ import annotations

import sqlite3
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.database_load import Subject, database_load
from cloudjar.kit.db import State, watches
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import Record, meta, record
from cloudjar.planes.database.activity import ActivityPort, activity
from cloudjar.services.rds import encryption, errors, loads
from cloudjar.services.rds.monitoring import ticks
from cloudjar.services.rds.records import DB, DbInstance
from cloudjar.services.rds.statements import dimensions
from cloudjar.spec import databases

TABLE = "rds/watched"
FREE = 7
"""Days for which what was seen is kept at no charge."""
_EVERY = 10.0
"""Seconds between two fetches."""
_LOOK = "look"


@record("rds", "watched", key="id")
class Watched(Record, frozen=True, kw_only=True):
    """An instance (by its resource id) of which samples are taken."""

    id: str
    kept: int


def port(world: World) -> ActivityPort:
    """Who samples here."""
    held: ActivityPort = world.ports.setdefault("database activity", activity(world.ports["compute"]))
    return held


def asked(ctx: Ctx, req: dict[str, Any], db: DbInstance) -> DbInstance:
    """The instance with what a request wants of Performance Insights. Raises what AWS raises."""
    wanted, days = req.get("EnablePerformanceInsights"), req.get("PerformanceInsightsRetentionPeriod")
    key = req.get("PerformanceInsightsKMSKeyId")
    if req.get("DatabaseInsightsMode") not in (None, "standard"):
        raise errors.not_built("The mode of Database Insights 'advanced'")
    if wanted is False:
        if days or key:
            raise errors.combination("To set up Performance Insights, you must include the EnablePerformanceInsights "
                                     "parameter.")  # fmt: skip
        return replace(db, insights=0, insights_key="")
    if not wanted and not db.insights:
        if days or key:
            raise errors.combination("To set up Performance Insights, you must include the EnablePerformanceInsights "
                                     "parameter.")  # fmt: skip
        return db
    kept = days or db.insights or FREE
    if kept not in (FREE, 731) and (kept % 31 or not 1 <= kept // 31 <= 23):
        raise errors.invalid(
            f"Invalid Performance Insights retention period: {kept}. Valid values: 7, month * 31 where month is 1-23, "
            "731"
        )
    if kept != FREE:
        raise errors.not_built(f"A Performance Insights retention period of {kept} days")
    if db.insights and key and key != db.insights_key:
        raise errors.combination("You can't change your Performance Insights KMS key.")
    named = key or encryption.DEFAULT_KEY
    held = db.insights_key if db.insights else encryption.usable(ctx, named, db.resource_id)
    return replace(db, insights=kept, insights_key=held)


@watches(DB)
def written(state: State, item: Record) -> None:
    """An instance of which samples are to be taken from now on, or no more, is looked at."""
    if not isinstance(item, DbInstance):
        return
    place = (item.account, item.region, item.resource_id)
    if item.insights or state.tables.get(meta(Watched).spec, *place) is not None:
        state.wakes.wake(TABLE, *place, purpose="begin")


@reconciler(Watched)
def look(step: Step, held: Watched | None) -> None:
    """Fetch what was sampled; or begin, or end."""
    if not step.wake.purpose:
        return
    db = next((one for one in step.db[DbInstance].all() if one.resource_id == step.key), None)
    if db is None or not db.insights or db.state == "deleting":
        ticks(step.world).leave((TABLE, step.key))
        if held is not None:
            with step.world.state.database.transaction():
                step.db[Watched].drop(held)
                database_load(step.world).end(step.key)
        return
    if held is None or held.kept != db.insights:
        _begin(step, held, db)
    _watch(step.world, db)
    if db.state in loads.UP:
        _fetch(step, db)


def _begin(step: Step, held: Watched | None, db: DbInstance) -> None:
    with step.world.state.database.transaction():
        if held is None:
            step.db[Watched].add(Watched(id=db.resource_id, kept=db.insights))
        else:
            step.db[Watched].put(replace(held, kept=db.insights))
        load = database_load(step.world)
        load.begin(Subject(db.resource_id, db.account, db.region, db.engine, db.insights))


def _watch(world: World, db: DbInstance) -> None:
    place = (TABLE, db.account, db.region, db.resource_id)

    def tell() -> bool:
        try:
            with world.state.database.transaction():
                world.state.wakes.wake(*place, purpose=_LOOK)
        except sqlite3.ProgrammingError:
            return False  # the jar was closed
        return True

    ticks(world).watch((TABLE, db.resource_id), _EVERY, tell)


def _fetch(step: Step, db: DbInstance) -> None:
    """An instant of the machine's is so much of AWS time as now is."""
    samples = port(step.world).take(db.machine, databases.kind(db.engine), db.port)
    if not samples:
        return
    now = step.world.clock.now()
    ahead = now.timestamp() - step.world.clock.real().timestamp()
    with step.world.state.database.transaction():
        load = database_load(step.world)
        for sample in samples:
            load.add(db.resource_id, int(sample.at + ahead), [dimensions(one) for one in sample.sessions])
        load.forget(db.resource_id, int(now.timestamp()) - db.insights * 86_400)


@on_boot("rds")
def at_start(world: World) -> None:
    """Go on with what was sampled."""
    for one in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(Watched):
        world.state.wakes.wake(TABLE, one.account, one.region, one.id, purpose="begin")
