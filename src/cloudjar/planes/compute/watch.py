"""Noticing that a machine ended by itself, without asking again and again.

A process handle (pidfd) becomes readable when its process ends. What is watched is the machine's keeper (conmon): it
outlives the guest's init until a reboot asked for from inside has been done, so its end means the machine is down.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable

Ended = Callable[[str], None]


class Watch:
    """One thread for all machines; `ended` is called from it with a machine's id."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._poll = select.epoll()
        self._handles: dict[int, str] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="cloudjar-machines", daemon=True)
        self._thread.start()

    def add(self, machine_id: str, keeper: int) -> bool:
        """Watch a machine by its keeper's process id; False when there is no such process (any more)."""
        try:
            handle = os.pidfd_open(keeper)
        except OSError:
            return False
        with self._lock:
            self._handles[handle] = machine_id
        self._poll.register(handle, select.EPOLLIN)
        return True

    def tell(self, machine_id: str) -> None:
        """Tell of an end that was there before anybody watched; from the caller's thread."""
        self._ended(machine_id)

    def _run(self) -> None:
        while True:
            for handle, _ in self._poll.poll():
                with contextlib.suppress(OSError):
                    self._poll.unregister(handle)
                with self._lock:
                    machine_id = self._handles.pop(handle, "")
                os.close(handle)
                if machine_id:
                    self._ended(machine_id)
