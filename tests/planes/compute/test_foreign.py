"""Disk images of other hypervisors: what is written is read back; what cannot be is refused, not believed."""

from __future__ import annotations

import io
import os
import struct
import tarfile
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.foreign import images, vhd, vmdk

GIB = 1 << 30
MARKS = {0: b"first", 5 << 20: b"five MiB", (700 << 20) + 512: b"far", GIB - 512: b"last"}


def disk(folder: Path) -> Path:
    """A sparse disk of 1 GiB with something here and there."""
    made = folder / "disk.raw"
    with made.open("wb") as file:
        file.truncate(GIB)
        for at, text in MARKS.items():
            os.pwrite(file.fileno(), text, at)
    return made


def image(folder: Path, form: str) -> Path:
    made = folder / f"disk.{form.lower()}"
    with made.open("wb") as out:

        def feed(data: bytes) -> None:
            out.write(data)

        images.out_of_raw(disk(folder), form, feed)
    return made


@pytest.mark.parametrize("form", ["RAW", "VMDK", "VHD"])
def test_what_is_written_is_read_back(tmp_path: Path, form: str) -> None:
    made, back = image(tmp_path, form), tmp_path / "back"
    if form != "RAW":
        assert made.stat().st_size < 20 << 20
    assert images.into_raw(made, form, back) == 1
    assert back.stat().st_size == GIB
    assert back.stat().st_blocks * 512 < 8 << 20
    with back.open("rb") as file:
        for at, text in MARKS.items():
            assert os.pread(file.fileno(), len(text), at) == text, at
            assert os.pread(file.fileno(), 512, (100 << 20) + at) == bytes(min(512, max(0, GIB - (100 << 20) - at)))


def test_the_first_disk_of_an_archive_is_taken(tmp_path: Path) -> None:
    archive = tmp_path / "vm.ova"
    with tarfile.open(archive, "w") as tar:
        text = tarfile.TarInfo("vm.ovf")
        text.size = 3
        tar.addfile(text, io.BytesIO(b"ovf"))
        tar.add(image(tmp_path, "VMDK"), "vm-disk1.vmdk")
    assert images.into_raw(archive, "OVA", tmp_path / "back") == 1
    with (tmp_path / "back").open("rb") as file:
        assert os.pread(file.fileno(), 8, 5 << 20) == b"five MiB"


def test_a_fixed_vhd_is_a_raw_disk_with_a_footer(tmp_path: Path) -> None:
    fixed = tmp_path / "fixed.vhd"
    footer = bytearray(vhd._footer(1 << 20))
    struct.pack_into(">I", footer, 60, 2)
    fixed.write_bytes(b"fixed".ljust(1 << 20, b"\0") + footer)
    assert images.into_raw(fixed, "VHD", tmp_path / "back") == 1
    with (tmp_path / "back").open("rb") as file:
        assert file.read(5) == b"fixed"


@pytest.mark.parametrize(("form", "content", "why"), [
    ("VHD", b"x" * 4096, "no footer"),
    ("VMDK", b"# Disk DescriptorFile\nRW 2048 FLAT \"/etc/shadow\" 0\n".ljust(4096), "in one file"),
    ("VMDK", vmdk._header(0, 21) + bytes(1 << 16), "cannot be"),
    ("VMDK", vmdk._header(1 << 20, 1 << 40) + bytes(1 << 16), "outside of it"),
    ("OVA", b"no archive" * 100, "no OVA"),
    ("RAW", b"", "cannot be taken in"),
])  # fmt: skip
def test_what_is_no_image_is_refused(tmp_path: Path, form: str, content: bytes, why: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)
    with pytest.raises(PlaneError, match=why):
        images.into_raw(source, form, tmp_path / "back")


def test_a_disk_is_parted(tmp_path: Path) -> None:
    made = disk(tmp_path)
    with made.open("r+b") as file:
        assert images.partitions(made) == [(0, GIB)]
        file.write(images.one_partition(GIB, 1 << 20))
    assert images.partitions(made) == [(1 << 20, GIB - (1 << 20))]
    with made.open("r+b") as file:
        protective = bytearray(images.one_partition(GIB, 512))
        protective[450] = 0xEE
        os.pwrite(file.fileno(), protective, 0)
        os.pwrite(file.fileno(), b"EFI PART".ljust(72, b"\0") + struct.pack("<QII", 2, 4, 128), 512)
        os.pwrite(file.fileno(), b"t" * 32 + struct.pack("<QQ", 2048, 4095), 1024)
    assert images.partitions(made) == [(1 << 20, 1 << 20)]
