"""Insights queries: run behind the request, their results kept for seven days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import msgspec
from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import World
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.services.logs import tokens
from cloudjar.services.logs.finding import horizon, millis
from cloudjar.services.logs.insights.commands import read
from cloudjar.services.logs.insights.functions import Instant
from cloudjar.services.logs.insights.running import Result, Row, run
from cloudjar.services.logs.records import LogGroup, Query
from cloudjar.services.logs.rows import Place, pages, rows
from cloudjar.services.logs.sealing import Opener

KEPT = timedelta(days=7)
_MOST_EVENTS = 2_000_000
"""Events that a query looks at; then it has taken too long."""
_READ = 1000
_FORGET = "forget"
_SCANNED = Tally("AmazonCloudWatch", "DataScanned-Bytes", "")


class _TooMany(Exception):
    """A query that has looked at as much as it may."""


class Found(msgspec.Struct):
    """What a query has found."""

    results: list[Result] = []


class _Scan:
    """The events of some groups, newest first, and how many were looked at."""

    def __init__(self, step: Step, query: Query) -> None:
        self._step, self._query = step, query
        self.records, self.size = 0, 0

    def events(self) -> Iterator[Row]:
        for name in self._query.groups:
            group = self._step.db[LogGroup].get(name)
            if group is not None:
                yield from self._of(group)

    def _of(self, group: LogGroup) -> Iterator[Row]:
        store, opener = rows(self._step.world), Opener(self._step.ctx, group)
        low: Place = (max(self._query.start, horizon(self._step.ctx, group)), -1)
        high: Place = (self._query.end + 1, -1)
        names: dict[int, str | None] = {}
        read_some = partial(store.of_group, group.number, descending=True)
        for event in pages(read_some, low, high, _READ, descending=True):
            if event.stream not in names:
                names[event.stream] = store.name(event.stream)
            stream = names[event.stream]
            if stream is None:
                continue
            self.records += 1
            self.size += event.size
            if self.records > _MOST_EVENTS:
                raise _TooMany
            yield Row(
                {
                    "@timestamp": Instant(event.time),
                    "@ingestionTime": Instant(event.ingested),
                    "@message": opener(event.key, event.message),
                    "@logStream": stream,
                    "@log": f"{group.account}:{group.name}",
                    "@ptr": tokens.event_id(group.number, event.place),
                }
            )


@reconciler(Query)
def converge(step: Step, query: Query | None) -> None:
    """Run a query that waits; forget one that is old."""
    if query is None:
        with step.world.state.database.transaction():
            _results(step.world).drop(step.key)
        return
    if query.status == "Scheduled":
        _run(step, query)
    elif step.wake.purpose == _FORGET:
        with step.world.state.database.transaction():
            step.db[Query].drop(query)
    elif not step.world.state.wakes.expects(step.wake, _FORGET):
        step.again(_FORGET, query.created + KEPT)


def _run(step: Step, query: Query) -> None:
    scan, found, status = _Scan(step, query), Found(), "Complete"
    try:
        commands = read(query.text)
        events = scan.events()
        if len(query.groups) > 1:
            events = iter(sorted(events, key=lambda row: -float(row.get("@timestamp") or 0)))
        found.results, _ = run(commands, events, query.limit)
    except _TooMany:
        status = "Timeout"
    except AwsError:
        status = "Failed"
    with step.world.state.database.transaction():
        now = step.db[Query].get(query.id)
        if now is None or now.status != "Scheduled":
            return
        _results(step.world).put(query.id, found)
        took = millis(step.ctx.world.clock.now()) - millis(query.created)
        step.db[Query].put(
            replace(now, status=status, scanned=scan.records, bytes=scan.size, matched=len(found.results), took=took)
        )
        quantities: Quantities = step.world.ports["quantities"]
        quantities.add(Owner(query.account, query.region, query.groups[0]), _SCANNED, scan.size)


_PORT = "logs.results"


class Results:
    """What queries have found, beside their records."""

    def __init__(self, world: World) -> None:
        self._database = world.state.database
        with self._database.lock:
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS logs_result (id TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID"
            )

    def put(self, key: str, found: Found) -> None:
        """Keep a result; inside a transaction."""
        self._database.execute("INSERT OR REPLACE INTO logs_result VALUES (?,?)", (key, msgspec.msgpack.encode(found)))

    def get(self, key: str) -> Found:
        """A result; an empty one when there is none yet."""
        held = self._database.query("SELECT data FROM logs_result WHERE id=?", (key,))
        return msgspec.msgpack.decode(held[0][0], type=Found) if held else Found()

    def drop(self, key: str) -> None:
        """Forget a result; inside a transaction."""
        self._database.execute("DELETE FROM logs_result WHERE id=?", (key,))


def _results(world: World) -> Results:
    found: Results | None = world.ports.get(_PORT)
    if found is None:
        found = world.ports[_PORT] = Results(world)
    return found


def results(world: World, key: str) -> list[Result]:
    """The rows that a query has found."""
    return _results(world).get(key).results
