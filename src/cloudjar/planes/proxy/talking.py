"""Asking a proxy at its admin socket.

https://docs.haproxy.org/2.6/management.html#9.3
"""

from __future__ import annotations

import socket
from pathlib import Path

_PROMPT = b"\n> "
_SECONDS = 5


def ask(home: Path, command: str) -> str:
    """The answer of the proxy that listens now; raises `OSError`."""
    with _connected(home) as s:
        s.sendall(command.encode() + b"\n")
        pieces = []
        while piece := s.recv(65536):
            pieces.append(piece)
    return b"".join(pieces).decode()


class Talk:
    """A conversation with one process, which goes on when another one has taken its sockets over."""

    def __init__(self, home: Path) -> None:
        """Raises `OSError` where nobody listens."""
        self._socket = _connected(home)
        self.ask("prompt")

    def ask(self, command: str) -> str:
        """One more answer; raises `OSError`."""
        self._socket.sendall(command.encode() + b"\n")
        heard = b""
        while not heard.endswith(_PROMPT):
            piece = self._socket.recv(65536)
            if not piece:
                raise ConnectionResetError("the proxy has hung up")
            heard += piece
        return heard.removesuffix(_PROMPT).decode()

    def close(self) -> None:
        """Let the process end."""
        self._socket.close()


def _connected(home: Path) -> socket.socket:
    s = socket.socket(socket.AF_UNIX)
    try:
        s.settimeout(_SECONDS)
        s.connect(str(home / "admin.sock"))
    except OSError:
        s.close()
        raise
    return s
