"""Volumes as block devices: a sparse file behind a loop device, and its place in a guest.

A guest may make any device node, as package tools do; what it may open, its control group says. So a volume is
attached by three things that need nobody inside: a loop device that holds the file, a right in the machine's
control group, and a node in the machine's ``/dev`` made through its mount namespace.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.planes import guest_users
from cloudjar.planes.compute.bundle import DISK_GROUP, Loop, Plugged
from cloudjar.planes.compute.disk import mounted_from
from cloudjar.planes.compute.process import need_tool, run


def node_name(device: str) -> str:
    """What the guest calls a disk that was asked for as `device`: ``/dev/sdf`` is ``xvdf``, as under Xen."""
    name = device.removeprefix("/dev/")
    if name.startswith("sd"):
        name = f"xvd{name[2:]}"
    if not name.isalnum() or not name.isascii():
        raise PlaneError(f"not a device name: {device!r}")
    return name


def held(image: Path) -> Loop | None:
    """The loop device that holds a file now."""
    for device in sorted(mounted_from(image)):
        with contextlib.suppress(OSError):
            number = os.stat(device).st_rdev
            return Loop(device, os.major(number), os.minor(number))
    return None


def hold(image: Path) -> Loop:
    """Put a file behind a loop device, unless it is behind one that stays."""
    seen = held(image)
    if seen is not None and _is_going(seen):
        wait_free(image)
        seen = held(image)
        if seen is not None:
            raise PlaneError(f"{seen.path} still has {image}: a guest that should have let it go uses it")
    if seen is None:
        run([need_tool("losetup", "mount"), "--find", "--nooverlap", str(image)], what="making a block device")
        seen = held(image)
    if seen is None:
        raise PlaneError(f"the loop device of {image} is gone as soon as it was made")
    return seen


def _is_going(loop: Loop) -> bool:
    """Whether the device goes away with its last user."""
    with contextlib.suppress(OSError):
        return Path("/sys/block", loop.name, "loop/autoclear").read_text().strip() == "1"
    return True


def let_go(image: Path) -> None:
    """Take a file from behind its loop device; whoever still has it open keeps the device until he closes it."""
    for device in mounted_from(image):
        run([need_tool("losetup", "mount"), "--detach", device], what="removing a block device", ok=(0, 1))


def wait_free(image: Path, seconds: float = 5) -> bool:
    """Wait until no loop device has the file: a dead guest's mounts go a moment after its last process."""
    end = monotonic() + seconds
    pause = threading.Event()
    while mounted_from(image):
        if monotonic() > end:
            return False
        pause.wait(0.01)
    return True


def grown(image: Path) -> None:
    """Tell the loop device of a file that the file became larger."""
    for device in mounted_from(image):
        run([need_tool("losetup", "mount"), "--set-capacity", device], what="growing a block device")


def is_busy(loop: Loop) -> bool:
    """Whether a file system, or somebody else who wants it alone, has the device: an exclusive open tells."""
    try:
        os.close(os.open(loop.path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
    except OSError as refused:
        if refused.errno == errno.EBUSY:
            return True
        raise PlaneError(f"{loop.path} cannot be opened: {refused}") from refused
    return False


def lay_nodes(folder: Path, disks: list[Plugged], owner: int) -> None:
    """Bring the folder to have these disks' device nodes, which a guest with users of its own cannot make."""
    numbers = {disk.node: os.makedev(disk.loop.major, disk.loop.minor) for disk in disks}
    there = {entry.name for entry in folder.iterdir() if numbers.get(entry.name) == entry.lstat().st_rdev}
    for entry in folder.iterdir():
        if entry.name not in there:
            entry.unlink()
    for name in numbers.keys() - there:
        os.mknod(folder / name, stat.S_IFBLK | 0o660, numbers[name])
        os.chown(folder / name, owner, owner + DISK_GROUP)


def plug_node(pid: int, node: Path) -> None:
    """Bind a node of the host's into the ``/dev`` of a running guest, over whatever it put there.

    One that is there already stays: a guest that works on its disk must not miss it for a moment because the server
    started anew.
    """
    with _guest_dev(pid) as folder:
        if _leads_to(node.name, folder, node.stat().st_rdev):
            return
    with guest_users.a_copy_of(node) as tree, guest_users.in_mounts_of(pid) as run_there:
        run_there(lambda: _bind_node(tree, node.name))


def _bind_node(tree: int, name: str) -> None:
    with _open_dev("/") as folder:
        _clear(name, folder)
        with guest_users.as_root_of_guests():
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=folder))
        guest_users.put(tree, folder, name)


def unplug_node(pid: int, name: str) -> None:
    """Take a bound node out of the ``/dev`` of a running guest."""
    with guest_users.in_mounts_of(pid) as run_there:
        run_there(lambda: _unbind_node(name))


def _unbind_node(name: str) -> None:
    with _open_dev("/") as folder:
        _clear(name, folder)


def _clear(name: str, folder: int) -> None:
    guest_users.unmount(folder, name)
    with contextlib.suppress(FileNotFoundError):
        _remove(name, folder)


def plug(pid: int, disk: Plugged) -> None:
    """Make the node in the ``/dev`` of a running guest, over whatever it put there."""
    number = os.makedev(disk.loop.major, disk.loop.minor)
    with _guest_dev(pid) as folder:
        if _leads_to(disk.node, folder, number):
            return
        with contextlib.suppress(FileNotFoundError):
            _remove(disk.node, folder)
        os.mknod(disk.node, stat.S_IFBLK | 0o660, number, dir_fd=folder)
        os.chown(disk.node, 0, DISK_GROUP, dir_fd=folder, follow_symlinks=False)


def _leads_to(name: str, folder: int, number: int) -> bool:
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISBLK(seen.st_mode) and seen.st_rdev == number


def unplug(pid: int, node: str) -> None:
    """Remove the node from the ``/dev`` of a running guest."""
    with _guest_dev(pid) as folder, contextlib.suppress(FileNotFoundError):
        _remove(node, folder)


def _remove(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError as refused:
        if isinstance(refused, FileNotFoundError):
            raise
        raise PlaneError(f"the guest has something else at /dev/{name}: {refused}") from refused


@contextlib.contextmanager
def _guest_dev(pid: int) -> Iterator[int]:
    """The ``/dev`` of a guest as an open folder."""
    with _open_dev(f"/proc/{pid}/root") as folder:
        yield folder


@contextlib.contextmanager
def _open_dev(place: str) -> Iterator[int]:
    """``/dev`` below a guest's root. Nothing on the way there may be a link: a guest could lead us astray."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        root = os.open(place, flags)
    except OSError as gone:
        raise PlaneError(f"the guest has just ended: {gone}") from gone
    try:
        folder = os.open("dev", flags | os.O_NOFOLLOW, dir_fd=root)
    except OSError as odd:
        raise PlaneError(f"the guest's /dev is not a folder: {odd}") from odd
    finally:
        os.close(root)
    try:
        yield folder
    finally:
        os.close(folder)


def show(folder: Path, disks: list[Plugged]) -> None:
    """Bring what a guest has at ``/sys/block`` and ``/sys/dev/block`` to these disks: the host's are not its business.

    Tools in the guest take a disk's name from the last part of these links.
    """
    by_name = {disk.node: f"/sys/devices/virtual/block/{disk.loop.name}" for disk in disks}
    by_number = {f"{disk.loop.major}:{disk.loop.minor}": f"/sys/block/{disk.node}" for disk in disks}
    for name, wanted in (("block", by_name), ("numbers", by_number)):
        _link_all(folder / name, wanted)


def _link_all(folder: Path, wanted: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if wanted.get(entry.name) != os.readlink(entry):
            entry.unlink()
    for name, target in wanted.items():
        with contextlib.suppress(FileExistsError):
            (folder / name).symlink_to(target)


@contextlib.contextmanager
def still(image: Path, guests: list[int]) -> Iterator[None]:
    """Hold back writes to a volume's file system, wherever it is mounted, and have what was written on the disk.

    A volume that nobody has mounted only has its buffers written. Whoever freezes must thaw: the tool that does is a
    child that ends with its input, so a server that is killed thaws too.
    """
    loop = held(image)
    if loop is None:
        yield
        return
    point = _mounted_at(loop, guests)
    if point is None:
        _flush(loop)
        yield
        return
    try:
        with _frozen(point):
            yield
    finally:
        os.close(point)


def _flush(loop: Loop) -> None:
    handle = os.open(loop.path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mounted_at(loop: Loop, guests: list[int]) -> int | None:
    """An open folder of the file system on a device, as the host or a guest has it mounted."""
    number = f"{loop.major}:{loop.minor}"
    for pid in (os.getpid(), *guests):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
            for point in (line.split(" ")[4] for line in lines if line.split(" ")[2] == number):
                folder = _open_mount(pid, point, loop)
                if folder is not None:
                    return folder
    return None


def _open_mount(pid: int, point: str, loop: Loop) -> int | None:
    """The folder at a mount point of a process; None when that is on another device (a guest's link)."""
    path = point.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")
    try:
        folder = os.open(f"/proc/{pid}/root{path}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    if os.fstat(folder).st_dev == os.makedev(loop.major, loop.minor):
        return folder
    os.close(folder)
    return None


@contextlib.contextmanager
def _frozen(folder: int) -> Iterator[None]:
    script = "fsfreeze --freeze /proc/self/fd/$0 || exit 1; echo; cat >/dev/null; fsfreeze --unfreeze /proc/self/fd/$0"
    argv = ["/bin/sh", "-c", f'PATH="$PATH:/usr/sbin:/sbin"; {script}', str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=(folder,), start_new_session=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stderr is not None
        if child.stdout.readline() != b"\n":
            child.stdin.close()
            said = child.stderr.read().decode("utf-8", "replace").strip()
            raise PlaneError(f"a disk could not be held still: {said}")
        try:
            yield
        finally:
            child.stdin.close()
            child.wait(timeout=60)
