"""Request bodies on their way in: small ones in memory, large ones in a file, decoded and hashed as they pass."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cloudjar.base.errors import AwsError
from cloudjar.gateway.http1 import CHUNKED, Dechunker
from cloudjar.gateway.inflow import Decoder, Sink

IN_MEMORY = 1 << 20
"""Bodies up to this size (bytes, decoded) stay in memory."""

MAX_BODY = (5 << 30) + (64 << 20)
"""S3's largest single upload, and room for the signatures between its chunks."""

_SLICE = 256 << 10
_MAX_MEMBERS = 16


@dataclass(frozen=True, slots=True)
class BodyPolicy:
    """What to do with one request's body; given by the `on_headers` hook.

    `max_size` bounds the bytes as sent and the bytes as decoded. `decoder` undoes aws-chunked, then `gunzip`
    undoes ``Content-Encoding: gzip``. `digest` asks for `Request.raw_body_hash` of bodies that the handler
    does not see as they were sent (decoded, or too large to hold). With a `sink` the body goes there on a thread
    (`inflow`), and the request's body is what the sink made of it.
    """

    max_size: int = MAX_BODY
    decoder: Decoder | None = None
    gunzip: bool = False
    digest: bool = True
    memory: int = IN_MEMORY
    sink: Callable[[], Sink] | None = None

    @property
    def is_plain(self) -> bool:
        """True when the body is handed over as it was sent."""
        return self.decoder is None and not self.gunzip


def too_large(limit: int) -> AwsError:
    """The general answer to a body over its limit; a service with its own words says so in its hook."""
    return AwsError("RequestEntityTooLargeException", f"Request size exceeds the limit of {limit} bytes", 413)


class Spooled:
    """A body in an unnamed file: gone with the last reference, or with the process. Satisfies `wire.message.Body`."""

    __slots__ = ("_file", "size")

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self.size = size

    def chunks(self, size: int = 1 << 20) -> Iterator[bytes]:
        """The body from its beginning, as often as wanted, in pieces of up to `size` bytes."""
        fd = self._file.fileno()
        at = 0
        while at < self.size:
            piece = os.pread(fd, size, at)
            if not piece:
                raise EOFError("a spooled body was cut short")
            at += len(piece)
            yield piece

    def fileno(self) -> int:
        """The file's descriptor, valid until the answer was sent."""
        return self._file.fileno()

    def save(self, path: Path) -> None:
        """Give the body a name, without copying where the file system allows it. `path` must not exist."""
        try:
            os.link(f"/proc/self/fd/{self.fileno()}", path, follow_symlinks=True)
        except OSError as cause:
            if isinstance(cause, FileExistsError):
                raise
            with open(path, "xb") as target:
                for piece in self.chunks():
                    target.write(piece)

    def close(self) -> None:
        """Drop the file."""
        self._file.close()


class Gunzip:
    """An incremental gunzip that never makes more than `limit` bytes."""

    __slots__ = ("_limit", "_made", "_members", "_stream")

    def __init__(self, limit: int) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._limit = limit
        self._made = 0
        self._members = 1

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode in small pieces; raises AwsError for what is not gzip, and for a bomb."""
        while data:
            if self._stream.eof:
                self._next_member()
            try:
                piece = self._stream.decompress(data, _SLICE)
            except zlib.error as cause:
                raise _bad_gzip() from cause
            self._made += len(piece)
            if self._made > self._limit:
                raise too_large(self._limit)
            yield piece
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def _next_member(self) -> None:
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise _bad_gzip()
        self._stream = zlib.decompressobj(wbits=31)

    def finish(self) -> None:
        """Raise if the stream is cut short."""
        if not self._stream.eof:
            raise _bad_gzip()


def _bad_gzip() -> AwsError:
    return AwsError("MalformedHttpRequestException", "The request body could not be decompressed as gzip.", 400)


class Intake:
    """One body being received: framing, hash, decoders, then memory or file.

    `feed` returns the bytes that follow the body; `done` tells when the body is whole; then `finish` gives it.
    """

    def __init__(self, length: int, policy: BodyPolicy, folder: Path | None) -> None:
        if length > policy.max_size:
            raise too_large(policy.max_size)
        self._framing = Dechunker() if length == CHUNKED else None
        self._remaining = length
        self._policy = policy
        self._folder = folder
        self._gunzip = Gunzip(policy.max_size) if policy.gunzip else None
        self._sha256 = None if policy.is_plain or not policy.digest else hashlib.sha256()
        self._received = 0
        self._held = bytearray()
        self._file: IO[bytes] | None = None
        self._size = 0
        self.done = length == 0

    def feed(self, data: bytes) -> bytes:
        """Take bytes off the wire. Raises AwsError (limits, decoders) or `http1.Malformed` (framing)."""
        if self._framing is not None:
            pieces, rest = self._framing.feed(data)
            self.done = self._framing.done
        else:
            pieces, rest = [data[: self._remaining]], data[self._remaining :]
            self._remaining -= len(pieces[0])
            self.done = not self._remaining
        for piece in pieces:
            self._decode(piece)
        return rest

    def finish(self) -> tuple[bytes | Spooled, str]:
        """The body and the hex SHA-256 of what was sent (empty where nobody needs it)."""
        if self._policy.decoder is not None:
            self._policy.decoder.finish()
        if self._gunzip is not None:
            self._gunzip.finish()
        digest = "" if self._sha256 is None else self._sha256.hexdigest()
        if self._file is None:
            return bytes(self._held), digest
        self._file.flush()
        file, self._file = self._file, None
        return Spooled(file, self._size), digest

    @property
    def decodes(self) -> bool:
        """True when a decoder checks this body."""
        return self._policy.decoder is not None

    def close(self) -> None:
        """Give up: drop what was received."""
        self._held.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _decode(self, piece: bytes) -> None:
        self._received += len(piece)
        if self._received > self._policy.max_size:
            raise too_large(self._policy.max_size)
        if self._sha256 is not None:
            self._sha256.update(piece)
        if self._policy.decoder is not None:
            piece = self._policy.decoder.feed(piece)
        if self._gunzip is None:
            self._keep(piece)
            return
        for plain in self._gunzip.feed(piece):
            self._keep(plain)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._file is not None:
            self._file.write(piece)
            return
        self._held += piece
        if self._size > self._policy.memory:
            self._spill()

    def _spill(self) -> None:
        self._file = tempfile.TemporaryFile(dir=self._folder, prefix="body-", buffering=_SLICE)  # noqa: SIM115 outlives this call
        if self._policy.is_plain and self._policy.digest:
            self._sha256 = hashlib.sha256(self._held)
        self._file.write(self._held)
        self._held = bytearray()
