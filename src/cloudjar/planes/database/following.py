"""Engines that follow engines: the port, and its driver for engines in system containers."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.database import links, postgres, replication_scripts
from cloudjar.planes.database.port import Engine

_COPY_SECONDS = 6 * 3600
_PROMOTE_SECONDS = 120
_LOOK_SECONDS = 10
_COMES = 400
"""Likewise: how long a follower may take to come at all."""
_IS_THERE = 40
"""Likewise, for one that was there a minute ago."""
_STRANGER = 5
_TRIES = 600
"""Of 50 ms each: how long a follower may take to have what its source has, in one look."""

Place = tuple[str, str]
"""A machine, and the name of its network namespace."""


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How far a follower is behind."""

    streaming: bool
    seconds: float
    """Of the last transaction that it replayed; 0 when there is no newer one."""


class FollowingPort(Protocol):
    """Who follows whom. Calls are idempotent and blocking; failures raise `PlaneError`."""

    def join(self, here: Place, there: Place, /) -> None:
        """Give two machines the way on which one replicates from the other."""
        ...

    def part(self, here: Place, there: str, /) -> None:
        """Take that way from a machine to another."""
        ...

    def follow(self, engine: Engine, *, afresh: bool = False) -> None:
        """Have a running machine's engine follow `engine.source`: its data are copied or rewound where they are not
        the source's (all of them if `afresh`). Waits until it answers if it is to be readable."""
        ...

    def resume(self, engine: Engine) -> None:
        """Have the engine of a machine that was booted run on, whatever it was, without asking its source."""
        ...

    def near(self, engine: Engine, follower: str, *, patient: bool = True) -> bool:
        """Wait until a follower of the running `engine` is almost there; False if it does not come, which takes longer
        to know for who is `patient`: its data are of another lineage, or what it lacks is there no more. Raises
        `PlaneError` while it is far behind."""
        ...

    def synced(self, engine: Engine, follower: str) -> None:
        """Wait until a follower that the running `engine` waits for has everything that was ever acknowledged."""
        ...

    def promote(self, engine: Engine) -> None:
        """The engine that follows takes over; nothing when it did. The source must not run any more."""
        ...

    def lag(self, machine: str) -> Lag:
        """Of a readable follower."""
        ...


class GuestFollowing:
    """Inside the machines of `compute`; implements `FollowingPort`. It remembers nothing."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def join(self, here: Place, there: Place) -> None:
        """A pair of links."""
        links.join(here, there)

    def part(self, here: Place, there: str) -> None:
        """Both ends of the pair."""
        links.part(here, there)

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

    def lag(self, machine: str) -> Lag:
        """As the follower sees it."""
        said = self._run(machine, replication_scripts.LAG, [], _LOOK_SECONDS)
        streaming, _, seconds = said.strip().partition("|")
        return Lag(streaming=streaming == "t", seconds=float(seconds or 0))

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
