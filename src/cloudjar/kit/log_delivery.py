"""Log events of services, delivered to CloudWatch Logs in batches that it takes.

Whoever delivers says as whom: a role that was passed to it (`Ctx.as_role`), or its service principal, which the log
group's resource policy must let in (``delivery.logs.amazonaws.com``). Permissions, audit and the bill hold as for
anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx

_BYTES, _COUNT, _SPAN = 1_048_576, 10_000, 86_400_000
_OVERHEAD = 26


class LogEvent(NamedTuple):
    """A line and its instant, in milliseconds since 1970."""

    time: int
    message: str


def deliver(
    ctx: Ctx,
    caller: Caller,
    group: str,
    stream: str,
    events: Sequence[LogEvent],
    *,
    via: str,
    makes_group: bool = False,
) -> None:
    """Append events to a stream, in the order of their times; it is made when it is missing, with `makes_group` the
    group too. `via` is the service that delivers (``vpc-flow-logs.amazonaws.com``).

    Raises what CloudWatch Logs answers.
    """
    for batch in batches(sorted(events, key=lambda event: event.time)):
        put = {
            "logGroupName": group,
            "logStreamName": stream,
            "logEvents": [{"timestamp": event.time, "message": event.message} for event in batch],
        }
        try:
            ctx.call("logs", "PutLogEvents", put, caller=caller, via=via)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            _make(ctx, caller, group, stream, via, makes_group=makes_group)
            ctx.call("logs", "PutLogEvents", put, caller=caller, via=via)


def _make(ctx: Ctx, caller: Caller, group: str, stream: str, via: str, *, makes_group: bool) -> None:
    named = {"logGroupName": group, "logStreamName": stream}
    try:
        ctx.call("logs", "CreateLogStream", named, caller=caller, via=via)
    except AwsError as error:
        if error.code != "ResourceNotFoundException" or not makes_group:
            raise
        ctx.call("logs", "CreateLogGroup", {"logGroupName": group}, caller=caller, via=via)
        ctx.call("logs", "CreateLogStream", named, caller=caller, via=via)


def batches(events: Sequence[LogEvent]) -> Iterator[list[LogEvent]]:
    """Events in the pieces that PutLogEvents takes."""
    batch: list[LogEvent] = []
    size = 0
    for event in events:
        weight = len(event.message.encode()) + _OVERHEAD
        full = len(batch) == _COUNT or size + weight > _BYTES
        if batch and (full or event.time - batch[0].time > _SPAN):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += weight
    if batch:
        yield batch
