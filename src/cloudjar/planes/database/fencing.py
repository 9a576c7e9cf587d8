"""An engine that is taken out of service while another takes its place: nobody writes any more, and the other has
everything.

What an engine is told (`Engine.closed`) keeps new clients out; here those that are in are put out, and it is asked how
far its log goes then. A PostgreSQL is started anew for that: whoever was just being let in is out too.
"""

from __future__ import annotations

from typing import Protocol

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database import fencing_scripts, mariadb_follow_scripts
from cloudjar.planes.database.port import Engine

_CLOSE_SECONDS = 180
_REACH_SECONDS = 60
_TRIES = 200
"""Of 50 ms each: how long a follower may take to have what there is, in one look."""
_BEHIND = (5, 7)
"""How scripts end that a follower has not come so far."""


class FencingPort(Protocol):
    """Engines by machine. Calls are idempotent and blocking; failures raise `PlaneError`."""

    def close(self, engine: Engine, /) -> str:
        """Have a running engine that was told to be closed put everybody out. Returns how far its log goes: nothing
        that was acknowledged lies behind that."""
        ...

    def reached(self, follower: Engine, upto: str, /) -> bool:
        """Wait a little until a running engine that follows has everything up to there; False if it has not yet."""
        ...


def fences(compute: ComputePort) -> FencingPort:
    """Who does it here."""
    return GuestFences(compute) if isinstance(compute, ContainerCompute) else SimFences(compute)


class SimFences:
    """Engines that are not there; whoever is up has everything. `closed` are the machines that were closed."""

    def __init__(self, compute: ComputePort) -> None:
        self._compute = compute
        self.closed: list[str] = []

    def close(self, engine: Engine) -> str:
        self._need(engine.machine)
        if not engine.closed:
            raise PlaneError(f"{engine.machine} was not told to be closed")
        self.closed.append(engine.machine)
        return "0/0"

    def reached(self, follower: Engine, upto: str) -> bool:  # noqa: ARG002  # there is no log
        self._need(follower.machine)
        return True

    def _need(self, machine: str) -> None:
        if self._compute.look(machine) != "up":
            raise PlaneError(f"machine {machine} is not running")


class GuestFences:
    """Inside system containers."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def close(self, engine: Engine) -> str:
        script = fencing_scripts.CLOSE_MARIADB if engine.kind == "mariadb" else fencing_scripts.CLOSE_POSTGRES
        code, text = self._run(engine.machine, script, [str(engine.port)], _CLOSE_SECONDS)
        if code:
            raise PlaneError(f"the engine in {engine.machine} was not closed ({code}): {text[-600:]}")
        return text

    def reached(self, follower: Engine, upto: str) -> bool:
        if follower.kind == "mariadb":
            script, words = mariadb_follow_scripts.REACHED, [upto, str(_TRIES)]
        else:
            script, words = fencing_scripts.REACHED_POSTGRES, [str(follower.port), upto, str(_TRIES)]
        code, text = self._run(follower.machine, script, words, _REACH_SECONDS)
        if code not in (0, *_BEHIND):
            raise PlaneError(f"{follower.machine} could not be asked how far it is ({code}): {text[-600:]}")
        return code == 0

    def _run(self, machine: str, script: str, words: list[str], seconds: float) -> tuple[int, str]:
        code, said = self._compute.run(machine, ["/bin/sh", "-c", script, "fencing", *words], seconds)
        return code, said.decode("utf-8", "replace").strip()
