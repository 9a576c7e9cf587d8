"""Mounts block devices for a guest whose root may not: a program of its own, beside the guest, as long as it lives.

In a user namespace the kernel mounts no ext4: its drivers trust the disk. A guest's root owns its disks, though, so
the kernel asks here (seccomp's user notification) what to do with ``mount`` and with the call that grows a mounted file
system. Answered are only: devices that this guest was given, ext and XFS, options that cannot name another
device; everything else goes on to the kernel, which decides as for any guest.
https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html

Run as ``python -I -S mount_keeper.py SOCKET FOLDER NETWORK``: listens on SOCKET for runc's word, links FOLDER/users to
the guest's user namespace (the owner of NETWORK), returns when both are there and goes on in the background. Imports
the standard library alone: there is one of these for each guest.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import select
import socket
import stat
import struct
import sys
from collections.abc import Callable

_NOTICE = struct.Struct("=QIIiIQ6Q")  # id, pid, flags, call, architecture, address, arguments
_ANSWER = struct.Struct("=QqiI")  # id, value, error, flags
_RECEIVE, _SEND, _IS_ALIVE = 0xC0502100, 0xC0182101, 0x40082102
_GO_ON = 1
_GET_OWNER = 0xB701

# (the kernel's name of this architecture, number of mount, number of ioctl)
_CALLS = {"x86_64": (0xC000003E, 165, 16), "aarch64": (0xC00000B7, 40, 29)}
_GROW = {0x40086610: 8, 0x4010586E: 16}
"""EXT4_IOC_RESIZE_FS and XFS_IOC_FSGROWFSDATA, and the bytes of their arguments."""

_KINDS = ("ext4", "ext3", "ext2", "xfs")
_PLAIN_OPTIONS = (
    " discard nodiscard barrier nobarrier acl noacl user_xattr nouser_xattr noload norecovery nouuid delalloc"
    " init_itable noinit_itable auto_da_alloc noauto_da_alloc bsddf minixdf grpid nogrpid inode64 inode32 attr2 noattr2"
    " ikeep noikeep largeio nolargeio quota noquota usrquota grpquota prjquota uquota gquota pquota lazytime"
    " nolazytime nodelalloc "
)
_VALUED_OPTIONS = " commit data errors stripe logbufs logbsize allocsize min_batch_time max_batch_time "

# Flags of mount(2), and what fsmount(2) calls the same.
_READ_ONLY = 1
_ATTRIBUTES = ((1, 1), (2, 2), (8, 8), (1024, 0x10), (1 << 24, 0x20), (2048, 0x80))
_NO_DEVICES = 4
_ON_DISK = ((1, "ro"), (16, "sync"), (128, "dirsync"), (1 << 25, "lazytime"))

_SYS_ADMIN = 1 << 21
_OPENAT2, _FSOPEN, _FSCONFIG, _FSMOUNT = 437, 430, 431, 432
_MOVE_MOUNT, _MOUNT_SETATTR, _PIDFD_GETFD = 429, 442, 438
_IN_ROOT, _NO_MAGIC = 0x10, 0x02
_HERE, _EMPTY_PATH = -100, 0x1000
_TO_WHAT_IS_MEANT = 4 | 0x10 | 0x20  # an open mount; links and automounts followed
_IDMAP = 0x00100000
_NEW_MOUNTS = 0x00020000
_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The error number that the guest gets."""


def main(where: str, folder: str, network: str) -> None:
    """Be ready, let the caller go on, and answer until the guest has ended."""
    users = _owner_of(network)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(where)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.bind(where)
    listener.listen(1)
    listener.settimeout(60)
    child = os.fork()
    if child:
        link = os.path.join(folder, "users")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(link)
        os.symlink(f"/proc/{child}/fd/{users}", link)
        os._exit(0)
    os.setsid()
    _leave_outputs(os.path.join(folder, "keeper.err"))
    Keeper(listener, users, folder).serve()


class Keeper:
    """Answers one guest. `listener` is where runc hands over seccomp's descriptors: that of the guest's init, then one
    for each program started inside from here. `users` is the guest's user namespace."""

    def __init__(self, listener: socket.socket, users: int, folder: str) -> None:
        self.listener = listener
        self.users = users
        self.folder = folder
        self.notices = -1
        self.architecture, self.mount, self.control = _CALLS[os.uname().machine]

    def serve(self) -> None:
        """Until the guest's init, the first that was handed over, has ended."""
        poll = select.poll()
        first = self._taken()
        for it in (first, self.listener.fileno()):
            poll.register(it, select.POLLIN)
        while True:
            for ready, events in poll.poll():
                if ready == self.listener.fileno():
                    with contextlib.suppress(OSError):
                        poll.register(self._taken(), select.POLLIN)
                elif events & select.POLLIN:
                    self._hear(ready)
                elif ready == first:
                    return
                else:
                    poll.unregister(ready)
                    os.close(ready)

    def _taken(self) -> int:
        connection, _ = self.listener.accept()
        with connection:
            _, given, _, _ = socket.recv_fds(connection, 1 << 16, 1)
        if not given:
            raise OSError(errno.EBADMSG, "runc handed nothing over")
        return given[0]

    def _hear(self, notices: int) -> None:
        self.notices = notices
        notice = array.array("B", bytes(_NOTICE.size))
        try:
            fcntl.ioctl(notices, _RECEIVE, notice)
        except OSError as gone:  # who asked was killed meanwhile
            if gone.errno not in (errno.ENOENT, errno.EINTR):
                raise
            return
        self._answer(*_NOTICE.unpack(notice))

    def _answer(self, asked: int, pid: int, _: int, call: int, architecture: int, __: int, *arguments: int) -> None:
        error, flags = 0, 0
        try:
            known = call if architecture == self.architecture else -1
            flags = 0 if self._done(asked, pid, known, arguments) else _GO_ON
        except Refused as refused:
            error = -int(refused.args[0])
        except OSError as failed:
            error = -(failed.errno or errno.EIO)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self.notices, _SEND, _ANSWER.pack(asked, 0, error, flags))

    def _done(self, asked: int, pid: int, call: int, arguments: tuple[int, ...]) -> bool:
        """True when the call was carried out here, False when the kernel shall decide. Raises what the guest gets."""
        if call not in (self.mount, self.control) or not self._may(pid):
            return False
        if call == self.mount:
            return self._mounted(asked, pid, arguments)
        return self._grown(asked, pid, arguments)

    def _may(self, pid: int) -> bool:
        """Whether who asks is a root of this guest's: with the right to mount, in the guest's user namespace."""
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}/ns/user").st_ino != os.fstat(self.users).st_ino:
                return False
            return bool(int(_status(pid)["CapEff"], 16) & _SYS_ADMIN)
        return False

    def _alive(self, asked: int) -> None:
        """What was read belongs to who asked only if he still waits: numbers of processes are used again."""
        fcntl.ioctl(self.notices, _IS_ALIVE, struct.pack("=Q", asked))

    def _devices(self) -> set[int]:
        """The block devices that the guest may open now."""
        with open(os.path.join(self.folder, "config.json"), "rb") as file:
            rules = json.load(file)["linux"]["resources"]["devices"]
        mine = [rule for rule in rules if rule["allow"] and rule.get("type") == "b" and "major" in rule]
        return {os.makedev(rule["major"], rule["minor"]) for rule in mine}

    # -- mount
    def _mounted(self, asked: int, pid: int, arguments: tuple[int, ...]) -> bool:
        with open(f"/proc/{pid}/mem", "rb", 0) as memory:
            source, target, kind, data = (_text(memory.fileno(), arguments[n]) for n in (0, 1, 2, 4))
        flags = arguments[3]
        if kind.decode("ascii", "replace") not in _KINDS or not source.startswith(b"/"):
            return False
        places = [os.open(f"/proc/{pid}/{name}", os.O_PATH | os.O_CLOEXEC) for name in ("root", "cwd")]
        try:
            space = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
            places.append(space)
            self._alive(asked)
            device = _device(places[0], source)
            if device not in self._devices():
                raise Refused(errno.EPERM)
            options = _options(kind.decode(), data)
            _in_child(lambda: self._mount(device, kind.decode(), flags, options, places, target))
        finally:
            for place in places:
                os.close(place)
        return True

    def _mount(
        self, device: int, kind: str, flags: int, options: list[tuple[str, str]], places: list[int], target: bytes
    ) -> None:
        """In a process of its own, because it goes over into the guest's mounts and does not come back."""
        system = _system(_FSOPEN, kind.encode(), 1)
        for flag, name in _ON_DISK:
            if flags & flag:
                _system(_FSCONFIG, system, 0, name.encode(), None, 0)
        _system(_FSCONFIG, system, 1, b"source", _node(device), 0)
        for name, value in options:
            if value:
                _system(_FSCONFIG, system, 1, name.encode(), value.encode(), 0)
            else:
                _system(_FSCONFIG, system, 0, name.encode(), None, 0)
        _system(_FSCONFIG, system, 6, None, None, 0)
        attributes = _NO_DEVICES
        for flag, attribute in _ATTRIBUTES:
            attributes |= attribute if flags & flag else 0
        tree = _system(_FSMOUNT, system, 1, attributes)
        shown = struct.pack("=4Q", _IDMAP, 0, 0, self.users)
        _system(_MOUNT_SETATTR, tree, b"", _EMPTY_PATH, shown, len(shown))
        root, here, space = places
        if _libc.setns(space, _NEW_MOUNTS) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.fchdir(root)
        os.chroot(".")
        os.fchdir(here)
        _system(_MOVE_MOUNT, tree, b"", _HERE, target, _TO_WHAT_IS_MEANT)

    # -- grow
    def _grown(self, asked: int, pid: int, arguments: tuple[int, ...]) -> bool:
        number, command, address = arguments[0], arguments[1] & 0xFFFFFFFF, arguments[2]
        if command not in _GROW:
            return False
        with open(f"/proc/{pid}/mem", "rb", 0) as memory:
            wanted = os.pread(memory.fileno(), _GROW[command], address)
        process = os.pidfd_open(int(_status(pid)["Tgid"]))
        try:
            self._alive(asked)
            file = _system(_PIDFD_GETFD, process, number, 0)
        finally:
            os.close(process)
        try:
            if os.fstat(file).st_dev not in self._devices():
                return False
            fcntl.ioctl(file, command, wanted)
        finally:
            os.close(file)
        return True


def _leave_outputs(errors: str) -> None:
    """Whoever started us reads our outputs to their end."""
    written = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for source, target in ((nothing, 0), (nothing, 1), (written, 2)):
        os.dup2(source, target)


def _owner_of(network: str) -> int:
    namespace = os.open(network, os.O_RDONLY | os.O_CLOEXEC)
    owner = fcntl.ioctl(namespace, _GET_OWNER)
    os.close(namespace)
    return owner


def _status(pid: int) -> dict[str, str]:
    with open(f"/proc/{pid}/status") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)


def _text(memory: int, address: int) -> bytes:
    """A string of the process that asks, up to a page; empty for none."""
    if not address:
        return b""
    found = b""
    while b"\0" not in found and len(found) < 4096:
        # No further than the page: the next one may not be there.
        more = os.pread(memory, 4096 - (address + len(found)) % 4096, address + len(found))
        if not more:
            raise Refused(errno.EFAULT)
        found += more
    if b"\0" not in found:
        raise Refused(errno.ENAMETOOLONG)
    return found.partition(b"\0")[0]


def _device(root: int, path: bytes) -> int:
    """The device that a path of the guest's names, links followed inside the guest alone."""
    how = struct.pack("=3Q", os.O_PATH | os.O_CLOEXEC, 0, _IN_ROOT | _NO_MAGIC)
    node = _system(_OPENAT2, root, path, how, len(how))
    try:
        seen = os.fstat(node)
    finally:
        os.close(node)
    if not stat.S_ISBLK(seen.st_mode):
        raise Refused(errno.ENOTBLK)
    return seen.st_rdev


def _node(device: int) -> bytes:
    """The host's node of a device."""
    link = os.readlink(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    return b"/dev/" + os.fsencode(link.rpartition("/")[2])


def _options(kind: str, data: bytes) -> list[tuple[str, str]]:
    """Mount options as (name, value), those alone that concern nobody but this file system."""
    found: list[tuple[str, str]] = []
    for word in filter(None, data.decode("utf-8", "replace").split(",")):
        name, _, value = word.partition("=")
        if f" {name} " not in (_VALUED_OPTIONS if value else _PLAIN_OPTIONS):
            raise Refused(errno.EINVAL)
        found.append((name, value))
    if kind != "xfs":
        # A damaged disk may say, as may its guest, that the whole machine has to stop: that machine is the host.
        found = [(name, value) for name, value in found if (name, value) != ("errors", "panic")]
        if not any(name == "errors" and value for name, value in found):
            found.append(("errors", "remount-ro"))
    return found


def _in_child(work: Callable[[], None]) -> None:
    """Run `work` in a process of its own; its OSError is raised here."""
    child = os.fork()
    if not child:
        code = errno.EIO
        try:
            work()
            code = 0
        except OSError as failed:
            code = failed.errno or errno.EIO
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise Refused(code if code > 0 else errno.EIO)


def _system(number: int, *arguments: object) -> int:
    answer = _libc.syscall(ctypes.c_long(number), *arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
