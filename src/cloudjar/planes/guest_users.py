"""A guest's own users: its root is nobody on the host (Linux's user namespaces).

The guest's network namespace is made inside a user namespace of the guest's and so carries it: whoever has the
one finds the other (`owner_of`), nothing else has to be kept. All guests use the same range of the host's user ids, so
that a volume's files belong to the same guest users wherever the volume goes; what keeps guests apart are their
namespaces, each its own. https://man7.org/linux/man-pages/man7/user_namespaces.7.html
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.process import need_tool

log = logging.getLogger("cloudjar")

FIRST = 0x70000000
"""The host's id of a guest's root: above the ranges that distributions and container engines give out."""
COUNT = 65536

_GET_OWNER = 0xB701  # NS_GET_USERNS
_BIND = 0x1000
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442  # the same on every architecture
_HERE, _EMPTY_PATH, _FROM_FD = -100, 0x1000, 4
_CLONE = 1 | os.O_CLOEXEC
_IDMAP = 0x00100000
_OWN_FOLDERS, _MOUNTS = 0x200, 0x20000
_DETACH, _NO_FOLLOW = 2, 8
_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "users")]


def make_network(where: str) -> bool:
    """Bind a new network namespace, of a new user namespace, to the file `where`; False when the host has none.

    A process of its own makes them: one with threads, as a server is, may not.
    """
    words = [need_tool("unshare", "util-linux"), "--user", "--net", "/bin/sh", "-c", "echo; read x"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        try:
            if child.stdout.readline() != b"\n":
                said = child.stderr.read().decode("utf-8", "replace").strip()
                log.warning("guests have no users of their own here: %s", said)
                return False
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{child.pid}/{name}").write_text(f"0 {FIRST} {COUNT}")
            mount(f"/proc/{child.pid}/ns/net", where)
            return True
        finally:
            child.stdin.close()


@contextlib.contextmanager
def owner_of(network: str) -> Iterator[int | None]:
    """The user namespace (an open descriptor) that a network namespace belongs to; None when that is the host's own."""
    namespace = os.open(network, os.O_RDONLY | os.O_CLOEXEC)
    try:
        owner = fcntl.ioctl(namespace, _GET_OWNER)
    except OSError as failed:
        if failed.errno == errno.ENOTTY:
            raise PlaneError(f"The network namespace {network} is being made.") from failed  # its name comes first
        raise
    finally:
        os.close(namespace)
    try:
        yield None if os.fstat(owner).st_ino == os.stat("/proc/self/ns/user").st_ino else owner
    finally:
        os.close(owner)


def mount(source: str, target: str) -> None:
    """Bind one path to another; raises OSError."""
    if _libc.mount(source.encode(), target.encode(), b"none", ctypes.c_ulong(_BIND), None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")


def mount_as(source: Path, target: Path, users: int) -> None:
    """Bind `source` to `target` with the host's root shown as the root of `users` (a user namespace), and so on.

    Raises OSError where the file system cannot (an overlay; before Linux 5.12 all).
    """
    with _shown_as(source, users) as tree:
        _system("move_mount", _MOVE_MOUNT, tree, b"", _HERE, str(target).encode(), _FROM_FD)


def can_show_as(source: Path, users: int) -> bool:
    """Whether `mount_as` works for `source`; tried on a mount that nobody sees."""
    try:
        with _shown_as(source, users):
            return True
    except OSError as refused:
        log.warning("guests run without users of their own, %s cannot be shown as theirs: %s", source, refused)
        return False


@contextlib.contextmanager
def _shown_as(source: Path, users: int) -> Iterator[int]:
    tree = _system("open_tree", _OPEN_TREE, _HERE, str(source).encode(), _CLONE)
    try:
        show_as(tree, users)
        yield tree
    finally:
        os.close(tree)


@contextlib.contextmanager
def a_copy_of(path: Path) -> Iterator[int]:
    """A mount of a file or folder that is in no place yet, to be `put` somewhere."""
    tree = _system("open_tree", _OPEN_TREE, _HERE, str(path).encode(), _CLONE)
    try:
        yield tree
    finally:
        os.close(tree)


def put(tree: int, folder: int, name: str) -> None:
    """Mount what is in no place yet over a file of an open folder."""
    _system("move_mount", _MOVE_MOUNT, tree, b"", folder, name.encode(), _FROM_FD)


def unmount(folder: int, name: str) -> None:
    """Unmount whatever is mounted on a file of an open folder, in a thread with a working directory of its own."""
    os.fchdir(folder)
    while _libc.umount2(name.encode(), _DETACH | _NO_FOLLOW) == 0:
        pass


@contextlib.contextmanager
def in_mounts_of(pid: int) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Something that runs work where a process's mounts are, in a thread that goes there; raises `PlaneError`."""
    try:
        space = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as gone:
        raise PlaneError(f"the guest has just ended: {gone}") from gone

    def go(work: Callable[[], None]) -> None:
        for what, answer in (("unshare", _libc.unshare(_OWN_FOLDERS)), ("setns", _libc.setns(space, _MOUNTS))):
            if answer != 0:
                raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
        work()

    def run_there(work: Callable[[], None]) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="cloudjar-mounts") as thread:
            try:
                thread.submit(go, work).result()
            except OSError as failed:
                raise PlaneError(f"the guest's mounts could not be changed: {failed}") from failed

    try:
        yield run_there
    finally:
        os.close(space)


@contextlib.contextmanager
def as_root_of_guests() -> Iterator[None]:
    """What this thread makes meanwhile is a guest's root's: on its own file systems nobody else can make files."""
    for change in (_libc.setfsgid, _libc.setfsuid):
        change(FIRST)
    try:
        yield
    finally:
        for change in (_libc.setfsuid, _libc.setfsgid):
            change(0)


def show_as(tree: int, users: int) -> None:
    """Have a mount that is in no place yet show files of the host's root as those of the root of `users`."""
    attributes = _Attributes(set=_IDMAP, users=users)
    size = ctypes.sizeof(attributes)
    _system("mount_setattr", _MOUNT_SETATTR, tree, b"", _EMPTY_PATH, ctypes.byref(attributes), size)


def _system(what: str, number: int, *arguments: object) -> int:
    answer = _libc.syscall(ctypes.c_long(number), *arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return int(answer)
