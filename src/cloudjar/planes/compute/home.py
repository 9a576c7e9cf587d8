"""One machine's folder on the host, and the script that boots it.

``<state>/machines/<id>/``: ``spec.json`` (what it is), ``wanted`` (exists while it should run), ``disk`` (a mount
point), ``config.json`` (runc's bundle), ``boot`` (the script), ``console.log``, ``init.pid``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.port import MachineSpec
from cloudjar.planes.compute.process import holding

POWERED_OFF = "130"
"""conmon's word for an init that ended by its guest's power-off (see `again_script`)."""

CONSOLE_MAX = 8 << 20
"""Bytes after which conmon starts its log anew."""


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything of one machine is."""

    tag: str
    id: str
    folder: Path
    runtime: Path

    @property
    def name(self) -> str:
        """The container's name, unique on the host."""
        return f"cj-{self.tag}-{self.id}"

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    @property
    def root(self) -> Path:
        """Where the machine's root is mounted: a place that its own root, nobody on this host, can get to."""
        return self.runtime / "roots" / self.id

    @property
    def listener(self) -> Path:
        """The mount keeper's socket."""
        return self.runtime / "keepers" / self.id

    @property
    def log(self) -> Path:
        return self.folder / "console.log"

    @property
    def past(self) -> Path:
        """Console output of earlier boots, newest part."""
        return self.folder / "console.past"

    @property
    def wanted(self) -> Path:
        return self.folder / "wanted"

    @property
    def runc_root(self) -> Path:
        return self.runtime / "runc"

    def spec(self) -> MachineSpec | None:
        """What the machine was last started as."""
        try:
            return msgspec.json.decode((self.folder / "spec.json").read_bytes(), type=MachineSpec)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def write(self, name: str, content: bytes, mode: int = 0o600) -> None:
        """Replace a file of the folder in one step."""
        part = self.folder / f"{name}.part"
        part.write_bytes(content)
        part.chmod(mode)
        part.rename(self.folder / name)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with this machine, among threads and processes."""
        self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self.folder.parent / f".{self.id}.lock"
        while True:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
            # `remove` deletes the lock last: whoever waited on the deleted file must ask again.
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(handle).st_ino == lock.stat().st_ino:
                    break
            os.close(handle)
        try:
            with holding(handle):
                yield
        finally:
            os.close(handle)

    def unlock_for_good(self) -> None:
        """Forget the lock file; only while holding it."""
        (self.folder.parent / f".{self.id}.lock").unlink(missing_ok=True)


def home_of(tag: str, state: Path, runtime: Path, machine_id: str) -> Home:
    """The home of a machine; refuses ids that are no plain file names."""
    if not machine_id or "/" in machine_id or machine_id.startswith("."):
        raise PlaneError(f"not a machine id: {machine_id!r}")
    return Home(tag=tag, id=machine_id, folder=state / "machines" / machine_id, runtime=runtime / tag)


def boot_script(
    home: Home, *, keeper_files: list[str], conmon: str, runc: str, mounts: Sequence[str] = (), own: Sequence[str] = ()
) -> str:
    """The shell script that boots the machine from its mounted root (pure).

    `mounts` is the mount keeper's command and `own` the one that gives the guest its control groups, both for a guest
    with users of its own.

    It is a script so that a reboot from inside needs no server of ours: conmon runs `again` when the guest's init
    ends. The watcher moves to its own control group first, or it would die with the service that called it; until then
    its standard input is the caller's lock (see `process.holding`), from then on a sweep finds it in that group.
    """
    words = {
        "folder": shlex.quote(str(home.folder)),
        "runc": f"{shlex.quote(runc)} --root {shlex.quote(str(home.runc_root))}",
        "name": shlex.quote(home.name),
        "join": "\n".join(f"echo $$ > {shlex.quote(file)} 2>/dev/null || :" for file in keeper_files),
        "mounts": f"{shlex.join(mounts)} || exit 1" if mounts else "",
        "own": f"{shlex.join(own)} || exit 1" if own else "",
        "conmon": " ".join(shlex.quote(word) for word in _conmon(home, conmon, runc)),
    }
    return _BOOT.format(**words)


def again_script(home: Home, flock: str) -> str:
    """What conmon runs when the guest's init has ended: boots it again if the guest asked for that (pure).

    In its own process namespace a guest's reboot call ends init with SIGHUP (129), its power-off with SIGINT (130).
    """
    lock = home.folder.parent / f".{home.id}.lock"
    return _AGAIN.format(
        folder=shlex.quote(str(home.folder)),
        name=shlex.quote(home.name),
        lock=shlex.quote(str(lock)),
        flock=shlex.quote(flock),
    )


def _conmon(home: Home, conmon: str, runc: str) -> list[str]:
    argv = [conmon, "--api-version", "1", "--terminal", "--no-sync-log", "--log-level", "error"]
    argv += ["--cid", home.name, "--cuuid", home.name, "--name", home.name]
    argv += ["--runtime", runc, "--runtime-arg", "--root", "--runtime-arg", str(home.runc_root)]
    argv += ["--bundle", str(home.folder)]
    argv += ["--socket-dir-path", str(home.runtime / "attach"), "--exit-dir", str(home.folder / "exit")]
    argv += ["--container-pidfile", str(home.folder / "init.pid")]
    argv += ["--conmon-pidfile", str(home.folder / "conmon.pid")]
    argv += ["--log-path", f"k8s-file:{home.log}", "--log-size-max", str(CONSOLE_MAX)]
    return [*argv, "--exit-command", "/bin/sh", "--exit-command-arg", str(home.folder / "again")]


_BOOT = """#!/bin/sh
# Written by Cloudjar; boots this machine from its mounted root.
cd {folder} || exit 1
{join}
exec </dev/null
{mounts}
{runc} delete --force {name} >/dev/null 2>&1
rm -f init.pid .init.pid conmon.pid exit/{name}
mkfifo -m 600 said.$$ || exit 1
exec 9<>said.$$
rm -f said.$$
_OCI_SYNCPIPE=3 {conmon} 3>&9 9>&- </dev/null >/dev/null 2>conmon.err || {{ cat conmon.err >&2; exit 1; }}
read -r said <&9
case $said in
*'"data":-'* | *'"data": -'*) echo "$said" >&2; exit 1 ;;
esac
{own}
exec {runc} start {name} 9>&-
"""

_AGAIN = """#!/bin/sh
# Written by Cloudjar; conmon runs this when the guest's init has ended.
cd {folder} || exit 0
asked='[ -e wanted ] && [ "$(cat exit/{name} 2>/dev/null)" = 129 ]'
eval "$asked" || exit 0
exec {flock} --close {lock} /bin/sh -c "$asked && exec /bin/sh ./boot"
"""
