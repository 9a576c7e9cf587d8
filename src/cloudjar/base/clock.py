"""The clock that everything AWS time drives reads; the only place that reads the machine's clock.

Two kinds of time: `now` is AWS time, which can be advanced, hastened and frozen (states, schedules, bills, token
expiry); `real` is the machine's own (signature dates, latencies).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

FASTEST = 86_400.0
"""A day in a second: faster, and alarms would be days late by what the machine needs for them."""


class Clock(Protocol):
    """What the product asks of a clock; all instants are aware datetimes in UTC."""

    @property
    def speed(self) -> float:
        """Seconds of AWS time that go by in a second of the machine's; 0 while it is frozen."""
        ...

    def now(self) -> datetime:
        """AWS time."""
        ...

    def real(self) -> datetime:
        """The machine's time: never moved, used for signatures and access logs."""
        ...

    def advance(self, by: timedelta) -> None:
        """Move AWS time forward."""
        ...

    def skip(self, by: timedelta) -> None:
        """Move AWS time forward on the way to somewhere: lost with the process, until `keep`."""
        ...

    def keep(self) -> None:
        """AWS time is not to be lost from now on, wherever it was moved."""
        ...

    def run(self, speed: float) -> None:
        """Let AWS time pass so many times as fast from now on; 0 freezes it."""
        ...

    def machine_at(self, at: datetime) -> datetime:
        """The last instant of the machine's time at which AWS time was `at`."""
        ...


def check_speed(speed: float) -> float:
    """A speed that a clock can run at, or `ValueError`."""
    if not (speed == 0 or 1e-6 <= speed <= FASTEST):
        raise ValueError(f"a clock runs 0 (frozen) to {FASTEST:.0f} times as fast, not {speed}")
    return speed


class Pace(NamedTuple):
    """AWS time is ahead by `offset` at the machine's instant `since` (Unix seconds), and runs at `speed` from there."""

    offset: timedelta
    speed: float
    since: float

    def ahead(self, machine: float) -> timedelta:
        """How far AWS time is ahead (behind, once it was frozen) at an instant of the machine's."""
        if self.speed == 1.0:
            return self.offset
        # Rounded up: no time is shown twice.
        return self.offset + timedelta(seconds=max(machine - self.since, 0.0) * (self.speed - 1.0), microseconds=1)

    def then(self, by: timedelta, speed: float, machine: float) -> Pace:
        """The pace from an instant of the machine's on, at which AWS time is moved on."""
        if self.speed == speed == 0:
            return self._replace(offset=self.offset + by)
        return Pace(self.ahead(machine) + by, speed, machine)

    def at(self, machine: float) -> datetime:
        """AWS time at an instant of the machine's. What was before `since` is `since` to a clock that is not at its
        usual pace: who reads it while it is changed sees no time twice."""
        if self.speed == 1.0:
            return datetime.fromtimestamp(machine, UTC) + self.offset
        passed = max(machine - self.since, 0.0) * self.speed
        return datetime.fromtimestamp(self.since, UTC) + self.offset + timedelta(seconds=passed)


def machine_time() -> float:
    """The machine's clock, in Unix seconds."""
    return time.time()


class SystemClock:
    """The machine's clock, ahead by what it was moved on, at its own pace."""

    def __init__(self, offset: timedelta = timedelta(0), *, machine: Callable[[], float] = machine_time) -> None:
        self._machine = machine
        self._pace = Pace(offset, 1.0, machine())
        """Replaced as a whole: other threads read it."""

    @property
    def speed(self) -> float:
        return self._pace.speed

    def now(self) -> datetime:
        return self._pace.at(self._machine())

    def real(self) -> datetime:
        return datetime.fromtimestamp(self._machine(), UTC)

    def advance(self, by: timedelta) -> None:
        if by < timedelta(0):
            raise ValueError("the clock moves forward only")
        self._go_on(by, self.speed)

    def skip(self, by: timedelta) -> None:
        self._pace = self._pace.then(by, self.speed, self._machine())

    def keep(self) -> None:
        """Nothing is kept."""

    def run(self, speed: float) -> None:
        self._go_on(timedelta(0), check_speed(speed))

    def machine_at(self, at: datetime) -> datetime:
        pace = self._pace
        passed = (at - datetime.fromtimestamp(pace.since, UTC) - pace.offset).total_seconds()
        return datetime.fromtimestamp(pace.since + (passed / pace.speed if pace.speed else 0.0), UTC)

    def _go_on(self, by: timedelta, speed: float) -> None:
        self._pace = self._pace.then(by, speed, self._machine())


class SimClock:
    """Stands still until it is advanced: the clock of tests."""

    speed = 1.0

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

    def skip(self, by: timedelta) -> None:
        self.time += by

    def keep(self) -> None:
        """Nothing is kept."""

    def machine_at(self, at: datetime) -> datetime:
        return at

    def run(self, speed: float) -> None:
        raise ValueError(f"a simulated clock is moved by hand, and does not run {speed} times as fast")


def monotonic() -> float:
    """Seconds from an arbitrary start, for measuring durations and timeouts."""
    return time.monotonic()
