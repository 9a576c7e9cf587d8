"""PutLogEvents.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors, forwarding, life, metrics, sealing, tailing, tokens
from cloudjar.services.logs.bill import ingested
from cloudjar.services.logs.finding import horizon, millis, need_stream
from cloudjar.services.logs.records import LogGroup
from cloudjar.services.logs.rows import New, rows

BATCH_BYTES = 1_048_576
OVERHEAD = 26
"""Bytes that every event counts besides its message."""
DAY = 86_400_000
_OLDEST, _NEWEST = timedelta(days=14), timedelta(hours=2)


@op("PutLogEvents")
def put_log_events(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Append a batch to a stream; events that are too old or too new are left out, and told."""
    given = [(event["timestamp"], event["message"].encode()) for event in req["logEvents"]]
    _check_batch(given)
    group = ctx.db[LogGroup].need(req["logGroupName"])
    stream = need_stream(ctx, group, req["logStreamName"])
    fitting = _fitting(ctx, group, [time for time, _ in given])
    kept = given[fitting.begin : fitting.end]
    if kept and kept[-1][0] - kept[0][0] > DAY:
        raise errors.invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    answer: dict[str, Any] = {"nextSequenceToken": tokens.upload(stream.number)}
    if fitting.rejected:
        answer["rejectedLogEventsInfo"] = fitting.rejected
    if kept:
        messages = sealing.sealed(ctx, group, (message for _, message in kept))
        new = [
            New(time, len(plain) + OVERHEAD, message)
            for (time, plain), message in zip(kept, messages, strict=True)
        ]
        last = rows(ctx.world).append(stream, new, millis(ctx.now), group.data_key)
        size = sum(event.size for event in new)
        ingested(ctx, group, size)
        metrics.observed(ctx, group, kept, size)
        forwarding.offer(ctx, group, stream.name, kept, last)
        tailing.offer(ctx, group, stream.name, kept)
        life.tend_soon(ctx, group)
    return answer


def _check_batch(given: Sequence[tuple[int, bytes]]) -> None:
    for _, message in given:
        if len(message) + OVERHEAD > BATCH_BYTES:
            raise errors.invalid(
                f"Log event too large: {len(message) + OVERHEAD} bytes exceeds limit of {BATCH_BYTES}"
            )
    total = sum(len(message) + OVERHEAD for _, message in given)
    if total > BATCH_BYTES:
        raise errors.invalid(f"Upload too large: {total} bytes exceeds limit of {BATCH_BYTES}")
    if any(later[0] < earlier[0] for earlier, later in pairwise(given)):
        raise errors.invalid("Log events in a single PutLogEvents request must be in chronological order.")


class _Fitting(NamedTuple):
    """Which events of a batch are taken, and what is told of the others."""

    begin: int
    end: int
    rejected: dict[str, int]


def _fitting(ctx: Ctx, group: LogGroup, times: Sequence[int]) -> _Fitting:
    oldest, newest, kept_from = millis(ctx.now - _OLDEST), millis(ctx.now + _NEWEST), horizon(ctx, group)
    too_old = sum(time < oldest for time in times)
    expired = sum(time < kept_from for time in times)
    too_new = next((i for i, time in enumerate(times) if time > newest), len(times))
    rejected = {}
    if too_new < len(times):
        rejected["tooNewLogEventStartIndex"] = too_new
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired > too_old:
        rejected["expiredLogEventEndIndex"] = expired
    return _Fitting(max(too_old, expired), too_new, rejected)
