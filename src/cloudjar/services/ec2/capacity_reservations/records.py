"""A Capacity Reservation as it is stored."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record

TABLE = "ec2/capacity-reservation"


@record(
    "ec2",
    "capacity-reservation",
    index=("type", "state"),
    missing=("InvalidCapacityReservationId.NotFound", "The Capacity Reservation '{key}' does not exist"),
)
class CapacityReservation(Record, frozen=True, kw_only=True):
    """`used` follows from the instances that run in it (`matching.recount`); `state` is active, expired or
    cancelled."""

    id: str
    type: str
    platform: str
    zone: str
    tenancy: str = "default"
    total: int
    used: int = 0
    ebs_optimized: bool = False
    criteria: str = "open"
    end: datetime | None = None
    state: str = "active"
    created: datetime
    ended: datetime | None = None
    fleet_id: str = ""
    """The Capacity Reservation Fleet that it belongs to."""
    tags: dict[str, str] = {}
