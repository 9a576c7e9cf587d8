"""Groups of dimensions, and what of them a question may ask for (pure).

https://docs.aws.amazon.com/performance-insights/latest/APIReference/API_DimensionGroup.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError

GROUPS: dict[str, tuple[str, ...]] = {
    "db": ("db.name",),
    "db.application": ("db.application.name",),
    "db.host": ("db.host.name",),
    "db.session_type": ("db.session_type.name",),
    "db.sql": ("db.sql.id", "db.sql.statement", "db.sql.tokenized_id"),
    "db.sql_tokenized": ("db.sql_tokenized.id", "db.sql_tokenized.statement"),
    "db.user": ("db.user.name",),
    "db.wait_event": ("db.wait_event.name", "db.wait_event.type"),
    "db.wait_event_type": ("db.wait_event_type.name",),
}
METRICS = ("db.load.avg", "db.sampledload.avg")
PERIODS = (1, 60, 300, 3600, 86_400)
_LIMIT = 10


class By(NamedTuple):
    """By which dimensions load is told apart, and how many of the highest are told."""

    dimensions: tuple[str, ...]
    limit: int


def invalid(message: str) -> AwsError:
    """A question that cannot be."""
    return AwsError("InvalidArgumentException", message)


def by(given: Mapping[str, Any]) -> By:
    """A `DimensionGroup` of a request."""
    known = GROUPS.get(given["Group"])
    if known is None:
        raise invalid(f"The dimension group {given['Group']} is not valid.")
    wanted = tuple(given.get("Dimensions") or known)
    for one in wanted:
        if one not in known:
            raise invalid(f"The dimension {one} is not valid for group {given['Group']}.")
    return By(wanted, given.get("Limit") or _LIMIT)


def filtered(given: Mapping[str, str] | None) -> dict[str, str]:
    """A filter of a request: dimensions, and the values that they must have."""
    known = {dimension for group in GROUPS.values() for dimension in group}
    for name in given or {}:
        if name not in known:
            raise invalid(f"The dimension {name} is not valid.")
    return dict(given or {})


def metric(name: str) -> str:
    """A metric that there is."""
    if name not in METRICS:
        raise invalid(f"The metric {name} is not valid.")
    return name


def period(given: int | None, seconds: float) -> int:
    """The seconds of a point: those that a request names, or few enough for the span."""
    if given is None:
        return next((one for one in PERIODS if seconds / one <= 200), PERIODS[-1])
    if given not in PERIODS:
        raise invalid(f"Invalid value for PeriodInSeconds: {given}. Valid values: {', '.join(map(str, PERIODS))}.")
    return given
