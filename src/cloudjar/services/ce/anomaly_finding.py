"""When a day's cost is an anomaly: a plain statistic over the ledger, not AWS's learned model (which nobody publishes).

A value's days of the last sixty are its history, from the first on which it cost anything, without those on which it
was found anomalous; there must be ten. What is to be expected is their mean. A day is an anomaly when it costs more
than that by three standard deviations, by a tenth of the mean, and by a cent, all at once. Its score is the excess as a
share of excess and deviations together.

https://docs.aws.amazon.com/cost-management/latest/userguide/getting-started-ad.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from cloudjar.billing import dimensions
from cloudjar.billing.measured import ZERO, Line
from cloudjar.services.ce.anomaly_records import Anomaly, Monitor
from cloudjar.services.ce.asking import Asking

HISTORY, LEAST = 60, 10
DEVIATIONS, SHARE, FLOOR = 3, Decimal("0.1"), Decimal("0.01")
_CAUSES = 10
_DAY = timedelta(days=1)
Place = tuple[str, str, str, str]
"""Service, region, account, usage type."""
NAMING: Mapping[str, Callable[[Line], str]] = {
    "SERVICE": dimensions.service,
    "LINKED_ACCOUNT": lambda line: line.account,
}
_KINDS = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage", "SavingsPlanNegation")


class Found(NamedTuple):
    """An anomalous day of one value."""

    value: str
    actual: Decimal
    expected: Decimal
    score: float
    causes: tuple[tuple[str, str, str, str, Decimal], ...]


def _all_together(_: Line) -> str:
    """A custom monitor watches one sum."""
    return ""


def look(asking: Asking, monitor: Monitor, day: datetime, known: Iterable[Anomaly]) -> list[Found]:
    """The anomalies of a day (midnight, UTC) that is over."""
    start = day - HISTORY * _DAY
    naming = NAMING.get(monitor.dimension, _all_together)
    keep = asking.keep(monitor.filter)

    def place(line: Line) -> tuple[str, Place]:
        return naming(line), (dimensions.service(line), line.region or "global", line.account, line.bill_usage_type)

    _, groups = asking.ledger.sums(
        start, day + _DAY, "DAILY", keep=lambda line: line.kind in _KINDS and keep(line), key=place
    )
    values: dict[str, dict[Place, list[Decimal]]] = {}
    for (value, where), group in groups.items():
        values.setdefault(value, {})[where] = group.unblended
    odd = {(one.value, one.start + n * _DAY) for one in known for n in range((one.end - one.start).days + 1)}
    found = []
    for value, lines in values.items():
        usual = [n for n in range(HISTORY) if (value, start + n * _DAY) not in odd]
        judged = _judged(value, lines, usual)
        if judged is not None:
            found.append(judged)
    return found


def _judged(value: str, lines: Mapping[Place, list[Decimal]], usual: list[int]) -> Found | None:
    whole = [sum((column[n] for column in lines.values()), ZERO) for n in range(HISTORY + 1)]
    first = next((n for n, cost in enumerate(whole) if cost), HISTORY)
    history = [n for n in usual if n >= first]
    if len(history) < LEAST:
        return None
    count = len(history)
    mean = sum((whole[n] for n in history), ZERO) / count
    deviation = (sum(((whole[n] - mean) ** 2 for n in history), ZERO) / count).sqrt()
    excess = whole[-1] - mean
    if excess <= max(DEVIATIONS * deviation, SHARE * mean, FLOOR):
        return None
    above = [
        (*where, column[-1] - sum((column[n] for n in history), ZERO) / count) for where, column in lines.items()
    ]
    causes = sorted((cause for cause in above if cause[4] > 0), key=lambda cause: (-cause[4], cause[:4]))
    score = float(excess / (excess + DEVIATIONS * deviation))
    return Found(value, whole[-1], mean, round(score, 4), tuple(causes[:_CAUSES]))
