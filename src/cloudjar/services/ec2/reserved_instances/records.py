"""Reserved Instances as they are stored, and modifications of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.record import Record, record

TABLE = "ec2/reserved-instances"


@record(
    "ec2",
    "reserved-instances",
    index=("state",),
    missing=("InvalidReservedInstancesId", "The specified Reserved Instances ID '{key}' does not exist"),
)
class ReservedInstances(Record, frozen=True, kw_only=True):
    """A purchase. Dollars are exact texts: `fixed` and `hourly` per instance, `fee` what was charged in all when it
    became active."""

    id: str
    type: str
    zone: str
    """ "" for the whole Region."""
    cls: str
    option: str
    seconds: int
    count: int
    fixed: str
    hourly: str
    fee: str
    bought: datetime
    start: datetime
    end: datetime
    state: str = "payment-pending"
    derived: bool = False
    """Made by a modification or an exchange, not bought."""
    tags: dict[str, str] = {}


@record("ec2", "reserved-instances-modification", key="id")
class Modification(Record, frozen=True, kw_only=True):
    """What was split, merged or moved, and into what: (id, target configuration) pairs."""

    id: str
    sources: tuple[str, ...]
    results: tuple[tuple[str, dict[str, Any]], ...]
    made: datetime
    client_token: str = ""
