"""VMware's virtual disks (VMDK): sparse ones in one file are read (plain and stream-optimized), the latter written.

All numbers are little-endian, offsets are in sectors. A directory leads to tables, and those to grains of 64 KiB; in a
stream-optimized disk each grain is compressed behind its own address, and the directory comes last.
https://www.vmware.com/app/vmdk/?src=vmdk (Virtual Disk Format 5.0)
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator

from cloudjar.base.errors import PlaneError

SECTOR = 512
GRAIN = 64 << 10
_PER_TABLE = 512
_HEAD = "<4sIIQQQQIQQQB4sH433x"
_COMPRESSED, _MARKED, _ZEROES = 1 << 16, 1 << 17, 1 << 2
_AT_END = 0xFFFFFFFFFFFFFFFF
_OVERHEAD = 128
_TABLE, _DIRECTORY, _FOOTER = 1, 2, 3
_MOST = 64 << 40

Extent = tuple[int, bytes]


class _Head:
    """The header's fields, checked."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) < SECTOR or raw[:4] != b"KDMV":
            raise PlaneError("this is no VMDK image in one file (monolithicSparse or streamOptimized)")
        fields = struct.unpack(_HEAD, raw)
        self.flags, self.capacity, self.grain = fields[2], fields[3], fields[4]
        self.per_table, self.directory = fields[7], fields[9]
        # A capacity of nothing means that a text says where the data is: no other file of the host is read.
        fine = 0 < self.capacity * SECTOR <= _MOST and self.per_table == _PER_TABLE
        if not fine or not 8 <= self.grain <= 2048 or self.grain & (self.grain - 1):
            raise PlaneError("this VMDK image's header cannot be")


def read(file: int, length: int) -> tuple[int, Iterator[Extent]]:
    """The size of the disk and what is on it, of an open image of `length` bytes; raises `PlaneError`."""
    head = _Head(os.pread(file, SECTOR, 0))
    if head.directory == _AT_END:
        head = _Head(os.pread(file, SECTOR, max(0, length - 2 * SECTOR)))
    return head.capacity * SECTOR, _grains(file, length, head)


def _grains(file: int, length: int, head: _Head) -> Iterator[Extent]:
    grains = -(-head.capacity // head.grain)
    tables = -(-grains // _PER_TABLE)
    for number, place in enumerate(_numbers(file, length, head.directory, tables)):
        if not place:
            continue
        for n, grain in enumerate(_numbers(file, length, place, _PER_TABLE)):
            at = (number * _PER_TABLE + n) * head.grain * SECTOR
            if grain > (1 if head.flags & _ZEROES else 0) and at < head.capacity * SECTOR:
                data = _grain(file, grain * SECTOR, head)
                yield at, data[: head.capacity * SECTOR - at]


def _numbers(file: int, length: int, sector: int, count: int) -> tuple[int, ...]:
    raw = os.pread(file, 4 * count, sector * SECTOR) if sector * SECTOR + 4 * count <= length else b""
    if len(raw) < 4 * count:
        raise PlaneError("this VMDK image's tables lie outside of it")
    return struct.unpack(f"<{count}I", raw)


def _grain(file: int, at: int, head: _Head) -> bytes:
    size = head.grain * SECTOR
    if not head.flags & _COMPRESSED:
        return os.pread(file, size, at)
    _, length = struct.unpack("<QI", os.pread(file, 12, at).ljust(12, b"\0"))
    if length > 2 * size + 1024:
        raise PlaneError("this VMDK image has a grain that is too large")
    try:
        return zlib.decompressobj().decompress(os.pread(file, length, at + 12), size)
    except zlib.error as bad:
        raise PlaneError(f"this VMDK image has a grain that cannot be unpacked: {bad}") from bad


def write(
    size: int, grains: list[int], get: Callable[[int], bytes], feed: Callable[[bytes], None], name: str
) -> None:
    """Feed a stream-optimized image of a disk of `size` bytes; `grains` are the numbers of those that hold data."""
    capacity = -(-size // SECTOR)
    feed(_header(capacity, _AT_END) + _descriptor(capacity, name).ljust((_OVERHEAD - 1) * SECTOR, b"\0"))
    at, places = _OVERHEAD, {}
    for number in grains:
        packed = zlib.compress(get(number).ljust(GRAIN, b"\0"), 1)
        record = _padded(struct.pack("<QI", number * GRAIN // SECTOR, len(packed)) + packed)
        places[number] = at
        feed(record)
        at += len(record) // SECTOR
    directory = []
    tables = -(-capacity * SECTOR // (GRAIN * _PER_TABLE))
    used = {number // _PER_TABLE for number in grains}
    for table in range(tables):
        if table not in used:
            directory.append(0)
            continue
        entries = [places.get(table * _PER_TABLE + n, 0) for n in range(_PER_TABLE)]
        feed(_marker(_PER_TABLE * 4 // SECTOR, _TABLE) + struct.pack(f"<{_PER_TABLE}I", *entries))
        directory.append(at + 1)
        at += 1 + _PER_TABLE * 4 // SECTOR
    listed = _padded(struct.pack(f"<{tables}I", *directory))
    feed(_marker(len(listed) // SECTOR, _DIRECTORY) + listed)
    feed(_marker(1, _FOOTER) + _header(capacity, at + 1) + bytes(SECTOR))


def _header(capacity: int, directory: int) -> bytes:
    flags = 1 | _COMPRESSED | _MARKED
    return struct.pack(
        _HEAD, b"KDMV", 3, flags, capacity, GRAIN // SECTOR, 1, 20, _PER_TABLE, 0, directory, _OVERHEAD, 0, b"\n \r\n",
        1,
    )  # fmt: skip


def _marker(sectors: int, kind: int) -> bytes:
    return struct.pack("<QII", sectors, 0, kind).ljust(SECTOR, b"\0")


def _padded(text: bytes) -> bytes:
    return text + bytes(-len(text) % SECTOR)


def _descriptor(capacity: int, name: str) -> bytes:
    cylinders = min(65535, capacity // (16 * 63))
    return f"""# Disk DescriptorFile
version=1
CID=fffffffe
parentCID=ffffffff
createType="streamOptimized"

# Extent description
RW {capacity} SPARSE "{name}"

# The Disk Data Base
ddb.virtualHWVersion = "4"
ddb.geometry.cylinders = "{cylinders}"
ddb.geometry.heads = "16"
ddb.geometry.sectors = "63"
ddb.adapterType = "lsilogic"
""".encode()
