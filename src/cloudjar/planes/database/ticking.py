"""Moments of the machine's time at which it is worth looking at engines, whatever AWS's clock does meanwhile.

One thread for all that is watched, and none while nothing is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from cloudjar.base.clock import monotonic
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort

Tell = Callable[[], bool]
"""Called at each moment, from any thread; False: no more."""


class Ticking(Protocol):
    """Who tells of moments."""

    def watch(self, key: tuple[str, str], seconds: float, tell: Tell, /) -> None:
        """Call `tell` so often from now on; another call for the same key changes how often."""
        ...

    def leave(self, key: tuple[str, str], /) -> None:
        """No more."""
        ...


def ticking(compute: ComputePort) -> Ticking:
    """Who does here."""
    return Ticks() if isinstance(compute, ContainerCompute) else NoTicks()


class NoTicks:
    """Where nothing goes on by itself. `watched` is what is watched how often."""

    def __init__(self) -> None:
        self.watched: dict[tuple[str, str], tuple[float, Tell]] = {}

    def watch(self, key: tuple[str, str], seconds: float, tell: Tell) -> None:
        self.watched[key] = (seconds, tell)

    def leave(self, key: tuple[str, str]) -> None:
        self.watched.pop(key, None)


class Ticks:
    """Of the host's clock."""

    def __init__(self) -> None:
        self._watched: dict[tuple[str, str], tuple[float, Tell, float]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, key: tuple[str, str], seconds: float, tell: Tell) -> None:
        """From now on; the first moment is one period away."""
        with self._changed:
            held = self._watched.get(key)
            if held is not None and held[0] == seconds:
                return
            self._watched[key] = (seconds, tell, monotonic() + seconds)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cloudjar-ticks", daemon=True)
                self._thread.start()
            self._changed.notify()

    def leave(self, key: tuple[str, str]) -> None:
        """No more."""
        with self._changed:
            self._watched.pop(key, None)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._watched:
                    self._thread = None
                    return
                now = monotonic()
                first = min(due for _, _, due in self._watched.values())
                if first > now:
                    self._changed.wait(first - now)
                    continue
                due = [(key, one[1]) for key, one in self._watched.items() if one[2] <= now]
                for key, _ in due:
                    seconds, tell, _ = self._watched[key]
                    self._watched[key] = (seconds, tell, now + seconds)
            for key, tell in due:
                if not tell():
                    self.leave(key)
