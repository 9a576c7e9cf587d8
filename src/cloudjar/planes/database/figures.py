"""What an engine says of itself and its machine, now: counts and bytes by name."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.cgroups import Groups
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort

_SECONDS = 20


class Figures(msgspec.Struct, frozen=True, array_like=True):
    """Of one moment. Bytes where nothing else is said; None: not known of this engine."""

    memory: float = 0.0
    """Of the host's, that the machine holds, caches of files included."""
    free: float | None = None
    """Of the volume."""
    connections: float | None = None
    log: float | None = None
    """The write-ahead log on the volume."""
    oldest: float | None = None
    """Transactions since the oldest that some row still depends on."""
    deadlocks: float | None = None
    """Since the statistics began."""
    slots: float | None = None
    """Log that the slowest follower still has to read."""
    lag_ms: float | None = None
    """How long ago a follower's source did what it did last; -1000 of one that nothing comes to."""
    binlog: float | None = None
    """MariaDB's binary logs on the volume."""


class FiguresPort(Protocol):
    """Figures by machine; raises `PlaneError` while there is nobody to ask."""

    def read(self, machine: str, kind: str, port: int, /) -> Figures | None:
        """As it is now; None where engines have none."""
        ...


def figures(compute: ComputePort) -> FiguresPort:
    """Who asks engines here."""
    return GuestFigures(compute) if isinstance(compute, ContainerCompute) else NoFigures()


class NoFigures:
    """Engines that are not there say nothing, unless somebody has them: `says`, by machine."""

    def __init__(self) -> None:
        self.says: dict[str, Figures] = {}

    def read(self, machine: str, _: str, __: int) -> Figures | None:
        return self.says.get(machine)


class GuestFigures:
    """Engines in system containers."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def read(self, machine: str, kind: str, port: int) -> Figures:
        memory = float(Groups(self._compute.tag, machine).memory_bytes())
        script = _SCRIPTS.get(kind, _VOLUME)
        code, said = self._compute.run(machine, ["/bin/sh", "-c", script, "figures", str(port)], _SECONDS)
        if code:
            raise PlaneError(f"{machine} gives no figures: {said[-300:].decode('utf-8', 'replace').strip()}")
        return parsed(said.decode("utf-8", "replace"), memory)


def parsed(said: str, memory: float) -> Figures:
    """The figures in lines ``name|number``; others are passed over (pure)."""
    names, found = set(Figures.__struct_fields__), {}
    for line in said.splitlines():
        name, _, number = line.partition("|")
        if name in names and number.strip().lstrip("-").isdigit():
            found[name] = float(number)
    return Figures(**{**found, "memory": memory})


_VOLUME = r"""export PATH=/usr/lib/engine/client:/usr/sbin:/usr/bin:/sbin:/bin
echo "free|$(df -B1 --output=avail /database/ | tail -n 1 | tr -d ' ')"
"""
_SCRIPTS = {
    "postgres": _VOLUME
    + r"""
exec psql -h /run/postgresql -p "$1" -U rdsadmin -d postgres -X -q -A -t -v ON_ERROR_STOP=1 <<'SQL'
SELECT 'connections', count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
UNION ALL SELECT 'log', coalesce(sum(size), 0)::bigint FROM pg_ls_waldir()
UNION ALL SELECT 'oldest', max(age(datfrozenxid))::bigint FROM pg_database
UNION ALL SELECT 'deadlocks', coalesce(sum(deadlocks), 0)::bigint FROM pg_stat_database
UNION ALL SELECT 'slots', max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn))::bigint
FROM pg_replication_slots WHERE NOT pg_is_in_recovery()
UNION ALL SELECT 'lag_ms', CASE WHEN NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') THEN -1000
WHEN pg_last_wal_receive_lsn() IS NOT DISTINCT FROM pg_last_wal_replay_lsn() THEN 0
ELSE greatest(0, 1000 * extract(epoch FROM now() - pg_last_xact_replay_timestamp()))::bigint END
WHERE pg_is_in_recovery();
SQL
""",
    "mariadb": _VOLUME
    + r"""
ask() {
    setpriv --reuid=rdsadmin --regid=rdsadmin --init-groups mariadb --no-defaults -S /run/mysqld/mysqld.sock \
        -u rdsadmin "$@"
}
# Logs have a file for each hour, for three days.
hour=$(date -u +%Y-%m-%d.%H)
past=$(cat /run/log.hour 2>/dev/null || echo "$hour")
if [ "$past" != "$hour" ]; then
    for file in error/mysql-error-running.log general/mysql-general.log slowquery/mysql-slowquery.log; do
        [ ! -s "/database/log/$file" ] || mv "/database/log/$file" "/database/log/$file.$past"
    done
    ask -e 'FLUSH LOCAL ERROR LOGS, GENERAL LOGS, SLOW LOGS'
    find /database/log -type f -mmin +4320 -delete 2>/dev/null || :
fi
echo "$hour" >/run/log.hour
ask -N -B -e "SELECT CONCAT('connections|', COUNT(*)) FROM information_schema.PROCESSLIST
    WHERE USER NOT IN ('rdsadmin', 'rdsrepladmin', 'system user', 'event_scheduler', 'unauthenticated user')" || exit 1
ask -N -B -e 'SHOW BINARY LOGS' | awk '{ sum += $2 } END { printf "binlog|%.0f\n", sum }'
ask -e 'SHOW SLAVE STATUS\G' | awk '/Seconds_Behind_Master:/ { print "lag_ms|" ($2 == "NULL" ? -1000 : $2 * 1000) }'
""",
}
