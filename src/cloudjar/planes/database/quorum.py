"""Engines of which any one must have a commit before it is acknowledged: the port, and its drivers.

A source is told whom it waits for with the rest of its configuration (`replication.Peers.any_of`); here is what must be
known to change that without losing anything.
https://www.postgresql.org/docs/15/warm-standby.html#SYNCHRONOUS-REPLICATION
"""

from __future__ import annotations

from typing import Protocol

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.port import Engine

_TRIES = 400
"""Of 50 ms each: how long followers may take to have what their source has, in one look."""
_SECONDS = 60


class QuorumPort(Protocol):
    """How far followers are. Calls are idempotent and blocking; failures raise `PlaneError`."""

    def attached(self, engine: Engine) -> frozenset[str]:
        """Machines to which a running engine's log goes, and which are not far behind."""
        ...

    def covered(self, engine: Engine) -> None:
        """Wait until the running engine waits for any one of `engine.peers.any_of`, and one of them has everything
        that was acknowledged before."""
        ...

    def position(self, machine: str) -> int:
        """How much of the log a running follower has on its disk, in bytes since the log began."""
        ...


class GuestQuorum:
    """Inside the machines of `compute`; implements `QuorumPort`. It remembers nothing."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def attached(self, engine: Engine) -> frozenset[str]:
        """As the source sees it."""
        return frozenset(self._run(engine.machine, ATTACHED, str(engine.port)).split())

    def covered(self, engine: Engine) -> None:
        """Likewise."""
        names = ",".join(f"'{machine}'" for machine in engine.peers.any_of)
        self._run(engine.machine, COVERED, str(engine.port), names, str(_TRIES))

    def position(self, machine: str) -> int:
        """As the follower sees it."""
        return int(self._run(machine, POSITION))

    def _run(self, machine: str, script: str, *words: str) -> str:
        code, said = self._compute.run(machine, ["/bin/sh", "-c", script, "quorum", *words], _SECONDS)
        text = said.decode("utf-8", "replace").strip()
        if code:
            raise PlaneError(f"the engine in {machine} does not say how far others are ({code}): {text[-600:]}")
        return text


class SimQuorum:
    """Whoever is up has everything, but what `positions` says."""

    def __init__(self, compute: ComputePort) -> None:
        self._compute = compute
        self.positions: dict[str, int] = {}
        self.apart: set[str] = set()
        """Machines that are up, and get nothing."""

    def attached(self, engine: Engine) -> frozenset[str]:
        """All machines that are up, but the engine's own."""
        self._need(engine.machine)
        up = {name for name, seen in self._compute.machines().items() if seen == "up"}
        return frozenset(up - self.apart - {engine.machine})

    def covered(self, engine: Engine) -> None:
        """If one is up."""
        if not any(self._compute.look(machine) == "up" for machine in engine.peers.any_of):
            raise PlaneError(f"nobody has what {engine.machine} has")

    def position(self, machine: str) -> int:
        """0 unless something else was said."""
        self._need(machine)
        return self.positions.get(machine, 0)

    def _need(self, machine: str) -> None:
        if self._compute.look(machine) != "up":
            raise PlaneError(f"machine {machine} is not running")


def quorum(compute: ComputePort) -> QuorumPort:
    """From the compute plane to who knows."""
    return GuestQuorum(compute) if isinstance(compute, ContainerCompute) else SimQuorum(compute)


_ASK = """
set -eu
export PATH=/usr/lib/engine/client:/usr/sbin:/usr/bin:/sbin:/bin
ask() { psql -h /run/postgresql -p "$1" -U rdsadmin -d postgres -X -q -A -t -v ON_ERROR_STOP=1 -c "$2"; }
"""

ATTACHED = (
    _ASK
    + """
# Says which followers come and are not far behind. $1: the port.
ask "$1" "SELECT application_name FROM pg_stat_replication
          WHERE state = 'streaming' AND pg_current_wal_insert_lsn() - flush_lsn < 16777216"
"""
)

COVERED = (
    _ASK
    + """
# Waits until one of the followers $2 ('a','b') is waited for and has everything. $1: the port; $3: tries of 50 ms.
wait_for() {
    until [ "$(ask "$1" "$2")" = t ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt "$3" ]; then exit 5; fi
        sleep 0.05
    done
}
tries=0
mine="FROM pg_stat_replication WHERE application_name IN ($2) AND sync_state = 'quorum'"
others="FROM pg_stat_replication WHERE application_name NOT IN ($2) AND sync_state IN ('quorum', 'sync')"
wait_for "$1" "SELECT EXISTS (SELECT $mine) AND NOT EXISTS (SELECT $others)" "$3"
# The checkpointer reads the configuration before it obeys: from here on every commit waits, and those before are these.
ask "$1" "CHECKPOINT"
there=$(ask "$1" "SELECT pg_current_wal_insert_lsn()")
wait_for "$1" "SELECT EXISTS (SELECT $mine AND flush_lsn >= '$there')" "$3"
"""
)

POSITION = (
    _ASK
    + """
# Says how far the log goes that is here. After a start only the log on the disk counts, once all of it was looked at.
set -- /run/postgresql/.s.PGSQL.*[0-9]
tries=0
until found=$(ask "${1##*.}" "
    SELECT (greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0')::bigint
    WHERE pg_last_wal_receive_lsn() IS NOT NULL
       OR EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'startup'
                  AND wait_event IN ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval'))") && [ -n "$found" ]; do
    tries=$((tries + 1))
    [ "$tries" -le 400 ] || { echo "the engine does not know how far its log goes" >&2; exit 6; }
    sleep 0.05
done
echo "$found"
"""
)
