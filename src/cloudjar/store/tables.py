"""Typed records in indexed tables.

A record is a frozen msgspec struct with `account` and `region`; its table holds the encoded struct beside the
columns that are searched. New fields need a default; a new index column is added and filled when
the table is opened, so only renames need a written migration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from cloudjar.store.database import Database


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every stored thing has. Account and region are filled in when it is added; "" means global."""

    account: str = ""
    region: str = ""


R = TypeVar("R", bound=Record)
Place = tuple[str, str, str]
"""(account, region, key): what identifies a row."""

_CACHE_LIMIT = 20_000


@dataclass(frozen=True)
class TableSpec(Generic[R]):
    """Where records of one type live. `everywhere` adds an index to find a key in any account and region."""

    name: str
    type: type[R]
    key: str
    indexes: tuple[str, ...] = ()
    everywhere: bool = False


@dataclass
class _Open(Generic[R]):
    spec: TableSpec[R]
    decode: Any
    put_sql: str
    cache: dict[Place, R] = field(default_factory=dict)


class Tables:
    """All tables of a database; opened (created, migrated) at first use.

    Decoded records are cached: this process is the only writer, and every write passes here. What a transaction has
    written is kept apart until it commits, so that no other thread acts on what may never have happened.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._open: dict[str, _Open[Any]] = {}
        self._written: dict[tuple[str, Place], Any] = {}
        self._touched: set[tuple[str, Place]] = set()
        """Places that the running transaction has written; only who holds the lock looks here."""
        self._encode = msgspec.msgpack.Encoder().encode

    def _table(self, spec: TableSpec[R]) -> _Open[R]:
        table = self._open.get(spec.name)
        if table is None:
            with self.database.lock:
                table = self._open.get(spec.name) or self._open_table(spec)
        return table

    def _open_table(self, spec: TableSpec[R]) -> _Open[R]:
        columns = ", ".join(f'"{c}"' for c in spec.indexes)
        run = self.database.execute
        run(
            f'CREATE TABLE IF NOT EXISTS "{spec.name}" (account TEXT NOT NULL, region TEXT NOT NULL, '
            "key TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (account, region, key)) WITHOUT ROWID"
        )
        table = _Open(
            spec,
            msgspec.msgpack.Decoder(spec.type).decode,
            f'INSERT OR REPLACE INTO "{spec.name}" (account, region, key, data{", " if columns else ""}{columns}) '
            f"VALUES ({', '.join('?' * (4 + len(spec.indexes)))})",
        )
        have = {row[1] for row in run(f'PRAGMA table_info("{spec.name}")')}
        missing = [c for c in spec.indexes if c not in have]
        for column in missing:
            run(f'ALTER TABLE "{spec.name}" ADD COLUMN "{column}"')
        for column in spec.indexes:
            run(f'CREATE INDEX IF NOT EXISTS "{spec.name}.{column}" ON "{spec.name}" (account, region, "{column}")')
        if spec.everywhere:
            run(f'CREATE INDEX IF NOT EXISTS "{spec.name}.key" ON "{spec.name}" (key)')
        if missing:
            self._refill(table)
        self._open[spec.name] = table
        if self.database.in_transaction:
            self.database.on_rollback(lambda: _pop(self._open, spec.name))
        return table

    def _refill(self, table: _Open[R]) -> None:
        rows = self.database.execute(f'SELECT data FROM "{table.spec.name}"').fetchall()
        for (data,) in rows:
            self.database.execute(table.put_sql, self._row(table, table.decode(data), data))

    def _row(self, table: _Open[R], record: R, data: bytes) -> tuple[Any, ...]:
        spec = table.spec
        values = tuple(_column(getattr(record, c)) for c in spec.indexes)
        return (record.account, record.region, getattr(record, spec.key), data, *values)

    def get(self, spec: TableSpec[R], account: str, region: str, key: str) -> R | None:
        """The record at a place, or None."""
        table = self._table(spec)
        place = (account, region, key)
        record = table.cache.get(place)
        if record is not None:
            return record
        with self.database.lock:
            written: R | None = self._written.get((spec.name, place))
            if written is not None:
                return written
            row = self.database.execute(
                f'SELECT data FROM "{spec.name}" WHERE account=? AND region=? AND key=?', place
            ).fetchone()
            return None if row is None else self._remember(table, place, table.decode(row[0]))

    def _remember(self, table: _Open[R], place: Place, record: R) -> R:
        if (table.spec.name, place) in self._touched:
            self._written[table.spec.name, place] = record
            return record
        if len(table.cache) >= _CACHE_LIMIT:
            table.cache.clear()
        table.cache[place] = record
        return record

    def find(self, spec: TableSpec[R], key: str) -> list[R]:
        """The records with this key in any account and region; the spec must say `everywhere`."""
        table = self._table(spec)
        with self.database.lock:
            rows = self.database.execute(
                f'SELECT account, region, key, data FROM "{spec.name}" WHERE key=?', (key,)
            ).fetchall()
            return [self._decode(table, row) for row in rows]

    def _decode(self, table: _Open[R], row: tuple[str, str, str, bytes]) -> R:
        place = (row[0], row[1], row[2])
        record = table.cache.get(place) or self._written.get((table.spec.name, place))
        return record or self._remember(table, place, table.decode(row[3]))

    def all(
        self, spec: TableSpec[R], account: str | None, region: str | None, where: dict[str, Any] | None = None
    ) -> list[R]:
        """Records of an account and region (None: any), narrowed by equality on indexed columns, in key order."""
        table = self._table(spec)
        clause, args = _where(spec, account, region, where or {})
        order = f'FROM "{spec.name}"{clause} ORDER BY account, region, key'
        with self.database.lock:
            # Most callers ask for what was asked before: then names suffice, and nothing is read whole.
            known = table.cache.get
            found = [known(place) for place in self.database.execute(f"SELECT account, region, key {order}", args)]
            if None not in found:
                return found  # type: ignore[return-value]  # none is None
            rows = self.database.execute(f"SELECT account, region, key, data {order}", args).fetchall()
            return [self._decode(table, row) for row in rows]

    def count(
        self, spec: TableSpec[R], account: str | None, region: str | None, where: dict[str, Any] | None = None
    ) -> int:
        """How many records `all` would give."""
        self._table(spec)
        clause, args = _where(spec, account, region, where or {})
        return int(self.database.query(f'SELECT count(*) FROM "{spec.name}"{clause}', args)[0][0])

    def put(self, spec: TableSpec[R], record: R) -> None:
        """Write a record in the running transaction."""
        table = self._table(spec)
        place = (record.account, record.region, getattr(record, spec.key))
        self.database.execute(table.put_sql, self._row(table, record, self._encode(record)))
        self._touch(table, place)
        self._remember(table, place, record)

    def drop(self, spec: TableSpec[R], record: R) -> None:
        """Remove a record in the running transaction."""
        table = self._table(spec)
        place = (record.account, record.region, getattr(record, spec.key))
        self.database.execute(f'DELETE FROM "{spec.name}" WHERE account=? AND region=? AND key=?', place)
        self._touch(table, place)
        self._written.pop((spec.name, place), None)

    def _touch(self, table: _Open[R], place: Place) -> None:
        """Keep a place out of the cache until its transaction has committed; what was rolled back is read again."""
        table.cache.pop(place, None)
        if not self.database.in_transaction:
            return
        if not self._touched:
            self.database.on_commit(self._publish)
            self.database.on_rollback(self._discard)
        self._touched.add((table.spec.name, place))
        self.database.on_rollback(lambda: _pop(self._written, (table.spec.name, place)))

    def _publish(self) -> None:
        written = self._written.copy()
        self._discard()
        for (name, place), record in written.items():
            self._remember(self._open[name], place, record)

    def _discard(self) -> None:
        self._written.clear()
        self._touched.clear()

    def names(self) -> list[str]:
        """Names of the record tables that exist in the file."""
        rows = self.database.query("SELECT name FROM sqlite_master WHERE type='table' AND name LIKE '%/%'")
        return [row[0] for row in rows]


def _pop(mapping: dict[Any, Any], key: Any) -> None:
    mapping.pop(key, None)


def _column(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _where(
    spec: TableSpec[Any], account: str | None, region: str | None, where: dict[str, Any]
) -> tuple[str, tuple[Any, ...]]:
    parts: list[str] = []
    args: list[Any] = []
    if account is not None:
        parts.append("account=?")
        args.append(account)
    if region is not None:
        parts.append("region=?")
        args.append(region)
    for column, value in where.items():
        if column not in spec.indexes:
            raise KeyError(f"{spec.name}.{column} is not an index")
        parts.append(f'"{column}" IS ?')
        args.append(_column(value))
    return (" WHERE " + " AND ".join(parts) if parts else ""), tuple(args)
