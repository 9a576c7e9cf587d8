"""Real packets from the host or from a machine's own network, and who answers them."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from cloudjar.planes.network import namespaces
from tests.host.compute.guestnet import sh
from tests.host.jar.served import RealJar

T = TypeVar("T")
WAIT = 0.6
"""Seconds without an answer that count as dropped: everything here is one machine, though a busy one."""

_TABLE, _PREFERENCE = 7577, 19577
"""For `Wire.way`, beside whatever the host and the jar route."""


class Wire:
    """Sockets wherever a test needs them: an empty guest is the host."""

    def __init__(self, jar: RealJar) -> None:
        self._site = jar.network.site
        self._open: list[socket.socket] = []

    def within(self, guest: str, work: Callable[[], T]) -> T:
        """Run something in a guest's network namespace."""
        return namespaces.inside(self._site.guest_namespace(guest), work) if guest else work()

    def listen(self, guest: str, *ports: int) -> None:
        """Servers in a guest that accept; the kernel answers for them."""
        for port in ports:
            # Nobody takes the connections that were made: there is room for all that a test knocks.
            self._open.append(
                self.within(guest, lambda port=port: socket.create_server(("0.0.0.0", port), backlog=4096))  # type: ignore[misc]  # mypy cannot type a lambda's default
            )

    def connect(self, address: str, port: int, guest: str = "", source: str = "", wait: float = WAIT) -> socket.socket:
        """A connection; raises OSError."""
        where = (source, 0) if source else None
        return self.within(guest, lambda: socket.create_connection((address, port), wait, where))

    def knock(self, address: str, port: int, guest: str = "", source: str = "", wait: float = WAIT) -> str:
        """``open``, ``refused`` or ``dropped``."""
        try:
            self.connect(address, port, guest, source, wait).close()
        except ConnectionRefusedError:
            return "refused"
        except OSError as error:
            if isinstance(error, TimeoutError) or error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
                return "dropped"
            raise
        return "open"

    def banner(self, address: str, guest: str = "") -> bytes:
        """What an SSH server says first; empty when nobody does."""
        try:
            with self.connect(address, 22, guest, wait=2) as peer:
                return peer.recv(64)
        except OSError:
            return b""

    @contextmanager
    def way(self, target: str, *, via: str) -> Iterator[None]:
        """What the host sends from its address on the jar's Internet to `target` is handed to whoever holds `via`."""
        rule = ("from", self._site.gateway, "lookup", str(_TABLE), "pref", str(_PREFERENCE))
        sh("ip", "route", "add", target, "via", via, "dev", self._site.bridge, "onlink", "table", str(_TABLE))
        try:
            sh("ip", "rule", "add", *rule)
            try:
                yield
            finally:
                sh("ip", "rule", "del", *rule)
        finally:
            sh("ip", "route", "flush", "table", str(_TABLE), check=False)

    def close(self) -> None:
        for listener in self._open:
            listener.close()
