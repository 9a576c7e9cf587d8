"""Objects' bytes and who uses them: files of the plane, counted in the database in the transaction that records them.

A file arrives in a folder of its own before anybody refers to it. `keep` counts it in the caller's transaction and
puts it in its place once that has committed; `drop` uncounts it, and a file that nobody counts any more goes when the
transaction has committed. What a crash leaves half done is in the arrivals' folder or counted zero, and finished at
the next start: nothing has to be searched for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from cloudjar.planes.objects.port import Blob, Hash, Landed, Sink, Source


class Body(Protocol):
    """`wire.message.Body`."""

    size: int

    def chunks(self, size: int = 1 << 20) -> Iterable[bytes]: ...


class BlobsPort(Protocol):
    """What services ask of the bytes: ``ctx.world.ports["objects"]``. "In the running transaction" is the caller's."""

    def take(self, body: bytes | Body, hashes: Mapping[str, Hash] | None = None) -> Landed:
        """A body as a handler got it, landed: at once when the gateway has it on disk already, inline when it is
        small; another large one is written (and synced) now."""
        ...

    def sink(self, hashes: Mapping[str, Hash] | None = None) -> Sink:
        """Write a blob piece by piece (an inventory, a log); blocks as files do."""
        ...

    def keep(self, landed: Landed) -> Blob:
        """Record a landed body's files in the running transaction."""
        ...

    def drop(self, blob: Blob) -> None:
        """One reference less in the running transaction; files without any go after the commit."""
        ...

    def share(self, blob: Blob) -> Blob:
        """The same bytes under a second reference, without copying, in the running transaction. The key is the same:
        seal it anew for whom the copy is."""
        ...

    def slice(self, blob: Blob, key: bytes, start: int, size: int) -> Blob:
        """A part of the bytes under a reference of its own, under the same key, in the running transaction."""
        ...

    def compose(self, parts: Iterable[tuple[Blob, bytes]], key: bytes) -> Blob:
        """One blob of several with their keys, to be opened with `key` (32 fresh bytes: `new_key`). It takes the parts'
        references over: do not drop the parts, and do not keep what comes out."""
        ...

    def new_key(self) -> bytes:
        """32 random bytes."""
        ...

    def open(self, blob: Blob, key: bytes, start: int = 0, size: int | None = None) -> Source:
        """A range, to be the body of a response or to be iterated; None is to the end. It stays readable while it is
        open, whoever drops the blob. Rotten: a file is missing."""
        ...

    def read(self, blob: Blob, key: bytes, start: int = 0, size: int | None = None) -> bytes:
        """A range in one piece; for small ones. Rotten: bytes are not what was stored."""
        ...
