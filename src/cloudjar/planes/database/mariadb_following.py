"""MariaDB that follows MariaDB, by the engine's own replication, in system containers.

A follower begins with a copy that ``mariadb-backup`` takes of the running source, and that the host hands from one
machine to the other. Data that were a source's are gone on with if all of it is in the new source's log; if not, the
new source refuses them, and they are copied anew.
"""

from __future__ import annotations

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.database import kinds, mariadb, mariadb_follow_scripts
from cloudjar.planes.database.port import Engine

_COPY_SECONDS = 6 * 3600
_START_SECONDS = 120
_PROMOTE_SECONDS = 3600
"""What was received is done first."""
_COMES = 400
"""Of 50 ms each: how long a follower may take to come at all."""
_IS_THERE = 40
"""Likewise, for one that was there a minute ago."""
_STRANGER = 5


class MariaFollowing:
    """What `FollowingPort` says of engines, for this one. It remembers nothing."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def follow(self, engine: Engine, *, afresh: bool = False) -> None:
        """Configuration, data if there are none, start."""
        if self._lay(engine, "afresh" if afresh else ""):
            self._copy(engine)
        self._run(engine.machine, mariadb_follow_scripts.FOLLOW, [], _START_SECONDS)

    def resume(self, engine: Engine) -> None:
        """Its configuration, and leave to start."""
        if self._lay(engine, ""):
            raise PlaneError(f"{engine.machine} has no data")
        self._run(engine.machine, mariadb_follow_scripts.RESUME, [], _START_SECONDS)

    def near(self, engine: Engine, follower: str, *, patient: bool = True) -> bool:
        """As the follower sees it; one that is looked at every minute need not have everything."""
        upto = self._where(engine.machine) if patient else ""
        words = [upto, str(_COMES if patient else _IS_THERE)]
        code, text = self._ran(follower, mariadb_follow_scripts.REACHED, words, _START_SECONDS)
        if code not in (0, _STRANGER):
            raise PlaneError(f"{follower} is not near {engine.machine} ({code}): {text.strip()[-600:]}")
        return code == 0

    def synced(self, engine: Engine, follower: str) -> None:
        """From when the source waits on, nothing new is acknowledged alone; what was before that is waited for here."""
        upto = self._where(engine.machine, "waits")
        self._run(follower, mariadb_follow_scripts.REACHED, [upto, str(_COMES)], _START_SECONDS)

    def promote(self, engine: Engine) -> None:
        """What it has received is done; then it is told what it is from now on."""
        self._run(engine.machine, mariadb_follow_scripts.PROMOTE, [], _PROMOTE_SECONDS)
        told = msgspec.structs.replace(engine, source=None)
        argv = [f"/{kinds.TOOLS}/apply", str(engine.port)]
        code, said = self._compute.run(engine.machine, argv, _START_SECONDS, mariadb.archive(told))
        if code:
            raise PlaneError(f"{engine.machine} does not take over ({code}): {said[-600:].decode('utf-8', 'replace')}")

    def _lay(self, engine: Engine, how: str) -> bool:
        """Lay the configuration out; True if the engine has no data to start with."""
        said = self._run(engine.machine, mariadb_follow_scripts.LAY, [how], _START_SECONDS, mariadb.archive(engine))
        return said.strip() == "seed"

    def _copy(self, engine: Engine) -> None:
        assert engine.source is not None
        source, shell = engine.source.machine, ["/bin/sh", "-c"]
        given, taken = self._compute.pipe(
            (source, [*shell, mariadb_follow_scripts.GIVE, "give"]),
            (engine.machine, [*shell, mariadb_follow_scripts.TAKE, "take"]),
            _COPY_SECONDS,
        )
        for code, said in (given, taken):
            if code:
                words = said.decode("utf-8", "replace").strip()[-600:]
                raise PlaneError(f"{source} could not be copied to {engine.machine} ({code}): {words}")

    def _where(self, machine: str, how: str = "") -> str:
        return self._run(machine, mariadb_follow_scripts.WHERE, [how], _START_SECONDS).strip()

    def _run(self, machine: str, script: str, words: list[str], seconds: float, given: bytes = b"") -> str:
        code, text = self._ran(machine, script, words, seconds, given)
        if code:
            raise PlaneError(f"replication in {machine} failed ({code}): {text.strip()[-600:]}")
        return text

    def _ran(
        self, machine: str, script: str, words: list[str], seconds: float, given: bytes = b""
    ) -> tuple[int, str]:
        argv = ["/bin/sh", "-c", script, "replication", *words]
        code, said = self._compute.run(machine, argv, seconds, given)
        return code, said.decode("utf-8", "replace")
