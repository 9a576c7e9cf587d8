"""What CloudWatch keeps besides points: alarms, their history, dashboards, metric streams."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record
from cloudjar.services.cloudwatch.queries import Query

MOST_ALARMS = 5000


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """Actions that a change of state has brought and that have not run yet. `at` is when they may."""

    state: str
    changed: datetime
    at: datetime
    arns: tuple[str, ...]
    before: str = ""
    """The state that was left."""


class Composite(msgspec.Struct, frozen=True, kw_only=True):
    """What only composite alarms have."""

    rule: str
    suppressor: str = ""
    wait: int = 0
    extension: int = 0
    suppressed_by: str = ""
    suppressed_reason: str = ""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """By what a metric alarm is judged; `queries` has one for a plain metric."""

    queries: tuple[Query, ...]
    plain: bool
    watched: str
    """Id of the query that is compared."""
    period: int
    extended: bool = False
    periods: int
    to_alarm: int
    given_to_alarm: bool = False
    threshold: float
    comparison: str
    missing: str = ""
    low_samples: str = ""
    wall_clock: bool = False


@record(
    "cloudwatch",
    "alarm",
    key="name",
    index=("kind",),
    arn="alarm:{name}",
    missing=("ResourceNotFound", "Unknown alarm: {key}", 404),
)
class Alarm(Record, frozen=True, kw_only=True):
    """An alarm of either kind (``MetricAlarm``, ``CompositeAlarm``) and the state that it is in."""

    name: str
    kind: str
    description: str | None = None
    enabled: bool = True
    ok: tuple[str, ...] = ()
    alarm: tuple[str, ...] = ()
    insufficient: tuple[str, ...] = ()
    configured: datetime
    judged: Judged | None = None
    composite: Composite | None = None
    state: str = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    data: str = ""
    value: float | None = None
    """The newest datapoint that was looked at."""
    state_at: datetime
    moved_at: datetime
    seen: datetime | None = None
    """When the present configuration was last evaluated."""
    due: tuple[Due, ...] = ()
    tags: dict[str, str] = {}

    def actions(self, state: str) -> tuple[str, ...]:
        """The actions of a state."""
        return {"OK": self.ok, "ALARM": self.alarm}.get(state, self.insufficient)


@record("cloudwatch", "alarm-history", index=("alarm",))
class History(Record, frozen=True, kw_only=True):
    """One thing that happened to an alarm, kept for thirty days. Ids grow with time."""

    id: str
    alarm: str
    kind: str
    at: datetime
    type: str
    summary: str
    data: str


@record(
    "cloudwatch",
    "dashboard",
    key="name",
    arn="dashboard/{name}",
    missing=("DashboardNotFoundError", "Dashboard {key} does not exist", 404),
    regional=False,
)
class Dashboard(Record, frozen=True, kw_only=True):
    """A dashboard: its body as it was put."""

    name: str
    body: str
    changed: datetime
    tags: dict[str, str] = {}


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics of a namespace; without names all of them."""

    namespace: str
    names: tuple[str, ...] = ()


class MoreStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics that are streamed beside the four usual ones, for metrics by (namespace, name)."""

    metrics: tuple[tuple[str, str], ...]
    statistics: tuple[str, ...]


RUNNING, STOPPED = "running", "stopped"


@record(
    "cloudwatch",
    "metric-stream",
    key="name",
    arn="metric-stream/{name}",
    missing=("ResourceNotFoundException", "Metric stream {key} does not exist.", 404),
)
class MetricStream(Record, frozen=True, kw_only=True):
    """A stream of what is measured to a delivery stream of Firehose. What waits for it is in `kit.metric_taps`."""

    name: str
    firehose: str
    role: str
    format: str
    include: tuple[Filter, ...] = ()
    exclude: tuple[Filter, ...] = ()
    more: tuple[MoreStatistics, ...] = ()
    state: str = RUNNING
    created: datetime
    updated: datetime
    tags: dict[str, str] = {}
