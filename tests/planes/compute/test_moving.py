"""Snapshots that go elsewhere and come back: what is used, and holes as holes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.moving import FileMover, Parts, framed
from cloudjar.planes.compute.snapshots import BLOCK, Snapshots, VolumeRecord, write_record


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    """One, of a disk of a GiB with something in two of its blocks."""
    made = Snapshots(tmp_path)
    file = made.image_file("snap-1")
    file.parent.mkdir()
    with file.open("wb") as disk:
        os.truncate(disk.fileno(), 1 << 30)
        os.pwrite(disk.fileno(), b"first", 0)
        os.pwrite(disk.fileno(), b"last", 7 * BLOCK + 5)
    write_record(file.with_name("snapshot.json"), VolumeRecord(image="debian-12", rootfs="/r", size_gib=1))
    return made


def test_what_is_written_out_comes_back(snapshots: Snapshots) -> None:
    mover, stream = FileMover(snapshots), bytearray()
    mover.write_out("snap-1", lambda piece: stream.extend(piece))
    assert len(stream) < 3 * BLOCK
    pieces = (bytes(stream[n : n + 1000]) for n in range(0, len(stream), 1000))
    mover.bring_in("snap-2", Parts(pieces))
    assert snapshots.need("snap-2") == snapshots.need("snap-1")
    assert snapshots.changed("snap-2", "snap-1") == 0
    assert snapshots.image_file("snap-2").stat().st_size == 1 << 30
    assert snapshots.image_file("snap-2").stat().st_blocks * 512 < 4 * BLOCK
    with pytest.raises(PlaneError, match="ends too early"):
        mover.bring_in("snap-3", Parts([bytes(stream[:-10])]))
    assert snapshots.record("snap-3") is None
    with pytest.raises(PlaneError, match="no stream"):
        mover.bring_in("snap-3", Parts([framed(b"words")]))


def test_a_plain_disk_becomes_a_snapshot(snapshots: Snapshots) -> None:
    mover = FileMover(snapshots)
    mover.from_disk("snap-4", 1, [b"\0" * BLOCK, b"x" * 10, b"\0" * BLOCK])
    with snapshots.image_file("snap-4").open("rb") as disk:
        assert os.pread(disk.fileno(), 12, BLOCK) == b"x" * 10 + b"\0\0"
    assert snapshots.changed("snap-4", "") == 1
    with pytest.raises(PlaneError, match="larger than 0 GiB"):
        mover.from_disk("snap-5", 0, [b"x"])
