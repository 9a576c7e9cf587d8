"""Redrive: a dead-letter queue's messages back to where they came from, or elsewhere.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

import base64
import json
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sqs import errors
from cloudjar.services.sqs.access import find_task
from cloudjar.services.sqs.records import MoveTask, Queue
from cloudjar.services.sqs.rows import rows

_FASTEST = 500
ACTIVE = ("RUNNING", "CANCELLING")


def _queue(ctx: Ctx, text: str) -> Queue:
    arn = arns.parse(text)
    if arn is None or arn.service != "sqs":
        raise errors.bad_value(text, "SourceArn", "You must provide a valid ARN of an SQS queue.")
    found = ctx.db.at(arn.account, arn.region)[Queue].get(arn.resource)
    if found is None:
        said = "The resource that you specified for the SourceArn parameter doesn't exist."
        raise AwsError("ResourceNotFoundException", said, 404)
    return found


@op("StartMessageMoveTask")
def start_message_move_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Begin to move what is in a dead-letter queue now."""
    source = _queue(ctx, req["SourceArn"])
    arn, destination = ctx.arn(source), req.get("DestinationArn") or ""
    rate = req.get("MaxNumberOfMessagesPerSecond")
    if rate is not None and not 1 <= rate <= _FASTEST:
        raise errors.bad_value(rate, "MaxNumberOfMessagesPerSecond", f"Must be between 1 and {_FASTEST}.")
    db = ctx.db.at(source.account, source.region)
    if not db[Queue].all(dlq_arn=arn):
        raise errors.invalid("Source queue must be configured as a Dead Letter Queue.")
    if destination:
        target = _queue(ctx, destination)
        if target.fifo != source.fifo or destination == arn:
            raise errors.invalid("The destination queue must be another queue of the same type as the source queue.")
    if any(task.status in ACTIVE for task in db[MoveTask].all(source=arn)):
        raise errors.invalid(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        )
    store, id_ = rows(ctx.world), ids.uuid4()
    handle = base64.b64encode(json.dumps({"taskId": id_, "sourceArn": arn}).encode()).decode()
    task = db[MoveTask].add(
        MoveTask(
            id=id_, source=arn, destination=destination, rate=rate or 0, started=ctx.now.timestamp(),
            to_move=store.total(source.number), upto=store.newest(source.number), handle=handle,
        )
    )  # fmt: skip
    return {"TaskHandle": task.handle}


@op("CancelMessageMoveTask")
def cancel_message_move_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Stop a move; what was moved stays so."""
    task = find_task(ctx, req["TaskHandle"])
    if task is None:
        raise AwsError("ResourceNotFoundException", "Task does not exist.", 404)
    if task.status not in ACTIVE:
        raise errors.invalid("Only active tasks can be cancelled.")
    ctx.db[MoveTask].put(replace(task, status="CANCELLED"))
    return {"ApproximateNumberOfMessagesMoved": task.moved}


@op("ListMessageMoveTasks")
def list_message_move_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The latest tasks of a queue, newest first."""
    most = req.get("MaxResults")
    if most is not None and not 1 <= most <= 10:
        raise errors.bad_value(most, "MaxResults", "Must be between 1 and 10.")
    source = _queue(ctx, req["SourceArn"])
    tasks = ctx.db.at(source.account, source.region)[MoveTask].all(source=ctx.arn(source))
    tasks.sort(key=lambda task: task.started, reverse=True)
    return {"Results": [_shown(task) for task in tasks[: most or 1]]}


def _shown(task: MoveTask) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Status": task.status,
        "SourceArn": task.source,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": int(task.started * 1000),
    }
    if task.status == "RUNNING":
        told["TaskHandle"] = task.handle
    if task.destination:
        told["DestinationArn"] = task.destination
    if task.rate:
        told["MaxNumberOfMessagesPerSecond"] = task.rate
    if task.failure:
        told["FailureReason"] = task.failure
    return told
