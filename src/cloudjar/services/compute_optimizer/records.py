"""What Compute Optimizer keeps: who has opted in, and what recommendations are made by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.record import Record, record


@record("compute-optimizer", "enrollment", key="name", regional=False)
class Enrollment(Record, frozen=True, kw_only=True):
    """Whether an account has opted in, for all of its Regions."""

    name: str = "enrollment"
    status: str
    changed: datetime


@record("compute-optimizer", "preference")
class Preference(Record, frozen=True, kw_only=True):
    """What was asked for of one kind of resource (``Ec2Instance``) in a Region: of the whole account, or (`value` an
    ARN) of one Auto Scaling group; `chosen` as it was given."""

    id: str
    """``KIND/SCOPE/VALUE``."""
    kind: str
    scope: str
    value: str
    chosen: dict[str, Any]
