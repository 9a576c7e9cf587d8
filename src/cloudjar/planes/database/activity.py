"""Who does what in an engine, each second: samples that a small loop inside the machine takes, fetched now and then.

The loop is one client that asks the engine once a second, and writes down who was at work; it ends by itself when
nobody fetches any more. Where nobody wants samples nothing runs.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort

_SECONDS = 20


class Session(NamedTuple):
    """Somebody at work. Empty where the engine does not say."""

    user: str
    host: str
    application: str
    database: str
    kind: str
    wait_type: str
    wait: str
    sql: str


class Sample(NamedTuple):
    """A second of the machine's time (Unix), and who was at work then."""

    at: int
    sessions: tuple[Session, ...]


class ActivityPort(Protocol):
    """Samples by machine. Raises `PlaneError` while the machine cannot be asked."""

    def take(self, machine: str, kind: str, port: int, /) -> list[Sample]:
        """Those that were taken since the last time, oldest first; they are forgotten. Begins to take some if nobody
        did."""
        ...


def activity(compute: ComputePort) -> ActivityPort:
    """Who samples here."""
    return GuestActivity(compute) if isinstance(compute, ContainerCompute) else NoActivity()


class NoActivity:
    """Engines that are not there. `says`: what somebody has them say next, by machine."""

    def __init__(self) -> None:
        self.says: dict[str, list[Sample]] = {}

    def take(self, machine: str, _: str, __: int) -> list[Sample]:
        return self.says.pop(machine, [])


class GuestActivity:
    """Engines in system containers."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def take(self, machine: str, kind: str, port: int) -> list[Sample]:
        if kind not in _LOOPS:
            return []
        argv = ["/bin/sh", "-c", _TAKE, "take", _LOOPS[kind], str(port)]
        code, said = self._compute.run(machine, argv, _SECONDS)
        if code:
            raise PlaneError(f"{machine} cannot be sampled: {said[-300:].decode('utf-8', 'replace').strip()}")
        return parsed(said.decode("utf-8", "replace"))


def parsed(said: str) -> list[Sample]:
    """Lines ``seconds [[user, host, ...], ...]`` as samples (pure); what is no such line is passed over."""
    found: dict[int, Sample] = {}
    for line in said.splitlines():
        at, _, body = line.partition(" ")
        if not at.isdigit():
            continue
        try:
            rows = msgspec.json.decode(body or "[]", type=list[list[str | None]])
        except msgspec.DecodeError:
            continue
        sessions = tuple(Session(*(cell or "" for cell in row)) for row in rows if len(row) == len(Session._fields))
        found[int(at)] = Sample(int(at), sessions)
    return [found[at] for at in sorted(found)]


_TAKE = r"""set -eu
mkdir -p /run/insights
cd /run/insights
read -r up _ </proc/uptime
echo "${up%%.*}" >wanted.new
mv wanted.new wanted
# Whole pieces alone: the last one is being written.
for file in $(ls | sed -n 's/^s\.//p' | sort -n | sed '$d'); do
    cat "s.$file"
    rm -f "s.$file"
done
setsid /bin/sh -c "$1" loop "$2" </dev/null >/dev/null 2>&1 9>&- &
"""
_FRONT = r"""cd /run/insights
exec 9>lock
flock -n 9 || exit 0
export PATH=/usr/lib/engine/client:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
ask() {
    while :; do
        read -r last <wanted || exit 0
        read -r up _ </proc/uptime
        [ $((${up%%.*} - last)) -le 90 ] || exit 0
        printf '%s\n' "$q" || exit 0
        sleep 1
    done
}
write() {
    awk '{ piece = int($1 / 5)
        if (piece != last) { if (last) close("s." last); last = piece }
        print >> ("s." piece); fflush() }'
}
"""
_LOOPS = {
    "postgres": _FRONT
    + r"""
q="SELECT extract(epoch FROM clock_timestamp())::bigint || ' ' || coalesce((SELECT json_agg(json_build_array(usename,
coalesce(host(client_addr), ''), application_name, datname, backend_type, wait_event_type, wait_event,
left(query, 1000)))::text FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()
AND backend_type <> 'walsender' AND usename IS DISTINCT FROM 'rdsadmin'), '[]');"
q=$(printf '%s' "$q" | tr '\n' ' ')
ask | psql -h /run/postgresql -p "$1" -U rdsadmin -d postgres -X -q -A -t | write
""",
    "mariadb": _FRONT
    + r"""
q="SET SESSION group_concat_max_len = 4194304; SELECT concat(unix_timestamp(), ' ', coalesce((SELECT concat('[',
group_concat(json_array(user, substring_index(host, ':', 1), '', coalesce(db, ''), 'client', 'state',
coalesce(nullif(state, ''), 'CPU'), coalesce(left(info, 1000), '')) SEPARATOR ','), ']') FROM
information_schema.processlist WHERE command NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Slave_IO', 'Slave_SQL')
AND id <> connection_id() AND user NOT IN ('system user', 'event_scheduler', 'rdsadmin')), '[]'));"
q=$(printf '%s' "$q" | tr '\n' ' ')
ask | setpriv --reuid=rdsadmin --regid=rdsadmin --init-groups mariadb --no-defaults -S /run/mysqld/mysqld.sock \
    -u rdsadmin -N -B -r --unbuffered | write
""",
}
