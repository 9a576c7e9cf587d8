"""Whether this host can run machines, and what of them is still on it."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cloudjar.planes import guest_users
from cloudjar.planes.compute import cgroups, disk
from cloudjar.planes.compute.images import CACHE
from cloudjar.planes.compute.process import find_tool, need_tool, run
from cloudjar.planes.compute.vmqemu import has_kvm

TOOLS = {
    "runc": "runc",
    "conmon": "conmon",
    "mkfs.ext4": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "resize2fs": "e2fsprogs",
    "mount": "mount",
    "flock": "util-linux",
    "ip": "iproute2",
}
"""Tools that machines need, and the Debian packages that bring them."""

VM_TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "tc": "iproute2",
    "nsenter": "util-linux",
    "mke2fs": "e2fsprogs",
}
"""Tools that virtual machines need besides; containers do without."""

FREE_BYTES = 5 << 30
OPEN_FILES = 4096


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: `what`, whether it is `ok`, `why` (not), and what to `hint` at trying."""

    ok: bool
    what: str
    why: str = ""
    hint: str = msgspec.field(default="", name="try")


def doctor(state_dir: Path = Path("/var/lib/cloudjar"), cache: Path = CACHE) -> list[Finding]:
    """Everything that machines need of this host, in the order in which they need it."""
    return [
        _root(),
        *(_tool(name, package) for name, package in TOOLS.items()),
        _runc_version(),
        _groups(),
        _mount_point(),
        _filesystem("overlay", "a machine's disk is laid over its image"),
        _filesystem("ext4", "a volume is a file system of its own"),
        _loops(),
        _users(cache),
        _space(state_dir),
        _space(cache),
        _open_files(),
    ]


def virtual() -> list[Finding]:
    """What virtual machines need of this host besides, and whether its processor helps them."""
    mine = os.uname().machine
    fit = Finding(
        ok=mine == "x86_64",
        what="processor for virtual machines",
        why="KVM" if has_kvm() else "software emulation: a boot takes a minute or more",
    )
    if not fit.ok:
        fit = msgspec.structs.replace(fit, why=f"{mine} is not x86_64", hint="the container driver, which runs here")
    return [*(_tool(name, package) for name, package in VM_TOOLS.items()), fit]


def leaks(tag: str, state_dir: Path | None = None, runtime_dir: Path = Path("/run/cloudjar")) -> list[str]:
    """Whatever of `tag`'s machines is on the host now, as sentences; empty after a clean end.

    With `state_dir`, mounts and loop devices below it count too, whoever made them.
    """
    return [
        *_leaked_groups(tag),
        *_leaked_containers(tag, runtime_dir),
        *_leaked_watchers(tag, runtime_dir),
        *_leaked_mounts(runtime_dir / tag),
        *(_leaked_mounts(state_dir) if state_dir else ()),
    ]


def _root() -> Finding:
    if os.geteuid() == 0:
        return Finding(ok=True, what="root")
    return Finding(ok=False, what="root", why="machines need root", hint="run with sudo, or use the sim driver")


def _tool(name: str, package: str) -> Finding:
    path = find_tool(name)
    if path:
        return Finding(ok=True, what=name, why=path)
    return Finding(ok=False, what=name, why="not installed", hint=f"apt-get install {package}")


def _runc_version() -> Finding:
    tool = find_tool("runc")
    if not tool:
        return Finding(ok=False, what="runc version", why="runc is not installed", hint="apt-get install runc")
    version = run([tool, "--version"]).stdout.decode().split("\n")[0].removeprefix("runc version ")
    numbers = [int(n) for n in version.split("+")[0].split("~")[0].split("-")[0].split(".")[:2] if n.isdigit()]
    if numbers >= [1, 1]:
        return Finding(ok=True, what="runc version", why=version)
    return Finding(ok=False, what="runc version", why=f"{version} is older than 1.1", hint="upgrade runc")


def _groups() -> Finding:
    found = cgroups.hierarchies()
    if cgroups.is_unified(found):
        present = set(Path("/sys/fs/cgroup/cgroup.controllers").read_text().split())
        kind = "version 2"
    else:
        present = {name for h in found for name in h.controllers}
        kind = "version 1, hybrid" if any(h.version == 2 for h in found) else "version 1"
    missing = {"cpu", "memory", "pids"} - present
    if not missing:
        return Finding(ok=True, what="control groups", why=kind)
    return Finding(
        ok=False,
        what="control groups",
        why=f"{kind} without {', '.join(sorted(missing))}: instance types would not be limited",
        hint="enable the controllers (kernel command line cgroup_enable=memory), or leave the outer container",
    )


def _mount_point(mountinfo: Path = Path("/proc/self/mountinfo")) -> Finding:
    """runc makes the mounts of a new container private from ``/`` on, which in a mere chroot is none."""
    if any(line.split(" ")[4] == "/" for line in mountinfo.read_text().splitlines()):
        return Finding(ok=True, what="/ is a mount point")
    return Finding(
        ok=False,
        what="/ is a mount point",
        why="this is a chroot, in which no container can be made",
        hint="pivot_root into it instead, or use the sim driver",
    )


def _filesystem(name: str, why: str) -> Finding:
    known = Path("/proc/filesystems").read_text().split()
    modules = Path("/lib/modules", os.uname().release)
    if name in known or any(modules.rglob(f"{name}.ko*")):
        return Finding(ok=True, what=f"{name} file system")
    return Finding(ok=False, what=f"{name} file system", why=f"the kernel lacks it, and {why}", hint=f"modprobe {name}")


def _loops() -> Finding:
    if Path("/dev/loop-control").exists():
        return Finding(ok=True, what="loop devices")
    hint = "modprobe loop; in a container, give it /dev/loop-control and the right to use loop devices"
    return Finding(ok=False, what="loop devices", why="there is no /dev/loop-control", hint=hint)


def _users(cache: Path) -> Finding:
    """Without users of its own a guest's root is the host's: fine for one's own work, not for strangers'."""
    what, hint = "users of their own for guests", "Linux 5.19 or later, images on ext4 or XFS, no outer container"
    if os.geteuid() != 0:
        return Finding(ok=False, what=what, why="only root can tell", hint="run with sudo")
    here = next(folder for folder in (cache, *cache.parents) if folder.exists())
    with tempfile.NamedTemporaryFile(dir="/run", prefix="cj-doctor-") as place:
        if not guest_users.make_network(place.name):
            return Finding(ok=False, what=what, why="user namespaces cannot be made here", hint=hint)
        try:
            with guest_users.owner_of(place.name) as users:
                ok = users is not None and guest_users.can_show_as(here, users)
        finally:
            run([need_tool("umount", "mount"), "--lazy", place.name], what="removing a namespace")
    why = str(guest_users.FIRST) if ok else "a guest's root is this host's root: guests are guarded, not walled in"
    return Finding(ok=ok, what=what, why=why, hint="" if ok else hint)


def _space(folder: Path) -> Finding:
    here = folder
    while not here.exists():
        here = here.parent
    free = shutil.disk_usage(here).free
    what = f"disk space in {folder}"
    if free >= FREE_BYTES:
        return Finding(ok=True, what=what, why=f"{free >> 30} GiB free")
    return Finding(ok=False, what=what, why=f"only {free >> 20} MiB free", hint="free at least 5 GiB, or move the data")


def _open_files() -> Finding:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= OPEN_FILES:
        return Finding(ok=True, what="open files", why=str(hard))
    return Finding(
        ok=False,
        what="open files",
        why=f"the hard limit is {hard}, and guests cannot have more",
        hint="ulimit -Hn 65536",
    )


def _leaked_groups(tag: str) -> Iterator[str]:
    for h in cgroups.hierarchies():
        with contextlib.suppress(OSError):
            yield from (f"control group {p}" for p in (h.path / cgroups.TOP / tag).iterdir() if p.is_dir())


def _leaked_containers(tag: str, runtime_dir: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        yield from (f"container {p.name}" for p in (runtime_dir / tag / "runc").iterdir())


def _leaked_watchers(tag: str, runtime_dir: Path) -> Iterator[str]:
    mark, socket = f"cj-{tag}-".encode(), f"{runtime_dir}/{tag}/keepers/".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"conmon") and any(word.startswith(mark) for word in words):
                yield f"process {folder.name}: {b' '.join(words[:1]).decode()} of {_named(words, mark)}"
            elif any(word.startswith(socket) for word in words):
                yield f"process {folder.name}: mount keeper of {_named(words, socket).removeprefix(socket.decode())}"


def _named(words: list[bytes], mark: bytes) -> str:
    return next(word for word in words if word.startswith(mark)).decode()


def _leaked_mounts(folder: Path) -> Iterator[str]:
    below = f"{folder.absolute()}/"
    yield from (f"mount {point}" for point, _ in disk.mounts() if point.startswith(below))
    yield from (f"loop device {dev} of {file}" for dev, file in disk.loops().items() if file.startswith(below))
