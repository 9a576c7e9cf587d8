"""What a MariaDB wrote since its last backup, taken out of its machine, and done again in another one.

Binary logs are files that a machine numbers for itself; transactions have identifiers that every machine keeps. So what
is taken has a number of its own on the shelf (`archive.Shelf`), and what two machines both had is done once: of each
file only that is done which comes after what the engine has.
https://mariadb.com/kb/en/using-mariadb-binlog/
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort

_NAME = re.compile(r"mysql-bin-changelog\.[0-9]{6,}")
_GTIDS = re.compile(r"(?:[0-9]+-[0-9]+-[0-9]+(?:,[0-9]+-[0-9]+-[0-9]+)*)?")
_TURN_SECONDS, _CARRY_SECONDS, _RECOVER_SECONDS = 90, 600, 3600


class Ended(NamedTuple):
    """What a machine has written to the end: `upto` is the last transaction of each domain (``0-1-17``), `state` the
    last of each domain and machine, `files` names with what came before each, oldest first."""

    upto: str
    state: str
    files: tuple[tuple[str, str], ...]


class BinlogPort(Protocol):
    """Binary logs by machine. Blocking; failures raise `PlaneError`."""

    def turn(self, machine: str, upto: str, /) -> Ended:
        """Have the engine begin another file if anything was written since `upto`."""
        ...

    def fetch(self, machine: str, name: str, /) -> bytes:
        """A file that is written to the end, compressed."""
        ...

    def recover(self, machine: str, files: Iterable[tuple[str, bytes]], until: datetime, /) -> None:
        """Bring a machine that has just booted on a backup to what was begun before an instant of its own clock, with
        the files of its source, compressed, oldest first."""
        ...


def binlogs(compute: ComputePort) -> BinlogPort:
    """Who moves them here."""
    return GuestBinlogs(compute) if isinstance(compute, ContainerCompute) else SimBinlogs()


class SimBinlogs:
    """Engines that write nothing have no logs."""

    def turn(self, _: str, __: str) -> Ended:
        return Ended("", "", ())

    def fetch(self, machine: str, name: str) -> bytes:
        raise PlaneError(f"{machine} has no {name}")

    def recover(self, _: str, __: Iterable[tuple[str, bytes]], ___: datetime) -> None:
        return None


class GuestBinlogs:
    """Of engines in system containers. It remembers nothing."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def turn(self, machine: str, upto: str) -> Ended:
        lines = self._said(machine, ["/bin/sh", "-c", _TURN, "turn", upto], _TURN_SECONDS).decode().splitlines()
        if len(lines) < 2 or not all(_GTIDS.fullmatch(line) for line in lines[:2]):
            raise PlaneError(f"the engine in {machine} does not say where its log ends: {' '.join(lines)[-300:]}")
        found = (line.partition(" ") for line in lines[2:])
        return Ended(lines[0], lines[1], tuple((name, before) for name, _, before in found if _NAME.fullmatch(name)))

    def fetch(self, machine: str, name: str) -> bytes:
        if not _NAME.fullmatch(name):
            raise PlaneError(f"not a binary log: {name!r}")
        return self._said(machine, ["gzip", "-1", "-c", f"/database/data/{name}"], _CARRY_SECONDS)

    def recover(self, machine: str, files: Iterable[tuple[str, bytes]], until: datetime) -> None:
        fresh = "rm -rf /database/restore && mkdir -m 700 /database/restore"
        self._said(machine, ["/bin/sh", "-c", fresh], _CARRY_SECONDS)
        for name, data in files:
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as out:
                info = tarfile.TarInfo(f"{name}.gz")
                info.size, info.mode = len(data), 0o600
                out.addfile(info, io.BytesIO(data))
            self._said(machine, ["tar", "-x", "-C", "/database/restore"], _CARRY_SECONDS, packed.getvalue())
        words = ["/bin/sh", "-c", _RECOVER, "recover", seconds(until)]
        self._said(machine, words, _RECOVER_SECONDS)

    def _said(self, machine: str, argv: list[str], seconds: float, given: bytes = b"") -> bytes:
        code, said = self._compute.run(machine, argv, seconds, given)
        if code:
            words = said.decode("utf-8", "replace").strip()[-600:]
            raise PlaneError(f"the log of {machine} could not be moved ({code}): {words}")
        return said


def seconds(until: datetime) -> str:
    """An instant as ``--stop-datetime`` has it: logs know whole seconds, and what began in the last one counts."""
    whole = until if not until.microsecond else until.replace(microsecond=0) + timedelta(seconds=1)
    return whole.strftime("%Y-%m-%d %H:%M:%S")


def goes_on(before: str, upto: str) -> bool:
    """Whether a file that comes after `before` leaves nothing out after `upto` (pure)."""
    known = _by_domain(upto)
    return all(number <= known.get(domain, 0) for domain, number in _by_domain(before).items())


def has(state: str, upto: str) -> bool:
    """Whether a machine whose log is in `state` has had all transactions up to those (pure)."""
    held = {tuple(one.split("-")[:2]): int(one.split("-")[2]) for one in state.split(",") if one}
    wanted = (one.split("-") for one in upto.split(",") if one)
    return all(held.get((domain, server), 0) >= int(number) for domain, server, number in wanted)


def _by_domain(gtids: str) -> dict[str, int]:
    parts = (one.split("-") for one in gtids.split(",") if one)
    return {domain: int(number) for domain, _, number in parts}


_SAY = r"""set -eu
export PATH=/usr/lib/engine/client:/usr/lib/engine/server:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TZ=UTC
say() {
    setpriv --reuid=rdsadmin --regid=rdsadmin --init-groups mariadb --no-defaults -S "$socket" -u rdsadmin -N -B "$@"
}
"""

_TURN = (
    _SAY
    + r"""
socket=/run/mysqld/mysqld.sock
now=$(say -e 'SELECT @@gtid_binlog_pos')
if [ "$now" != "$1" ]; then
    say -e 'FLUSH LOCAL BINARY LOGS'
    now=
fi
say -e 'SHOW BINARY LOGS' | cut -f 1 | sed '$d' >/run/ended
last=$(say -e 'SHOW BINARY LOGS' | cut -f 1 | tail -n 1)
# What the file that is being written begins after is what the others end with.
say -e "SELECT BINLOG_GTID_POS('$last', 4)"
say -e 'SELECT @@gtid_binlog_state'
while read -r name; do
    echo "$name $(say -e "SELECT BINLOG_GTID_POS('$name', 4)")"
done </run/ended
"""
)

_RECOVER = (
    _SAY
    + r"""
socket=/run/mysqld/recover.sock
data=/database/data
[ "$(stat -c %U $data)" = mysql ] || chown -R mysql:mysql $data
install -d -o mysql -g mysql -m 755 /run/mysqld
setpriv --reuid=mysql --regid=mysql --init-groups --no-new-privs \
    mariadbd --defaults-file=/database/conf/my.cnf --skip-networking --socket=$socket \
    --pid-file=/run/mysqld/recover.pid \
    --rpl-semi-sync-master-enabled=OFF --rpl-semi-sync-slave-enabled=OFF --read-only=OFF --skip-slave-start \
    --event-scheduler=OFF --require-secure-transport=OFF --general-log=OFF --slow-query-log=OFF \
    --max-allowed-packet=1073741824 --init-connect= --log-error=/run/recover.log &
engine=$!
tries=0
until say -e 'SELECT 1' >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 1200 ] || ! kill -0 $engine 2>/dev/null; then
        tail -n 8 /run/recover.log >&2
        kill -9 $engine 2>/dev/null || :
        exit 4
    fi
    sleep 0.05
done
code=0
for log in /database/restore/*.gz; do
    [ -e "$log" ] || continue
    gzip -dc "$log" >/database/restore/now
    at=$(say -e 'SELECT @@gtid_binlog_pos')
    mariadb-binlog --no-defaults --stop-datetime="$1" ${at:+--start-position="$at"} /database/restore/now \
        2>/run/binlog.err >/database/restore/now.sql || {
        # A file that ends before where the data are has nothing more for them.
        grep -q 'never reached expected GTID state' /run/binlog.err || { code=5; break; }
        continue
    }
    say --binary-mode --max-allowed-packet=1073741824 </database/restore/now.sql >&2 || { code=6; break; }
done
kill -TERM $engine
wait $engine || :
# The engine has its own last words: why it came to this is said after them.
[ "$code" != 5 ] || echo "$log at ${at:-none}: $(cat /run/binlog.err)" >&2
[ "$code" = 0 ] || exit $code
rm -rf /database/restore
sync -f /database
"""
)
