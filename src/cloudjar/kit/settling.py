"""Writes that readers see later: eventual consistency, for services that AWS keeps all over the world.

Nothing is copied. Of each record that was written lately the value before the write is kept (`Unseen`); a reader gets
that value until the write has settled, and the stored one from then on. Writers, who run in a transaction, always see
what is stored. `next` is when the next write settles: caches that derive from records hold until then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from cloudjar.base.clock import Clock
from cloudjar.kit.record import Record, RecordMeta, meta, record
from cloudjar.store.tables import Tables

R = TypeVar("R", bound=Record)
Place = tuple[str, str, str]
"""(account, region, key)."""

LONGEST = timedelta(hours=1)


@record("unseen", "write", key="number")
class Unseen(Record, frozen=True, kw_only=True):
    """A record as it was before a write that has not settled; `before` is empty when it was not there."""

    number: str
    table: str
    place: Place
    until: datetime
    before: bytes = b""


@record("unseen", "switch", key="service")
class Switch(Record, frozen=True, kw_only=True):
    """How long the writes of a service take to settle, in seconds of AWS time."""

    service: str
    seconds: float


class Settling:
    """The writes of one service that have not settled. `seconds` None: as it was when the jar last ran."""

    def __init__(self, service: str, tables: Tables, clock: Clock, seconds: float | None) -> None:
        self._service = service
        self._tables = tables
        self._clock = clock
        self._pending: dict[str, dict[Place, list[Unseen]]] = {}
        self._number = 0
        self.next: datetime | None = None
        """When the earliest write settles; None when all have."""
        self.delay = timedelta(0)
        if meta(Switch).spec.name in tables.names():
            self._load()
        if seconds is not None:
            self.switch(seconds)

    def _load(self) -> None:
        kept = self._tables.get(meta(Switch).spec, "", "", self._service)
        if kept is not None:
            self.delay = timedelta(seconds=kept.seconds)
        for row in self._tables.all(meta(Unseen).spec, None, None):
            if row.table.partition("/")[0] == self._service:
                self._remember(row)

    def switch(self, seconds: float) -> None:
        """Have writes settle after so many seconds of AWS time from now on, 0 at once; raises ValueError."""
        if not 0 <= seconds <= LONGEST.total_seconds():
            raise ValueError(f"seconds must be between 0 and {int(LONGEST.total_seconds())}")
        wanted = timedelta(seconds=seconds)
        if wanted != self.delay:
            with self._tables.database.transaction():
                self._tables.put(meta(Switch).spec, Switch(service=self._service, seconds=seconds))
            self.delay = wanted

    # -- writing
    def wrote(self, declared: RecordMeta[Any], before: Record | None, after: Record | None) -> None:
        """Keep what a record was before a write, in the write's transaction."""
        if not self.delay:
            return
        self._sweep()
        item = before if before is not None else after
        assert item is not None
        self._number += 1
        row = Unseen(
            number=f"{self._number:012d}",
            table=declared.spec.name,
            place=(item.account, item.region, declared.key_of(item)),
            until=self._clock.now() + self.delay,
            before=b"" if before is None else msgspec.msgpack.encode(before),
        )
        self._tables.put(meta(Unseen).spec, row)
        self._remember(row)
        self._tables.database.on_rollback(lambda: self._forget(row))

    def _remember(self, row: Unseen) -> None:
        self._number = max(self._number, int(row.number))
        self._pending.setdefault(row.table, {}).setdefault(row.place, []).append(row)
        if self.next is None or row.until < self.next:
            self.next = row.until

    def _forget(self, row: Unseen) -> None:
        places = self._pending.get(row.table, {})
        left = [r for r in places.get(row.place, ()) if r.number != row.number]
        if left:
            places[row.place] = left
        else:
            places.pop(row.place, None)
        self._renew()

    def _sweep(self) -> None:
        """Drop the rows of what has settled."""
        now = self._clock.now()
        for row in [r for r in self._kept() if r.until <= now]:
            self._tables.drop(meta(Unseen).spec, row)
            self._forget(row)

    def _kept(self) -> Iterator[Unseen]:
        for places in self._pending.values():
            for several in places.values():
                yield from several

    def _renew(self) -> None:
        now = self._clock.now()
        self.next = min((r.until for r in self._kept() if r.until > now), default=None)

    # -- reading
    def passed(self) -> bool:
        """Whether a write has settled since this was last asked: whoever remembers answers forgets them then."""
        if self.next is None or self._clock.now() < self.next:
            return False
        self._renew()
        return True

    def get(self, declared: RecordMeta[R], account: str, region: str, key: str) -> R | None:
        """The record as readers see it."""
        row = self._hiding(self._pending.get(declared.spec.name, {}).get((account, region, key), ()))
        return self._tables.get(declared.spec, account, region, key) if row is None else _before(declared, row)

    def find(self, declared: RecordMeta[R], key: str) -> R | None:
        """The record with a key that is unique everywhere, as readers see it."""
        for place, several in self._pending.get(declared.spec.name, {}).items():
            row = self._hiding(several) if place[2] == key else None
            if row is not None:
                return _before(declared, row)
        found = self._tables.find(declared.spec, key)
        return found[0] if found else None

    def all(self, declared: RecordMeta[R], account: str | None, region: str | None, where: dict[str, Any]) -> list[R]:
        """The records as readers see them, in the order of their places."""
        found = self._tables.all(declared.spec, account, region, where)
        hiding = {
            place: row
            for place, several in self._pending.get(declared.spec.name, {}).items()
            if (row := self._hiding(several)) is not None
        }
        if not hiding:
            return found
        seen = {place: item for item in found if (place := _place(declared, item)) not in hiding}
        for place, row in hiding.items():
            item = _before(declared, row)
            here = account in (None, place[0]) and region in (None, place[1])
            if here and item is not None and all(getattr(item, name) == value for name, value in where.items()):
                seen[place] = item
        return [seen[place] for place in sorted(seen)]

    def _hiding(self, several: Sequence[Unseen]) -> Unseen | None:
        """The oldest write of a record that has not settled: what was before it is what readers see."""
        if not several:
            return None
        now = self._clock.now()
        return next((row for row in several if row.until > now), None)


def _before(declared: RecordMeta[R], row: Unseen) -> R | None:
    return msgspec.msgpack.decode(row.before, type=declared.type) if row.before else None


def _place(declared: RecordMeta[Any], item: Record) -> Place:
    return item.account, item.region, declared.key_of(item)
