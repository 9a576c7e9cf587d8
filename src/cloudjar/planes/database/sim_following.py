"""Engines that follow each other only here: whoever is up has everything."""

from __future__ import annotations

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.following import Place
from cloudjar.planes.database.port import Engine


class SimFollowing:
    """The ``sim`` driver; implements `FollowingPort`. `sources` is whom each machine was last told to follow, by name;
    "" of one that took over; `copied` those whose data were copied whole because they were of no use."""

    def __init__(self, compute: ComputePort) -> None:
        self._compute = compute
        self.sources: dict[str, str] = {}
        self.copied: list[str] = []

    def join(self, here: Place, there: Place) -> None:
        """There is no network."""

    def part(self, here: Place, there: str) -> None:
        """Likewise."""

    def follow(self, engine: Engine, *, afresh: bool = False) -> None:
        """Note it."""
        self._need(engine.machine)
        assert engine.source is not None
        self.sources[engine.machine] = engine.source.name
        if afresh:
            self.copied.append(engine.machine)

    def resume(self, engine: Engine) -> None:
        """It is as it was."""
        self._need(engine.machine)

    def near(self, engine: Engine, follower: str, *, patient: bool = True) -> bool:  # noqa: ARG002  # takes no time
        """While both are up."""
        self._need(engine.machine)
        return self._compute.look(follower) == "up"

    def synced(self, engine: Engine, follower: str) -> None:
        """At once, while both are up."""
        self._need(engine.machine)
        self._need(follower)

    def promote(self, engine: Engine) -> None:
        """Note it."""
        self._need(engine.machine)
        self.sources[engine.machine] = ""

    def _need(self, machine: str) -> None:
        if self._compute.look(machine) != "up":
            raise PlaneError(f"machine {machine} is not running")
