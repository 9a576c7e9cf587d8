"""What Kinesis Data Streams keeps, but for shards (`shards`) and records (`rows`).

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StreamDescriptionSummary.html
"""

from __future__ import annotations

from cloudjar.kit.record import Record, record

PROVISIONED, ON_DEMAND = "PROVISIONED", "ON_DEMAND"
CREATING, ACTIVE, UPDATING, DELETING = "CREATING", "ACTIVE", "UPDATING", "DELETING"


@record("kinesis", "stream", key="name", index=("number", "id"), arn="stream/{name}")
class Stream(Record, frozen=True, kw_only=True):
    """A stream. `number` is its own in `shards` and `rows`: one made anew has nothing of the old one's."""

    name: str
    id: str
    """StreamId."""
    number: int
    created: int
    """Milliseconds since 1970."""
    state: str = CREATING
    due: float = 0.0
    """When what is under way is done (seconds of AWS time)."""
    change: str = ""
    """JSON: how its shards are about to change (`reshaping`)."""
    mode: str = PROVISIONED
    retention: int = 24
    """Hours."""
    open_shards: int
    target: int = 0
    """The shard count that UpdateShardCount asked for, while it is under way."""
    encryption: str = "NONE"
    kms_key: str = ""
    """As it was given: an id, an alias, an ARN."""
    max_record: int = 1024
    """KiB."""
    metrics: tuple[str, ...] = ()
    """Shard-level metrics."""
    policy: str = ""
    scalings: tuple[float, ...] = ()
    """When UpdateShardCount was called in the last day."""
    switches: tuple[float, ...] = ()
    """When the mode was changed in the last day."""
    grown: float = 0.0
    """When an on-demand stream last got more shards by itself."""
    long_kept: int = 0
    """Bytes older than seven days, as last measured."""
    tags: dict[str, str] = {}


@record("kinesis", "consumer", key="path", index=("stream", "name"), arn="stream/{path}")
class Consumer(Record, frozen=True, kw_only=True):
    """A consumer with enhanced fan-out."""

    path: str
    """``STREAM/consumer/NAME:CREATED``, as its ARN ends."""
    stream: str
    number: int
    """Of the stream."""
    name: str
    created: int
    """Milliseconds since 1970."""
    state: str = CREATING
    due: float = 0.0
    shards: int = 0
    """Open shards of its stream: what it is billed for."""
    policy: str = ""
    tags: dict[str, str] = {}
