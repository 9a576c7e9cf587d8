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


class FiguresPort(Protocol):
    """Figures by machine; raises `PlaneError` while there is nobody to ask."""

    def read(self, machine: str, kind: str, port: int, /) -> Figures | None:
        """As it is now; None where engines have none."""
        ...


def figures(compute: ComputePort) -> FiguresPort:
    """Who asks engines here."""
    return GuestFigures(compute) if isinstance(compute, ContainerCompute) else NoFigures()


class NoFigures:
    """Engines that are not there say nothing."""

    def read(self, _: str, __: str, ___: int) -> Figures | None:
        return None


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
}
