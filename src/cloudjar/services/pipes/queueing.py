"""A queue as the source. What was received is hidden for the queue's visibility timeout, and deleted once the target
took it: what it did not take comes back by itself.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import queues
from cloudjar.kit.context import Ctx
from cloudjar.services.pipes import running, shaping
from cloudjar.services.pipes.records import Pipe
from cloudjar.services.pipes.sending import Outcome
from cloudjar.services.pipes.shaping import Item

_AT_ONCE = 10


def check(ctx: Ctx, pipe: Pipe, who: Caller) -> None:
    """Whether the role may read the queue, and it is there; raises the `AwsError` of why not."""
    waiting(ctx, pipe, who)


def waiting(ctx: Ctx, pipe: Pipe, who: Caller) -> int:
    """How many messages could be received."""
    name = "ApproximateNumberOfMessages"
    asked = {"QueueUrl": queues.url_of(pipe.source_arn), "AttributeNames": [name]}
    answer = ctx.call("sqs", "GetQueueAttributes", asked, caller=who)
    return int(answer["Attributes"][name])


def batch(ctx: Ctx, pipe: Pipe, who: Caller) -> bool:
    """Carry one batch; whether there may be another."""
    most = pipe.reading["BatchSize"]
    items: list[Item] = []
    while len(items) < most:
        found = _receive(ctx, pipe, who, min(most - len(items), _AT_ONCE))
        if not found:
            break
        items += [shaping.of_message(pipe, message) for message in found]
    if not items:
        return False
    meant, others = shaping.wanted(pipe, items)
    if others:
        with ctx.world.state.database.transaction():
            _delete(ctx, pipe, who, others)
    if meant:
        running.carry(ctx, pipe, who, meant, lambda outcome: _forget(ctx, pipe, who, meant, outcome))
    return True


def _receive(ctx: Ctx, pipe: Pipe, who: Caller, most: int) -> list[dict[str, Any]]:
    asked = {
        "QueueUrl": queues.url_of(pipe.source_arn),
        "MaxNumberOfMessages": most,
        "WaitTimeSeconds": 0,
        "AttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }
    found: list[dict[str, Any]] = ctx.call("sqs", "ReceiveMessage", asked, caller=who).get("Messages") or []
    return found


def _forget(ctx: Ctx, pipe: Pipe, who: Caller, items: Sequence[Item], outcome: Outcome) -> None:
    taken = [item for item in items if item.mark not in outcome.failed]
    if taken:
        _delete(ctx, pipe, who, taken)


def _delete(ctx: Ctx, pipe: Pipe, who: Caller, items: Sequence[Item]) -> None:
    """Delete messages; raises the `AwsError` when the queue keeps one."""
    for start in range(0, len(items), _AT_ONCE):
        entries = [
            {"Id": str(place), "ReceiptHandle": item.mark}
            for place, item in enumerate(items[start : start + _AT_ONCE])
        ]
        asked = {"QueueUrl": queues.url_of(pipe.source_arn), "Entries": entries}
        failed = ctx.call("sqs", "DeleteMessageBatch", asked, caller=who).get("Failed")
        if failed:
            raise AwsError(failed[0]["Code"], failed[0].get("Message") or "", 400)
