"""Engines that follow engines: the port, and its driver for engines in system containers."""

from __future__ import annotations

from typing import Protocol

from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.database import links
from cloudjar.planes.database.mariadb_following import MariaFollowing
from cloudjar.planes.database.port import Engine
from cloudjar.planes.database.postgres_following import PostgresFollowing

Place = tuple[str, str]
"""A machine, and the name of its network namespace."""


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


class GuestFollowing:
    """Inside the machines of `compute`, each engine in its own way; implements `FollowingPort`."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._ways: dict[str, PostgresFollowing | MariaFollowing] = {
            "postgres": PostgresFollowing(compute), "mariadb": MariaFollowing(compute),
        }  # fmt: skip

    def join(self, here: Place, there: Place) -> None:
        """A pair of links."""
        links.join(here, there)

    def part(self, here: Place, there: str) -> None:
        """Both ends of the pair."""
        links.part(here, there)

    def follow(self, engine: Engine, *, afresh: bool = False) -> None:
        """As its kind does."""
        self._ways[engine.kind].follow(engine, afresh=afresh)

    def resume(self, engine: Engine) -> None:
        """Likewise."""
        self._ways[engine.kind].resume(engine)

    def near(self, engine: Engine, follower: str, *, patient: bool = True) -> bool:
        """Likewise."""
        return self._ways[engine.kind].near(engine, follower, patient=patient)

    def synced(self, engine: Engine, follower: str) -> None:
        """Likewise."""
        self._ways[engine.kind].synced(engine, follower)

    def promote(self, engine: Engine) -> None:
        """Likewise."""
        self._ways[engine.kind].promote(engine)
