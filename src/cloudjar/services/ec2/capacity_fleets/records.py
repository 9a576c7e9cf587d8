"""A Capacity Reservation Fleet as it is stored."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An instance type that the fleet may reserve, in one zone, and the reservation it has of it."""

    type: str
    platform: str
    zone: str
    weight: float = 1.0
    priority: int = 0
    ebs_optimized: bool = False
    reservation_id: str = ""


@record(
    "ec2",
    "capacity-reservation-fleet",
    index=("state",),
    missing=(
        "InvalidCapacityReservationFleetId.NotFound", "The Capacity Reservation Fleet '{key}' does not exist",
    ),
)  # fmt: skip
class CapacityFleet(Record, frozen=True, kw_only=True):
    """`choices` are in the order of the request; `state` is one of AWS's."""

    id: str
    target: int
    choices: tuple[Choice, ...]
    tenancy: str = "default"
    criteria: str = "open"
    strategy: str = "prioritized"
    end: datetime | None = None
    state: str = "submitted"
    created: datetime
    ended: datetime | None = None
    tags: dict[str, str] = {}
