"""What Cost Anomaly Detection keeps: monitors, who is told, and what was found.

https://docs.aws.amazon.com/cost-management/latest/userguide/manage-ad.html
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from cloudjar.kit.record import Record, record

NO_MONITOR = ("UnknownMonitorException", "The cost anomaly monitor does not exist for the account.")
NO_SUBSCRIPTION = ("UnknownSubscriptionException", "The cost anomaly subscription does not exist for the account.")


@record("ce", "anomalymonitor", arn="anomalymonitor/{id}", regional=False, missing=NO_MONITOR)
class Monitor(Record, frozen=True, kw_only=True):
    """What is watched: each value of a dimension, or all lines that a filter admits. `evaluated` is None until the
    first look."""

    id: str
    name: str
    kind: str
    dimension: str = ""
    filter: dict[str, Any] | None = None
    made: datetime
    changed: datetime
    evaluated: datetime | None = None
    tags: dict[str, str] = {}


@record("ce", "anomalysubscription", arn="anomalysubscription/{id}", regional=False, missing=NO_SUBSCRIPTION)
class Subscription(Record, frozen=True, kw_only=True):
    """Who is told of what `monitors` (ARNs) find: `subscribers` are (type, address), `told` anomalies' ids."""

    id: str
    name: str
    monitors: tuple[str, ...]
    subscribers: tuple[tuple[str, str], ...]
    frequency: str
    threshold: dict[str, Any] | None = None
    told: tuple[str, ...] = ()
    tags: dict[str, str] = {}


@record("ce", "anomaly", regional=False, index=("monitor",))
class Anomaly(Record, frozen=True, kw_only=True):
    """Days on end on which one value of a monitor cost far more than it used to: [start, end] are midnights (UTC), sums
    are dollars. `causes` are lines' (service, region, account, usage type, dollars above what they used to be)."""

    id: str
    monitor: str
    value: str
    start: datetime
    end: datetime
    actual: Decimal
    expected: Decimal
    most: Decimal
    """The largest impact of a day."""
    score: float
    top_score: float
    causes: tuple[tuple[str, str, str, str, Decimal], ...] = ()
    feedback: str = ""

    @property
    def impact(self) -> Decimal:
        """Dollars above what was to be expected."""
        return self.actual - self.expected
