"""The index of objects: which versions there are, and where their bytes lie. Tables of the one store.

Current objects lie apart from history (older versions, and delete markers), both clustered by (bucket, key): a look-up,
a put and a page of a listing cost the same however many keys, versions and markers there are. Keys are ordered as S3
orders them, by their UTF-8 bytes, which is how SQLite compares text.

Every method runs in the caller's transaction (writes) or takes the store's lock (reads).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from cloudjar.services.s3.objects import version_ids
from cloudjar.services.s3.objects.rows import NULL, Version, pack, pack_content, unpack
from cloudjar.store.database import Database

if TYPE_CHECKING:
    from cloudjar.kit.context import World

_TABLES = (
    "CREATE TABLE IF NOT EXISTS s3_current (bucket TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, "
    "data BLOB NOT NULL, content BLOB, PRIMARY KEY (bucket, key)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS s3_history (bucket TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, "
    "is_null INTEGER NOT NULL, data BLOB NOT NULL, content BLOB, PRIMARY KEY (bucket, key, seq DESC)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS s3_null ON s3_history (bucket, key) WHERE is_null=1",
    "CREATE TABLE IF NOT EXISTS s3_totals (bucket TEXT NOT NULL, class TEXT NOT NULL, objects INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, PRIMARY KEY (bucket, class)) WITHOUT ROWID",
)
_PORT = "s3.index"


Count = Callable[[Version | None, Version | None], None]


class Place(NamedTuple):
    """Where a new version goes: its row and its id."""

    seq: int
    id: str


class Total(NamedTuple):
    """What lies in a bucket in one storage class: versions (without delete markers) and their bytes."""

    storage_class: str
    objects: int
    bytes: int


def index(world: World) -> Index:
    """The index of a running jar."""
    found: Index | None = world.ports.get(_PORT)
    if found is None:
        database = world.state.database
        found = world.ports[_PORT] = Index(database)
        found.counted = [make(world) for make in _COUNTERS]
        if database.in_transaction:  # then the tables may be undone with it
            database.on_rollback(lambda: world.ports.pop(_PORT, None))
    return found


_COUNTERS: list[Callable[[World], Count]] = []


def counts(make: Callable[[World], Count]) -> Callable[[World], Count]:
    """Decorator (at import): gives what a jar's index tells of every version that comes or goes."""
    _COUNTERS.append(make)
    return make


def _metered(version: Version) -> tuple[object, ...]:
    """What the costs of keeping a version depend on."""
    return version.storage_class, version.size, version.archived, version.restore, version.tier


class Index:
    """Versions by bucket, key and id."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._last = 0
        self.counted: list[Count] = []
        """Told of every version that came (the first) or went (the second), in the write's transaction."""
        with database.lock:
            for statement in _TABLES:
                database.execute(statement)

    # -- reads
    def current(self, bucket: str, key: str) -> Version | None:
        """The object that a key names now; None when there is none, or the newest version is a delete marker."""
        with self.database.lock:
            row = self.database.execute(
                "SELECT seq, data, content FROM s3_current WHERE bucket=? AND key=?", (bucket, key)
            ).fetchone()
        return None if row is None else unpack(bucket, key, *row)

    def latest(self, bucket: str, key: str) -> Version | None:
        """The newest version of a key, be it a delete marker."""
        return self.current(bucket, key) or self._newest_of_history(bucket, key)

    def version(self, bucket: str, key: str, version_id: str) -> Version | None:
        """A version by its id (``null`` too), or None."""
        current = self.current(bucket, key)
        if current is not None and current.id == version_id:
            return current
        if version_id == NULL:
            return self._null_of_history(bucket, key)
        seq = version_ids.seq_of(version_id)
        if seq is None or seq >= 1 << 63:
            return None
        row = self._history("key=? AND seq=?", bucket, key, seq)
        return row if row is not None and row.id == version_id else None

    def whole(self, version: Version) -> Version | None:
        """What a listing gave, with its content; None when it is gone meanwhile."""
        return self.version(version.bucket, version.key, version.id)

    def is_current(self, version: Version) -> bool:
        """Whether it is the newest of its key (also a delete marker that is)."""
        latest = self.latest(version.bucket, version.key)
        return latest is not None and latest.seq == version.seq

    def is_empty(self, bucket: str) -> bool:
        """True when a bucket has no version and no delete marker."""
        with self.database.lock:
            for table in ("s3_current", "s3_history"):
                if self.database.execute(f"SELECT 1 FROM {table} WHERE bucket=? LIMIT 1", (bucket,)).fetchone():
                    return False
        return True

    def versions(self, bucket: str, key: str) -> list[Version]:
        """Every version and marker of a key, newest first, without their content."""
        found = []
        with self.database.lock:
            for table in ("s3_current", "s3_history"):
                found += self.database.execute(
                    f"SELECT seq, data FROM {table} WHERE bucket=? AND key=? ORDER BY seq DESC", (bucket, key)
                ).fetchall()
        return [unpack(bucket, key, *row) for row in found]

    def keys(self, bucket: str, after: str, limit: int) -> list[str]:
        """Keys that have a version or a marker, in order, from the first that follows `after` on."""
        args = (bucket, after, limit)
        rows = self.database.query(
            "SELECT key FROM (SELECT key FROM s3_current WHERE bucket=? AND key>? ORDER BY key LIMIT ?) "
            "UNION SELECT key FROM (SELECT DISTINCT key FROM s3_history WHERE bucket=? AND key>? ORDER BY key LIMIT ?) "
            "ORDER BY key LIMIT ?",
            (*args, *args, limit),
        )
        return [row[0] for row in rows]

    def totals(self, bucket: str) -> list[Total]:
        """What a bucket holds, by storage class; parts of uploads under way are not counted."""
        rows = self.database.query("SELECT class, objects, bytes FROM s3_totals WHERE bucket=?", (bucket,))
        return [Total(*row) for row in rows if row[1]]

    def _history(self, where: str, bucket: str, *args: object) -> Version | None:
        with self.database.lock:
            row = self.database.execute(
                f"SELECT key, seq, data, content FROM s3_history WHERE bucket=? AND {where}", (bucket, *args)
            ).fetchone()
        return None if row is None else unpack(bucket, *row)

    def _newest_of_history(self, bucket: str, key: str) -> Version | None:
        return self._history("key=? ORDER BY seq DESC LIMIT 1", bucket, key)

    def _null_of_history(self, bucket: str, key: str) -> Version | None:
        return self._history("key=? AND is_null=1", bucket, key)

    # -- writes
    def place(self, bucket: str, key: str, now: int, *, versioned: bool, current: Version | None = None) -> Place:
        """The place of a version about to be written: newer than every other of its key. `now` is the machine's time in
        microseconds; `versioned` is False where versioning never was or is suspended: then its id is ``null``.
        `current` is what the key names now, for whom has looked."""
        newest = current or self.latest(bucket, key)
        seq = self.tick(now, newest.seq if newest is not None else 0)
        return Place(seq, version_ids.make(seq) if versioned else NULL)

    def tick(self, now: int, before: int = 0) -> int:
        """A number greater than all that were given and than `before`."""
        self._last = max(now, self._last + 1, before + 1)
        return self._last

    def replace(self, version: Version, current: Version | None) -> None:
        """`put` for a bucket that never was versioned, where `current` is what the key names now: it is replaced."""
        self._to_current(version)
        self._count(version, current)

    def put(self, version: Version, *, plain: bool = False) -> Version | None:
        """Make a version the newest of its key. Gives the version that it replaced (the former ``null`` one, when it is
        itself ``null``): its bytes are nobody's any more.

        `plain` says that the bucket never was versioned: then there is no history to look into.
        """
        bucket, key = version.bucket, version.key
        old = self.current(bucket, key)
        replaced: Version | None = None
        if version.id == NULL and old is not None and old.id == NULL:
            replaced = old
        elif not plain:
            if version.id == NULL:
                replaced = self._null_of_history(bucket, key)
            if replaced is not None:
                self._remove("s3_history", replaced)
            if old is not None:
                self._to_history(old)
        if version.marker:
            if old is not None:
                self._remove("s3_current", old)
            self._to_history(version)
        else:
            self._to_current(version)
        self._count(version, replaced)
        return replaced

    def change(self, version: Version) -> None:
        """Store a version as it has become (tags, lock, class, restore ...), where it lies; its content only if the
        caller has it."""
        where = "bucket=? AND key=? AND seq=?"
        place = (version.bucket, version.key, version.seq)
        table = "s3_current"
        row = self.database.execute(f"SELECT data FROM {table} WHERE {where}", place).fetchone()
        if row is None:
            table = "s3_history"
            row = self.database.execute(f"SELECT data FROM {table} WHERE {where}", place).fetchone()
        if row is None:
            raise LookupError(f"s3://{version.bucket}/{version.key} ({version.id}) is not stored")
        self.database.execute(f"UPDATE {table} SET data=? WHERE {where}", (pack(version), *place))
        if version.content is not None:
            content = pack_content(version.content)
            self.database.execute(f"UPDATE {table} SET content=? WHERE {where}", (content, *place))
        before = unpack(*place, row[0])
        if _metered(before) != _metered(version):
            self._count(version, before)

    def insert(self, version: Version) -> None:
        """Store a version whose place is known already (a replica's): it is the newest of its key only when it is."""
        newest = self.latest(version.bucket, version.key)
        if newest is None or newest.seq < version.seq:
            self.put(version)
        else:
            self._to_history(version)
            self._count(version, None)

    def drop(self, version: Version) -> None:
        """Remove a version or delete marker for good; the next newest becomes current."""
        current = self.current(version.bucket, version.key)
        if current is not None and current.seq == version.seq:
            self._remove("s3_current", current)
            current = None
        else:
            self._remove("s3_history", version)
        self._count(None, version)
        if current is None:
            newest = self._newest_of_history(version.bucket, version.key)
            if newest is not None and not newest.marker:
                self._remove("s3_history", newest)
                self._to_current(newest)

    def _to_current(self, version: Version) -> None:
        self.database.execute(
            "INSERT OR REPLACE INTO s3_current (bucket, key, seq, data, content) VALUES (?, ?, ?, ?, ?)",
            (version.bucket, version.key, version.seq, pack(version), pack_content(version.content)),
        )

    def _to_history(self, version: Version) -> None:
        self.database.execute(
            "INSERT OR REPLACE INTO s3_history (bucket, key, seq, is_null, data, content) VALUES (?, ?, ?, ?, ?, ?)",
            (
                version.bucket,
                version.key,
                version.seq,
                int(version.id == NULL),
                pack(version),
                pack_content(version.content),
            ),
        )

    def _remove(self, table: str, version: Version) -> None:
        self.database.execute(
            f"DELETE FROM {table} WHERE bucket=? AND key=? AND seq=?", (version.bucket, version.key, version.seq)
        )

    def _count(self, after: Version | None, before: Version | None) -> None:
        """Bring the totals up to date: what came, what went."""
        for tell in self.counted:
            tell(after, before)
        both = after is not None and before is not None and not after.marker and not before.marker
        if both and after is not None and before is not None and after.storage_class == before.storage_class:
            self._add(after.bucket, after.storage_class, 0, after.size - before.size)
            return
        if after is not None and not after.marker:
            self._add(after.bucket, after.storage_class, 1, after.size)
        if before is not None and not before.marker:
            self._add(before.bucket, before.storage_class, -1, -before.size)

    def _add(self, bucket: str, storage_class: str, objects: int, size: int) -> None:
        if objects or size:
            self.database.execute(
                "INSERT INTO s3_totals (bucket, class, objects, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (bucket, class) "
                "DO UPDATE SET objects=objects+excluded.objects, bytes=bytes+excluded.bytes",
                (bucket, storage_class, objects, size),
            )

    def forget(self, bucket: str) -> None:
        """A bucket is gone (it was empty): so are its totals."""
        self.database.execute("DELETE FROM s3_totals WHERE bucket=?", (bucket,))
