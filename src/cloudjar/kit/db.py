"""Records as a handler sees them: tables of one account and region, with AWS's answers built in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.quota import Quotas
from cloudjar.kit.record import Quota, Record, RecordMeta, meta
from cloudjar.kit.settling import Settling
from cloudjar.kit.usage import Usage
from cloudjar.kit.wakes import WakeTable
from cloudjar.store.tables import Tables

R = TypeVar("R", bound=Record)

Watch = Callable[["State", Record], None]
_WATCHES: dict[str, list[Watch]] = {}


def watches(table: str) -> Callable[[Watch], Watch]:
    """Decorator: a service is told of every write to a table (``elasticloadbalancing/targetgroup``), another's too, in
    the write's transaction: the record as it is now, or as it was when it was removed. It may read and wake."""

    def declare(function: Watch) -> Watch:
        _WATCHES.setdefault(table, []).append(function)
        return function

    return declare


class State:
    """The stored world: tables and what must change with them in the same transaction."""

    def __init__(self, tables: Tables, usage: Usage, wakes: WakeTable, quotas: Quotas) -> None:
        self.tables = tables
        self.database = tables.database
        self.usage = usage
        self.wakes = wakes
        self.quotas = quotas
        self.watchers: dict[str, list[Callable[[], None]]] = {}
        """Called after a write to a table whose name starts with the key (caches that derive from records)."""
        self.settling: dict[str, Settling] = {}
        """Services whose writes readers may see later, by record prefix."""

    def changed(self, declared: RecordMeta[Any], before: Record | None, after: Record | None) -> None:
        """Bookkeeping of every write: meters, wake-ups, caches."""
        self.usage.edge(before, after)
        item = after if after is not None else before
        assert item is not None
        self.wakes.after_write(declared, item)
        settling = self.settling.get(declared.service)
        if settling is not None:
            settling.wrote(declared, before, after)
        for watch in _WATCHES.get(declared.spec.name, ()):
            watch(self, item)
        for watcher in self.watchers.get(declared.service, ()):
            watcher()
            self.database.on_rollback(watcher)


class Table(Generic[R]):
    """The records of one type in one account and region (or, for global types, in the account)."""

    __slots__ = ("_account", "_region", "_state", "meta")

    def __init__(self, state: State, declared: RecordMeta[R], account: str, region: str) -> None:
        self._state = state
        self.meta = declared
        self._account = account
        self._region = region if declared.regional else ""

    def get(self, key: str) -> R | None:
        """The record, or None."""
        return self._state.tables.get(self.meta.spec, self._account, self._region, key)

    def need(self, key: str) -> R:
        """The record, or the type's not-found answer."""
        item = self.get(key)
        if item is None:
            raise self.meta.not_found(key)
        return item

    def need_all(self, keys: Iterable[str]) -> list[R]:
        """The records in the order asked; one that is missing fails the whole call, as on AWS."""
        return [self.need(key) for key in keys]

    def all(self, **where: Any) -> list[R]:
        """Every record, narrowed by equality on indexed fields; in key order."""
        return self._state.tables.all(self.meta.spec, self._account, self._region, where)

    def count(self, **where: Any) -> int:
        """How many `all` would give."""
        return self._state.tables.count(self.meta.spec, self._account, self._region, where)

    def add(self, item: R) -> R:
        """Store a new record; enforces the type's quotas. The record comes back with its account and region."""
        placed = replace(item, account=self._account, region=self._region)
        for quota in self.meta.quotas:
            self._enforce(quota, placed)
        self._write(None, placed)
        return placed

    def _enforce(self, quota: Quota, item: R) -> None:
        where = {quota.per: getattr(item, quota.per)} if quota.per else {}
        if quota.counts is not None and not quota.counts(item):
            return
        if quota.counts is None:
            used = self.count(**where)
        else:
            used = sum(1 for other in self.all(**where) if quota.counts(other))
        limit = self._state.quotas.limit(self._account, self._region, quota.code)
        if limit is not None and used >= limit:
            code, message = quota.error
            raise AwsError(code, message.format(limit=int(limit), per=where.get(quota.per, "")))

    def put(self, item: R) -> R:
        """Store a changed record."""
        before = self._state.tables.get(self.meta.spec, item.account, item.region, self.meta.key_of(item))
        if before is None:
            raise LookupError(f"{self.meta.spec.name} {self.meta.key_of(item)} is not stored: use add")
        if before != item:
            self._write(before, item)
        return item

    def drop(self, item: R) -> None:
        """Remove a record."""
        self._write(item, None)

    def _write(self, before: R | None, after: R | None) -> None:
        database = self._state.database
        if not database.in_transaction:
            with database.transaction():
                self._write(before, after)
            return
        if after is not None:
            self._state.tables.put(self.meta.spec, after)
        elif before is not None:
            self._state.tables.drop(self.meta.spec, before)
        self._state.changed(self.meta, before, after)


class SettledTable(Table[R]):
    """A table as readers see it while some writes have not settled."""

    __slots__ = ("_settling",)

    def __init__(self, settling: Settling, state: State, declared: RecordMeta[R], account: str, region: str) -> None:
        super().__init__(state, declared, account, region)
        self._settling = settling

    def get(self, key: str) -> R | None:
        return self._settling.get(self.meta, self._account, self._region, key)

    def all(self, **where: Any) -> list[R]:
        return self._settling.all(self.meta, self._account, self._region, where)

    def count(self, **where: Any) -> int:
        return len(self.all(**where))


class Db:
    """``db[Vpc]`` is the table of VPCs of an account and region.

    `settled` asks for what readers see (see `kit.settling`) whoever asks; else that depends on whether a transaction
    runs: who writes sees what is stored.
    """

    __slots__ = ("_account", "_region", "_settled", "_state")

    def __init__(self, state: State, account: str, region: str, *, settled: bool = False) -> None:
        self._state = state
        self._account = account
        self._region = region
        self._settled = settled

    def __getitem__(self, cls: type[R]) -> Table[R]:
        declared = meta(cls)
        settling = self._reader(declared)
        if settling is not None:
            return SettledTable(settling, self._state, declared, self._account, self._region)
        return Table(self._state, declared, self._account, self._region)

    def _reader(self, declared: RecordMeta[R]) -> Settling | None:
        """What stands between a reader and the tables, while there is something to hide."""
        settling = self._state.settling.get(declared.service)
        if settling is None or settling.next is None:
            return None
        return settling if self._settled or not self._state.database.in_transaction else None

    def at(self, account: str, region: str) -> Db:
        """The same world seen from another account and region."""
        return Db(self._state, account, region, settled=self._settled)

    def find(self, cls: type[R], key: str) -> R | None:
        """A record by a key that is unique over accounts and regions (the type says `everywhere`)."""
        declared = meta(cls)
        settling = self._reader(declared)
        if settling is not None:
            return settling.find(declared, key)
        found = self._state.tables.find(declared.spec, key)
        return found[0] if found else None

    def everywhere(self, cls: type[R], **where: Any) -> list[R]:
        """Records of all accounts and regions."""
        declared = meta(cls)
        settling = self._reader(declared)
        if settling is not None:
            return settling.all(declared, None, None, where)
        return self._state.tables.all(declared.spec, None, None, where)
