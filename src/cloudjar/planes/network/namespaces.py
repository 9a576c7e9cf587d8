"""Network namespaces by name, as `ip netns` keeps them; Linux only.

A namespace is entered by a thread of its own, which ends there: whatever it opened (sockets, child
processes) stays in that namespace, and no other thread of the server ever leaves the host's.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from cloudjar.base.errors import PlaneError
from cloudjar.planes import guest_users
from cloudjar.planes.network.site import NAMESPACES

_NEW_NETWORK = 0x40000000
_BIND, _REC, _SHARED, _DETACH = 0x1000, 0x4000, 1 << 20, 2
_libc = ctypes.CDLL(None, use_errno=True)
T = TypeVar("T")


def path(name: str) -> str:
    """Where a namespace is found by whoever wants to join it."""
    return f"{NAMESPACES}/{name}"


def names(prefix: str) -> list[str]:
    """Every namespace whose name begins so, sorted."""
    try:
        return sorted(e.name for e in os.scandir(NAMESPACES) if e.name.startswith(prefix))
    except FileNotFoundError:
        return []


def exists(name: str) -> bool:
    """Whether the name holds a namespace; a name left bare by a crash does not count."""
    try:
        return os.stat(path(name)).st_dev != os.stat(NAMESPACES).st_dev
    except FileNotFoundError:
        return False


def create(name: str, *, guest: bool = False) -> None:
    """Make the namespace if there is none; raises `PlaneError` when the host refuses.

    A guest's belongs to users of the guest's own, where the host has that (`guest_users`).
    """
    if exists(name):
        return
    _prepare_directory()
    Path(path(name)).touch()
    try:
        if not (guest and guest_users.make_network(path(name))):
            _in_thread(lambda: _make(path(name)))
    except OSError as e:
        Path(path(name)).unlink(missing_ok=True)
        raise PlaneError(f"No network namespace could be made: {e}. Try running as root.") from e


def _make(where: str) -> None:
    _call("unshare", _NEW_NETWORK)
    me = f"/proc/self/task/{threading.get_native_id()}/ns/net"
    _call("mount", me.encode(), where.encode(), b"none", ctypes.c_ulong(_BIND), None)


def delete(name: str) -> None:
    """Take the name away; the namespace itself ends with the last process inside."""
    with contextlib.suppress(OSError):
        _call("umount2", path(name).encode(), _DETACH)
    Path(path(name)).unlink(missing_ok=True)


def inside(name: str, work: Callable[[], T]) -> T:
    """Run `work` in a thread that has entered the namespace, and hand back what it returns or raises."""
    def entered() -> T:
        fd = os.open(path(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            if os.fstat(fd).st_dev == os.stat(NAMESPACES).st_dev:
                raise PlaneError(f"The network namespace {name} is being made.")  # its name comes first
            _call("setns", fd, _NEW_NETWORK)
        finally:
            os.close(fd)
        return work()

    return _in_thread(entered)


def _in_thread(work: Callable[[], T]) -> T:
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as e:  # noqa: BLE001 - handed to the caller, whole
            failures.append(e)

    thread = threading.Thread(target=run, name="cloudjar-netns")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def _prepare_directory() -> None:
    """As `ip netns` does it: mounts made below must be seen by everybody, and unmounted for everybody."""
    with host_lock():
        where = NAMESPACES.encode()
        if not _mounted():
            _call("mount", where, where, b"none", ctypes.c_ulong(_BIND | _REC), None)
        _call("mount", b"", where, b"none", ctypes.c_ulong(_SHARED | _REC), None)


@contextlib.contextmanager
def host_lock() -> Iterator[None]:
    """One installation at a time changes what all of them share on this host."""
    os.makedirs(NAMESPACES, mode=0o755, exist_ok=True)
    fd = os.open(NAMESPACES, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _mounted() -> bool:
    with open("/proc/self/mountinfo") as lines:
        return any(line.split()[4] == NAMESPACES for line in lines)


def _call(name: str, *args: object) -> None:
    if getattr(_libc, name)(*args) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}" + (" (not root?)" if code == errno.EPERM else ""))
