"""Forecasts, as arithmetic."""

from __future__ import annotations

import pytest

from cloudjar.services.autoscaling import forecasting
from cloudjar.services.autoscaling.forecasting import HOUR

DAY = 24 * HOUR
FIRST = 30 * DAY


def history(days: int, load: float = 100.0) -> dict[int, float]:
    """Busy from eight to sixteen each day."""
    begin = FIRST - days * DAY
    return {hour: load if 8 <= hour % DAY // HOUR < 16 else 10.0 for hour in range(begin, FIRST, HOUR)}


def test_days_repeat_themselves() -> None:
    made = forecasting.forecast(history(3), FIRST)
    assert len(made) == 48
    assert [made[FIRST + n * HOUR] for n in (7, 8, 15, 16, 32)] == pytest.approx([10, 100, 100, 10, 100])


def test_what_was_newer_counts_more() -> None:
    grown = {**history(4, 100), **{hour: 200.0 for hour, value in history(1, 100).items() if value == 100}}
    expected = forecasting.forecast(grown, FIRST)[FIRST + 10 * HOUR]
    assert 140 < expected < 200


def test_weeks_count_when_there_are_some() -> None:
    """Every seventh day nobody comes: forecast for such a day is lower than for the day after it."""
    begin = FIRST - 14 * DAY
    loads = {hour: 0.0 if (hour // DAY) % 7 == (FIRST // DAY) % 7 else 100.0 for hour in range(begin, FIRST, HOUR)}
    made = forecasting.forecast(loads, FIRST)
    assert made[FIRST + HOUR] < 55 < 90 < made[FIRST + DAY + HOUR]


def test_a_day_is_needed_and_gaps_are_filled() -> None:
    assert not forecasting.enough(dict(list(history(1).items())[:23]))
    assert forecasting.enough(history(1))
    assert forecasting.forecast({}, FIRST)[FIRST] == 0
    assert forecasting.forecast({FIRST - HOUR: 7.0}, FIRST)[FIRST] == 7


def test_capacity_follows_from_what_a_unit_of_load_did() -> None:
    load, scaling, capacity = {0: 1000.0, HOUR: 500.0, DAY: 0.0}, {0: 50.0, HOUR: 50.0}, {0: 4.0, HOUR: 2.0}
    each = forecasting.ratio(load, scaling, capacity)
    assert each == pytest.approx(0.2)
    assert forecasting.needed(1000, 0.2, 50) == 4
    assert forecasting.needed(1001, 0.2, 50) == 5
    assert forecasting.ratio({}, scaling, capacity) is None
