"""Uploads under way and their parts: tables of the one store, in the order in which they are listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from cloudjar.services.s3.listing.walks import after_key, after_prefix, rolled
from cloudjar.services.s3.objects import version_ids
from cloudjar.services.s3.objects.rows import Part, Upload, pack_part, pack_upload, unpack_part, unpack_upload
from cloudjar.store.database import Database

if TYPE_CHECKING:
    from cloudjar.kit.context import World

_TABLES = (
    "CREATE TABLE IF NOT EXISTS s3_upload (bucket TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, "
    "data BLOB NOT NULL, PRIMARY KEY (bucket, key, seq)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS s3_completed (bucket TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, "
    "done INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (bucket, key, seq)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS s3_part (upload TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL, "
    "PRIMARY KEY (upload, number)) WITHOUT ROWID",
)
_PORT = "s3.uploads"


class Page(NamedTuple):
    """One page: uploads, and common prefixes as text; whether more follow."""

    items: list[Upload | str]
    more: bool


def uploads(world: World) -> Uploads:
    """The uploads of a running jar."""
    found: Uploads | None = world.ports.get(_PORT)
    if found is None:
        database = world.state.database
        found = world.ports[_PORT] = Uploads(database)
        if database.in_transaction:  # then the tables may be undone with it
            database.on_rollback(lambda: world.ports.pop(_PORT, None))
    return found


class Uploads:
    """Uploads by bucket, key and id; parts by upload and number. Writes run in the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.lock:
            for statement in _TABLES:
                database.execute(statement)

    # -- uploads
    def get(self, bucket: str, key: str, upload_id: str) -> Upload | None:
        """An upload under way."""
        return self._get("s3_upload", bucket, key, upload_id)

    def completed(self, bucket: str, key: str, upload_id: str) -> Upload | None:
        """An upload that was completed not long ago."""
        return self._get("s3_completed", bucket, key, upload_id)

    def _get(self, table: str, bucket: str, key: str, upload_id: str) -> Upload | None:
        seq = version_ids.seq_of(upload_id)
        if seq is None or seq >= 1 << 63:
            return None
        with self.database.lock:
            row = self.database.execute(
                f"SELECT data FROM {table} WHERE bucket=? AND key=? AND seq=?", (bucket, key, seq)
            ).fetchone()
        found = unpack_upload(row[0]) if row is not None else None
        return found if found is not None and found.id == upload_id else None

    def add(self, upload: Upload, seq: int) -> None:
        """A new upload; its id was made of `seq`."""
        self.database.execute(
            "INSERT INTO s3_upload VALUES (?, ?, ?, ?)", (upload.bucket, upload.key, seq, pack_upload(upload))
        )

    def drop(self, upload: Upload) -> list[Part]:
        """Forget an upload and its parts; gives them, whose bytes are now nobody's."""
        parts = self.parts(upload.id)
        self.database.execute(
            "DELETE FROM s3_upload WHERE bucket=? AND key=? AND seq=?",
            (upload.bucket, upload.key, version_ids.seq_of(upload.id)),
        )
        self.database.execute("DELETE FROM s3_part WHERE upload=?", (upload.id,))
        return parts

    def remember(self, upload: Upload, now: int, keep: int) -> None:
        """Keep a completed upload for `keep` seconds, for who asks again; forget the bucket's older ones."""
        self.database.execute(
            "DELETE FROM s3_completed WHERE bucket=? AND done<?", (upload.bucket, now - keep)
        )
        seq = version_ids.seq_of(upload.id)
        self.database.execute(
            "INSERT OR REPLACE INTO s3_completed VALUES (?, ?, ?, ?, ?)",
            (upload.bucket, upload.key, seq, now, pack_upload(upload)),
        )

    def every(self, bucket: str) -> list[Upload]:
        """All uploads under way in a bucket."""
        rows = self.database.query("SELECT data FROM s3_upload WHERE bucket=? ORDER BY key, seq", (bucket,))
        return [unpack_upload(row[0]) for row in rows]

    def forget(self, bucket: str) -> None:
        """A bucket is going: so are the uploads that were completed there."""
        self.database.execute("DELETE FROM s3_completed WHERE bucket=?", (bucket,))

    # -- parts
    def part(self, upload_id: str, number: int) -> Part | None:
        """A part."""
        rows = self.database.query("SELECT data FROM s3_part WHERE upload=? AND number=?", (upload_id, number))
        return unpack_part(rows[0][0]) if rows else None

    def parts(self, upload_id: str, after: int = 0, limit: int = -1) -> list[Part]:
        """Parts by number, of those greater than `after`."""
        rows = self.database.query(
            "SELECT data FROM s3_part WHERE upload=? AND number>? ORDER BY number LIMIT ?", (upload_id, after, limit)
        )
        return [unpack_part(row[0]) for row in rows]

    def put_part(self, upload_id: str, part: Part) -> Part | None:
        """Store a part; gives the one that it replaced."""
        before = self.part(upload_id, part.number)
        self.database.execute(
            "INSERT OR REPLACE INTO s3_part VALUES (?, ?, ?)", (upload_id, part.number, pack_part(part))
        )
        return before

    # -- lists
    def page(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        start: str = "",
        below: tuple[str, int] | None = None,
        limit: int = 1000,
    ) -> Page:
        """Uploads by key, then as they began. `below` (key, seq) goes on after an upload; `start` is then of no
        account."""
        items: list[Upload | str] = []
        place: str | None = max(start, prefix)
        with self.database.lock:
            if below is not None:
                place = max(after_key(below[0]), prefix)
                if below[0].startswith(prefix):
                    items += self._later(bucket, *below, limit)
            while place is not None and len(items) <= limit:
                place = self._collect(bucket, prefix, delimiter, place, limit, items)
        return Page(items[:limit], len(items) > limit)

    def _later(self, bucket: str, key: str, seq: int, limit: int) -> list[Upload]:
        rows = self.database.execute(
            "SELECT data FROM s3_upload WHERE bucket=? AND key=? AND seq>? ORDER BY seq LIMIT ?",
            (bucket, key, seq, limit + 1),
        )
        return [unpack_upload(row[0]) for row in rows]

    def _collect(
        self, bucket: str, prefix: str, delimiter: str, place: str, limit: int, items: list[Upload | str]
    ) -> str | None:
        for key, data in self._rows(bucket, prefix, place):
            common = rolled(key, prefix, delimiter) if delimiter else None
            if common is not None:
                items.append(common)
                return after_prefix(common)
            items.append(unpack_upload(data))
            if len(items) > limit:
                return None
        return None

    def _rows(self, bucket: str, prefix: str, place: str) -> Iterator[tuple[str, bytes]]:
        end = after_prefix(prefix)
        bound, args = ("", ()) if end is None else (" AND key<?", (end,))
        rows: Iterator[tuple[str, bytes]] = self.database.execute(
            f"SELECT key, data FROM s3_upload WHERE bucket=? AND key>=?{bound} ORDER BY key, seq",
            (bucket, place, *args),
        )
        return rows
