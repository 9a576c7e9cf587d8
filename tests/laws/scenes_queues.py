"""What the laws ask SQS and SNS about."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT, TestJar

_ON_QUEUES = ("AddPermission", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage",
              "DeleteMessageBatch", "DeleteQueue", "GetQueueAttributes", "ListDeadLetterSourceQueues", "ListQueueTags",
              "PurgeQueue", "ReceiveMessage", "RemovePermission", "SendMessage", "SendMessageBatch",
              "SetQueueAttributes", "TagQueue", "UntagQueue")  # fmt: skip
_ARN = f"arn:aws:sqs:eu-west-3:{ACCOUNT}"


def _url(things: Any) -> dict[str, Any]:
    return {"QueueUrl": things.jar.client("sqs").create_queue(QueueName="law")["QueueUrl"]}


def _task(things: Any) -> dict[str, Any]:
    """A move that goes on."""
    sqs = things.jar.client("sqs")
    sqs.create_queue(QueueName="dead")
    redrive = json.dumps({"deadLetterTargetArn": f"{_ARN}:dead", "maxReceiveCount": 1})
    sqs.create_queue(QueueName="alive", Attributes={"RedrivePolicy": redrive})
    return {"TaskHandle": sqs.start_message_move_task(SourceArn=f"{_ARN}:dead")["TaskHandle"]}


SCENES: dict[str, Any] = {
    **{f"sqs:{name}": _url for name in _ON_QUEUES},
    "sqs:CancelMessageMoveTask": _task,
    "sqs:ListMessageMoveTasks": lambda _: {"SourceArn": f"{_ARN}:aaa"},
    "sqs:StartMessageMoveTask": lambda _: {"SourceArn": f"{_ARN}:aaa"},
}


def many(jar: TestJar) -> dict[str, Any]:
    """Several queues, all with the same dead-letter queue; how operations are asked about them."""
    sqs = jar.client("sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": f"{_ARN}:dead", "maxReceiveCount": 1})
    for n in range(7):
        sqs.create_queue(QueueName=f"q{n}", Attributes={"RedrivePolicy": redrive})
    return {"QueueUrl": url}
