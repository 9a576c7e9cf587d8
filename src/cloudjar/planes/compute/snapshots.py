"""Snapshots: whole copies that cost only what they hold, and what changed from one to the next.

A copy shares its blocks with the original where the file system can (reflink), and holes stay holes elsewhere. So
every snapshot stands alone, and removing one never touches another; what AWS would store of it is counted apart.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.process import need_tool, run

BLOCK = 512 << 10
"""Bytes of a block, the unit in which AWS stores snapshots."""


class VolumeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is written beside a volume's data: the image that its upper layer lies on; none for a plain disk."""

    image: str
    rootfs: str
    size_gib: int
    owner: int | None = None
    """The host's id of the root that writes it (`guest_users`), known from its first boot on."""
    machine: str = ""
    """The machine that last booted from it: another one must not take its names and keys over."""


class Snapshots:
    """The snapshots of one installation, under ``<folder>/<snapshot id>``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def record(self, snapshot_id: str) -> VolumeRecord | None:
        """What the snapshot is of, or None when it does not exist (or was never finished)."""
        return read_record(self._home(snapshot_id) / "snapshot.json")

    def need(self, snapshot_id: str) -> VolumeRecord:
        """What the snapshot is of; raises `PlaneError` when this host does not have it."""
        seen = self.record(snapshot_id)
        if seen is None:
            raise PlaneError(f"snapshot {snapshot_id} is not on this host")
        return seen

    def image_file(self, snapshot_id: str) -> Path:
        return self._home(snapshot_id) / "disk.img"

    def take(self, snapshot_id: str, image: Path, record: VolumeRecord) -> None:
        """Copy a volume's file, which nobody changes meanwhile, unless the snapshot is there."""
        home = self._home(snapshot_id)
        if self.record(snapshot_id) is not None:
            return
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy_sparse(image, home / "disk.img")
        write_record(home / "snapshot.json", record)

    def copy(self, snapshot_id: str, source_id: str) -> None:
        """Another snapshot of the same data."""
        self.take(snapshot_id, self.image_file(source_id), self.need(source_id))

    def remove(self, snapshot_id: str) -> None:
        """Remove a snapshot's data; its record first, so that half of one is none."""
        home = self._home(snapshot_id)
        (home / "snapshot.json").unlink(missing_ok=True)
        shutil.rmtree(home, ignore_errors=True)

    def changed(self, snapshot_id: str, since: str) -> int:
        """Blocks that hold data, or that differ from the snapshot `since` when that is still there."""
        self.need(snapshot_id)
        mine = self.image_file(snapshot_id)
        if not since or self.record(since) is None:
            return len(used_blocks(mine))
        return changed_blocks(mine, self.image_file(since))

    def _home(self, snapshot_id: str) -> Path:
        return self.folder / plain_name(snapshot_id)


def used_blocks(file: Path) -> set[int]:
    """The numbers of the blocks in which a sparse file has data."""
    found: set[int] = set()
    with file.open("rb") as handle:
        for start, end in _extents(handle.fileno()):
            found.update(range(start // BLOCK, (end - 1) // BLOCK + 1))
    return found


def changed_blocks(one: Path, other: Path) -> int:
    """How many blocks differ between two files; holes are zeroes."""
    either = used_blocks(one) | used_blocks(other)
    with one.open("rb") as mine, other.open("rb") as theirs:
        return sum(1 for block in either if _block(mine.fileno(), block) != _block(theirs.fileno(), block))


def _block(handle: int, number: int) -> bytes:
    # Beyond the end of the shorter file there are zeroes too: a grown volume has not changed there.
    return os.pread(handle, BLOCK, number * BLOCK).ljust(BLOCK, b"\0")


def _extents(handle: int) -> Iterator[tuple[int, int]]:
    end = 0
    while True:
        try:
            start = os.lseek(handle, end, os.SEEK_DATA)
        except OSError as done:
            if done.errno == errno.ENXIO:
                return
            raise
        end = os.lseek(handle, start, os.SEEK_HOLE)
        yield start, end


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a sparse file in one step: by sharing blocks where the file system can, else by its data alone."""
    part = target.with_name(f"{target.name}.part")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    argv = [need_tool("cp", "coreutils"), "--reflink=auto", "--sparse=always", str(source), str(part)]
    run(argv, timeout=3600, what="copying a disk")
    with part.open("rb") as copied:
        os.fsync(copied.fileno())
    part.rename(target)


def plain_name(name: str) -> str:
    """An id that is to be a folder's name; refuses what is no plain file name."""
    if not name or "/" in name or name.startswith("."):
        raise PlaneError(f"not a volume id: {name!r}")
    return name


def read_record(file: Path) -> VolumeRecord | None:
    """A record as it was written; None when it is not there or was cut off."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=VolumeRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_record(file: Path, record: VolumeRecord) -> None:
    """Replace a record in one step."""
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(msgspec.json.encode(record))
    part.rename(file)
