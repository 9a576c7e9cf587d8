"""Invocations on their way: a row until the target has been called, or never will be. And how far schedules have come:
of that there is news each time that one is due, so it is not in their records."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from cloudjar.kit import own_tables
from cloudjar.kit.context import World
from cloudjar.store.database import Database

_PORT, _REMEMBERED = "scheduler.invocations", 20_000
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS scheduler_invocation (place TEXT, scheduled REAL, id TEXT, begun REAL, due REAL, "
    "tries INTEGER, PRIMARY KEY (place, scheduled)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS scheduler_invocation_due ON scheduler_invocation (place, due)",
    "CREATE TABLE IF NOT EXISTS scheduler_followed (place TEXT PRIMARY KEY, due REAL) WITHOUT ROWID",
)


class Invocation(NamedTuple):
    """One call of a schedule's target. `scheduled` is the time of the schedule, `begun` when it was first to be made,
    `due` when it is to be made next, in Unix seconds; `tries` how often it failed."""

    place: str
    scheduled: float
    id: str
    begun: float
    due: float
    tries: int


class Invocations:
    """The table. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._database: Database = world.state.database
        self._followed: dict[str, float] = {}
        """What is known of how far schedules have come; only in transactions, of which one may be undone."""
        own_tables.create(self._database, _SCHEMA)

    def keep(self, one: Invocation) -> None:
        """An invocation is to be made; none comes twice for one time."""
        self._database.execute("INSERT OR IGNORE INTO scheduler_invocation VALUES (?,?,?,?,?,?)", tuple(one))

    def due(self, place: str, now: float, limit: int) -> list[Invocation]:
        """The invocations of a schedule that are due."""
        rows = self._database.query(
            "SELECT place, scheduled, id, begun, due, tries FROM scheduler_invocation WHERE place=? AND due<=? "
            "ORDER BY due LIMIT ?",
            (place, now, limit),
        )
        return [Invocation(*row) for row in rows]

    def next_due(self, place: str) -> float | None:
        """When a schedule has something to call next."""
        found: float | None = self._database.query(
            "SELECT min(due) FROM scheduler_invocation WHERE place=?", (place,)
        )[0][0]
        return found

    def later(self, one: Invocation, due: float) -> None:
        """It failed: try again."""
        self._database.execute(
            "UPDATE scheduler_invocation SET due=?, tries=tries+1 WHERE place=? AND scheduled=?",
            (due, one.place, one.scheduled),
        )

    def done(self, one: Invocation) -> None:
        """It was made, or never will be."""
        self._database.execute(
            "DELETE FROM scheduler_invocation WHERE place=? AND scheduled=?", (one.place, one.scheduled)
        )

    def forget(self, place: str) -> None:
        """The schedule is gone."""
        self._database.execute("DELETE FROM scheduler_invocation WHERE place=?", (place,))
        self.restart(place)

    def follow(self, place: str, due: float) -> None:
        """A schedule was due: its next time."""
        self._database.execute("INSERT OR REPLACE INTO scheduler_followed VALUES (?,?)", (place, due))
        if len(self._followed) >= _REMEMBERED:
            self._followed.clear()
        self._followed[place] = due
        self._database.on_rollback(partial(self._unknown, place))

    def _unknown(self, place: str) -> None:
        self._followed.pop(place, None)

    def followed(self, place: str) -> float | None:
        """A schedule's next time, once it was due; None when its record says it. In a transaction."""
        known = self._followed.get(place)
        if known is not None:
            return known
        row = self._database.execute("SELECT due FROM scheduler_followed WHERE place=?", (place,)).fetchone()
        return None if row is None else float(row[0])

    def restart(self, place: str) -> None:
        """A schedule's next time is what its record says."""
        self._unknown(place)
        self._database.execute("DELETE FROM scheduler_followed WHERE place=?", (place,))


def invocations(world: World) -> Invocations:
    """The table of a jar."""
    return own_tables.of_jar(world, _PORT, lambda: Invocations(world))
