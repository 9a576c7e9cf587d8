"""What will be due in which bucket, and when: so that the clock finds what there is to do without looking at what is
stored. One table of the one store; rows are kept only where something has rules or a restore.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, NamedTuple

from cloudjar.kit.context import World
from cloudjar.kit.record import Record, record
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.tables import table_of

_TABLES = (
    "CREATE TABLE IF NOT EXISTS s3_due (bucket TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, "
    "due REAL NOT NULL, PRIMARY KEY (bucket, kind, key, id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS s3_due_time ON s3_due (bucket, due)",
)
_PORT = "s3.agenda"

Kind = Literal["key", "upload", "restore", "tier"]


class Due(NamedTuple):
    """Something to look at: all versions of a key (by the rules), an upload, or a restored version."""

    kind: Kind
    key: str
    id: str
    due: float


@record("s3", "lifecycle", key="bucket")
class Sweep(Record, frozen=True, kw_only=True):
    """New rules on their way through what a bucket holds already: the keys up to `after` have been looked at. While it
    is stored, there is more to look at; wake-ups of its place also run what is due."""

    bucket: str
    after: str = ""
    uploads: bool = False
    """Whether the keys are through, and the unfinished uploads are next."""


class Agenda:
    """The rows. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = world.state.database
        with self._database.lock:
            for statement in _TABLES:
                self._database.execute(statement)

    def earlier(self, bucket: Bucket, kind: Kind, key: str, item: str, due: float) -> None:
        """Look at something at an instant, unless it is looked at before."""
        row = self._database.execute(
            "SELECT due FROM s3_due WHERE bucket=? AND kind=? AND key=? AND id=?", (bucket.name, kind, key, item)
        ).fetchone()
        if row is None or row[0] > due:
            self.set(bucket, kind, key, item, due)

    def set(self, bucket: Bucket, kind: Kind, key: str, item: str, due: float | None) -> None:
        """Look at something at an instant instead of any other; None: not at all."""
        place = (bucket.name, kind, key, item)
        if due is None:
            self._database.execute("DELETE FROM s3_due WHERE bucket=? AND kind=? AND key=? AND id=?", place)
            return
        first = self.next(bucket.name)
        self._database.execute("INSERT OR REPLACE INTO s3_due VALUES (?,?,?,?,?)", (*place, due))
        if first is None or due < first:
            self.wake(bucket, due)

    def wake(self, bucket: Bucket, due: float) -> None:
        """Have the bucket's agenda run at an instant."""
        at = datetime.fromtimestamp(due, UTC)
        self._world.state.wakes.wake(
            "s3/lifecycle", bucket.account, bucket.location, bucket.name, purpose="due", due=at
        )

    def next(self, bucket: str) -> float | None:
        """When the first thing is due."""
        row = self._database.execute("SELECT min(due) FROM s3_due WHERE bucket=?", (bucket,)).fetchone()
        found: float | None = row[0]
        return found

    def due(self, bucket: str, now: float, limit: int) -> list[Due]:
        """What is due, the longest first."""
        rows = self._database.query(
            "SELECT kind, key, id, due FROM s3_due WHERE bucket=? AND due<=? ORDER BY due LIMIT ?", (bucket, now, limit)
        )
        return [Due(*row) for row in rows]

    def at(self, bucket: str, kind: Kind, key: str, item: str) -> float | None:
        """When something is due."""
        rows = self._database.query(
            "SELECT due FROM s3_due WHERE bucket=? AND kind=? AND key=? AND id=?", (bucket, kind, key, item)
        )
        return rows[0][0] if rows else None

    def forget(self, bucket: str, *kinds: Kind) -> None:
        """Nothing of these kinds is due any more."""
        for kind in kinds:
            self._database.execute("DELETE FROM s3_due WHERE bucket=? AND kind=?", (bucket, kind))


def agenda(world: World) -> Agenda:
    """The agenda of a running jar."""
    return table_of(world, _PORT, Agenda)
