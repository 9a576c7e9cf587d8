"""PostgreSQL that follows PostgreSQL, by the engine's own streaming, in system containers."""

from __future__ import annotations

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.database import postgres, replication_scripts
from cloudjar.planes.database.port import Engine

_COPY_SECONDS = 6 * 3600
_PROMOTE_SECONDS = 120
_COMES = 400
"""Of 50 ms each: how long a follower may take to come at all."""
_IS_THERE = 40
"""Likewise, for one that was there a minute ago."""
_STRANGER = 5
_TRIES = 600
"""Likewise: how long a follower may take to have what its source has, in one look."""


class PostgresFollowing:
    """What `FollowingPort` says of engines, for this one. It remembers nothing."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def follow(self, engine: Engine, *, afresh: bool = False) -> None:
        """One script: configuration, data, start."""
        words = [str(engine.port), "afresh" if afresh else ""]
        self._run(engine.machine, replication_scripts.FOLLOW, words, _COPY_SECONDS, postgres.archive(engine))

    def resume(self, engine: Engine) -> None:
        """Its configuration, and leave to start."""
        words = [str(engine.port), "resume"]
        self._run(engine.machine, replication_scripts.FOLLOW, words, _PROMOTE_SECONDS, postgres.archive(engine))

    def near(self, engine: Engine, follower: str, *, patient: bool = True) -> bool:
        """As the source sees it."""
        words = [str(engine.port), follower, str(_COMES if patient else _IS_THERE)]
        code, text = self._ran(engine.machine, replication_scripts.NEAR, words, _COMES / 4 + 60)
        if code not in (0, _STRANGER):
            raise PlaneError(f"{follower} is not near {engine.machine} ({code}): {text.strip()[-600:]}")
        return code == 0

    def synced(self, engine: Engine, follower: str) -> None:
        """As the source sees it."""
        words = [str(engine.port), follower, str(_TRIES)]
        self._run(engine.machine, replication_scripts.SYNCED, words, _TRIES / 20 + _PROMOTE_SECONDS)

    def promote(self, engine: Engine) -> None:
        """By the engine's own tool."""
        self._run(engine.machine, replication_scripts.PROMOTE, [], _PROMOTE_SECONDS)

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
