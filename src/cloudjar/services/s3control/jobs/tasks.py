"""The tasks of jobs: one row for every object of a manifest. A table of the one store.

Rows are kept until the report is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cloudjar.kit.context import World

_TABLE = (
    "CREATE TABLE IF NOT EXISTS s3_job_task (job TEXT NOT NULL, number INTEGER NOT NULL, bucket TEXT NOT NULL, "
    "key TEXT NOT NULL, version TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0, status INTEGER NOT NULL DEFAULT 0, "
    "code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', PRIMARY KEY (job, number)) WITHOUT ROWID"
)
_PORT = "s3control.tasks"
_PAGE = 1000


class Entry(NamedTuple):
    """A line of a manifest; `version` is "" where it names none."""

    bucket: str
    key: str
    version: str = ""


class Result(NamedTuple):
    """How a task came out: HTTP status, error code ("" when it succeeded) and message."""

    status: int
    code: str
    message: str

    @property
    def succeeded(self) -> bool:
        """Whether it did."""
        return not self.code


class Tasks:
    """The rows. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._database = world.state.database
        with self._database.lock:
            self._database.execute(_TABLE)

    def add(self, job: str, entries: Iterable[Entry]) -> int:
        """Take a manifest over, instead of what was there; gives how many tasks there are."""
        self.forget(job)
        number = 0
        for number, entry in enumerate(entries, 1):
            self._database.execute(
                "INSERT INTO s3_job_task (job, number, bucket, key, version) VALUES (?,?,?,?,?)", (job, number, *entry)
            )
        return number

    def next(self, job: str, after: int, limit: int) -> list[tuple[int, Entry]]:
        """The tasks that follow a number."""
        rows = self._database.query(
            "SELECT number, bucket, key, version FROM s3_job_task WHERE job=? AND number>? ORDER BY number LIMIT ?",
            (job, after, limit),
        )
        return [(row[0], Entry(*row[1:])) for row in rows]

    def done(self, job: str, number: int, result: Result) -> None:
        """Note how one came out."""
        self._database.execute(
            "UPDATE s3_job_task SET done=1, status=?, code=?, message=? WHERE job=? AND number=?",
            (*result, job, number),
        )

    def results(self, job: str, *, succeeded: bool) -> Iterator[tuple[Entry, Result]]:
        """Those that were tried, in order."""
        last = 0
        how = "=''" if succeeded else "<>''"
        while rows := self._database.query(
            f"SELECT number, bucket, key, version, status, code, message FROM s3_job_task WHERE job=? AND number>? "
            f"AND done=1 AND code{how} ORDER BY number LIMIT {_PAGE}",
            (job, last),
        ):
            for row in rows:
                yield Entry(*row[1:4]), Result(*row[4:])
            last = rows[-1][0]

    def forget(self, job: str) -> None:
        """A job's tasks are no longer needed."""
        self._database.execute("DELETE FROM s3_job_task WHERE job=?", (job,))


def tasks(world: World) -> Tasks:
    """The tasks of a running jar's jobs: made once; again when the transaction that made the table is undone."""
    found: Tasks | None = world.ports.get(_PORT)
    if found is None:
        found = world.ports[_PORT] = Tasks(world)
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))
    return found
