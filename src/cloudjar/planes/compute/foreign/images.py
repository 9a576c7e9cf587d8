"""Disk images of any format into a raw file and out of one, holes staying holes; and where on a disk systems lie."""

from __future__ import annotations

import os
import shutil
import struct
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.foreign import vhd, vmdk
from cloudjar.planes.compute.snapshots import used_blocks

FORMATS = ("RAW", "VMDK", "VHD", "OVA")
SECTOR = 512
_GIB = 1 << 30
_PIECE = 1 << 20
_MOST_GIB = 16384
_LINUX, _GPT, _EXTENDED = 0x83, 0xEE, (0x05, 0x0F)


def into_raw(source: Path, form: str, target: Path) -> int:
    """Write the disk that an image holds to `target`, a new sparse file; its size in GiB, rounded up."""
    if form == "OVA":
        inner = source.with_name("inner")
        form = _disk_of(source, inner)
        source = inner
    length = source.stat().st_size
    image = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size, extents = _reader(form)(image, length)
        gib = -(-size // _GIB)
        if not 0 < gib <= _MOST_GIB:
            raise PlaneError(f"a disk of {size} bytes cannot be taken in")
        _write(target, gib, extents)
    finally:
        os.close(image)
    return gib


def _reader(form: str) -> Callable[[int, int], tuple[int, Iterator[tuple[int, bytes]]]]:
    return {"RAW": _raw, "VMDK": vmdk.read, "VHD": vhd.read}[form]


def _raw(file: int, length: int) -> tuple[int, Iterator[tuple[int, bytes]]]:
    return length, ((at, os.pread(file, _PIECE, at)) for at in range(0, length, _PIECE))


def _write(target: Path, gib: int, extents: Iterable[tuple[int, bytes]]) -> None:
    out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.truncate(out, gib * _GIB)
        for at, data in extents:
            for start in range(0, len(data), 1 << 16):
                part = data[start : start + (1 << 16)]
                if part.strip(b"\0"):
                    os.pwrite(out, part, at + start)
    finally:
        os.close(out)


def _disk_of(archive: Path, target: Path) -> str:
    """The first disk of an OVA, written to `target`; its format."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                form = PurePosixPath(member.name).suffix.lstrip(".").upper()
                if member.isfile() and form in ("VMDK", "VHD"):
                    found = tar.extractfile(member)
                    assert found is not None
                    with found, target.open("wb") as out:
                        shutil.copyfileobj(found, out, _PIECE)
                    return form
    except (tarfile.TarError, EOFError) as bad:
        raise PlaneError(f"this is no OVA archive: {bad}") from bad
    raise PlaneError("this OVA archive has no disk in it (VMDK or VHD)")


def out_of_raw(disk: Path, form: str, feed: Callable[[bytes], None], name: str = "disk.vmdk") -> None:
    """Feed a raw disk's file as an image; a raw one as long as the disk is."""
    size = disk.stat().st_size
    with disk.open("rb") as file:
        if form == "RAW":
            for at in range(0, size, _PIECE):
                feed(os.pread(file.fileno(), _PIECE, at))
            return
        unit = vhd.BLOCK if form == "VHD" else vmdk.GRAIN

        def get(number: int) -> bytes:
            return os.pread(file.fileno(), unit, number * unit)

        held = [number for number in _units(disk, unit) if get(number).strip(b"\0")]
        if form == "VHD":
            vhd.write(size, held, get, feed)
        else:
            vmdk.write(size, held, get, feed, name)


def _units(disk: Path, unit: int) -> list[int]:
    """The numbers of the units of a sparse file that may hold data."""
    block = 512 << 10
    found: set[int] = set()
    for number in used_blocks(disk):
        found.update(range(number * block // unit, ((number + 1) * block - 1) // unit + 1))
    return sorted(number for number in found if number * unit < disk.stat().st_size)


def partitions(disk: Path) -> list[tuple[int, int]]:
    """(offset, length) in bytes of what a raw disk is parted into; of all of it when it is not."""
    size = disk.stat().st_size
    with disk.open("rb") as file:
        first, second = os.pread(file.fileno(), SECTOR, 0), os.pread(file.fileno(), SECTOR, SECTOR)
        if first[510:512] != b"\x55\xaa":
            return [(0, size)]
        entries = [struct.unpack_from("<4xB3xII", first, 446 + 16 * n) for n in range(4)]
        if any(kind == _GPT for kind, _, _ in entries) and second[:8] == b"EFI PART":
            found = _gpt(file.fileno(), second)
        else:
            found = [(start, count) for kind, start, count in entries if kind and kind not in _EXTENDED]
    inside = [(start * SECTOR, count * SECTOR) for start, count in found if count]
    return [(start, length) for start, length in inside if start + length <= size] or [(0, size)]


def _gpt(file: int, header: bytes) -> list[tuple[int, int]]:
    table, count, each = struct.unpack_from("<QII", header, 72)
    if not 128 <= each <= 4096 or count > 1024:
        raise PlaneError("this disk's partition table cannot be")
    found = []
    for n in range(count):
        entry = os.pread(file, each, table * SECTOR + n * each)
        if len(entry) == each and entry[:16].strip(b"\0"):
            start, end = struct.unpack_from("<QQ", entry, 32)
            if end >= start:
                found.append((start, end - start + 1))
    return found


def one_partition(size: int, start: int) -> bytes:
    """A first sector that says that one Linux partition lies from `start` (bytes) to the end of a disk (pure)."""
    most = 0xFFFFFFFF
    count = min((size - start) // SECTOR, most)
    entry = struct.pack("<BBBBBBBBII", 0x80, 0xFE, 0xFF, 0xFF, _LINUX, 0xFE, 0xFF, 0xFF, start // SECTOR, count)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"
