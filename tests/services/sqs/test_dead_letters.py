"""What is received in vain: where it goes, who may send it there, how it comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code, refused
from tests.services.sqs.conftest import Box


def redrive(target: Box, times: int = 2) -> str:
    return json.dumps({"deadLetterTargetArn": target.arn, "maxReceiveCount": times})


@pytest.fixture
def dead(jar: TestJar, sqs: Any) -> Box:
    """A queue for what is dead in others."""
    return Box(jar, sqs, "dead")


def worn(box: Box, times: int = 2) -> None:
    """Receive everything in vain so often, and once more."""
    for _ in range(times + 1):
        box.receive()
        box.jar.advance(seconds=31)


def test_after_so_many_receives_a_message_is_dead(box: Box, dead: Box) -> None:
    box.set(RedrivePolicy=redrive(dead))
    sent = box.send("poison")
    for count in ("1", "2"):
        [message] = box.receive()
        assert message["Attributes"]["ApproximateReceiveCount"] == count
        box.jar.advance(seconds=31)
    assert box.receive() == []
    assert (box.depth(), dead.depth()) == ((0, 0, 0), (1, 0, 0))
    [found] = dead.receive()
    assert (found["MessageId"], found["Body"]) == (sent["MessageId"], "poison")
    assert found["Attributes"]["DeadLetterQueueSourceArn"] == box.arn
    assert found["Attributes"]["SentTimestamp"] == message["Attributes"]["SentTimestamp"]
    assert found["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_dead_message_keeps_its_age_in_a_standard_queue(box: Box, dead: Box) -> None:
    box.set(RedrivePolicy=redrive(dead, 1))
    dead.set(MessageRetentionPeriod="120")
    box.send("old")
    worn(box, 1)
    dead.send("young")
    assert dead.depth() == (2, 0, 0)
    box.jar.advance(seconds=59)
    assert dead.bodies() == ["young"]


def test_order_goes_on_without_what_is_dead(jar: TestJar, sqs: Any) -> None:
    dead = Box(jar, sqs, "dead.fifo")
    box = Box(jar, sqs, "live.fifo", RedrivePolicy=redrive(dead, 1), ContentBasedDeduplication="true")
    for n in range(3):
        box.send(str(n), MessageGroupId="g")
    [first] = box.receive(1)
    jar.advance(seconds=31)
    assert box.bodies() == ["1", "2"]
    [found] = dead.receive()
    assert (found["Body"], found["Attributes"]["MessageGroupId"]) == ("0", "g")
    assert found["Attributes"]["DeadLetterQueueSourceArn"] == box.arn
    assert first["Body"] == "0"


def test_redrive_policies_are_checked(jar: TestJar, sqs: Any, box: Box, dead: Box) -> None:
    fifo = Box(jar, sqs, "dead.fifo")

    def said(policy: Any) -> str:
        text = policy if isinstance(policy, str) else json.dumps(policy)
        kind, message = refused(box.set, RedrivePolicy=text)
        assert kind == "InvalidParameterValue"
        return message.partition("Reason: ")[2]

    assert said("nonsense") == "Redrive policy is not a valid JSON map."
    assert said(redrive(fifo)) == "Dead-letter queue must be same type of queue as the source."
    assert said({"deadLetterTargetArn": dead.arn + "x", "maxReceiveCount": 1}) == "Dead letter target does not exist."
    assert said({"deadLetterTargetArn": dead.arn}).endswith("mandatory attribute: maxReceiveCount.")
    assert said(redrive(dead, 1001)) == (
        "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive."
    )
    dead.set(RedriveAllowPolicy=json.dumps({"redrivePermission": "denyAll"}))
    assert "does not allow" in said(redrive(dead))
    dead.set(RedriveAllowPolicy=json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [box.arn]}))
    box.set(RedrivePolicy=redrive(dead))
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead.url)["queueUrls"] == [box.url]
    box.set(RedrivePolicy="")
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead.url)["queueUrls"] == []


def test_messages_are_moved_back_to_where_they_came_from(jar: TestJar, sqs: Any, box: Box, dead: Box) -> None:
    other = Box(jar, sqs, "other", RedrivePolicy=redrive(dead, 1))
    box.set(RedrivePolicy=redrive(dead, 1))
    assert refused(sqs.start_message_move_task, SourceArn=box.arn) == (
        "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.",
    )  # fmt: skip
    sent = box.send("from box")
    other.send("from other")
    worn(box, 1)
    worn(other, 1)
    assert dead.depth() == (2, 0, 0)
    handle = sqs.start_message_move_task(SourceArn=dead.arn)["TaskHandle"]
    jar.settle()
    [task] = sqs.list_message_move_tasks(SourceArn=dead.arn)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 2)
    assert code(sqs.cancel_message_move_task, TaskHandle=handle) == "InvalidParameterValue"
    [message] = box.receive()
    assert message["Body"] == "from box"
    assert message["MessageId"] != sent["MessageId"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert other.bodies() == ["from other"]
    assert dead.depth() == (0, 0, 0)


def test_a_move_keeps_its_pace_and_can_be_cancelled(jar: TestJar, sqs: Any, box: Box, dead: Box) -> None:
    box.set(RedrivePolicy=redrive(dead, 1))
    for n in range(5):
        dead.send(str(n))
    asked = {"SourceArn": dead.arn, "DestinationArn": box.arn, "MaxNumberOfMessagesPerSecond": 2}
    handle = sqs.start_message_move_task(**asked)["TaskHandle"]
    assert "only one active task" in refused(sqs.start_message_move_task, **asked)[1].lower()
    jar.settle()
    assert (box.depth()[0], dead.depth()[0]) == (2, 3)
    jar.advance(seconds=1)
    assert (box.depth()[0], dead.depth()[0]) == (4, 1)
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] == 4
    jar.advance(seconds=10)
    assert (box.depth()[0], dead.depth()[0]) == (4, 1)
    [task] = sqs.list_message_move_tasks(SourceArn=dead.arn)["Results"]
    assert (task["Status"], "TaskHandle" in task) == ("CANCELLED", False)
    assert code(sqs.cancel_message_move_task, TaskHandle="nonsense") == "ResourceNotFoundException"


def test_a_message_that_was_never_dead_has_nowhere_to_go_back_to(jar: TestJar, sqs: Any, box: Box, dead: Box) -> None:
    box.set(RedrivePolicy=redrive(dead, 1))
    dead.send("lost")
    sqs.start_message_move_task(SourceArn=dead.arn)
    jar.settle()
    [task] = sqs.list_message_move_tasks(SourceArn=dead.arn)["Results"]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert dead.depth() == (1, 0, 0)
