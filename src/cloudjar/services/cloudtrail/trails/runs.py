"""Starts and ends of logging."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.services.cloudtrail.delivery import listening
from cloudjar.services.cloudtrail.trails.records import Run, Trail


def start(ctx: Ctx, trail: Trail) -> Trail:
    """Log from here on; the call that starts it is the first event."""
    run = Run(id=ids.uuid4(), name=trail.name, cursor=listening.audit(ctx.world).newest(), began=ctx.now)
    ctx.db[Run].add(run)
    listening.listener(ctx.world)
    return ctx.db[Trail].put(replace(trail, run=run.id, started=ctx.now))


def stop(ctx: Ctx, trail: Trail) -> Trail:
    """Log no more after this call, whose own event is the last one that is delivered."""
    run = ctx.db[Run].need(trail.run)
    ctx.db[Run].put(replace(run, until=ctx.request_id, stopped=ctx.now))
    return ctx.db[Trail].put(replace(trail, run="", stopped=ctx.now))


def bequeath(ctx: Ctx, trail: Trail) -> None:
    """A trail is deleted: what its runs have not delivered yet goes where it said at last."""
    for run in ctx.db[Run].all():
        if run.name == trail.name and run.last is None:
            ctx.db[Run].put(replace(run, last=trail))
