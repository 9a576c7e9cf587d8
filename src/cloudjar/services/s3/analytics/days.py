"""What an analysis saw: by day, storage class and age of the objects. A table of the one store.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/analytics-storage-class.html
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from cloudjar.kit.context import World
from cloudjar.services.s3.tables import table_of

DAY = 86400
_TABLE = (
    "CREATE TABLE IF NOT EXISTS s3_analysis (bucket TEXT NOT NULL, config TEXT NOT NULL, day INTEGER NOT NULL, "
    "class TEXT NOT NULL, age TEXT NOT NULL, objects INTEGER NOT NULL, bytes INTEGER NOT NULL, "
    "uploaded INTEGER NOT NULL, retrieved INTEGER NOT NULL, gets INTEGER NOT NULL, "
    "PRIMARY KEY (bucket, config, day, class, age)) WITHOUT ROWID"
)
_PORT = "s3.analysis"
_KEPT = 400
"""Days that an analysis looks back."""
_FROM = (0, 15, 30, 45, 60, 75, 90, 120, 150, 180, 365, 730)
CLASSES = ("STANDARD", "STANDARD_IA")
COLUMNS = (
    "Date", "ConfigId", "Filter", "StorageClass", "ObjectAge", "ObjectCount", "DataUploaded_MB", "Storage_MB",
    "DataRetrieved_MB", "GetRequestCount", "CumulativeAccessRatio", "ObjectAgeForSIATransition",
    "RecommendedObjectAgeForSIATransition",
)  # fmt: skip


class Group(NamedTuple):
    """Objects of a class and an age that a configuration is about."""

    bucket: str
    config: str
    storage_class: str
    age: str


class Seen(NamedTuple):
    """What was seen of a group on a day: objects and bytes that lay there, bytes that came and went, GETs."""

    objects: int = 0
    bytes: int = 0
    uploaded: int = 0
    retrieved: int = 0
    gets: int = 0


def age_of(seconds: float) -> str:
    """The group of an age: ``000-014``, ``730+``."""
    days = max(int(seconds // DAY), 0)
    place = max(number for number, start in enumerate(_FROM) if start <= days)
    if place == len(_FROM) - 1:
        return f"{_FROM[place]}+"
    return f"{_FROM[place]:03d}-{_FROM[place + 1] - 1:03d}"


class Days:
    """The rows. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._database = world.state.database
        with self._database.lock:
            self._database.execute(_TABLE)

    def add(self, group: Group, at: float, seen: Seen) -> None:
        """So much more of a group on the day of an instant."""
        day = int(at // DAY)
        self._database.execute(
            "INSERT INTO s3_analysis VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET objects=objects+?, "
            "bytes=bytes+?, uploaded=uploaded+?, retrieved=retrieved+?, gets=gets+?",
            (group.bucket, group.config, day, group.storage_class, group.age, *seen, *seen),
        )

    def lay(self, bucket: str, config: str, at: float, found: Iterable[tuple[Group, Seen]]) -> bool:
        """What lies there at the end of a day (of an instant in it); old days go. False when that is known already: who
        was interrupted does it again."""
        day = int(at // DAY)
        closed = self._database.execute(
            "INSERT OR IGNORE INTO s3_analysis VALUES (?,?,?,'','',0,0,0,0,0)", (bucket, config, day)
        )
        if not closed.rowcount:
            return False
        self._database.execute(
            "DELETE FROM s3_analysis WHERE bucket=? AND config=? AND day<?", (bucket, config, day - _KEPT)
        )
        for group, seen in found:
            self.add(group, at, seen)
        return True

    def rows(self, bucket: str, config: str) -> Iterator[tuple[int, Group, Seen]]:
        """Day by day."""
        for day, storage_class, age, *seen in self._database.query(
            "SELECT day, class, age, objects, bytes, uploaded, retrieved, gets FROM s3_analysis "
            "WHERE bucket=? AND config=? AND class<>'' ORDER BY day, class, age",
            (bucket, config),
        ):
            yield day, Group(bucket, config, storage_class, age), Seen(*seen)

    def keep(self, bucket: str, configs: Iterable[str]) -> None:
        """Forget the configurations of a bucket that are no more."""
        left = set(configs)
        for (config,) in self._database.query("SELECT DISTINCT config FROM s3_analysis WHERE bucket=?", (bucket,)):
            if config not in left:
                self._database.execute("DELETE FROM s3_analysis WHERE bucket=? AND config=?", (bucket, config))


def days(world: World) -> Days:
    """The rows of a running jar."""
    return table_of(world, _PORT, Days)


def table(held: Days, bucket: str, config: str, filter_: str) -> bytes:
    """The exported file: every day that was analysed. The ratio is of all bytes that were ever read of a group to those
    that lay in it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    read: Counter[tuple[str, str]] = Counter()
    for day, group, seen in held.rows(bucket, config):
        place = (group.storage_class, group.age)
        read[place] += seen.retrieved
        ratio = f"{read[place] / seen.bytes:.6f}" if seen.bytes else ""
        told = datetime.fromtimestamp(day * DAY, UTC).strftime("%Y-%m-%d")
        writer.writerow((told, config, filter_, group.storage_class, group.age, seen.objects, _mb(seen.uploaded),
                         _mb(seen.bytes), _mb(seen.retrieved), seen.gets, ratio, "", ""))  # fmt: skip
    return out.getvalue().encode()


def _mb(size: int) -> str:
    return f"{size / (1 << 20):.6f}"
