"""AWS time that was moved on stays so: what the clock shows is in a file before anything sees the new time.

The file holds the offset in seconds, the speed, the machine's instant at which the offset was so, and until when (the
machine's time) AWS time surely went on at that speed. A fast clock renews it now and then, so that a server that was
killed comes back with a time that nobody has seen exceeded, and not too far ahead: while nobody serves, AWS time goes
on at the machine's pace at most. A frozen one stands.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloudjar.base.clock import Pace, SystemClock, check_speed, machine_time
from cloudjar.store.moments import Moments

_RENEWED, _GOOD_FOR = 20.0, 60.0
"""Seconds after which a fast clock renews its file, and for which a file speaks."""


class KeptClock(SystemClock):
    """The machine's clock plus an offset, and a speed, that survive the server."""

    def __init__(self, path: Path, *, machine: Callable[[], float] = machine_time) -> None:
        super().__init__(machine=machine)
        self._path = path
        self._turn = threading.Lock()
        self._moments = Moments(path.with_suffix(".moments"))
        try:
            kept = [float(number) for number in path.read_text().split()]
        except FileNotFoundError:
            return
        if len(kept) == 1:
            self._pace = Pace(timedelta(seconds=kept[0]), 1.0, machine())
            return
        offset, speed, since, until = kept
        before = Pace(timedelta(seconds=offset), check_speed(speed), since)
        if speed <= 1.0:
            self._pace = before
            return
        now = max(machine(), since)
        self._pace = Pace(before.ahead(min(now, until)), speed, now)
        self._keep(self._pace, _GOOD_FOR)

    def now(self) -> datetime:
        pace = self._pace
        if pace.speed == 1.0:  # as it mostly is, and every request asks
            return datetime.fromtimestamp(self._machine(), UTC) + pace.offset
        if pace.speed > 1.0 and self._machine() - pace.since > _RENEWED and self._turn.acquire(blocking=False):
            try:
                if self._pace is pace:
                    self._renew(timedelta(0), pace.speed, _GOOD_FOR)
            finally:
                self._turn.release()
        return super().now()

    def skip(self, by: timedelta) -> None:
        """Move AWS time forward, not durably until `keep`."""
        with self._turn:
            before = self._pace
            super().skip(by)
            self._note(before, self._pace)

    def keep(self) -> None:
        """What the clock shows is on disk."""
        with self._turn:
            self._renew(timedelta(0), self.speed, _GOOD_FOR)

    def rest(self) -> None:
        """The server stops: until it is back AWS time goes on at the machine's pace at most."""
        with self._turn:
            if self.speed > 1.0:
                self._renew(timedelta(0), self.speed, 0.0)

    def _go_on(self, by: timedelta, speed: float) -> None:
        with self._turn:
            self._renew(by, speed, _GOOD_FOR)

    def _renew(self, by: timedelta, speed: float, good_for: float) -> None:
        pace = self._pace.then(by, speed, self._machine())
        self._keep(pace, good_for)
        self._note(self._pace, pace)
        self._moments.keep()
        self._pace = pace

    def _note(self, before: Pace, after: Pace) -> None:
        self._moments.note(after.since, before.at(after.since).timestamp(), after.at(after.since).timestamp())

    def machine_at(self, at: datetime) -> datetime:
        """As was noted when the clock was changed."""
        pace = self._pace
        seen = self._moments.at(at.timestamp(), pace.speed, pace.offset.total_seconds())
        return datetime.fromtimestamp(seen, UTC)

    def _keep(self, pace: Pace, good_for: float) -> None:
        """On disk before anybody sees it."""
        numbers = (pace.offset.total_seconds(), pace.speed, pace.since, pace.since + good_for)
        draft = self._path.with_suffix(".new")
        with draft.open("w") as file:
            file.write(" ".join(map(repr, numbers)))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
