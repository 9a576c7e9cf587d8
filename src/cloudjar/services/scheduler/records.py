"""What Scheduler keeps, but for invocations on their way (`invocations`).

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Types.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.record import Quota, Record, record
from cloudjar.services.scheduler import errors

DEFAULT = "default"
ACTIVE, DELETING = "ACTIVE", "DELETING"
ENABLED, DISABLED = "ENABLED", "DISABLED"


@record(
    "scheduler",
    "schedule-group",
    key="name",
    arn="schedule-group/{name}",
    missing=errors.NO_GROUP,
    quotas=(Quota(("scheduler", "L-A632CD40"), errors.LIMIT, counts=lambda group: group.name != DEFAULT),),
)
class Group(Record, frozen=True, kw_only=True):
    """Schedules that are deleted together. The default one is stored once it was tagged. Times are Unix seconds."""

    name: str
    state: str = ACTIVE
    made: float = 0.0
    changed: float = 0.0
    tags: dict[str, str] = {}


@record(
    "scheduler",
    "schedule",
    key="path",
    index=("group",),
    arn="schedule/{path}",
    missing=errors.NO_SCHEDULE,
    quotas=(Quota(("scheduler", "L-EE5D6FF0"), errors.LIMIT),),
)
class Schedule(Record, frozen=True, kw_only=True):
    """A schedule. `path` is its group and name; `target` as it was given, with what is the default; `window` minutes
    in which an invocation may come later, 0 for none. Times are Unix seconds, 0 for none."""

    path: str
    group: str
    name: str
    expression: str
    zone: str = "UTC"
    start: float = 0.0
    end: float = 0.0
    description: str = ""
    state: str = ENABLED
    window: int = 0
    delete_after: bool = False
    target: dict[str, Any]
    made: float
    changed: float
    since: float
    """From when its times are counted: when it was made, or last changed."""
    next: float = 0.0
    """When it is due first, counted from then (`times.reached` tells how far it has come); 0 when it never is again."""

    @property
    def arn(self) -> str:
        """The schedule's ARN."""
        return f"arn:aws:scheduler:{self.region}:{self.account}:schedule/{self.path}"

    @property
    def group_arn(self) -> str:
        """The ARN of its group, which roles and policies know as the source."""
        return f"arn:aws:scheduler:{self.region}:{self.account}:schedule-group/{self.group}"

    @property
    def place(self) -> str:
        """What it is called in the table of invocations."""
        return f"{self.account}/{self.region}/{self.path}"
