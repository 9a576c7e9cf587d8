"""Engines that exist only here: for tests, and for hosts without root. No data, no connections, and it says so."""

from __future__ import annotations

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.port import Engine


class SimDatabases:
    """The ``sim`` driver; implements `DatabasePort`. `engines` is what was applied last, by machine."""

    name = "sim"

    def __init__(self, compute: ComputePort) -> None:
        self._compute = compute
        self.engines: dict[str, Engine] = {}

    def version(self, _: str, __: str) -> str:
        """Nothing is installed."""
        return ""

    def fetches(self) -> bool:
        """Whatever is asked for."""
        return True

    def prepare(self, _: str, __: str) -> str:
        """An image that simulated machines have."""
        return "debian-12"

    def apply(self, engine: Engine) -> None:
        """Note it, of a machine that is up."""
        if self._compute.look(engine.machine) != "up":
            raise PlaneError(f"machine {engine.machine} is not running")
        self.engines[engine.machine] = engine

    def leave(self, _: str, __: str) -> str:
        """There are no data."""
        return ""

    def arrive(self, _: str, __: str) -> str:
        """There are no data."""
        return ""

    def accepts(self, machine: str) -> bool:
        """While its machine is up."""
        return machine in self.engines and self._compute.look(machine) == "up"
