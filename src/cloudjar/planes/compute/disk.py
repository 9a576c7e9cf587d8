"""Disks of machines: a volume is a sparse file with a file system of exactly the size that was paid for.

It is mounted through a loop device; the machine's root is an overlay of the (shared, read-only) image and the
volume's ``upper`` folder. So `df` inside says the volume's size, a full disk is full, and twenty machines
share one copy of the image in the page cache.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes import guest_users
from cloudjar.planes.compute.bundle import DISK_BINDS, NODES
from cloudjar.planes.compute.port import Disk
from cloudjar.planes.compute.process import holding, need_tool, run
from cloudjar.planes.compute.snapshots import (
    Snapshots,
    VolumeRecord,
    copy_sparse,
    plain_name,
    read_record,
    write_record,
)


class Volumes:
    """The volumes of one installation, under ``<folder>/<volume id>``; `snapshots` keeps what they can be made of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.snapshots = Snapshots(folder.with_name("snapshots"))

    def record(self, volume_id: str) -> VolumeRecord | None:
        """What the volume is, or None when it does not exist (or was never finished)."""
        return read_record(self._home(volume_id) / "volume.json")

    def ensure(self, disk: Disk, image: str, rootfs: Path | None, *, follows: bool = False) -> VolumeRecord:
        """A root volume: make it if needed, grow it if it became larger; its image is what it was made of, unless it
        `follows` the one that is given.

        `rootfs` is the image's root, needed only for a volume that does not exist and has no snapshot, or follows.
        """
        with self._locked(disk.volume_id) as home:
            seen = self.record(disk.volume_id)
            if seen is None and disk.snapshot:
                seen = self._copy(home, disk)
            elif seen is None:
                if rootfs is None:
                    raise PlaneError(f"volume {disk.volume_id} does not exist, and no image was given to make it of")
                self._make(home, disk.size_gib)
                seen = self._note(home, VolumeRecord(image=image, rootfs=str(rootfs), size_gib=disk.size_gib))
            if not seen.rootfs:
                raise PlaneError(f"volume {disk.volume_id} has no system on it to boot")
            if follows and rootfs is not None and seen.rootfs != str(rootfs):
                seen = self._rebase(home, msgspec.structs.replace(seen, image=image, rootfs=str(rootfs)))
            if disk.size_gib > seen.size_gib:
                _grow(home / "disk.img", disk.size_gib)
                seen = self._note(home, msgspec.structs.replace(seen, size_gib=disk.size_gib))
        if not Path(seen.rootfs, "etc").is_dir():
            raise PlaneError(
                f"volume {disk.volume_id} lies on the image {seen.rootfs}, which is gone from this host. "
                "Try: terminate the instance and launch it again"
            )
        return seen

    def make(self, disk: Disk) -> None:
        """A data volume, unless it exists: a copy of its snapshot, as large as asked, or zeroes."""
        with self._locked(disk.volume_id) as home:
            if self.record(disk.volume_id) is not None:
                return
            if disk.snapshot:
                self._copy(home, disk)
                return
            with (home / "disk.img").open("wb") as file:
                file.truncate(disk.size_gib << 30)
            self._note(home, VolumeRecord(image="", rootfs="", size_gib=disk.size_gib))

    def found(self, snapshot_id: str, image: str, rootfs: Path, size_gib: int) -> None:
        """A snapshot of an image's system on which nothing was written yet, unless it exists."""
        home = self.snapshots.image_file(snapshot_id).parent
        if self.snapshots.record(snapshot_id) is None:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make(home, size_gib)
            made = VolumeRecord(image=image, rootfs=str(rootfs), size_gib=size_gib)
            write_record(home / "snapshot.json", made)

    def keep(self, snapshot_id: str, disk: Path, size_gib: int) -> None:
        """A snapshot of a plain disk's file, which goes there, unless it exists."""
        home = self.snapshots.image_file(snapshot_id).parent
        if self.snapshots.record(snapshot_id) is None:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            disk.rename(home / "disk.img")
            write_record(home / "snapshot.json", VolumeRecord(image="", rootfs="", size_gib=size_gib))

    def enlarge(self, volume_id: str, size_gib: int) -> bool:
        """Make the file of a volume larger, whoever uses it; False when there is nothing to do."""
        if self.record(volume_id) is None:
            return False
        with self._locked(volume_id) as home:
            seen = self.record(volume_id)
            if seen is None or seen.size_gib >= size_gib:
                return False
            os.truncate(home / "disk.img", size_gib << 30)
            self._note(home, msgspec.structs.replace(seen, size_gib=size_gib))
            return True

    def remove(self, volume_id: str) -> None:
        """Remove a volume's data; refuses while it is mounted."""
        home = self._home(volume_id)
        if mounted_from(home / "disk.img"):
            raise PlaneError(f"volume {volume_id} is in use: stop or remove its machine first")
        shutil.rmtree(home, ignore_errors=True)

    def image_file(self, volume_id: str) -> Path:
        return self._home(volume_id) / "disk.img"

    def _home(self, volume_id: str) -> Path:
        return self.folder / plain_name(volume_id)

    @contextlib.contextmanager
    def _locked(self, volume_id: str) -> Iterator[Path]:
        """Alone with this volume: it may be asked for by its own maker and by the start of its machine."""
        home = self._home(volume_id)
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            with holding(handle):
                yield home
        finally:
            os.close(handle)

    def _copy(self, home: Path, disk: Disk) -> VolumeRecord:
        """A volume of a snapshot: the same bytes, and zeroes behind them up to the size asked for."""
        source = self.snapshots.need(disk.snapshot)
        copy_sparse(self.snapshots.image_file(disk.snapshot), home / "disk.img")
        if disk.size_gib > source.size_gib:
            os.truncate(home / "disk.img", disk.size_gib << 30)
            if source.rootfs:
                _grow(home / "disk.img", disk.size_gib)
        size = max(disk.size_gib, source.size_gib)
        return self._note(home, msgspec.structs.replace(source, size_gib=size))

    def taken_by(self, volume_id: str, machine_id: str) -> bool:
        """Note who boots from a root volume now; True when that was another machine before."""
        with self._locked(volume_id) as home:
            seen = self.record(volume_id)
            if seen is None or seen.machine == machine_id:
                return False
            self._note(home, msgspec.structs.replace(seen, machine=machine_id))
            return bool(seen.machine)

    def settle_owner(self, volume_id: str, owner: int) -> None:
        """Note whose a root volume's files are; refuses to let another kind of guest boot from it."""
        with self._locked(volume_id) as home:
            seen = self.record(volume_id)
            if seen is None or seen.owner == owner:
                return
            if seen.owner is not None:
                raise PlaneError(
                    f"volume {volume_id} was written by guests whose root is the host's user {seen.owner}, and here it "
                    f"is {owner}. Try: cloudjar doctor, which says whether guests can have users of their own"
                )
            self._note(home, msgspec.structs.replace(seen, owner=owner))

    def _rebase(self, home: Path, record: VolumeRecord) -> VolumeRecord:
        """Lay a volume that nobody runs on over another image: what was written over the old one's files goes."""
        at = home / "rebased"
        unmount(at)  # a cut may have left it there
        mount_volume(home / "disk.img", at)
        try:
            for name in ("upper", "work"):
                shutil.rmtree(at / name)
        finally:
            unmount(at)
            at.rmdir()
        return self._note(home, record)

    def _make(self, home: Path, size_gib: int) -> None:
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
    def _note(home: Path, record: VolumeRecord) -> VolumeRecord:
        write_record(home / "volume.json", record)
        return record


def _grow(image: Path, size_gib: int) -> None:
    os.truncate(image, size_gib << 30)
    run([need_tool("e2fsck", "e2fsprogs"), "-fp", str(image)], timeout=300, what="checking a disk", ok=(0, 1))
    run([need_tool("resize2fs", "e2fsprogs"), str(image)], timeout=300, what="growing a disk")


def mount_volume(image: Path, at: Path, owner: int = 0) -> None:
    """Mount a volume's file; its loop device goes away with the mount. `owner` is the host's id of the guest's root."""
    if is_mounted(at):
        return
    at.mkdir(parents=True, exist_ok=True)
    # `discard` gives the host back what the guest deletes; the file is zeroes, so no inode table needs writing.
    options = "loop,noatime,noinit_itable,discard"
    run([need_tool("mount", "mount"), "-t", "ext4", "-o", options, str(image), str(at)], what="mounting a disk")
    for name in ("upper", "work", NODES, *(f"data/{bind}" for bind in DISK_BINDS)):
        folder = at / name
        if not folder.exists():
            folder.mkdir(parents=True)
            os.chown(folder, owner, owner)


def mount_root(rootfs: Path, disk: Path, at: Path, users: int | None = None) -> None:
    """Lay the volume's upper layer over the image, whose files are shown as those of the root of `users`, if any."""
    if is_mounted(at):
        return
    at.mkdir(parents=True, exist_ok=True)
    if users is not None:
        # The root needs the place only while it is being mounted; a cut leaves one that `unmount` takes away.
        guest_users.mount_as(rootfs, at, users)
        rootfs = at
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
