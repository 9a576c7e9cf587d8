"""Reserved DB instances as they are stored."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record


@record(
    "rds",
    "ri",
    key="id",
    arn="ri:{id}",
    missing=("ReservedDBInstanceNotFound", "Reserved DB instance {key} not found.", 404),
)
class ReservedDbInstances(Record, frozen=True, kw_only=True):
    """A purchase of `count` instances. Dollars are exact texts, per instance: `fixed` at once, `hourly` every hour."""

    id: str
    offering: str
    instance_class: str
    engine: str
    multi_az: bool
    option: str
    seconds: int
    count: int
    fixed: str
    hourly: str
    start: datetime
    end: datetime
    state: str = "payment-pending"
    tags: dict[str, str] = {}
