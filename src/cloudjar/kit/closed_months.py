"""Which months of usage are over and added up, so that nobody adds them up again; what comes late undoes it.

`billing.ledger` keeps there what it made of a month; whoever writes usage dated before the newest of them says so in
the same transaction.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary, ref

from cloudjar.store.database import Database

_KNOWN: WeakKeyDictionary[Database, ClosedMonths] = WeakKeyDictionary()


def closed_months(database: Database) -> ClosedMonths:
    """The one of a database."""
    found = _KNOWN.get(database)
    if found is None:
        found = _KNOWN[database] = ClosedMonths(database)
    return found


class ClosedMonths:
    """Months by the instants of their ends (seconds since 1970), each with what it added up to."""

    def __init__(self, database: Database) -> None:
        self._of = ref(database)  # which `_KNOWN` must not keep alive
        with database.lock:
            database.execute("CREATE TABLE IF NOT EXISTS usage_month (until INTEGER PRIMARY KEY, made TEXT, data BLOB)")
        self._until = self._newest()
        self.disturbed = 0
        """How often a closed month was opened again: what was remembered before is out of date."""

    @property
    def _database(self) -> Database:
        database = self._of()
        assert database is not None  # whoever asks has it
        return database

    def _newest(self) -> float:
        return float(self._database.query("SELECT max(until) FROM usage_month")[0][0] or 0)

    def late(self, instant: float) -> None:
        """Usage is written that is dated so; inside the transaction that writes it."""
        if instant < self._until:
            self._database.execute("DELETE FROM usage_month WHERE until > ?", (int(instant),))
            self.disturbed += 1

    def watch(self, until: float) -> None:
        """Somebody remembers what was used until an instant: `disturbed` is to tell of what comes late."""
        self._until = max(self._until, until)

    def get(self, until: int, made: str) -> bytes | None:
        """What a month added up to, when it was made by the same rules (`made`: of what prices and product)."""
        rows = self._database.query("SELECT data FROM usage_month WHERE until=? AND made=?", (until, made))
        return bytes(rows[0][0]) if rows else None

    def put(self, until: int, made: str, data: bytes, disturbed: int) -> None:
        """Keep a month, unless something came late since `disturbed` was read."""
        with self._database.transaction():
            if disturbed == self.disturbed:
                self._database.execute("INSERT OR REPLACE INTO usage_month VALUES (?,?,?)", (until, made, data))
                self._until = max(self._until, float(until))
