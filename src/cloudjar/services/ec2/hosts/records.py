"""A Dedicated Host as it is stored, and that a region has dedicated instances."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record

FEE_TABLE = "ec2/dedicated-fee"
FEE = "region"


@record(
    "ec2",
    "dedicated-host",
    index=("state",),
    missing=("InvalidHostID.NotFound", "The host ID '{key}' does not exist"),
)
class Host(Record, frozen=True, kw_only=True):
    """A host takes instances of one `type`, or when that is "" of every type of its `family`; `state` is available
    or released."""

    id: str
    type: str
    family: str
    zone: str
    auto_placement: str = "on"
    recovery: str = "off"
    maintenance: str = "off"
    state: str = "available"
    allocated: datetime
    released: datetime | None = None
    reservation_id: str = ""
    """The Dedicated Host Reservation that pays for it."""
    client_token: str = ""
    tags: dict[str, str] = {}


@record("ec2", "dedicated-fee", key="name")
class DedicatedFee(Record, frozen=True, kw_only=True):
    """Whether a dedicated instance runs in this region: it costs by the hour, however many there are."""

    name: str
    running: bool
