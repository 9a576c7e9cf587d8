"""Engines in system containers: the driver of `DatabasePort` for real machines. It remembers nothing."""

from __future__ import annotations

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.database import image, postgres
from cloudjar.planes.database.port import Engine

_APPLY_SECONDS = 120
_LOOK_SECONDS = 10


class GuestDatabases:
    """Engines inside the machines of `compute`; implements `DatabasePort`."""

    name = "guests"

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def version(self, kind: str, major: str) -> str:
        """As the built image has it."""
        return image.installed(kind, major, self._compute.store.folder)

    def prepare(self, kind: str, major: str) -> str:
        """Build and cache."""
        return image.prepared(self._compute.store, kind, major)

    def apply(self, engine: Engine) -> None:
        """Hand the guest its configuration, all at once."""
        argv = ["/usr/libexec/cloudjar/apply", str(engine.port)]
        code, said = self._compute.run(engine.machine, argv, _APPLY_SECONDS, postgres.archive(engine))
        if code:
            words = said.decode("utf-8", "replace").strip()[-600:]
            raise PlaneError(f"the engine in {engine.machine} could not be set up ({code}): {words}")

    def accepts(self, machine: str) -> bool:
        """Ask the engine at its socket, wherever it is."""
        look = "set -- /run/postgresql/.s.PGSQL.*[0-9]; pg_isready -q -h /run/postgresql -p \"${1##*.}\" -U rdsadmin"
        try:
            return self._compute.run(machine, ["/bin/sh", "-c", look], _LOOK_SECONDS)[0] == 0
        except PlaneError:
            return False
