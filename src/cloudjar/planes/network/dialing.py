"""Connections that begin in a guest's namespace and are spoken on from outside of it; Linux only."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.inside import Ears, Line
from cloudjar.planes.compute.lines import FdLine, Switchboard
from cloudjar.planes.network import namespaces

WAIT_SECONDS = 10.0
"""How long the other side may take to accept."""


class Dialing:
    """The lines of one installation; their thread begins with the first."""

    def __init__(self) -> None:
        self._board = Switchboard()

    def dial(self, namespace: str, address: str, port: int, ears: Ears, seconds: float) -> Line:
        """Connect from inside a namespace; blocks until it is accepted. Raises `PlaneError` when it is not."""
        if not namespaces.exists(namespace):
            raise PlaneError("There is no network to connect from.")
        try:
            made = namespaces.inside(namespace, lambda: socket.create_connection((address, port), WAIT_SECONDS))
        except OSError as e:
            why = "refused" if e.errno == errno.ECONNREFUSED else "not answered"
            raise PlaneError(f"The connection to {address}:{port} was {why}.") from e
        return lined(self._board, made, ears, seconds)


def lined(board: Switchboard, made: socket.socket, ears: Ears, seconds: float) -> Line:
    """A connected socket as a line that ends after so many seconds at the latest; the socket is its own from now on."""
    with contextlib.suppress(OSError):  # not of every family
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    fd = made.detach()
    line = FdLine(board, {fd: ears.said}, fd, ears, finish=_say_end)
    limit = threading.Timer(seconds, line.hang_up)
    limit.daemon = True
    limit.start()
    return line


def _say_end(fd: int) -> None:
    with socket.socket(fileno=os.dup(fd)) as s, contextlib.suppress(OSError):
        s.shutdown(socket.SHUT_WR)
