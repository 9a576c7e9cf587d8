"""What EventBridge keeps, but for events on their way (`outbox`) and archived ones (`archived`).

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Types.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.record import Quota, Record, record
from cloudjar.services.events import errors

DEFAULT = "default"
ENABLED, DISABLED, ALL = "ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_BUSES, _RULES = ("events", "L-658A4FD9"), ("events", "L-244521F2")
_LIMIT = ("LimitExceededException", errors.LIMIT)


@record(
    "events",
    "event-bus",
    key="name",
    arn="event-bus/{name}",
    missing=errors.NO_BUS,
    quotas=(Quota(_BUSES, _LIMIT, counts=lambda bus: bus.name != DEFAULT),),
)
class Bus(Record, frozen=True, kw_only=True):
    """A bus; the default one is stored once something was said of it. Times are Unix seconds."""

    name: str
    description: str = ""
    kms_key: str = ""
    dead_letters: str = ""
    """ARN of the queue for events that a key of the customer's does not open: there are none such here."""
    policy: str = ""
    made: float = 0.0
    changed: float = 0.0
    tags: dict[str, str] = {}


@record(
    "events",
    "rule-on-default-event-bus",
    key="path",
    index=("bus",),
    arn="rule/{path}",
    also=("rule-on-custom-event-bus",),
    quotas=(Quota(_RULES, _LIMIT, per="bus", counts=lambda rule: not rule.managed_by),),
)
class Rule(Record, frozen=True, kw_only=True):
    """A rule with its targets, each as it was given. `path` is the name, behind its bus's when that is another than
    the default one."""

    path: str
    name: str
    bus: str
    pattern: str = ""
    schedule: str = ""
    state: str = ENABLED
    description: str = ""
    role: str = ""
    managed_by: str = ""
    archive: str = ""
    """The archive that this rule fills."""
    targets: list[dict[str, Any]] = []
    next: float = 0.0
    """When its schedule is due, in Unix seconds; 0 when it never is again."""
    tags: dict[str, str] = {}

    @property
    def arn(self) -> str:
        """The rule's ARN."""
        return f"arn:aws:events:{self.region}:{self.account}:rule/{self.path}"

    @property
    def place(self) -> str:
        """What it is called in the tables of events on their way."""
        return f"{self.account}/{self.region}/{self.path}"


def path_of(bus: str, name: str) -> str:
    """A rule's key."""
    return name if bus == DEFAULT else f"{bus}/{name}"


@record("events", "archive", key="name", index=("bus",))
class Archive(Record, frozen=True, kw_only=True):
    """An archive of a bus's events. `days` is for how long it keeps them, 0 for ever."""

    name: str
    bus: str
    """The bus's ARN."""
    description: str = ""
    pattern: str = ""
    days: int = 0
    made: float = 0.0
    kms_key: str = ""
    """A KMS key (its ARN) under which events are kept; "" for this installation's own."""
    billed: int = 0
    """Bytes that it kept when that was last measured."""

    @property
    def place(self) -> str:
        """What it is called in `archived`."""
        return f"{self.account}/{self.region}/{self.name}"


@record("events", "replay", key="name")
class Replay(Record, frozen=True, kw_only=True):
    """Events of an archive, put on its bus once more. Times are Unix seconds."""

    name: str
    archive: str
    """The archive's ARN."""
    bus: str
    rules: list[str] = []
    """Only these rules get them, by ARN; all when there is none."""
    description: str = ""
    begin: float
    end: float
    state: str
    reason: str = ""
    started: float
    stopped: float = 0.0
    reached: tuple[float, int] = (0.0, 0)
    """The place in the archive of the last event that was put."""


@record(
    "events",
    "connection",
    key="name",
    arn="connection/{name}/{id}",
    quotas=(Quota(("events", "L-595D6D42"), _LIMIT),),
)
class Connection(Record, frozen=True, kw_only=True):
    """How API destinations are told who calls. `sealed` are the parameters as they were given; `token` what OAuth gave
    for them, sealed, and `expires` until when it is good (0: as long as nobody refuses it)."""

    name: str
    id: str
    kind: str
    sealed: bytes
    description: str = ""
    state: str
    reason: str = ""
    made: float
    changed: float
    authorized: float = 0.0
    token: bytes = b""
    expires: float = 0.0


@record(
    "events",
    "api-destination",
    key="name",
    arn="api-destination/{name}/{id}",
    quotas=(Quota(("events", "L-FB1C3A6D"), _LIMIT),),
)
class Destination(Record, frozen=True, kw_only=True):
    """An address to call. `connection` is the connection's ARN, `rate` calls a second."""

    name: str
    id: str
    connection: str
    endpoint: str
    method: str
    rate: int = 300
    description: str = ""
    made: float
    changed: float
