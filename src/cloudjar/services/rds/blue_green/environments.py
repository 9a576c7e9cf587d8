"""Which instances are in which deployment, and what that means for their engines.

Once a switchover is under way the blue engine is closed, whoever tells it what it is to be; when it is over, it can
only be read, until the deployment is deleted.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/blue-green-deployments-switching.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step
from cloudjar.kit.record import arn_of
from cloudjar.services.rds.blue_green.records import (
    CLOSING,
    COMPLETED,
    DEPLOYMENT,
    PROMOTING,
    SERVING,
    SWITCHING,
    Deployment,
    Pair,
)
from cloudjar.services.rds.records import DB, DbInstance

SWITCHES = "renaming"
"""The state of an instance while a switchover has its hand on it: nobody else does anything about it."""


def bars(ctx: Ctx, db: DbInstance) -> dict[str, Any]:
    """What of an `Engine` is otherwise because its instance is blue: ``closed``, ``read_only``."""
    for one in ctx.db[Deployment].all():
        if all(pair.source != db.resource_id for pair in one.pairs):
            continue
        if one.state == SWITCHING and one.step in (CLOSING, PROMOTING) and one.pairs[0].source == db.resource_id:
            return {"closed": True}
        if one.state == COMPLETED or (one.state == SWITCHING and one.step == SERVING):
            return {"read_only": True}
    return {}


def of(ctx: Ctx, db: DbInstance) -> list[Deployment]:
    """The deployments that an instance is in."""
    mine = db.resource_id
    return [one for one in ctx.db[Deployment].all() if any(mine in (pair.source, pair.target) for pair in one.pairs)]


def member(ctx: Ctx, resource_id: str) -> DbInstance | None:
    """An instance by its resource id, whatever it is called by now."""
    return next((db for db in ctx.db[DbInstance].all() if resource_id and db.resource_id == resource_id), None)


def both(ctx: Ctx, pair: Pair) -> tuple[DbInstance | None, DbInstance | None]:
    """The blue instance and the green one."""
    return member(ctx, pair.source), member(ctx, pair.target)


def members(ctx: Ctx, item: Deployment) -> list[DbInstance]:
    """All instances of both environments that are there."""
    found = [db for pair in item.pairs for db in both(ctx, pair)]
    return [db for db in found if db is not None]


def at(step: Step, db: DbInstance) -> Step:
    """A look at an instance."""
    return Step(step.world, step.wake._replace(table=DB, account=db.account, region=db.region, key=db.id))


def broken(ctx: Ctx, item: Deployment) -> str:
    """Why a deployment that was ready cannot be switched over any more; "" when it can."""
    for pair in item.pairs:
        blue, green = both(ctx, pair)
        # A replica that has no green one yet may go.
        for arn, found in ((pair.source_arn, blue), (pair.target_arn, green)) if pair.target else ():
            if found is None or found.state == "deleting":
                return f"The DB instance {arn.rpartition(':')[2]} doesn't exist any more."
    blue, green = both(ctx, item.pairs[0])
    assert blue is not None
    assert green is not None
    if green.source != arn_of(blue):
        return f"The DB instance {green.id} isn't a replica of {blue.id} any more."
    return ""


def notice(step: Step, db: DbInstance) -> None:
    """An instance is looked at: deployments that wait for it are too, if it is in another state than they know."""
    known: dict[str, str] = step.world.ports.setdefault("deployed instances", {})
    if known.get(db.resource_id) == db.state:
        return
    known[db.resource_id] = db.state
    with step.world.state.database.transaction():
        stir(step.ctx, db)


def stir(ctx: Ctx, db: DbInstance) -> None:
    """Have the deployments of an instance looked at. In a transaction."""
    for one in of(ctx, db):
        ctx.world.state.wakes.wake(DEPLOYMENT, one.account, one.region, one.id)
