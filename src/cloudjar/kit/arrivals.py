"""Who wants to know that records have come: a stream's readers inside the house, woken by a put's commit.

A reader (a delivery stream, an event source mapping) watches the ARN of what it reads; whoever has the records says
that some have come. The wake-up is of purpose `PURPOSE`, and as durable as the records.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.record import Record, meta

PURPOSE = "arrived"
_PORT = "arrivals"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS arrival_watch (arn TEXT, tbl TEXT, account TEXT, region TEXT, key TEXT, "
    "PRIMARY KEY (arn, tbl, account, region, key)) WITHOUT ROWID"
)
Place = tuple[str, str, str, str]
Next = Callable[[Ctx, arns.Arn], datetime | None]
_NEXT: dict[str, Next] = {}


def _known(world: World) -> dict[str, list[Place]]:
    """Who watches what, as far as it was asked for."""
    held: dict[str, list[Place]] | None = world.ports.get(_PORT)
    if held is None:
        world.state.database.query(_SCHEMA)
        held = world.ports[_PORT] = {}
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))
    return held


def _change(world: World, statement: str, arn: str, item: Record) -> None:
    declared = meta(type(item))
    place = (declared.spec.name, item.account, item.region, declared.key_of(item))
    known = _known(world)
    known.pop(arn, None)
    world.state.database.on_rollback(lambda: known.clear())
    world.state.database.execute(statement, (arn, *place))


def watch(world: World, arn: str, item: Record) -> None:
    """Wake a record's reconciler when records come to an ARN; in a transaction."""
    _change(world, "INSERT OR IGNORE INTO arrival_watch VALUES (?,?,?,?,?)", arn, item)


def unwatch(world: World, arn: str, item: Record) -> None:
    """No more; in a transaction."""
    _change(
        world, "DELETE FROM arrival_watch WHERE arn=? AND tbl=? AND account=? AND region=? AND key=?", arn, item
    )


def watchers(world: World, arn: str) -> list[Place]:
    """Who is woken when records come to an ARN: (table, account, region, key) each."""
    known = _known(world)
    places = known.get(arn)
    if places is None:
        rows = world.state.database.query("SELECT tbl, account, region, key FROM arrival_watch WHERE arn=?", (arn,))
        places = known[arn] = [(row[0], row[1], row[2], row[3]) for row in rows]
    return places


def arrived(world: World, arn: str) -> None:
    """Records have come, in the running transaction."""
    for place in watchers(world, arn):
        world.state.wakes.wake(*place, purpose=PURPOSE)


def foretells(service: str) -> Callable[[Next], Next]:
    """Decorator (at import): when something of an ARN of this service can be read next without anybody doing anything
    (a delay ends, a receiver's time is over); None for never."""

    def declare(function: Next) -> Next:
        _NEXT[service] = function
        return function

    return declare


def next_due(ctx: Ctx, arn: arns.Arn) -> datetime | None:
    """When a reader should look again by himself."""
    ctx.world.load(arn.service)
    function = _NEXT.get(arn.service)
    return None if function is None else function(ctx, arn)
