"""When analyzers look: at once when they are made, soon after a policy changed, and every day.

AWS takes up to half an hour to see a changed policy; here it is some seconds of AWS time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service
from cloudjar.kit import activity
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import meta
from cloudjar.services.accessanalyzer.findings import external, keep, unused
from cloudjar.services.accessanalyzer.findings.resources import PREFIXES
from cloudjar.services.accessanalyzer.records import EXTERNAL, UNUSED, Analyzer, Finding

_SOON = timedelta(seconds=5)
_DAILY = timedelta(days=1)
_WATCHING = "access-analyzer"
_NOBODY = service("access-analyzer.amazonaws.com", "")


@reconciler(Analyzer)
def converge(step: Step, analyzer: Analyzer | None) -> None:
    """Look at everything once; what is seen replaces what was."""
    if analyzer is None:
        return
    if analyzer.type in UNUSED:
        activity.follow(step.ctx)
    with step.world.state.database.transaction():
        analyzer = step.db[Analyzer].get(step.key)
        if analyzer is None:
            return
        changed = keep.keep(step.ctx, analyzer, _seen(step.ctx, analyzer))
        if changed or step.wake.purpose or analyzer.last_at is None:
            newest = max(step.db[Finding].all(analyzer=analyzer.name), key=lambda f: f.analyzed, default=None)
            last = newest.resource if newest is not None else analyzer.last_resource
            step.db[Analyzer].put(replace(analyzer, last_at=step.ctx.now, last_resource=last))
    if step.wake.purpose != "soon":
        step.again("daily", step.ctx.now + _DAILY)


def _seen(ctx: Ctx, analyzer: Analyzer) -> Iterator[dict[str, Any]]:
    if analyzer.type in UNUSED:
        yield from unused.seen(ctx, analyzer)
        return
    for found in external.seen(ctx, analyzer):
        yield {
            "place": found.place,
            "type": "ExternalAccess",
            "resource": found.resource.arn,
            "resource_type": found.resource.type,
            "owner": found.resource.owner,
            "principal": found.principal,
            "actions": found.actions,
            "condition": found.condition,
            "public": found.public,
            "sources": list(found.sources),
        }


@on_boot("accessanalyzer")
def watch(world: World) -> None:
    """Have every analyzer look again soon after a resource of a known kind, or the organization, has changed."""
    if _WATCHING in world.ports:
        return
    world.ports[_WATCHING] = True

    def look() -> None:
        ctx = Ctx(world, "", "", _NOBODY)
        for analyzer in ctx.db.everywhere(Analyzer):
            if analyzer.type in EXTERNAL and not _expected(world, analyzer):
                ctx.wake(analyzer, purpose="soon", at=ctx.now + _SOON)

    for prefix in (*PREFIXES, "organizations"):
        world.state.watchers.setdefault(prefix, []).append(look)


def _expected(world: World, analyzer: Analyzer) -> bool:
    """Whether it will look soon anyway: a stream of changes must not put it off for ever."""
    rows = world.state.database.query(
        "SELECT 1 FROM wake WHERE tbl=? AND account=? AND region=? AND key=? AND purpose='soon'",
        (meta(Analyzer).spec.name, analyzer.account, analyzer.region, analyzer.name),
    )
    return bool(rows)
