"""What CloudWatch Logs keeps, but for streams and events (`rows`).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatchLogsConcepts.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record

STANDARD = "STANDARD"


@record(
    "logs",
    "log-group",
    key="name",
    arn="log-group:{name}",
    missing=("ResourceNotFoundException", "The specified log group does not exist."),
    quotas=(Quota(("logs", "L-C7B9AAAB"), ("LimitExceededException", "Resource limit exceeded.")),),
)
class LogGroup(Record, frozen=True, kw_only=True):
    """A log group. `number` is its own in `rows`: a group that is made anew has none of the old one's events."""

    name: str
    number: int
    created: datetime
    retention: int = 0
    """Days; 0 keeps events for ever."""
    group_class: str = STANDARD
    """STANDARD or INFREQUENT_ACCESS."""
    protected: bool = False
    kms_key: str = ""
    """ARN of the key that new events are encrypted under."""
    data_key: int = 0
    """Number (in `rows`) of the data key that the KMS key has wrapped."""
    billed: int = 0
    """Bytes that are stored, as last measured."""
    policy: str = ""
    """Its own resource policy."""
    policy_name: str = ""
    policy_revision: str = ""
    policy_updated: datetime | None = None
    tags: dict[str, str] = {}

    @property
    def public_arn(self) -> str:
        """The ARN as most operations show it, with the streams' wildcard."""
        return f"arn:aws:logs:{self.region}:{self.account}:log-group:{self.name}:*"


class Transformation(msgspec.Struct, frozen=True, kw_only=True):
    """What a metric filter makes of an event that matches."""

    name: str
    namespace: str
    value: str
    default: float | None = None
    dimensions: dict[str, str] = {}
    unit: str = ""


@record(
    "logs",
    "metric-filter",
    key="key",
    index=("group",),
    missing=("ResourceNotFoundException", "The specified metric filter does not exist."),
)
class MetricFilter(Record, frozen=True, kw_only=True):
    """A metric filter of a log group; `key` is GROUP:NAME."""

    key: str
    group: str
    name: str
    pattern: str
    transformation: Transformation
    created: datetime


@record(
    "logs",
    "subscription-filter",
    key="key",
    index=("group",),
    missing=("ResourceNotFoundException", "The specified subscription filter does not exist."),
)
class SubscriptionFilter(Record, frozen=True, kw_only=True):
    """Events of a log group that go on to somebody; `key` is GROUP:NAME, `number` its own in `outbox`."""

    key: str
    group: str
    name: str
    number: int
    pattern: str
    destination: str
    role: str = ""
    distribution: str = "ByLogStream"
    created: datetime


@record(
    "logs",
    "destination",
    key="name",
    arn="destination:{name}",
    missing=("ResourceNotFoundException", "The specified destination does not exist."),
)
class Destination(Record, frozen=True, kw_only=True):
    """Where other accounts may send their events: a stream of this account, and the role to write to it."""

    name: str
    target: str
    role: str
    policy: str = ""
    created: datetime
    tags: dict[str, str] = {}


@record(
    "logs",
    "query-definition",
    missing=("ResourceNotFoundException", "The specified query definition does not exist."),
)
class QueryDefinition(Record, frozen=True, kw_only=True):
    """A query that was kept for later."""

    id: str
    name: str
    text: str
    groups: tuple[str, ...] = ()
    changed: datetime


@record(
    "logs",
    "export-task",
    missing=("ResourceNotFoundException", "The specified export task does not exist."),
)
class ExportTask(Record, frozen=True, kw_only=True):
    """Events of a group on their way into a bucket; times of events are milliseconds, `end` is not part of it."""

    id: str
    name: str = ""
    group: str
    prefix: str = ""
    start: int
    end: int
    bucket: str
    folder: str
    status: str = "PENDING"
    message: str = ""
    created: datetime
    completed: datetime | None = None
    done: int = 0
    """Streams that are in the bucket."""


@record(
    "logs",
    "resource-policy",
    key="name",
    missing=("ResourceNotFoundException", "Policy with name [{key}] does not exist."),
)
class AccountPolicy(Record, frozen=True, kw_only=True):
    """A resource policy for all log groups of an account and region."""

    name: str
    document: str
    updated: datetime


@record(
    "logs",
    "query",
    missing=("ResourceNotFoundException", "The specified query does not exist."),
)
class Query(Record, frozen=True, kw_only=True):
    """An Insights query; times of events are milliseconds, what it found lies in `queries.Results`."""

    id: str
    groups: tuple[str, ...]
    text: str
    start: int
    end: int
    limit: int
    created: datetime
    status: str = "Scheduled"
    scanned: int = 0
    bytes: int = 0
    matched: int = 0
    took: int = 0
