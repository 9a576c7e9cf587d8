"""Disks of machines: a volume is a sparse file with a file system of exactly the size that was paid for.

It is mounted through a loop device; the machine's root is an overlay of the (shared, read-only) image and the
volume's ``upper`` folder. So `df` inside says the volume's size, a full disk is full, and twenty machines
share one copy of the image in the page cache.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.bundle import DISK_BINDS
from cloudjar.planes.compute.port import Disk
from cloudjar.planes.compute.process import need_tool, run


class VolumeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is written beside a volume's data: the image that its upper layer lies on."""

    image: str
    rootfs: str
    size_gib: int


class Volumes:
    """The volumes of one installation, under ``<folder>/<volume id>``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def record(self, volume_id: str) -> VolumeRecord | None:
        """What the volume is, or None when it does not exist (or was never finished)."""
        try:
            return msgspec.json.decode((self._home(volume_id) / "volume.json").read_bytes(), type=VolumeRecord)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def ensure(self, disk: Disk, image: str, rootfs: Path) -> VolumeRecord:
        """Make the volume if needed, grow it if it became larger; its image is what it was made of."""
        home = self._home(disk.volume_id)
        seen = self.record(disk.volume_id)
        if seen is None:
            self._make(home, disk.size_gib)
            seen = VolumeRecord(image=image, rootfs=str(rootfs), size_gib=disk.size_gib)
            self._note(home, seen)
        elif disk.size_gib > seen.size_gib:
            _grow(home / "disk.img", disk.size_gib)
            seen = msgspec.structs.replace(seen, size_gib=disk.size_gib)
            self._note(home, seen)
        if not Path(seen.rootfs, "etc").is_dir():
            raise PlaneError(
                f"volume {disk.volume_id} lies on the image {seen.rootfs}, which is gone from this host. "
                "Try: terminate the instance and launch it again"
            )
        return seen

    def remove(self, volume_id: str) -> None:
        """Remove a volume's data; refuses while it is mounted."""
        home = self._home(volume_id)
        if mounted_from(home / "disk.img"):
            raise PlaneError(f"volume {volume_id} is in use: stop or remove its machine first")
        shutil.rmtree(home, ignore_errors=True)

    def image_file(self, volume_id: str) -> Path:
        return self._home(volume_id) / "disk.img"

    def _home(self, volume_id: str) -> Path:
        if not volume_id or "/" in volume_id or volume_id.startswith("."):
            raise PlaneError(f"not a volume id: {volume_id!r}")
        return self.folder / volume_id

    def _make(self, home: Path, size_gib: int) -> None:
        home.mkdir(parents=True, exist_ok=True)
        half = home / "disk.img.part"
        with contextlib.suppress(FileNotFoundError):
            half.unlink()
        with half.open("wb") as file:
            file.truncate(size_gib << 30)
        mkfs = need_tool("mkfs.ext4", "e2fsprogs")
        run(
            # The file is all zeroes already: nothing needs to be discarded or initialised.
            [mkfs, "-q", "-F", "-m", "1", "-L", "cloudjar-root", "-E", "nodiscard,lazy_journal_init=1", str(half)],
            what="making a file system",
        )
        half.rename(home / "disk.img")

    @staticmethod
    def _note(home: Path, record: VolumeRecord) -> None:
        part = home / "volume.json.part"
        part.write_bytes(msgspec.json.encode(record))
        part.rename(home / "volume.json")


def _grow(image: Path, size_gib: int) -> None:
    os.truncate(image, size_gib << 30)
    run([need_tool("e2fsck", "e2fsprogs"), "-fp", str(image)], timeout=300, what="checking a disk", ok=(0, 1))
    run([need_tool("resize2fs", "e2fsprogs"), str(image)], timeout=300, what="growing a disk")


def mount_volume(image: Path, at: Path) -> None:
    """Mount a volume's file; its loop device goes away with the mount."""
    if is_mounted(at):
        return
    at.mkdir(parents=True, exist_ok=True)
    # `discard` gives the host back what the guest deletes; the file is zeroes, so no inode table needs writing.
    options = "loop,noatime,noinit_itable,discard"
    run([need_tool("mount", "mount"), "-t", "ext4", "-o", options, str(image), str(at)], what="mounting a disk")
    for name in ("upper", "work", *(f"data/{bind}" for bind in DISK_BINDS)):
        (at / name).mkdir(parents=True, exist_ok=True)


def mount_root(rootfs: Path, disk: Path, at: Path) -> None:
    """Lay the volume's upper layer over the image."""
    if is_mounted(at):
        return
    at.mkdir(parents=True, exist_ok=True)
    layers = f"lowerdir={rootfs},upperdir={disk}/upper,workdir={disk}/work"
    run([need_tool("mount", "mount"), "-t", "overlay", "-o", layers, "cloudjar", str(at)], what="mounting a root")


def unmount(at: Path) -> None:
    """Unmount, however often it was mounted; falls back to detaching when somebody still looks inside."""
    umount = need_tool("umount", "mount")
    while is_mounted(at):
        if run([umount, str(at)], ok=tuple(range(256))).returncode:
            run([umount, "--lazy", str(at)], what=f"unmounting {at}")


def mounts() -> list[tuple[str, str]]:
    """(mount point, source) of everything mounted, as the kernel spells it."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        found.append((left.split(" ")[4], right.split(" ")[1]))
    return found


def is_mounted(at: Path) -> bool:
    """Whether something is mounted exactly there."""
    spelled = str(at).replace("\\", "\\134").replace(" ", "\\040")
    return any(point == spelled for point, _ in mounts())


def loops() -> dict[str, str]:
    """Loop devices in use: device -> backing file (`` (deleted)`` when it was removed under it)."""
    found = {}
    for file in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            found[f"/dev/{file.parts[3]}"] = file.read_text().rstrip("\n")
    return found


def mounted_from(image: Path) -> list[str]:
    """Loop devices that hold this file."""
    return [device for device, backing in loops().items() if backing.removesuffix(" (deleted)") == str(image)]
