"""A jar's private door: a Unix socket in its home, open to whoever may enter that directory and to nobody else.

The command line comes in here, so it works however the jar listens. Its path may be longer than a socket's name can be
(about a hundred bytes), so both ends go through a descriptor of the directory.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

NAME = "admin.sock"


def listening(folder: Path) -> socket.socket:
    """A bound socket in `folder`, in place of one that an earlier server left. Raises OSError."""
    (folder / NAME).unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.setblocking(False)
    _at(folder, door.bind)
    (folder / NAME).chmod(0o600)
    return door


def connected(folder: Path, timeout: float) -> socket.socket:
    """A connection to the jar that lives in `folder`. Raises OSError."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.settimeout(timeout)
    try:
        _at(folder, door.connect)
    except OSError:
        door.close()
        raise
    return door


def _at(folder: Path, act: Callable[[str], None]) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        act(f"/proc/self/fd/{handle}/{NAME}")
    finally:
        os.close(handle)
