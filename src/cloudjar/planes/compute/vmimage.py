"""What a virtual machine boots: of an image's tree, a kernel, a first program and the tree as a read-only disk.

It lies beside the tree (``bootable/<tree>-<hash>/``), is made once per host and shared by all machines: their volumes
are those of containers, an upper layer that the first program lays over the image.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.disk import unmount
from cloudjar.planes.compute.process import holding, need_tool, run
from cloudjar.planes.compute.recipes import RECIPES_FOLDER

log = logging.getLogger("cloudjar.compute.vm")

PARTS = RECIPES_FOLDER / "vm"

# What the first program needs of the kernel's modules; the rest is loaded by udev from the image.
MODULES = ("drivers/virtio/virtio_pci", "drivers/block/virtio_blk", "drivers/net/virtio_net", "fs/overlayfs/overlay")


class VmImage(msgspec.Struct, frozen=True, kw_only=True):
    """Three files: `kernel`, `initrd` (gzip; the machine's own part goes before it) and `base` (ext4, read-only)."""

    kernel: Path
    initrd: Path
    base: Path


def vm_image_of(tree: Path) -> VmImage:
    """Where the variant of a tree is or would be."""
    digest = hashlib.sha256(b"".join((PARTS / name).read_bytes() for name in ("setup", "init"))).hexdigest()[:8]
    folder = tree.parent / "bootable" / f"{tree.name}-{digest}"
    return VmImage(kernel=folder / "vmlinuz", initrd=folder / "initrd", base=folder / "base.ext4")


def make_vm_image(tree: Path) -> VmImage:
    """The variant, made first when it is not there (seconds, from the image's own archive). One maker at a time."""
    made = vm_image_of(tree)
    folder = made.kernel.parent
    if not folder.is_dir():
        folder.parent.mkdir(exist_ok=True, mode=0o700)
        with _alone(folder):
            if not folder.is_dir():
                _make(tree, folder)
    return made


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder.with_name(f".{folder.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with holding(handle):
            yield
    finally:
        os.close(handle)


def _make(tree: Path, folder: Path) -> None:
    part = folder.with_name(f"{folder.name}.part")
    tree_copy = part / "tree"
    unmount(tree_copy)
    shutil.rmtree(part, ignore_errors=True)
    for name in ("tree", "upper", "work", "out"):
        (part / name).mkdir(parents=True)
    layers = f"lowerdir={tree},upperdir={part}/upper,workdir={part}/work"
    mount = need_tool("mount", "mount")
    run([mount, "-t", "overlay", "-o", layers, "cloudjar", str(tree_copy)], what="copying an image")
    log.info("making %s bootable", tree.name)
    try:
        _set_up(tree_copy)
        _pack(tree_copy, part / "out")
    finally:
        unmount(tree_copy)
    os.sync()
    (part / "out").rename(folder)
    shutil.rmtree(part, ignore_errors=True)
    # Those of earlier versions of ours: machines that run on one keep it open, and their next boot is on this one.
    for other in folder.parent.iterdir():
        if other != folder and other.name.rpartition("-")[0] == folder.name.rpartition("-")[0]:
            shutil.rmtree(other, ignore_errors=True)


def _set_up(tree: Path) -> None:
    if not (tree / "usr/bin/apt-get").exists():
        raise PlaneError("the vm driver boots Debian images only. Try: the container driver for this image")
    shutil.copyfile("/etc/resolv.conf", tree / "etc/resolv.conf")
    shutil.copyfile(PARTS / "setup", tree / "vm-setup")
    run(["chroot", str(tree), "/bin/sh", "/vm-setup"], timeout=900, what="installing a kernel into an image")


def _pack(tree: Path, out: Path) -> None:
    shutil.copyfile(tree / "boot/vmlinuz", out / "vmlinuz")
    (out / "initrd").write_bytes(gzip.compress(archive(_first_files(tree)), 1, mtime=0))
    base = out / "base.ext4"
    with base.open("wb") as file:
        file.truncate(4 << 30)
    mkfs = [need_tool("mke2fs", "e2fsprogs"), "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0"]
    run([*mkfs, "-E", "nodiscard", "-d", str(tree), str(base)], timeout=600, what="making an image's disk")
    run([need_tool("resize2fs", "e2fsprogs"), "-M", str(base)], timeout=600, what="making an image's disk")


def _first_files(tree: Path) -> dict[str, bytes]:
    files = {"init": (PARTS / "init").read_bytes(), "bin/busybox": (tree / "usr/bin/busybox").read_bytes()}
    for folder in (tree / "usr/lib/modules").iterdir():
        needs = parse_needs((folder / "modules.dep").read_text())
        for number, name in enumerate(in_order(needs, [f"kernel/{module}.ko" for module in MODULES])):
            files[f"modules/{number:02}-{Path(name).name}"] = (folder / name).read_bytes()
    return files


def parse_needs(text: str) -> dict[str, list[str]]:
    """What each module needs, from the text of ``modules.dep`` (pure)."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name: needed.split() for name, needed in pairs}


def in_order(needs: dict[str, list[str]], wanted: list[str]) -> list[str]:
    """`wanted` and what they need, each after what it needs: ``modules.dep`` names the deepest need last (pure)."""
    found: dict[str, None] = {}
    for name in wanted:
        for one in [*reversed(needs[name]), name]:
            found.setdefault(one)
    return list(found)


def archive(files: dict[str, bytes]) -> bytes:
    """A cpio archive as the kernel unpacks it at boot (pure): every file executable, folders as their paths need.

    https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
    """
    folders = sorted({str(parent) for name in files for parent in Path(name).parents if str(parent) != "."})
    entries = [(name, stat.S_IFDIR | 0o755, b"") for name in folders]
    entries += [(name, stat.S_IFREG | 0o755, content) for name, content in sorted(files.items())]
    entries.append(("TRAILER!!!", 0, b""))
    out = bytearray()
    for number, (name, mode, content) in enumerate(entries, 1):
        path = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + path
        out += b"\0" * (-len(out) % 4) + content
        out += b"\0" * (-len(out) % 4)
    return bytes(out)
