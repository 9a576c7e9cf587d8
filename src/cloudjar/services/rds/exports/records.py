"""What is stored of exports.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ExportTask.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record
from cloudjar.planes.database.reading import Table
from cloudjar.services.rds.records import Snapshot

STARTING, RUNNING, CANCELING = "STARTING", "IN_PROGRESS", "CANCELING"
COMPLETE, FAILED, CANCELED = "COMPLETE", "FAILED", "CANCELED"
OPEN = (STARTING, RUNNING, CANCELING)


class Extracted(msgspec.Struct, frozen=True, kw_only=True):
    """A table of an export, and what became of it so far."""

    table: Table
    skipped: str = ""
    """Why it is left out."""
    begun: datetime | None = None
    ended: datetime | None = None
    files: int = 0


@record(
    "rds",
    "export-task",
    key="id",
    missing=("ExportTaskNotFound", "The export task {key} does not exist.", 404),
)
class ExportTask(Record, frozen=True, kw_only=True):
    """An export of a snapshot, as that was when it was asked for. `machine` is where it is read, `volume` its disk."""

    id: str
    source_arn: str
    source: Snapshot
    only: tuple[str, ...]
    bucket: str
    prefix: str
    role: str
    key: str
    grant: str
    machine: str
    volume: str
    begun: datetime
    ended: datetime | None = None
    status: str = STARTING
    cause: str = ""
    tables: tuple[Extracted, ...] = ()
    unknown: tuple[str, ...] = ()
    """What was asked for and is not in the snapshot."""
    done: int = 0
    """Of the tables: how many are in the bucket, or left out."""

    @property
    def folder(self) -> str:
        """Where in the bucket it goes."""
        return f"{self.prefix.strip('/')}/{self.id}" if self.prefix.strip("/") else self.id

    @property
    def extracted(self) -> int:
        """Bytes of the tables that are done."""
        return sum(one.table.size for one in self.tables[: self.done] if not one.skipped)

    @property
    def percent(self) -> int:
        """How much is done, of a hundred; the last one is for what is written at the end."""
        if self.status == COMPLETE:
            return 100
        whole = sum(one.table.size for one in self.tables if not one.skipped)
        if whole:
            return min(99, self.extracted * 100 // whole)
        return min(99, self.done * 100 // len(self.tables)) if self.tables else 0
