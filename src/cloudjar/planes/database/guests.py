"""Engines in system containers: the driver of `DatabasePort` for real machines. It remembers nothing."""

from __future__ import annotations

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.database import image, kinds, releases
from cloudjar.planes.database.port import Engine

_APPLY_SECONDS = 120
_LOOK_SECONDS = 10
_UPGRADE_SECONDS = 6 * 3600


class GuestDatabases:
    """Engines inside the machines of `compute`; implements `DatabasePort`."""

    name = "guests"

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def version(self, kind: str, release: str) -> str:
        """As the built image has it."""
        return image.installed(kind, release, self._compute.store.folder)

    def fetches(self) -> bool:
        """They are programs of one kind of processor."""
        return releases.can_fetch()

    def prepare(self, kind: str, release: str) -> str:
        """Build and cache."""
        return image.prepared(self._compute.store, kind, release)

    def apply(self, engine: Engine) -> None:
        """Hand the guest its configuration, all at once."""
        argv = [f"/{kinds.TOOLS}/apply", str(engine.port)]
        given = kinds.of(engine.kind).archive(engine)
        code, said = self._compute.run(engine.machine, argv, _APPLY_SECONDS, given)
        if code:
            words = said.decode("utf-8", "replace").strip()[-600:]
            raise PlaneError(f"the engine in {engine.machine} could not be set up ({code}): {words}")

    def leave(self, machine: str, kind: str) -> str:
        """The old engine's own tools."""
        return self._half(machine, kind, "leave")

    def arrive(self, machine: str, kind: str) -> str:
        """The new engine's."""
        return self._half(machine, kind, "arrive")

    def _half(self, machine: str, kind: str, tool: str) -> str:
        kinds.of(kind)
        code, said = self._compute.run(machine, [f"/{kinds.TOOLS}/{tool}"], _UPGRADE_SECONDS)
        return f"({code}) {said.decode('utf-8', 'replace').strip()[-600:]}" if code else ""

    def accepts(self, machine: str) -> bool:
        """Ask the engine at its socket, wherever it is."""
        try:
            return self._compute.run(machine, [f"/{kinds.TOOLS}/accepts"], _LOOK_SECONDS)[0] == 0
        except PlaneError:
            return False
