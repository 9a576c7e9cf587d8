"""Objects' bytes and who uses them: files of the plane, counted in the database in the transaction that records them.

A file arrives in a folder of its own before anybody refers to it. `keep` counts it in the caller's transaction and
puts it in its place once that has committed; `drop` uncounts it, and a file that nobody counts any more goes when the
transaction has committed. What a crash leaves half done is in the arrivals' folder or counted zero, and finished at
the next start: nothing has to be searched for. What went wrong otherwise (a file that could not be removed, one that
was put there) a sweep finds in the course of a day; it runs every hour in which objects come or go.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol

from cloudjar.base import ids
from cloudjar.base.clock import monotonic
from cloudjar.planes.objects.files import Files
from cloudjar.planes.objects.frames import open_inline, seal_inline, unwrap, wrap
from cloudjar.planes.objects.port import INLINE, Blob, Hash, Landed, Piece, Stored
from cloudjar.planes.objects.sink import KEY, FileLanded, FileSink, land_small
from cloudjar.planes.objects.source import FileSource, pieces_of, tail_of
from cloudjar.store.database import Database

log = logging.getLogger("cloudjar.store")

_NO_HASHES: Mapping[str, Hash] = {}
_AT_ONCE = 500
_EVERY = 3600.0
"""Seconds between sweeps. Each looks at the arrivals, at what nobody counts, and at a part of all the files."""
_PARTS = 24


class Body(Protocol):
    """`wire.message.Body`."""

    size: int

    def chunks(self, size: int = 1 << 20) -> Iterable[bytes]: ...


class Counted(NamedTuple):
    """A file, how many references it has, and what it was when it was written."""

    file: str
    refs: int
    stored: Stored


class Blobs:
    """What services ask of the bytes: ``ctx.world.ports["objects"]``. "In the running transaction" is the caller's."""

    def __init__(self, database: Database, folder: Path, *, durable: bool = True) -> None:
        self.files = Files(folder, durable=durable)
        self._database = database
        self._gone: deque[str] = deque()
        self._remover: ThreadPoolExecutor | None = None
        self._swept = monotonic()
        self._part = 0
        with database.lock:
            database.execute(
                "CREATE TABLE IF NOT EXISTS object_file (id TEXT PRIMARY KEY, refs INTEGER NOT NULL, "
                "size INTEGER NOT NULL, crc BLOB NOT NULL) WITHOUT ROWID"
            )
            database.execute("CREATE INDEX IF NOT EXISTS object_file_gone ON object_file (id) WHERE refs <= 0")

    # -- bytes in
    def sink(self, hashes: Mapping[str, Hash] = _NO_HASHES) -> FileSink:
        """Write a blob piece by piece (an upload, an inventory, a log); blocks as files do."""
        return self.files.sink(hashes)

    def take(self, body: bytes | Body | None, hashes: Mapping[str, Hash] = _NO_HASHES) -> Landed:
        """A body as a handler got it, landed: as it is when the gateway has it on disk already, inline when it is
        small; another large one is written (and synced) now. `hashes` are fresh; those that the gateway computed are
        taken from there."""
        if isinstance(body, FileLanded):
            return _with_digests(body, hashes)
        if body is None or (isinstance(body, bytes) and len(body) <= INLINE):
            return land_small(self.files, body or b"", hashes)
        sink = self.files.sink(hashes)
        try:
            if isinstance(body, bytes):
                sink.feed(body)
            else:
                for piece in body.chunks():
                    sink.feed(piece)
            return sink.finish()
        except BaseException:
            sink.abort()
            raise

    # -- who uses them, in the running transaction
    def keep(self, landed: Landed) -> Blob:
        """Record a landed body's files; gives its blob."""
        blob = landed.blob
        if landed.recorded:
            raise LookupError("what landed was recorded or removed already")
        for piece in blob.pieces:
            self._database.execute("INSERT INTO object_file VALUES (?, 1, ?, ?)", (piece.file, *landed.stored))
        if blob.pieces:
            self._database.on_commit(lambda: self._settle(landed))
            self._sweep_in_time()
        return blob

    def drop(self, blob: Blob) -> None:
        """One reference less to each of its files; those without any go after the commit."""
        if blob.pieces:
            self._count(Counter(piece.file for piece in blob.pieces), -1)

    def share(self, blob: Blob) -> Blob:
        """The same bytes under a second reference, without copying. The key is the same: seal it anew for whom the
        copy is."""
        if blob.pieces:
            self._count(Counter(piece.file for piece in blob.pieces), 1)
        return blob

    def slice(self, blob: Blob, key: bytes, start: int, size: int) -> Blob:
        """A part of the bytes under a reference of its own and the same key, without copying what lies in files."""
        pieces = tuple(pieces_of(blob, start, size))
        at, length = tail_of(blob, start, size)
        inline = seal_inline(key, open_inline(key, blob.inline)[at : at + length]) if length else b""
        return self.share(Blob(size, inline, pieces))

    def compose(self, parts: Iterable[tuple[Blob, bytes]], key: bytes) -> Blob:
        """One blob of several with their keys, to be opened with `key` (a fresh one: `new_key`). It takes the parts'
        references over: do not drop the parts, do not keep what comes out."""
        parts = tuple(parts)
        inline = b""
        pieces: list[Piece] = []
        for number, (blob, own) in enumerate(parts, 1):
            pieces += [_rewrapped(piece, own, key) for piece in blob.pieces]
            if blob.inline:
                small = open_inline(own, blob.inline)
                if number == len(parts):
                    inline = seal_inline(key, small)
                else:
                    pieces.append(self._in_file(small, key))
        return Blob(sum(blob.size for blob, _ in parts), inline, tuple(pieces))

    def _in_file(self, small: bytes, key: bytes) -> Piece:
        """Only the end of a blob may lie inline: the end of a part that is not the last gets a file after all."""
        sink = self.files.sink(_NO_HASHES, inline=0)
        sink.feed(small)
        landed = sink.finish()
        [piece] = self.keep(landed).pieces
        return _rewrapped(piece, landed.key, key)

    def new_key(self) -> bytes:
        """32 random bytes."""
        return ids.entropy(KEY)

    # -- bytes out
    def open(self, blob: Blob, key: bytes, start: int = 0, size: int | None = None) -> FileSource:
        """A range, to be the body of a response or to be iterated; None is to the end. It stays readable while it is
        open, whoever drops the blob. Rotten: a file is missing. ValueError: not within the blob."""
        return self.files.open(blob, key, start, blob.size - start if size is None else size)

    def read(self, blob: Blob, key: bytes, start: int = 0, size: int | None = None) -> bytes:
        """A range in one piece; for small ones. Rotten: bytes are not what was stored."""
        if not blob.pieces and not start and size is None:
            return open_inline(key, blob.inline) if blob.inline else b""
        source = self.open(blob, key, start, size)
        with contextlib.closing(source):
            return b"".join(source)

    # -- life
    def recover(self) -> None:
        """Finish what a crash left: arrivals that were recorded go to their place, others go; so do uncounted files."""
        arrivals = self.files.left()
        counted = self._counted(arrivals)
        for file in arrivals:
            (self.files.settle if file in counted else self.files.refuse)(file)
        gone = [row[0] for row in self._database.query("SELECT id FROM object_file WHERE refs <= 0")]
        for file in gone:
            self.files.remove(file)
        if gone:
            with self._database.transaction():
                self._forget(gone)

    def sweep(self) -> None:
        """Remove what nobody refers to, though it should be gone already: rests among the arrivals, files of which the
        last reference went, and in a part of the folder those that are not even known. On a thread: it reads folders.

        Files that are on their way, or being read, stay. Every file in its place has its row before it comes there.
        """
        arrivals = self.files.left()
        counted = self._counted(arrivals)
        for file in arrivals:
            (self.files.settle if file in counted else self.files.refuse)(file)
        over = [row[0] for row in self._database.query("SELECT id FROM object_file WHERE refs <= 0")]
        gone = [file for file in over if self.files.remove(file)]
        if gone:
            with self._database.transaction():
                self._forget(gone)
        part, self._part = self._part, (self._part + 1) % _PARTS
        for shelf in self.files.shelves()[part::_PARTS]:
            files = list(self.files.on_shelf(shelf))
            for file in set(files) - self._known(files):
                log.warning("the file %s was nobody's: removed", file)
                self.files.remove(file)

    def _sweep_in_time(self) -> None:
        if monotonic() - self._swept > _EVERY:
            self._swept = monotonic()
            self._on_thread(self.sweep)

    def _on_thread(self, work: Callable[[], None]) -> None:
        """Do something that takes its time, after what was asked before."""
        if self._remover is None:
            self._remover = ThreadPoolExecutor(1, "objects-remove")
        self._remover.submit(_logged, work)

    def close(self) -> None:
        """Let go of the thread that removes files."""
        if self._remover is not None:
            self._remover.shutdown()
            self._remover = None

    # -- for the check of consistency (`store.soundness`)
    def counts(self) -> Iterator[tuple[str, int]]:
        """Every file that somebody counts, and how often, by name."""
        return ((counted.file, counted.refs) for counted in self.ledger())

    def ledger(self) -> Iterator[Counted]:
        """Every file that somebody counts, with what it was, by name."""
        last = ""
        while rows := self._database.query(
            "SELECT id, refs, size, crc FROM object_file WHERE id > ? AND refs > 0 ORDER BY id LIMIT ?",
            (last, _AT_ONCE),
        ):
            for file, refs, size, crc in rows:
                yield Counted(file, refs, Stored(size, crc))
            last = rows[-1][0]

    def recount(self, file: str, refs: int) -> None:
        """Set how often a file is counted, in the running transaction; one that nobody refers to goes."""
        self._database.execute("UPDATE object_file SET refs = ? WHERE id = ?", (refs, file))
        if not refs:
            self._database.on_commit(lambda: self._remove([file]))

    def _counted(self, files: list[str]) -> set[str]:
        return self._known(files, " AND refs > 0")

    def _known(self, files: list[str], narrowed: str = "") -> set[str]:
        found: set[str] = set()
        for at in range(0, len(files), _AT_ONCE):
            some = files[at : at + _AT_ONCE]
            marks = ",".join("?" * len(some))
            rows = self._database.query(f"SELECT id FROM object_file WHERE id IN ({marks}){narrowed}", tuple(some))
            found.update(row[0] for row in rows)
        return found

    def _settle(self, landed: Landed) -> None:
        landed.recorded = True
        for piece in landed.blob.pieces:
            self.files.settle(piece.file)

    def _count(self, files: Counter[str], sign: int) -> None:
        gone: list[str] = []
        for file, times in files.items():
            row = self._database.execute(
                "UPDATE object_file SET refs = refs + ? WHERE id = ? AND refs > 0 RETURNING refs", (sign * times, file)
            ).fetchall()
            if not row:
                raise LookupError(f"nobody counts the file {file}")
            if row[0][0] <= 0:
                gone.append(file)
        if sign < 0:
            self._forget_removed()
        if gone:
            self._database.on_commit(lambda: self._remove(gone))

    def _remove(self, files: list[str]) -> None:
        """Large files take their time to go: on a thread. Their rows follow with the next change."""
        self._on_thread(lambda: self._gone.extend(file for file in files if self.files.remove(file)))

    def _forget_removed(self) -> None:
        gone = [self._gone.popleft() for _ in range(len(self._gone))]
        if gone:
            self._database.on_rollback(lambda: self._gone.extend(gone))
            self._forget(gone)

    def _forget(self, files: list[str]) -> None:
        self._database.executemany("DELETE FROM object_file WHERE id = ? AND refs <= 0", [(file,) for file in files])


def _logged(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("files could not be removed; a later sweep tries again")


def _with_digests(landed: FileLanded, hashes: Mapping[str, Hash]) -> FileLanded:
    missing = {name: running for name, running in hashes.items() if name not in landed.digests}
    if missing:
        for piece in landed.chunks():
            for running in missing.values():
                running.update(piece)
        digests = ((name, running.digest()) for name, running in missing.items())
        landed.digests = dict(chain(landed.digests.items(), digests))
    return landed


def _rewrapped(piece: Piece, own: bytes, key: bytes) -> Piece:
    file_key = unwrap(own, piece.file, piece.key) if piece.key else own
    return Piece(piece.file, piece.size, piece.start, wrap(key, piece.file, file_key))
