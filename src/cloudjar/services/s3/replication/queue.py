"""Copies that wait, in the order in which they came. A table of the one store."""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.kit.context import World
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects.rows import Version
from cloudjar.services.s3.replication.config import Rule
from cloudjar.services.s3.tables import table_of

_TABLE = (
    "CREATE TABLE IF NOT EXISTS s3_replicate (id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, "
    "rule TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, edit INTEGER NOT NULL, born REAL NOT NULL)"
)
_LATER = {"size": "INTEGER NOT NULL DEFAULT 0", "missed": "INTEGER NOT NULL DEFAULT 0"}
"""Columns that came after the table: a store that has it without them gets them."""
_PORT = "s3.replicate"


class Task(NamedTuple):
    """A version to be copied by a rule; `edit`: only what changed of it (tags, ACL, lock). `born` is in Unix seconds,
    `missed` whether it was told that it takes too long."""

    id: int
    rule: str
    key: str
    version: str
    edit: bool
    born: float
    missed: bool


class Queue:
    """The rows. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = world.state.database
        with self._database.lock:
            self._database.execute(_TABLE)
            there = {row[1] for row in self._database.execute("PRAGMA table_info(s3_replicate)").fetchall()}
            for name, kind in _LATER.items():
                if name not in there:
                    self._database.execute(f"ALTER TABLE s3_replicate ADD COLUMN {name} {kind}")
            self._database.execute("CREATE INDEX IF NOT EXISTS s3_replicate_bucket ON s3_replicate (bucket, id)")

    def add(self, bucket: Bucket, rule: Rule, version: Version, *, edit: bool) -> None:
        """A version to copy; the commit wakes the worker."""
        now = self._world.clock.now().timestamp()
        self._database.execute(
            "INSERT INTO s3_replicate (bucket, rule, key, version, edit, born, size) VALUES (?,?,?,?,?,?,?)",
            (bucket.name, rule.id, version.key, version.id, int(edit), now, 0 if edit else version.size),
        )
        self._world.state.wakes.wake("s3/replication", bucket.account, bucket.location, bucket.name)

    def next(self, bucket: str) -> Task | None:
        """The oldest."""
        rows = self._database.query(
            "SELECT id, rule, key, version, edit, born, missed FROM s3_replicate WHERE bucket=? ORDER BY id LIMIT 1",
            (bucket,),
        )
        return Task(*rows[0]) if rows else None

    def more(self, bucket: str, task: Task) -> bool:
        """Whether further copies of the same version wait."""
        return bool(
            self._database.query(
                "SELECT 1 FROM s3_replicate WHERE bucket=? AND key=? AND version=? AND id<>? LIMIT 1",
                (bucket, task.key, task.version, task.id),
            )
        )

    def waiting(self, bucket: str, rule: str) -> tuple[int, int]:
        """How many copies of a rule wait, and their bytes."""
        row = self._database.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM s3_replicate WHERE bucket=? AND rule=?", (bucket, rule)
        ).fetchone()
        return int(row[0]), int(row[1])

    def missed(self, task: Task) -> None:
        """It was told that one takes too long."""
        self._database.execute("UPDATE s3_replicate SET missed=1 WHERE id=?", (task.id,))

    def done(self, task: Task) -> None:
        """Forget one."""
        self._database.execute("DELETE FROM s3_replicate WHERE id=?", (task.id,))


def queue(world: World) -> Queue:
    """The queue of a running jar."""
    return table_of(world, _PORT, Queue)
