"""When it was an instant of AWS time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloudjar.store.kept_clock import KeptClock
from cloudjar.store.moments import Moments

DAY = timedelta(days=1)


class Hand:
    """A machine's clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _whole(at: datetime) -> datetime:
    """Numbers of seconds have no whole microseconds."""
    return datetime.fromtimestamp(round(at.timestamp(), 3), UTC)


def test_what_was_before_a_jump_was_then_and_what_was_jumped_over_was_at_the_jump(tmp_path: Path) -> None:
    hand = Hand()
    clock = KeptClock(tmp_path / "clock", machine=hand)
    before = clock.now()
    hand.at += 10
    clock.advance(DAY)
    hand.at += 5
    for seen in (clock, KeptClock(tmp_path / "clock", machine=hand)):
        assert _whole(seen.machine_at(before)) == _at(1_000_000)
        assert _whole(seen.machine_at(before + timedelta(seconds=9))) == _at(1_000_009)
        assert _whole(seen.machine_at(before + timedelta(hours=3))) == _at(1_000_010)
        assert _whole(seen.machine_at(seen.now())) == _at(1_000_015)
        assert _whole(seen.machine_at(before - timedelta(seconds=7))) == _at(999_993)


def test_a_clock_that_was_fast_or_stood_is_read_as_it_went(tmp_path: Path) -> None:
    hand = Hand()
    clock = KeptClock(tmp_path / "clock", machine=hand)
    begun = clock.now()
    clock.run(10)
    hand.at += 10
    clock.run(0)
    stood = clock.now()
    hand.at += 50
    clock.run(1)
    hand.at += 1
    for seen in (clock, KeptClock(tmp_path / "clock", machine=hand)):
        assert _whole(seen.machine_at(begun + timedelta(seconds=50))) == _at(1_000_005)
        assert _whole(seen.machine_at(stood)) == _at(1_000_060)  # the last instant at which it was so
        assert _whole(seen.machine_at(stood + timedelta(seconds=1))) == _at(1_000_061)


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "moments"
    file.write_text("100.0 100.0\n100.0 500.0\n20")
    moments = Moments(file)
    assert moments.at(99, 1.0, 400.0) == 99
    assert moments.at(300, 1.0, 400.0) == 100
    assert moments.at(510, 1.0, 400.0) == 110
