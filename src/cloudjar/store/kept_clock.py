"""AWS time that was moved on stays so: the clock's offset is in a file before anything sees the new time."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from cloudjar.base.clock import SystemClock


class KeptClock(SystemClock):
    """The machine's clock plus an offset that survives the server."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            kept = float(path.read_text())
        except FileNotFoundError:
            kept = 0.0
        super().__init__(timedelta(seconds=kept))

    def advance(self, by: timedelta) -> None:
        """Move AWS time forward, durably."""
        if by < timedelta(0):
            raise ValueError("the clock moves forward only")
        draft = self._path.with_suffix(".new")
        with draft.open("w") as file:
            file.write(repr((self.offset + by).total_seconds()))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        super().advance(by)
