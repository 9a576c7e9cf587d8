"""The clock that everything AWS time drives reads; the only place that reads the machine's clock.

Two kinds of time: `now` is AWS time, which can be advanced (states, schedules, bills, token expiry);
`real` is the machine's own (signature dates, latencies).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the product asks of a clock; all instants are aware datetimes in UTC."""

    def now(self) -> datetime:
        """AWS time."""
        ...

    def real(self) -> datetime:
        """The machine's time: never moved, used for signatures and access logs."""
        ...

    def advance(self, by: timedelta) -> None:
        """Move AWS time forward."""
        ...


class SystemClock:
    """The machine's clock plus an offset that only grows."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) + self.offset

    def real(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)

    def advance(self, by: timedelta) -> None:
        if by < timedelta(0):
            raise ValueError("the clock moves forward only")
        self.offset += by


class SimClock:
    """Stands still until it is advanced: the clock of tests."""

    def __init__(self, start: datetime | None = None) -> None:
        self.time = start or datetime(2026, 1, 15, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def real(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)

    def advance(self, by: timedelta) -> None:
        if by < timedelta(0):
            raise ValueError("the clock moves forward only")
        self.time += by


def monotonic() -> float:
    """Seconds from an arbitrary start, for measuring durations and timeouts."""
    return time.monotonic()
