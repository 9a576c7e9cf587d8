"""What the plane of objects promises: bytes go in once, come out whole or not at all, and are never in clear on disk.

A `Blob` says where an object's bytes are: inline (small ones, in the caller's own row) or in `Piece`s of files. Every
file has a random key of its own, and so has every inline blob. Whoever keeps a blob seals that key as he likes and
stores it beside the blob; who cannot give it back cannot read. The authenticated frames are the check for bit rot too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

import msgspec

from cloudjar.base.errors import AwsError

INLINE = 16 << 10
"""Bytes up to which a blob lies in its row."""
FRAME = 256 << 10
"""Bytes of a file that are encrypted and verified at once."""


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Bytes ``[start, start + size)`` of a file's content. `key` is the file's key, wrapped with the blob's; empty
    when the blob's key is the file's."""

    file: str
    size: int
    start: int = 0
    key: bytes = b""


class Blob(msgspec.Struct, frozen=True, array_like=True):
    """`size` bytes: inline (encrypted), or one piece after the other. The empty blob has neither."""

    size: int = 0
    inline: bytes = b""
    pieces: tuple[Piece, ...] = ()


class Hash(Protocol):
    """A running digest (`hashlib`'s, `auth.checksums.checksum`'s)."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


class Rotten(AwsError):
    """Bytes are not what was stored, or are gone: the reader gets an error, never wrong bytes."""

    def __init__(self, why: str) -> None:
        super().__init__("InternalError", "We encountered an internal error. Please try again.", 500)
        self.why = why

    def __str__(self) -> str:
        return self.why


class Stored(NamedTuple):
    """What a file is on disk, so that it can be checked without its key: bytes, and their CRC64NVME (8 bytes)."""

    size: int = 0
    crc: bytes = b""


class Landed(Protocol):
    """A body that arrived whole: on disk already when it is large. Satisfies `wire.message.Body`.

    `key` (32 bytes) opens `blob`; `md5` and `digests` are raw bytes, `digests` by the names that were asked for.
    Whoever records it says so (`store.blobs.Blobs.keep`); else `close` removes it.
    """

    blob: Blob
    key: bytes
    size: int
    md5: bytes
    digests: Mapping[str, bytes]
    recorded: bool
    stored: Stored

    def chunks(self, size: int = FRAME) -> Iterable[bytes]:
        """The bytes, read back and verified; pieces of up to a frame."""
        ...

    def close(self) -> None:
        """Remove what nobody recorded."""
        ...


class Sink(Protocol):
    """Takes one body's bytes; from any thread, one call at a time. `feed` and `finish` may block."""

    def feed(self, data: bytes) -> None:
        """The next bytes. OSError: the disk is full or fails."""
        ...

    def finish(self) -> Landed:
        """Everything came: on disk when this returns."""
        ...

    def abort(self) -> None:
        """Nothing remains. Harmless after `finish`."""
        ...


class Source(Protocol):
    """A range of a blob to be read: `size` bytes, each frame verified before it is given. Reading blocks: on the event
    loop it is a response's body only because the gateway pulls it on a thread. Raises `Rotten`."""

    size: int
    blocks: bool

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Let go of the files."""
        ...


class ObjectsPort(Protocol):
    """The files."""

    def sink(self, hashes: Mapping[str, Hash]) -> Sink:
        """For a body of any size; `hashes` are fed beside the MD5."""
        ...

    def open(self, blob: Blob, key: bytes, start: int, size: int) -> Source:
        """A range within the blob. Rotten: a file is not there."""
        ...
