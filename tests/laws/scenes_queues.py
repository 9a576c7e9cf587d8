"""What the laws ask SQS, SNS and EventBridge about."""

from __future__ import annotations

import itertools
import json
from typing import Any

from cloudjar.kit.mailbox import letters
from tests.jar import ACCOUNT, TestJar
from tests.laws import scenes_events
from tests.services.sns.test_endpoints import follow

_ON_QUEUES = ("AddPermission", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage",
              "DeleteMessageBatch", "DeleteQueue", "GetQueueAttributes", "ListDeadLetterSourceQueues", "ListQueueTags",
              "PurgeQueue", "ReceiveMessage", "RemovePermission", "SendMessage", "SendMessageBatch",
              "SetQueueAttributes", "TagQueue", "UntagQueue")  # fmt: skip
_NUMBERS = itertools.count()
_ARN = f"arn:aws:sqs:eu-west-3:{ACCOUNT}"


def _url(things: Any) -> dict[str, Any]:
    return {"QueueUrl": things.jar.client("sqs").create_queue(QueueName=f"law{next(_NUMBERS)}")["QueueUrl"]}


def _task(things: Any) -> dict[str, Any]:
    """A move that goes on."""
    sqs, dead = things.jar.client("sqs"), f"dead{next(_NUMBERS)}"
    sqs.create_queue(QueueName=dead)
    redrive = json.dumps({"deadLetterTargetArn": f"{_ARN}:{dead}", "maxReceiveCount": 1})
    sqs.create_queue(QueueName=f"{dead}-source", Attributes={"RedrivePolicy": redrive})
    return {"TaskHandle": sqs.start_message_move_task(SourceArn=f"{_ARN}:{dead}")["TaskHandle"]}


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
    sns = jar.client("sns")
    topic = ""
    for n in range(7):
        topic = sns.create_topic(Name=f"t{n}")["TopicArn"]
    for n in range(7):
        sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint=f"+3361234567{n}")
        sns.create_sms_sandbox_phone_number(PhoneNumber=f"+3361234567{n}")
        follow(letters(jar.jar.world)[0].mail.link)  # and wants no more
    return {"QueueUrl": url, "TopicArn": topic, **scenes_events.many(jar)}


_ON_TOPICS = ("AddPermission", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "Publish",
              "PublishBatch", "RemovePermission", "SetTopicAttributes")  # fmt: skip
_ON_SUBSCRIPTIONS = ("GetSubscriptionAttributes", "SetSubscriptionAttributes", "Unsubscribe")
_TAGGED = ("ListTagsForResource", "TagResource", "UntagResource")


def _topic(things: Any) -> str:
    return str(things.jar.client("sns").create_topic(Name="law")["TopicArn"])


def _subscription(things: Any) -> dict[str, Any]:
    asked = {"TopicArn": _topic(things), "Protocol": "sms", "Endpoint": "+33612345678"}
    return {"SubscriptionArn": things.jar.client("sns").subscribe(**asked)["SubscriptionArn"]}


SCENES.update({f"sns:{name}": lambda things: {"TopicArn": _topic(things)} for name in _ON_TOPICS})
SCENES.update({f"sns:{name}": _subscription for name in _ON_SUBSCRIPTIONS})
SCENES.update({f"sns:{name}": lambda things: {"ResourceArn": _topic(things)} for name in _TAGGED})
SCENES["sns:Subscribe"] = lambda things: {
    "TopicArn": _topic(things), "Protocol": "sms", "Endpoint": "+33612345678",
}  # fmt: skip
SCENES["sns:ConfirmSubscription"] = lambda things: {"TopicArn": _topic(things), "Token": "x"}
SCENES.update(scenes_events.SCENES)
