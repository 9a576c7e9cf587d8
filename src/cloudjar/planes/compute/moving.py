"""Snapshots to and from elsewhere: as a stream that only Cloudjar reads, and from plain disk images.

A promise beside `ComputePort`: `mover` says who keeps it. A stream is a record as JSON, then the blocks that hold data
with their numbers; it is as long as what is used, not as the disk. Each part is led by its length (4 bytes), an empty
one ends it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.snapshots import BLOCK, Snapshots, VolumeRecord, used_blocks, write_record

_GIB = 1 << 30
_NUMBER = 8


@runtime_checkable
class Moving(Protocol):
    """Every call blocks; failures raise `PlaneError`. What exists already stays as it is."""

    def write_out(self, snapshot_id: str, feed: Callable[[bytes], None]) -> None:
        """Feed a snapshot as a stream."""
        ...

    def bring_in(self, snapshot_id: str, stream: Parts) -> None:
        """Make a snapshot of such a stream."""
        ...

    def from_disk(self, snapshot_id: str, size_gib: int, pieces: Iterable[bytes]) -> None:
        """Make a snapshot of a plain disk's bytes, zeroes to its end."""
        ...


class Parts:
    """The parts of one or more streams, one after the other, from pieces of any length."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._buffer = iter(pieces), bytearray()

    def part(self) -> bytes:
        """The next one; empty at the end of a stream. Raises `PlaneError` when bytes are missing."""
        length = int.from_bytes(self._take(4), "big")
        if length > BLOCK + _NUMBER + (1 << 16):
            raise PlaneError("this is no stream of snapshots")
        return self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            piece = next(self._pieces, None)
            if piece is None:
                raise PlaneError("the stream of snapshots ends too early")
            self._buffer += piece
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def framed(part: bytes) -> bytes:
    """A part as it stands in a stream."""
    return len(part).to_bytes(4, "big") + part


class FileMover:
    """Of real snapshots."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    def write_out(self, snapshot_id: str, feed: Callable[[bytes], None]) -> None:
        """Feed a snapshot as a stream."""
        feed(framed(msgspec.json.encode(self._snapshots.need(snapshot_id))))
        file = self._snapshots.image_file(snapshot_id)
        with file.open("rb") as disk:
            for number in sorted(used_blocks(file)):
                data = os.pread(disk.fileno(), BLOCK, number * BLOCK)
                if data.strip(b"\0"):
                    feed(framed(number.to_bytes(_NUMBER, "big") + data))
        feed(framed(b""))

    def bring_in(self, snapshot_id: str, stream: Parts) -> None:
        """Make a snapshot of such a stream."""
        try:
            record = msgspec.json.decode(stream.part(), type=VolumeRecord)
        except msgspec.DecodeError as bad:
            raise PlaneError(f"this is no stream of snapshots: {bad}") from bad
        with self._new(snapshot_id, record) as disk:
            while part := stream.part():
                os.pwrite(disk, part[_NUMBER:], int.from_bytes(part[:_NUMBER], "big") * BLOCK)

    def from_disk(self, snapshot_id: str, size_gib: int, pieces: Iterable[bytes]) -> None:
        """Make a snapshot of a plain disk's bytes, zeroes to its end."""
        with self._new(snapshot_id, VolumeRecord(image="", rootfs="", size_gib=size_gib)) as disk:
            at = 0
            for piece in pieces:
                for start in range(0, len(piece), 1 << 16):  # holes stay holes
                    data = piece[start : start + (1 << 16)]
                    if data.strip(b"\0"):
                        os.pwrite(disk, data, at + start)
                at += len(piece)
            if at > size_gib * _GIB:
                raise PlaneError(f"the disk is larger than {size_gib} GiB")

    @contextlib.contextmanager
    def _new(self, snapshot_id: str, record: VolumeRecord) -> Iterator[int]:
        """The file of a snapshot that is to be written; its record comes last, so that half of one is none."""
        file: Path = self._snapshots.image_file(snapshot_id)
        if self._snapshots.record(snapshot_id) is not None:
            self._snapshots.remove(snapshot_id)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        disk = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.truncate(disk, record.size_gib * _GIB)
            yield disk
            os.fsync(disk)
        finally:
            os.close(disk)
        write_record(file.with_name("snapshot.json"), record)


def mover(compute: object) -> Moving:
    """Who moves the snapshots of a compute plane."""
    snapshots = getattr(getattr(compute, "volumes", None), "snapshots", None)
    if isinstance(snapshots, Snapshots):
        return FileMover(snapshots)
    if isinstance(compute, Moving):
        return compute
    raise PlaneError("this compute plane's snapshots cannot be moved")
