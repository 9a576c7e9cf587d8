"""What SQS keeps, but for messages (`rows`).

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-queue-parameters.html
"""

from __future__ import annotations

from cloudjar.kit.record import Record, record
from cloudjar.services.sqs import errors

PER_QUEUE, PER_GROUP = "queue", "messageGroup"


@record("sqs", "queue", key="name", index=("dlq_arn",), arn="{name}", missing=errors.NO_QUEUE)
class Queue(Record, frozen=True, kw_only=True):
    """A queue. `number` is its own in `rows`: a queue that is made anew has none of the old one's messages."""

    name: str
    number: int
    created: int
    """Seconds since 1970, as AWS shows them."""
    modified: int
    purged: float = 0.0
    visibility: int = 30
    retention: int = 345_600
    delay: int = 0
    wait: int = 0
    max_size: int = 1 << 20
    fifo: bool = False
    content_dedup: bool = False
    dedup_scope: str = PER_QUEUE
    throughput_limit: str = "perQueue"
    redrive: str = ""
    """JSON as AWS shows it."""
    dlq_arn: str = ""
    max_receives: int = 0
    allow: str = ""
    """JSON: which source queues may name this one."""
    policy: str = ""
    kms_key: str = ""
    """As it was given: an id, an alias, an ARN."""
    kms_reuse: int = 300
    sse: bool = True
    tags: dict[str, str] = {}


@record("sqs", "deleted-queue", key="name")
class DeletedQueue(Record, frozen=True, kw_only=True):
    """A name that was a queue's; the rows of `number` are cleared away behind it, then it is 0."""

    name: str
    number: int
    at: float


@record("sqs", "message-move-task", key="id", index=("source",))
class MoveTask(Record, frozen=True, kw_only=True):
    """A redrive of a dead-letter queue's messages."""

    id: str
    source: str
    """ARN; so is `destination`, "" for the queues that the messages came from."""
    destination: str = ""
    status: str = "RUNNING"
    rate: int = 0
    """Messages a second; 0 as fast as may be."""
    started: float
    to_move: int
    moved: int = 0
    upto: int = 0
    """Messages that came later are left alone."""
    cursor: int = 0
    """What lies up to here was looked at."""
    not_before: float = 0.0
    """When the next messages may be moved, if there is a rate."""
    failure: str = ""
    handle: str
