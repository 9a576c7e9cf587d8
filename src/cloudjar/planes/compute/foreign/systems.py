"""Systems to and from other hypervisors: a disk image becomes an image's tree and a snapshot over it, and back.

A promise beside `ComputePort`: `porter` says who keeps it. What is taken in must have an ext4 file system with an init;
it is checked before the kernel mounts it, read-only. What is given out is a disk with one partition and no boot loader:
containers' systems have no kernel of their own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from cloudjar.base import ids
from cloudjar.base.errors import PlaneError
from cloudjar.planes import guest_users
from cloudjar.planes.compute import disk
from cloudjar.planes.compute.disk import Volumes
from cloudjar.planes.compute.foreign import images
from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.compute.importing import check_tree
from cloudjar.planes.compute.process import need_tool, run
from cloudjar.planes.compute.snapshots import copy_sparse

_START = 1 << 20
"""Where the partition of a disk begins that is given out."""
_CHECKED, _SECONDS = (0, 1), 1800
_MAGIC = b"\x53\xef"


class Taken(NamedTuple):
    """A system that was taken in: the image's key, the size of its disk in GiB, and of the image in bytes."""

    key: str
    size_gib: int
    length: int


@runtime_checkable
class Porting(Protocol):
    """Every call blocks; failures raise `PlaneError`."""

    def take_system(self, snapshot_id: str, form: str, pieces: Iterable[bytes]) -> Taken:
        """Make an image of a disk's system (RAW, VMDK, VHD, OVA, or a tar of its files) and a snapshot of it."""
        ...

    def take_disk(self, snapshot_id: str, form: str, pieces: Iterable[bytes]) -> int:
        """Make a snapshot of a disk as it is; its size in GiB."""
        ...

    def give_disk(self, snapshot_id: str, form: str, feed: Callable[[bytes], None]) -> None:
        """Feed a snapshot as an image (RAW, VMDK or VHD); one of a system with the system whole."""
        ...


class FilePorter:
    """Of real disks; `scratch` is where images lie meanwhile."""

    def __init__(self, store: ImageStore, volumes: Volumes) -> None:
        self._store, self._volumes = store, volumes
        self._scratch = volumes.folder.with_name("transfers")

    def take_system(self, snapshot_id: str, form: str, pieces: Iterable[bytes]) -> Taken:
        """Make an image of a disk's system and a snapshot over it."""
        with self._place() as place:
            length = _fetched(place / "image", pieces)
            if _is_tar(place / "image") and form == "RAW":
                key, gib = self._store.take_in(place / "image"), 8
            else:
                gib = images.into_raw(place / "image", form, place / "disk.raw")
                key = self._store.adopt(_digest(place / "image"), lambda tree: _copied(place / "disk.raw", place, tree))
            self._volumes.found(snapshot_id, key, self._store.rootfs(key), gib)
        return Taken(key, gib, length)

    def take_disk(self, snapshot_id: str, form: str, pieces: Iterable[bytes]) -> int:
        """Make a snapshot of a disk as it is."""
        with self._place() as place:
            _fetched(place / "image", pieces)
            gib = images.into_raw(place / "image", form, place / "disk.raw")
            self._volumes.keep(snapshot_id, place / "disk.raw", gib)
        return gib

    def give_disk(self, snapshot_id: str, form: str, feed: Callable[[bytes], None]) -> None:
        """Feed a snapshot as an image."""
        record = self._volumes.snapshots.need(snapshot_id)
        source = self._volumes.snapshots.image_file(snapshot_id)
        if not record.rootfs:
            images.out_of_raw(source, form, feed)
            return
        with self._place() as place:
            copy_sparse(source, place / "upper.img")  # a journal may want to be replayed, and a snapshot is not changed
            with _whole(Path(record.rootfs), place, record.owner or 0) as tree:
                _packed(tree, place / "disk.raw", record.size_gib)
            images.out_of_raw(place / "disk.raw", form, feed)

    @contextlib.contextmanager
    def _place(self) -> Iterator[Path]:
        place = self._scratch / ids.token(12)
        place.mkdir(parents=True, mode=0o700)
        try:
            yield place
        finally:
            for inner in ("root", "shown", "disk"):
                disk.unmount(place / inner)
            shutil.rmtree(place, ignore_errors=True)


def porter(compute: object) -> Porting:
    """Who moves systems into and out of a compute plane."""
    store, volumes = getattr(compute, "store", None), getattr(compute, "volumes", None)
    if isinstance(store, ImageStore) and isinstance(volumes, Volumes):
        return FilePorter(store, volumes)
    if isinstance(compute, Porting):
        return compute
    raise PlaneError("this compute plane takes no disk images in")


def _fetched(target: Path, pieces: Iterable[bytes]) -> int:
    with target.open("wb") as out:
        for piece in pieces:
            out.write(piece)
        return out.tell()


def _is_tar(file: Path) -> bool:
    with file.open("rb") as opened:
        return os.pread(opened.fileno(), 5, 257) == b"ustar"


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _copied(raw: Path, place: Path, tree: Path) -> None:
    """Copy the tree of the partition that has a system; raises `PlaneError` when none has."""
    why = "no partition has an ext2, ext3 or ext4 file system"
    for start, length in images.partitions(raw):
        if not _has_ext(raw, start):
            continue
        checking = [need_tool("e2fsck", "e2fsprogs"), "-fp", f"{raw}?offset={start}"]
        fsck = run(checking, timeout=_SECONDS, ok=tuple(range(256)))
        if fsck.returncode not in _CHECKED:
            why = "its file system is damaged"
            continue
        at = place / "root"
        at.mkdir(exist_ok=True)
        options = f"ro,loop,offset={start},sizelimit={length},nodev,nosuid,noexec"
        run([need_tool("mount", "mount"), "-t", "ext4", "-o", options, str(raw), str(at)], what="opening a disk")
        try:
            check_tree(at, "the disk")
            run([need_tool("cp", "coreutils"), "-a", "--one-file-system", f"{at}/.", str(tree)], timeout=_SECONDS)
        except PlaneError as other:
            why = str(other)
            shutil.rmtree(tree, ignore_errors=True)
            continue
        finally:
            disk.unmount(at)
        _settle(tree)
        return
    raise PlaneError(f"the disk has no system to boot: {why}")


def _has_ext(raw: Path, start: int) -> bool:
    with raw.open("rb") as file:
        return os.pread(file.fileno(), 2, start + 1024 + 56) == _MAGIC


def _settle(tree: Path) -> None:
    """What names disks that are no more is taken out of ``/etc/fstab``, as VM Import does."""
    shutil.rmtree(tree / "lost+found", ignore_errors=True)
    table = tree / "etc/fstab"
    if table.is_symlink() or not table.is_file():
        return
    lines = table.read_text(errors="replace").splitlines()
    mine = [f"# {line}" if re.match(r"\s*[^#\s]", line) else line for line in lines]
    table.write_text("\n".join(["# Disks of where this system was imported from:", *mine, ""]))


@contextlib.contextmanager
def _whole(rootfs: Path, place: Path, owner: int) -> Iterator[Path]:
    """A system as its guest sees it, files of the guest's users shown as the host's, mounted read-only."""
    under, shown, root = place / "disk", place / "shown", place / "root"
    disk.mount_volume(place / "upper.img", under, owner)
    shown.mkdir()
    root.mkdir()
    try:
        if owner:
            with _users_back() as users:
                guest_users.mount_as(under / "upper", shown, users)
        upper = shown if owner else under / "upper"
        options = f"ro,lowerdir={upper}:{rootfs}"
        run([need_tool("mount", "mount"), "-t", "overlay", "-o", options, "cloudjar", str(root)], what="opening a root")
        yield root
    finally:
        for mounted in (root, shown, under):
            disk.unmount(mounted)


@contextlib.contextmanager
def _users_back() -> Iterator[int]:
    """A user namespace in which the guests' root is the host's: what guests wrote is shown as if it were here."""
    words = [need_tool("unshare", "util-linux"), "--user", "/bin/sh", "-c", "echo; read x"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            if child.stdout.readline() != b"\n":
                raise PlaneError("this host's kernel gives no user namespaces")
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{child.pid}/{name}").write_text(f"{guest_users.FIRST} 0 {guest_users.COUNT}")
            users = os.open(f"/proc/{child.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
            try:
                yield users
            finally:
                os.close(users)
        finally:
            child.stdin.close()


def _packed(tree: Path, raw: Path, gib: int) -> None:
    """A disk of one partition with a copy of a tree."""
    size = gib << 30
    with raw.open("wb") as file:
        file.truncate(size)
        file.write(images.one_partition(size, _START))
    argv = [need_tool("mke2fs", "e2fsprogs"), "-q", "-F", "-t", "ext4", "-m", "1", "-L", "cloudjar-root"]
    argv += ["-E", f"offset={_START},nodiscard,lazy_itable_init=1", "-d", str(tree), str(raw)]
    run([*argv, f"{(size - _START) >> 10}k"], timeout=_SECONDS, what="making a disk")
