"""Periods and where they begin. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from cloudjar.services.cloudwatch import errors

FINE = (1, 5, 10, 20, 30)
"""Periods shorter than a minute."""


def checked(period: int) -> int:
    """A period that can be: one of the fine ones, or minutes."""
    if period not in FINE and (period < 60 or period % 60):
        raise errors.value(
            "The parameter Period must be a valid value: 1, 5, 10, 20, 30, or a multiple of 60 seconds."
        )
    return period


def rounded(start: datetime, period: int, now: datetime) -> float:
    """Where the first period begins: the minute, five minutes or hour of a start time by its age, or the period's
    part of the minute."""
    age = now - start
    grain = 60
    if age > timedelta(days=63):
        grain = 3600
    elif age > timedelta(days=15):
        grain = 300
    elif period < 60 and age <= timedelta(hours=3):
        grain = period
    seconds = start.timestamp()
    return seconds - seconds % grain
