"""The clock's file: what was shown once is never taken back, by whatever way the server ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudjar.base.clock import SystemClock
from cloudjar.store.kept_clock import KeptClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Machine:
    """A machine's clock that is turned by hand."""

    def __init__(self) -> None:
        self.time = NOON.timestamp()

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def machine() -> Machine:
    return Machine()


def seconds(clock: SystemClock) -> float:
    """How far AWS time is after noon."""
    return round((clock.now() - NOON).total_seconds(), 5)


def test_a_fast_clock_and_the_machine_s(machine: Machine) -> None:
    clock = SystemClock(machine=machine)
    clock.run(60)
    machine.time += 10
    assert seconds(clock) == 600
    clock.advance(timedelta(hours=1))
    assert seconds(clock) == 4200
    clock.run(1)
    machine.time += 10
    assert seconds(clock) == 4210
    assert clock.real() == NOON + timedelta(seconds=20)


def test_a_frozen_clock_stands_and_is_moved_by_hand(machine: Machine) -> None:
    clock = SystemClock(machine=machine)
    clock.run(0)
    machine.time += 100
    assert seconds(clock) == 0
    clock.advance(timedelta(seconds=7))
    machine.time += 100
    assert seconds(clock) == 7
    clock.run(1)
    machine.time += 1
    assert seconds(clock) == 8


@pytest.mark.parametrize("speed", [-1, 100_000, float("nan"), float("inf")])
def test_speeds_that_no_clock_has(machine: Machine, speed: float) -> None:
    clock = SystemClock(machine=machine)
    with pytest.raises(ValueError, match="times as fast"):
        clock.run(speed)
    assert clock.speed == 1


def test_a_machine_that_is_set_back_takes_no_time_back(machine: Machine) -> None:
    clock = SystemClock(machine=machine)
    clock.run(100)
    machine.time -= 3600
    assert seconds(clock) == 0


def test_speed_and_frost_survive_the_server(tmp_path: Path, machine: Machine) -> None:
    clock = KeptClock(tmp_path / "clock", machine=machine)
    clock.run(0)
    stood = clock.now()
    machine.time += 1000.123456
    again = KeptClock(tmp_path / "clock", machine=machine)
    assert (again.speed, again.now()) == (0, stood)
    again.run(10)
    machine.time += 5
    third = KeptClock(tmp_path / "clock", machine=machine)
    assert (third.speed, seconds(third)) == (10, 50)


def test_a_file_of_one_number_is_an_offset(tmp_path: Path, machine: Machine) -> None:
    (tmp_path / "clock").write_text("3600.0")
    clock = KeptClock(tmp_path / "clock", machine=machine)
    assert (clock.speed, seconds(clock)) == (1, 3600)


def test_while_nobody_serves_a_fast_clock_goes_at_the_machine_s_pace(tmp_path: Path, machine: Machine) -> None:
    clock = KeptClock(tmp_path / "clock", machine=machine)
    clock.run(100)
    machine.time += 10
    clock.rest()
    assert seconds(clock) == 1000
    machine.time += 3600
    assert seconds(KeptClock(tmp_path / "clock", machine=machine)) == 1000 + 3600


def test_a_killed_server_s_fast_clock_is_neither_behind_nor_far_ahead(tmp_path: Path, machine: Machine) -> None:
    clock = KeptClock(tmp_path / "clock", machine=machine)
    clock.run(100)
    for _ in range(50):
        machine.time += 7
        seen = seconds(clock)
    machine.time += 86_400  # a weekend, nearly
    back = seconds(KeptClock(tmp_path / "clock", machine=machine))
    assert seen + 86_000 <= back <= seen + 60 * 100 + 86_400
