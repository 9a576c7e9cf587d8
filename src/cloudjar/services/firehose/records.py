"""What Firehose keeps, but for what waits to be delivered (`rows`).

https://docs.aws.amazon.com/firehose/latest/APIReference/API_DeliveryStreamDescription.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.record import Quota, Record, record

CREATING, ACTIVE, DELETING = "CREATING", "ACTIVE", "DELETING"
DIRECT, KINESIS = "DirectPut", "KinesisStreamAsSource"
S3, HTTP = "s3", "http"


@record(
    "firehose",
    "deliverystream",
    key="name",
    index=("number",),
    arn="deliverystream/{name}",
    quotas=(
        Quota(
            ("firehose", "L-14BB0BE7"),
            ("LimitExceededException", "You have already consumed your delivery stream quota of {limit}."),
        ),
    ),
)
class Delivery(Record, frozen=True, kw_only=True):
    """A delivery stream. `number` is its own in `rows`."""

    name: str
    number: int
    created: float
    updated: float = 0.0
    state: str = CREATING
    due: float = 0.0
    """When what is under way is done (seconds of AWS time)."""
    version: int = 1
    kind: str = DIRECT
    source_arn: str = ""
    """A Kinesis stream's."""
    source_role: str = ""
    read_upto: dict[str, str] = {}
    """Sequence numbers by shard: what was read; "" for a shard that is to be read from its beginning."""
    target: str = S3
    config: dict[str, Any] = {}
    """The destination as it is described, defaults filled in."""
    secret: bytes = b""
    """An HTTP endpoint's access key, sealed."""
    sealed: bool = False
    """Whether what waits is encrypted (server-side encryption)."""
    failing_since: float = 0.0
    """When delivering what waits failed first; 0 when it did not."""
    tries: int = 0
    not_before: float = 0.0
    """When it is tried again."""
    tags: dict[str, str] = {}
