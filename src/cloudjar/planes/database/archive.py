"""What an engine wrote since its last backup, kept outside of its machine, and brought into another one.

PostgreSQL hands each finished segment of its write-ahead log to `COMMAND`, which lays it compressed into a folder of
the guest's volume. From there the host takes it to a shelf of its own, which outlives machine and volume. A machine
whose volume is made of a backup is brought to an instant by the engine's own recovery, before anybody may come in.
https://www.postgresql.org/docs/15/continuous-archiving.html
"""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort

COMMAND = (
    "d=/database/archive; test -e $d/%f.gz || "
    "{ nice gzip -1 < %p > $d/.%f && sync -d $d/.%f && mv $d/.%f $d/%f.gz; }"
)
"""The engine's ``archive_command``. What is there was laid there whole; the folder is made by `postgres_scripts`."""
SETTINGS = (("archive_mode", "on"), ("archive_command", COMMAND), ("archive_timeout", "300"))
_AT_ONCE = 8
"""Segments that are carried at once; each has 16 MiB before it is compressed."""
_TURN_SECONDS, _CARRY_SECONDS, _RECOVER_SECONDS = 90, 120, 3600
_NAME = re.compile(r"[0-9A-F]{8}(?:[0-9A-F]{16}(?:\.[0-9A-F]{8}\.backup|\.partial)?|\.history)|binlog\.[0-9]{10}")


class Turned(NamedTuple):
    """Where an engine's log ends (``0/3000148``), and the files that wait to be taken away, oldest first."""

    position: str
    names: tuple[str, ...]


class ArchivePort(Protocol):
    """Write-ahead logs by machine, and a shelf of them by owner. Blocking; failures raise `PlaneError`."""

    def turn(self, machine: str, port: int, position: str, /) -> Turned:
        """Have the engine finish its segment if anything was written since `position`."""
        ...

    def fetch(self, machine: str, names: Iterable[str], /) -> Iterator[tuple[str, bytes]]:
        """What waits in a machine: names and contents, compressed."""
        ...

    def forget(self, machine: str, names: Iterable[str], /) -> None:
        """What was taken away need not wait any more."""
        ...

    def recover(self, machine: str, files: Iterable[tuple[str, bytes]], last: str, until: datetime | None, /) -> None:
        """Bring a machine that has just booted on a backup to what was committed by an instant of its own clock (None:
        to the end), with the files of its source; `last` is the name of the newest, which must have been read."""
        ...

    def put(self, owner: str, name: str, data: bytes, /) -> None:
        """Lay a file onto the shelf, durably."""
        ...

    def get(self, owner: str, name: str, /) -> bytes:
        """A file of the shelf."""
        ...

    def names(self, owner: str, /) -> list[str]:
        """What lies there of an owner, by name."""
        ...

    def drop(self, owner: str, names: Iterable[str] | None = None, /) -> None:
        """Remove files, or all of an owner."""
        ...


def is_segment(name: str) -> bool:
    """Whether a file is a whole segment: not a history, a label or a part."""
    return len(name) == 24 or name.startswith("binlog.")


def follows(name: str, last: str) -> bool:
    """Whether a segment is the next one after another: by number, or on a younger timeline not behind it."""
    return _number(name) == _number(last) + 1 or (name[:8] > last[:8] and _number(name) <= _number(last) + 1)


def _number(name: str) -> int:
    return int(name[8:16], 16) * 256 + int(name[16:24], 16)


def archives(compute: ComputePort) -> ArchivePort:
    """Who moves logs here."""
    return GuestArchives(compute) if isinstance(compute, ContainerCompute) else SimArchives()


class SimArchives:
    """Engines that write nothing have no logs."""

    def turn(self, _: str, __: int, ___: str) -> Turned:
        return Turned("0/0", ())

    def fetch(self, _: str, __: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        return iter(())

    def forget(self, _: str, __: Iterable[str]) -> None:
        return None

    def recover(self, _: str, __: Iterable[tuple[str, bytes]], ___: str, ____: datetime | None) -> None:
        return None

    def put(self, owner: str, name: str, _: bytes) -> None:
        raise PlaneError(f"nothing was written that {owner} could keep as {name}")

    def get(self, owner: str, name: str) -> bytes:
        raise PlaneError(f"{owner} has no {name}")

    def names(self, _: str) -> list[str]:
        return []

    def drop(self, _: str, __: Iterable[str] | None = None) -> None:
        return None


class Shelf:
    """Files in folders by owner, on the host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, owner: str, name: str, data: bytes) -> None:
        folder = self._folder / owner
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = folder / f".{_checked(name)}"
        with part.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.rename(folder / name)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def get(self, owner: str, name: str) -> bytes:
        try:
            return (self._folder / owner / _checked(name)).read_bytes()
        except FileNotFoundError as gone:
            raise PlaneError(f"{owner} has no {name}") from gone

    def names(self, owner: str) -> list[str]:
        try:
            return sorted(p.name for p in (self._folder / owner).iterdir() if not p.name.startswith("."))
        except FileNotFoundError:
            return []

    def drop(self, owner: str, names: Iterable[str] | None = None) -> None:
        folder = self._folder / owner
        for name in self.names(owner) if names is None else names:
            (folder / _checked(name)).unlink(missing_ok=True)
        if names is None and folder.is_dir():
            for part in folder.iterdir():
                part.unlink()
            folder.rmdir()


class GuestArchives(Shelf):
    """Engines in system containers; the shelf is beside their volumes."""

    def __init__(self, compute: ContainerCompute) -> None:
        super().__init__(compute.state / "archives")
        self._compute = compute

    def turn(self, machine: str, port: int, position: str) -> Turned:
        lines = self._said(machine, ["/bin/sh", "-c", _TURN, "turn", str(port), position], _TURN_SECONDS).split()
        if not lines or not re.fullmatch(r"[0-9A-F]+/[0-9A-F]+", lines[0]):
            raise PlaneError(f"the engine in {machine} does not say where its log ends: {' '.join(lines)[-300:]}")
        found = sorted(name.removesuffix(".gz") for name in lines[1:])
        return Turned(lines[0], tuple(name for name in found if _NAME.fullmatch(name)))

    def fetch(self, machine: str, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = [_checked(name) for name in names]
        for at in range(0, len(wanted), _AT_ONCE):
            argv = ["tar", "-c", "-C", "/database/archive", *(f"{name}.gz" for name in wanted[at : at + _AT_ONCE])]
            code, packed = self._compute.run(machine, argv, _CARRY_SECONDS)
            if code:
                raise PlaneError(f"the log of {machine} cannot be read: {packed[-300:].decode('utf-8', 'replace')}")
            with tarfile.open(fileobj=io.BytesIO(packed)) as found:
                for member in found:
                    held = found.extractfile(member)
                    if held is not None:
                        yield member.name.removesuffix(".gz"), held.read()

    def forget(self, machine: str, names: Iterable[str]) -> None:
        paths = [f"/database/archive/{_checked(name)}.gz" for name in names]
        if paths:
            self._said(machine, ["rm", "-f", *paths], _CARRY_SECONDS)

    def recover(self, machine: str, files: Iterable[tuple[str, bytes]], last: str, until: datetime | None) -> None:
        batch: list[tuple[str, bytes]] = []
        self._said(machine, ["/bin/sh", "-c", "rm -rf /database/restore && mkdir /database/restore"], _CARRY_SECONDS)
        for one in files:
            batch.append(one)
            if len(batch) == _AT_ONCE:
                self._lay(machine, batch)
                batch = []
        self._lay(machine, batch)
        target = until.strftime("%Y-%m-%d %H:%M:%S.%f+00") if until else ""
        self._said(machine, ["/bin/sh", "-c", _RECOVER, "recover", last, target], _RECOVER_SECONDS)

    def _lay(self, machine: str, files: list[tuple[str, bytes]]) -> None:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as out:
            for name, data in files:
                info = tarfile.TarInfo(f"{_checked(name)}.gz")
                info.size, info.mode = len(data), 0o644
                out.addfile(info, io.BytesIO(data))
        if files:
            self._said(machine, ["tar", "-x", "-C", "/database/restore"], _CARRY_SECONDS, packed.getvalue())

    def _said(self, machine: str, argv: list[str], seconds: float, given: bytes = b"") -> str:
        code, said = self._compute.run(machine, argv, seconds, given)
        text = said.decode("utf-8", "replace")
        if code:
            raise PlaneError(f"the log of {machine} could not be moved ({code}): {text.strip()[-600:]}")
        return text


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise PlaneError(f"not a file of a write-ahead log: {name!r}")
    return name


_TURN = r"""set -eu
export PATH=/usr/lib/engine/client:/usr/sbin:/usr/bin:/sbin:/bin
# A heartbeat is committed, so that every instant before it can be recognised when the log is read again.
say() { psql -h /run/postgresql -p "$port" -U rdsadmin -d postgres -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"; }
port=$1
now=$(say "SELECT pg_current_wal_insert_lsn()")
if [ "$now" != "$2" ]; then
    say "SELECT txid_current()" >/dev/null
    file=$(say "SELECT pg_walfile_name(pg_switch_wal())")
    now=$(say "SELECT pg_current_wal_insert_lsn()")
    tries=0
    until [ -e "/database/archive/$file.gz" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 600 ] || { echo "$file does not arrive" >&2; exit 3; }
        sleep 0.1
    done
fi
# Files of the engine's log are kept for three days.
find /database/data/log -type f -mmin +4320 -delete 2>/dev/null || :
echo "$now"
ls -1 /database/archive
"""

_RECOVER = r"""set -eu
export PATH=/usr/lib/engine/server:/usr/lib/engine/client:/usr/sbin:/usr/bin:/sbin:/bin
export LANG=en_US.UTF-8
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
data=/database/data
fetch='test -e /database/restore/%f.gz && gzip -dc /database/restore/%f.gz > %p && touch /run/recover/%f'
read_back() {
    as touch $data/recovery.signal
    sync
    touch /database/recovering
    sync
    rm -rf /run/recover
    install -d -o postgres -g postgres -m 700 /run/recover
    { as postgres -D $data -c config_file=/database/conf/postgresql.conf -c listen_addresses= -c ssl=off \
        -c unix_socket_directories=/run/recover -c port=5432 -c hot_standby=off -c archive_mode=off \
        -c logging_collector=off -c shared_buffers=128MB -c "recovery_target_time=$1" \
        -c recovery_target_action=promote -c "restore_command=$fetch" \
        >/run/recover/log 2>&1 && echo 0 || echo 1; } >/run/recover/.code &
    until [ -s /run/recover/.code ]; do
        if pg_isready -q -h /run/recover -p 5432; then
            kill -INT "$(head -n 1 $data/postmaster.pid)"
            wait
            break
        fi
        sleep 0.05
    done
    [ "$(cat /run/recover/.code)" = 0 ]
}
if [ -e /database/recovering ] && [ ! -e $data/recovery.signal ]; then
    rm -rf /database/restore # an earlier attempt came to its end and could not say so
    exit 0
fi
[ "$(stat -c %U $data)" = postgres ] || chown -R postgres:postgres $data
rm -f $data/postmaster.pid $data/standby.signal
rm -rf /database/archive/* $data/pg_replslot/*
if ! read_back "$2"; then
    # Nothing was committed after the instant: then the end of the log is what was asked for.
    if [ -z "$2" ] || ! grep -q "recovery ended before configured recovery target was reached" /run/recover/log; then
        tail -n 12 /run/recover/log >&2
        exit 4
    fi
    as touch $data/recovery.signal
    read_back "" || { tail -n 12 /run/recover/log >&2; exit 4; }
    if [ -n "$1" ] && [ ! -e "/run/recover/$1" ]; then
        echo "the log is not whole: $1 was not reached" >&2
        exit 5
    fi
fi
rm -rf /database/restore /run/recover
"""
