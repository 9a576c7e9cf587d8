"""What would have been worth buying: worked out from the hours that nothing covered.

A reservation (or a dollar of a commitment) pays when it is used for a greater share of the hours than its price is of
the on-demand one; so as many are recommended as were in use for at least that share.

https://docs.aws.amazon.com/cost-management/latest/userguide/ri-recommendations.html
https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-recommendations.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from cloudjar.billing.measured import ZERO
from cloudjar.spec import shares

LOOKBACK = {"SEVEN_DAYS": 7, "THIRTY_DAYS": 30, "SIXTY_DAYS": 60}
YEARS = {"ONE_YEAR": 1, "THREE_YEARS": 3}
OPTIONS = {
    "NO_UPFRONT": shares.NO_UPFRONT, "PARTIAL_UPFRONT": shares.PARTIAL_UPFRONT, "ALL_UPFRONT": shares.ALL_UPFRONT,
}  # fmt: skip
MONTH = Decimal(730)
"""Hours of a month in estimates."""
_STEP = Decimal("0.001")


class Asked(NamedTuple):
    """Over how many days to look back, for which term and payment."""

    days: int
    years: int
    option: str

    @property
    def hours(self) -> Decimal:
        """Of the term."""
        return Decimal(self.years * 8760)


def window(now: datetime, days: int) -> tuple[datetime, datetime]:
    """The last whole days."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days), today


def best(hours: Sequence[Decimal], share: Decimal) -> Decimal:
    """How much of something to have in every hour: the most that was in use for more than `share` of the hours."""
    ranked = sorted(hours, reverse=True)
    place = int((share * len(ranked)).to_integral_value(ROUND_FLOOR))
    return ranked[place] if place < len(ranked) else ZERO


def whole(amount: Decimal, hours: Sequence[Decimal], share: Decimal) -> int:
    """The same in whole pieces: the last one too must be in use for as much on average."""
    pieces = int(amount.to_integral_value(ROUND_FLOOR))
    more = pieces + 1
    gained = sum((min(hour, Decimal(more)) - min(hour, Decimal(pieces)) for hour in hours), ZERO)
    return more if hours and gained > share * len(hours) else pieces


def rounded(amount: Decimal) -> Decimal:
    """A commitment as plans are bought."""
    return amount.quantize(_STEP, ROUND_CEILING)


class Pay(NamedTuple):
    """Dollars at once, and every hour."""

    upfront: Decimal
    hourly: Decimal


def payment(hourly: Decimal, asked: Asked) -> Pay:
    """How so many dollars an hour are paid for over a term."""
    total = hourly * asked.hours
    if asked.option == shares.NO_UPFRONT:
        return Pay(ZERO, hourly)
    if asked.option == shares.ALL_UPFRONT:
        return Pay(total, ZERO)
    return Pay(total / 2, hourly / 2)


def summed(columns: Iterable[Sequence[Decimal]], count: int) -> list[Decimal]:
    """Columns added up, hour by hour."""
    found = [ZERO] * count
    for column in columns:
        found = [one + more for one, more in zip(found, column, strict=True)]
    return found


def used(hours: Sequence[Decimal], each: Decimal) -> Iterator[Decimal]:
    """What of so much in every hour would have been used."""
    return (min(hour, each) for hour in hours)
