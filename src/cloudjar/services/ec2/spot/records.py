"""A request for a spot instance as it is stored; every spot instance belongs to one.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.record import Record, record


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """An interruption under way. `warned` is when the guest is told, `due` when its instance goes."""

    asked: datetime
    warned: datetime
    due: datetime
    experiment: bool = False
    told: bool = False
    done: bool = False


@record(
    "ec2",
    "spot-instances-request",
    index=("instance_id", "state"),
    missing=("InvalidSpotInstanceRequestID.NotFound", "The spot instance request ID '{key}' does not exist"),
    everywhere=True,
)
class SpotRequest(Record, frozen=True, kw_only=True):
    """`state` is open, active, disabled, closed, cancelled or failed; `code` says why."""

    id: str
    state: str
    code: str
    message: str
    updated: datetime
    created: datetime
    type: str = "one-time"
    behavior: str = "terminate"
    max_price: str = ""
    """What was asked for, or the on-demand price; "" where that is not known."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    launch_group: str = ""
    zone_group: str = ""
    params: dict[str, Any]
    """What is launched, in the words of RunInstances."""
    kind: str
    """The instance type."""
    instance_id: str = ""
    zone: str = ""
    launches: int = 0
    """How many instances were launched for it."""
    fault: tuple[str, str] | None = None
    notice: Notice | None = None
    ended: datetime | None = None
    """Since when it is cancelled, closed or failed and has no instance."""
    tags: dict[str, str] = {}

    @property
    def waiting(self) -> bool:
        """Whether an instance is still to be launched for it."""
        return self.state == "open"
