"""Microsoft's virtual hard disks (VHD): fixed and dynamic ones are read, dynamic ones written.

All numbers are big-endian. A dynamic disk has its footer at both ends, then a header, a table with the sector of each
block of 2 MiB, and the blocks, each behind a bitmap of its sectors.
https://learn.microsoft.com/windows/win32/vstor/about-vhd (Virtual Hard Disk Image Format Specification)
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator

from cloudjar.base import ids
from cloudjar.base.errors import PlaneError

SECTOR = 512
BLOCK = 2 << 20
_FIXED, _DYNAMIC = 2, 3
_NOWHERE = 0xFFFFFFFF
_FOOTER = ">8sIIQI4sI4sQQIII16sB427x"
_HEADER = ">8sQQIIII16sII512s24s24s24s24s24s24s24s24s256x"
_BITMAP = BLOCK // SECTOR // 8
_MOST = 2 << 40
"""What the format can hold (2040 GiB), roughly: a table for more is not believed."""

Extent = tuple[int, bytes]
"""Where in the disk, and what is there."""


def read(file: int, length: int) -> tuple[int, Iterator[Extent]]:
    """The size of the disk and what is on it, of an open image of `length` bytes; raises `PlaneError`."""
    footer = os.pread(file, SECTOR, max(0, length - SECTOR))
    if len(footer) < SECTOR or footer[:8] != b"conectix":
        raise PlaneError("this is no VHD image: it has no footer")
    fields = struct.unpack(_FOOTER, footer)
    start, size, kind = fields[3], fields[9], fields[11]
    if size > _MOST or size % SECTOR:
        raise PlaneError(f"this VHD image says that it has {size} bytes")
    if kind == _FIXED:
        if size > length - SECTOR:
            raise PlaneError("this VHD image ends too early")
        return size, _plain(file, size)
    if kind != _DYNAMIC:
        raise PlaneError("this VHD image is the difference to another one")
    return size, _blocks(file, length, start, size)


def _plain(file: int, size: int) -> Iterator[Extent]:
    for at in range(0, size, BLOCK):
        yield at, os.pread(file, min(BLOCK, size - at), at)


def _blocks(file: int, length: int, start: int, size: int) -> Iterator[Extent]:
    header = os.pread(file, 1024, start)
    if len(header) < 1024 or header[:8] != b"cxsparse":
        raise PlaneError("this VHD image has no header")
    _, _, table, _, entries, block, *_ = struct.unpack(_HEADER, header)
    if not 0 < block <= 1 << 28 or block % SECTOR or entries * block < size or table + 4 * entries > length:
        raise PlaneError("this VHD image's table cannot be")
    bitmap = -(-(block // SECTOR) // 8 // SECTOR) * SECTOR or SECTOR
    places = struct.unpack(f">{entries}I", os.pread(file, 4 * entries, table))
    for number, place in enumerate(places):
        if place != _NOWHERE and number * block < size:
            yield number * block, os.pread(file, min(block, size - number * block), place * SECTOR + bitmap)


def write(size: int, blocks: list[int], get: Callable[[int], bytes], feed: Callable[[bytes], None]) -> None:
    """Feed a dynamic image of a disk of `size` bytes; `blocks` are the numbers of those (2 MiB) that hold data."""
    entries = -(-size // BLOCK)
    footer = _footer(size)
    table_bytes = -(-4 * entries // SECTOR) * SECTOR
    first = (SECTOR + 1024 + table_bytes) // SECTOR
    place = {number: first + n * (BLOCK + _BITMAP) // SECTOR for n, number in enumerate(blocks)}
    feed(footer + _header(entries))
    table = b"".join(struct.pack(">I", place.get(number, _NOWHERE)) for number in range(entries))
    feed(table.ljust(table_bytes, b"\xff"))
    for number in blocks:
        feed(b"\xff" * _BITMAP + get(number).ljust(BLOCK, b"\0"))
    feed(footer)


def _footer(size: int) -> bytes:
    # "win " says that the size holds, whatever cylinders, heads and sectors make.
    def packed(checksum: int) -> bytes:
        return struct.pack(
            _FOOTER, b"conectix", 2, 0x10000, SECTOR, 0, b"win ", 0x60001, b"Wi2k", size, size, _geometry(size),
            _DYNAMIC, checksum, unique, 0,
        )  # fmt: skip

    unique = ids.entropy(16)
    return packed(_checksum(packed(0)))


def _header(entries: int) -> bytes:
    def packed(checksum: int) -> bytes:
        none = [b""] * 8
        return struct.pack(
            _HEADER, b"cxsparse", 0xFFFFFFFFFFFFFFFF, SECTOR + 1024, 0x10000, entries, BLOCK, checksum, b"", 0, 0, b"",
            *none,
        )  # fmt: skip

    return packed(_checksum(packed(0)))


def _checksum(text: bytes) -> int:
    return ~sum(text) & 0xFFFFFFFF


def _geometry(size: int) -> int:
    """Cylinders, heads and sectors as the specification's appendix works them out."""
    sectors = min(size // SECTOR, 65535 * 16 * 255)
    if sectors >= 65535 * 16 * 63:
        per, heads = 255, 16
        rest = sectors // per
    else:
        per = 17
        rest = sectors // per
        heads = max(4, (rest + 1023) // 1024)
        if rest >= heads * 1024 or heads > 16:
            per, heads = 31, 16
            rest = sectors // per
        if rest >= heads * 1024:
            per, heads = 63, 16
            rest = sectors // per
    return (rest // heads) << 16 | heads << 8 | per
