"""The one thing that a database's guest may ask the host: whether somebody may come in.

A door is a socket in the abstract namespace of the guest's network: nothing is mounted, nobody outside of the guest can
reach it, and it is gone with the network. It answers yes or no, one at a time, and so many in a minute; whoever asks
otherwise is not answered.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable
from typing import Protocol

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.tokens import SOCKET
from cloudjar.planes.network import namespaces

log = logging.getLogger("cloudjar.databases")

Answer = Callable[[str, str], bool]
"""(user, token) -> whether he may come in. Must not raise."""
_MOST = 16 << 10
_SECONDS = 5.0
_BURST, _PER_SECOND = 200, 20
"""Of questions. AWS lets 200 a second be asked; here they are as many at once, and then fewer."""


class DoorPort(Protocol):
    """Doors by whose they are (an instance). Idempotent; failures raise `PlaneError`."""

    def open(self, owner: str, network: str, answer: Answer, /) -> None:
        """Answer in a guest's network namespace, and in no other of this owner's."""
        ...

    def shut(self, owner: str, /) -> None:
        """Answer no more."""
        ...

    def close(self) -> None:
        """Shut all."""
        ...


def doors(compute: ComputePort) -> DoorPort:
    """Who opens them here."""
    return GuestDoors() if isinstance(compute, ContainerCompute) else SimDoors()


class SimDoors:
    """Engines that are not there ask nothing; `answers` is what would be asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}

    def open(self, owner: str, _: str, answer: Answer) -> None:
        self.answers[owner] = answer

    def shut(self, owner: str) -> None:
        self.answers.pop(owner, None)

    def close(self) -> None:
        self.answers.clear()


class Allowance:
    """How often something may be done: so many at once, and so many a second."""

    def __init__(self, burst: float, per_second: float, now: Callable[[], float] = monotonic) -> None:
        self._most, self._per_second, self._now = burst, per_second, now
        self._left, self._at = burst, now()

    def take(self) -> bool:
        """Once more, if it may be."""
        now = self._now()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class GuestDoors:
    """In the networks of system containers."""

    def __init__(self) -> None:
        self._open: dict[str, _Door] = {}
        self._turn = threading.Lock()

    def open(self, owner: str, network: str, answer: Answer) -> None:
        if not namespaces.exists(network):
            raise PlaneError(f"the network {network} does not exist")
        identity = (network, os.stat(namespaces.path(network)).st_ino)
        with self._turn:
            seen = self._open.get(owner)
            if seen is not None and seen.identity == identity:
                return
            if seen is not None:
                seen.close()
            try:
                listener = namespaces.inside(network, _listening)
            except OSError as failed:
                raise PlaneError(f"nothing can be heard in the network {network}: {failed}") from failed
            self._open[owner] = _Door(identity, listener, answer)

    def shut(self, owner: str) -> None:
        with self._turn:
            seen = self._open.pop(owner, None)
        if seen is not None:
            seen.close()

    def close(self) -> None:
        for owner in list(self._open):
            self.shut(owner)


def _listening() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(f"\0{SOCKET}")
        made.listen(64)
    except OSError:
        made.close()
        raise
    return made


class _Door:
    """A socket, and the thread that answers at it."""

    def __init__(self, identity: tuple[str, int], listener: socket.socket, answer: Answer) -> None:
        self.identity = identity
        self._listener, self._answer = listener, answer
        self._allowance = Allowance(_BURST, _PER_SECOND)
        self._thread = threading.Thread(target=self._run, name="cloudjar-door", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends the wait for the next one
        self._listener.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line:
                try:
                    line.sendall(b"yes\n" if self._may(line) else b"no\n")
                except OSError:
                    continue

    def _may(self, line: socket.socket) -> bool:
        said = _heard(line)
        if said is None or not self._allowance.take():
            return False
        user, mark, token = said.partition("\0")
        return bool(mark) and self._answer(user, token)


def _heard(line: socket.socket) -> str | None:
    """What is said at a socket, to its end; None for what nobody would say who means it."""
    said, end = b"", monotonic() + _SECONDS
    while len(said) <= _MOST:
        left = end - monotonic()
        if left <= 0:
            return None
        line.settimeout(left)
        part = line.recv(_MOST)
        if not part:
            break
        said += part
    try:
        return said.decode() if len(said) <= _MOST else None
    except UnicodeDecodeError:
        return None
