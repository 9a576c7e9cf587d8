"""What Pipes keeps.

https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_DescribePipe.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from cloudjar.base import arn as arns
from cloudjar.kit.record import Record, record
from cloudjar.services.pipes import errors

RUNNING, STOPPED, DELETED = "RUNNING", "STOPPED", "DELETED"
CREATING, UPDATING, DELETING = "CREATING", "UPDATING", "DELETING"
STARTING, STOPPING = "STARTING", "STOPPING"
CREATE_FAILED, UPDATE_FAILED, START_FAILED = "CREATE_FAILED", "UPDATE_FAILED", "START_FAILED"


class Failing(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of a shard that the target did not take. `most` is of how many records it is, `done` the sequence
    numbers in it that were taken; `since` and `due` (of the next try) are Unix seconds."""

    most: int
    since: float
    due: float
    tries: int = 0
    done: tuple[str, ...] = ()


@record("pipes", "pipe", key="name", arn="pipe/{name}", missing=errors.NO_PIPE)
class Pipe(Record, frozen=True, kw_only=True):
    """A pipe. Its parameters are kept as they were given, those of the source with what is the default. Times are Unix
    seconds, 0 for none."""

    name: str
    description: str = ""
    state: str = CREATING
    desired: str = RUNNING
    reason: str = ""
    due: float = 0.0
    """When what is under way is done."""
    source: str
    source_params: dict[str, Any] = {}
    target: str
    target_params: dict[str, Any] = {}
    role: str
    tags: dict[str, str] = {}
    made: float
    changed: float
    window: float = 0.0
    """When the batch that is being gathered is to go."""
    read_upto: dict[str, str] = {}
    """Sequence numbers by shard: what was read of a stream."""
    failing: dict[str, Failing] = {}
    """By shard, what must go before anything else of it is read."""

    @property
    def arn(self) -> str:
        """The pipe's ARN."""
        return f"arn:aws:pipes:{self.region}:{self.account}:pipe/{self.name}"

    @property
    def source_arn(self) -> arns.Arn:
        """The source; CreatePipe takes no other."""
        found = arns.parse(self.source)
        assert found is not None
        return found

    @property
    def target_arn(self) -> arns.Arn:
        """The target."""
        found = arns.parse(self.target)
        assert found is not None
        return found

    @property
    def reading(self) -> dict[str, Any]:
        """How the source is read: its own parameters, defaults filled in."""
        own = "SqsQueueParameters" if self.source_arn.service == "sqs" else "KinesisStreamParameters"
        found: dict[str, Any] = self.source_params[own]
        return found
