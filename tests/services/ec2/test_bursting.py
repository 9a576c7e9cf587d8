"""The arithmetic of CPU credits."""

from __future__ import annotations

import math

import pytest

from cloudjar.services.ec2.metering.bursting import Account, after, fills, lasts
from cloudjar.spec.instance_types import Burst, burst

T3 = burst("t3.micro")
T2 = burst("t2.micro")
HOUR = 3600.0


def kind(found: Burst | None) -> Burst:
    """A burstable type."""
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("cpus", "hours", "expected"),
    [
        (0.0, 1, 12.0),  # a t3.micro earns twelve an hour
        (0.0, 48, 288.0),  # and keeps what it earns in a day
        (0.2, 1, 0.0),  # ten per cent of two CPUs is what it earns
        (0.1, 1, 6.0),
    ],
)
def test_credits_are_earned(cpus: float, hours: float, expected: float) -> None:
    assert after(Account(), kind(T3), cpus, hours * HOUR, unlimited=False).balance == pytest.approx(expected)


def test_a_busy_machine_spends_what_it_has() -> None:
    held = Account(balance=108.0)  # two CPUs spend 120 an hour and earn 12
    assert lasts(held, kind(T3), 2.0) == pytest.approx(HOUR)
    half = after(held, kind(T3), 2.0, HOUR / 2, unlimited=False)
    assert half.balance == pytest.approx(54)
    assert half.spent == pytest.approx(60)
    assert after(half, kind(T3), 2.0, HOUR, unlimited=False).balance == 0
    assert lasts(held, kind(T3), 0.2) == math.inf
    assert fills(Account(), kind(T3), 0.1, 6.0) == pytest.approx(HOUR)


def test_launch_credits_are_spent_first_and_do_not_count_to_the_limit() -> None:
    given = Account(launch=30.0)
    idle = after(given, kind(T2), 0.0, 48 * HOUR, unlimited=False)
    assert (idle.launch, idle.balance) == (30, 144)
    assert idle.available == pytest.approx(174)
    busy = after(given, kind(T2), 1.0, 1800, unlimited=False)
    assert busy.launch == 0
    assert busy.balance == pytest.approx(3)  # earned meanwhile
    assert lasts(given, kind(T2), 1.0) == pytest.approx(1800 + 3 / (1 / 60 - 6 / 3600))


def test_unlimited_spends_what_it_will_earn_in_a_day_and_then_pays() -> None:
    held = after(Account(), kind(T3), 2.0, HOUR, unlimited=True)
    assert held.surplus == pytest.approx(108)
    more = after(held, kind(T3), 2.0, 2 * HOUR, unlimited=True)
    assert more.surplus == pytest.approx(288)
    assert more.charged == pytest.approx(3 * 108 - 288)
    rested = after(more, kind(T3), 0.0, 24 * HOUR, unlimited=True)
    assert rested.surplus == 0
    assert rested.balance == pytest.approx(0, abs=1e-6)
    assert after(rested, kind(T3), 0.0, HOUR, unlimited=True).balance == pytest.approx(12)
