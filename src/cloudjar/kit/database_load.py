"""What databases were busy with, second by second: written by the service that has them, read by Performance Insights.

A session at work is described by its dimensions (``db.user.name``, ``db.wait_event.name``, ``db.sql.id``, ...); what
these are is kept sealed, as statements may hold secrets. The load of a span is the sum of its sessions, divided by the
seconds in which somebody looked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from cloudjar.kit.context import World
from cloudjar.kit.own_tables import create, of_jar
from cloudjar.store.database import Database
from cloudjar.store.sealer import Sealer

Dimensions = Mapping[str, str]
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS load_subject (id TEXT PRIMARY KEY, account TEXT, region TEXT, engine TEXT, "
    "kept INTEGER)",
    "CREATE TABLE IF NOT EXISTS load_kind (number INTEGER PRIMARY KEY, id TEXT, digest TEXT, sealed BLOB, "
    "last INTEGER, UNIQUE (id, digest))",
    "CREATE TABLE IF NOT EXISTS load_second (id TEXT, at INTEGER, number INTEGER, sessions INTEGER, "
    "PRIMARY KEY (id, at, number)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS load_looked (id TEXT, minute INTEGER, seconds INTEGER, "
    "PRIMARY KEY (id, minute)) WITHOUT ROWID",
)


class Subject(NamedTuple):
    """A database (by its resource id) that is looked at, and for how many days that is kept."""

    id: str
    account: str
    region: str
    engine: str
    kept: int


class Busy(NamedTuple):
    """How many sessions of one kind were at work, in a second."""

    at: int
    sessions: int
    dimensions: Dimensions


def database_load(world: World) -> DatabaseLoad:
    """The jar's own."""
    return of_jar(world, "database load", lambda: DatabaseLoad(world.state.database, world.sealer))


class DatabaseLoad:
    """Tables of load. Writes are inside the caller's transaction; instants are Unix seconds of AWS time."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database, self._sealer = database, sealer
        self._known: dict[int, Dimensions] = {}
        create(database, _SCHEMA)

    def begin(self, subject: Subject) -> None:
        """A database is looked at from now on, or is called or kept otherwise."""
        self._database.execute("INSERT OR REPLACE INTO load_subject VALUES (?,?,?,?,?)", subject)

    def end(self, resource: str) -> None:
        """It is not looked at any more; what was seen goes."""
        for table in ("load_subject", "load_kind", "load_second", "load_looked"):
            self._database.execute(f"DELETE FROM {table} WHERE id=?", (resource,))

    def subject(self, resource: str, account: str, region: str) -> Subject | None:
        """A database of an account that is looked at."""
        rows = self._database.query(
            "SELECT id, account, region, engine, kept FROM load_subject WHERE id=? AND account=? AND region=?",
            (resource, account, region),
        )
        return next((Subject(*row) for row in rows), None)

    def add(self, resource: str, at: int, sessions: Iterable[Dimensions]) -> None:
        """Somebody looked in a second, and saw these sessions."""
        run, counts = self._database.execute, dict[int, int]()
        for dimensions in sessions:
            number = self._number(resource, at, dimensions)
            counts[number] = counts.get(number, 0) + 1
        for number, count in counts.items():
            run("INSERT OR REPLACE INTO load_second VALUES (?,?,?,?)", (resource, at, number, count))
        run(
            "INSERT INTO load_looked VALUES (?,?,1) ON CONFLICT (id, minute) DO UPDATE SET seconds=seconds+1",
            (resource, at // 60),
        )

    def forget(self, resource: str, before: int) -> None:
        """Nothing is kept of what was before an instant."""
        run = self._database.execute
        run("DELETE FROM load_second WHERE id=? AND at<?", (resource, before))
        run("DELETE FROM load_looked WHERE id=? AND minute<?", (resource, before // 60))
        run("DELETE FROM load_kind WHERE id=? AND last<?", (resource, before))

    def busy(self, resource: str, start: int, stop: int) -> Iterator[Busy]:
        """Who was at work in [start, stop)."""
        rows = self._database.query(
            "SELECT at, sessions, number FROM load_second WHERE id=? AND at>=? AND at<? ORDER BY at",
            (resource, start, stop),
        )
        for at, sessions, number in rows:
            yield Busy(at, sessions, self._dimensions(resource, number))

    def looked(self, resource: str, start: int, stop: int) -> dict[int, int]:
        """How many seconds were looked at, by minute (Unix seconds of its beginning)."""
        rows = self._database.query(
            "SELECT minute, seconds FROM load_looked WHERE id=? AND minute>=? AND minute<?",
            (resource, start // 60, -(-stop // 60)),
        )
        return {minute * 60: seconds for minute, seconds in rows}

    def kinds(self, resource: str) -> list[Dimensions]:
        """Every kind of session that is remembered."""
        rows = self._database.query("SELECT number FROM load_kind WHERE id=?", (resource,))
        return [self._dimensions(resource, row[0]) for row in rows]

    def _number(self, resource: str, at: int, dimensions: Dimensions) -> int:
        plain = msgspec.json.encode(sorted(dimensions.items()))
        digest = hashlib.sha256(plain).hexdigest()
        rows = self._database.query("SELECT number FROM load_kind WHERE id=? AND digest=?", (resource, digest))
        for row in rows:
            self._database.execute("UPDATE load_kind SET last=? WHERE number=? AND last<?", (at, row[0], at - 3600))
            return int(row[0])
        sealed = bytes(self._sealer.seal(plain, f"database load {resource}"))
        made = self._database.execute(
            "INSERT INTO load_kind (id, digest, sealed, last) VALUES (?,?,?,?) RETURNING number",
            (resource, digest, sealed, at),
        ).fetchone()
        return int(made[0])

    def _dimensions(self, resource: str, number: int) -> Dimensions:
        known = self._known.get(number)
        if known is None:
            rows = self._database.query("SELECT sealed FROM load_kind WHERE number=? AND id=?", (number, resource))
            plain = next((self._sealer.open(row[0], f"database load {resource}") for row in rows), None)
            known = dict(msgspec.json.decode(plain, type=list[tuple[str, str]])) if plain is not None else {}
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[number] = known
        return known
