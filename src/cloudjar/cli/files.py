"""Where a jar's home keeps what its commands and its server share; all that the server needs of the command line."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Files:
    """The files of one jar's home.

    ``server.lock`` is held by the server for as long as it lives: a pid file can be stale, a lock cannot.
    ``running.json`` is what it was started with, kept until the host is restored; ``settings.json`` is what was asked
    for at the last start, and what the next one takes where it is told nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock_file = folder / "server.lock"
        self.ready_file = folder / "ready.json"
        self.running_file = folder / "running.json"
        self.settings_file = folder / "settings.json"
        self.log_file = folder / "server.log"

    def hold(self) -> int:
        """Take the server's lock for the life of this process; gives the descriptor."""
        handle = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        return handle
