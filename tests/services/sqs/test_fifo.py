"""FIFO queues: order within groups, nothing twice within five minutes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code, refused
from tests.services.sqs.conftest import Box


@pytest.fixture
def fifo(jar: TestJar, sqs: Any) -> Box:
    """A FIFO queue."""
    return Box(jar, sqs, "orders.fifo", ContentBasedDeduplication="true")


def test_a_group_waits_for_what_is_in_flight(fifo: Box) -> None:
    for body in ("a1", "b1", "a2", "a3", "b2"):
        fifo.send(body, MessageGroupId=body[0])
    [first] = fifo.receive(1)
    assert first["Body"] == "a1"
    [other] = fifo.receive(1)
    assert other["Body"] == "b1"
    assert fifo.receive() == []
    fifo.delete(first)
    assert fifo.bodies() == ["a2", "a3"]
    fifo.hold(other, 0)
    assert fifo.bodies() == ["b1", "b2"]
    assert fifo.depth() == (0, 4, 0)
    fifo.jar.advance(seconds=31)
    assert sorted(fifo.bodies()) == ["a2", "a3", "b1", "b2"]


def test_what_comes_back_comes_back_in_order(fifo: Box) -> None:
    for n in range(4):
        fifo.send(str(n), MessageGroupId="g")
    held = fifo.receive(2)
    fifo.delete(held[1])  # the second is done, the first is not
    assert fifo.receive() == []
    fifo.jar.advance(seconds=31)
    assert fifo.bodies() == ["0", "2", "3"]


def test_sequence_numbers_grow_and_attributes_tell_of_the_group(fifo: Box) -> None:
    first = fifo.send("1", MessageGroupId="g", MessageDeduplicationId="x")
    second = fifo.send("2", MessageGroupId="g")
    assert len(first["SequenceNumber"]) == 20
    assert first["SequenceNumber"] < second["SequenceNumber"]
    message = fifo.receive()[0]
    assert message["Attributes"].items() >= {
        "MessageGroupId": "g", "MessageDeduplicationId": "x", "SequenceNumber": first["SequenceNumber"],
    }.items()  # fmt: skip


def test_nothing_is_accepted_twice_in_five_minutes_even_when_deleted(fifo: Box) -> None:
    first = fifo.send("same", MessageGroupId="g")
    assert fifo.send("same", MessageGroupId="other")["MessageId"] == first["MessageId"]
    [message] = fifo.receive()
    fifo.delete(message)
    again = fifo.send("same", MessageGroupId="g")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert fifo.receive() == []
    fifo.jar.advance(seconds=299)
    fifo.send("same", MessageGroupId="g")
    assert fifo.receive() == []
    fifo.jar.advance(seconds=1)
    assert fifo.send("same", MessageGroupId="g")["MessageId"] != first["MessageId"]
    assert fifo.bodies() == ["same"]


def test_deduplication_may_be_by_group(jar: TestJar, sqs: Any) -> None:
    high = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    box = Box(jar, sqs, "high.fifo", ContentBasedDeduplication="true", **high)
    for group in ("a", "b", "a"):
        box.send("same", MessageGroupId=group)
    assert box.bodies() == ["same", "same"]
    assert code(box.set, DeduplicationScope="queue") == "InvalidParameterValue"


def test_an_expired_receipt_is_refused(fifo: Box) -> None:
    fifo.send(MessageGroupId="g")
    [message] = fifo.receive()
    fifo.jar.advance(seconds=31)
    assert refused(fifo.delete, message=message)[1] == (
        f"Value {message['ReceiptHandle']} for parameter ReceiptHandle is invalid. "
        "Reason: The receipt handle has expired."
    )
    assert code(fifo.hold, message=message, seconds=5) == "InvalidParameterValue"
    [message] = fifo.receive()
    fifo.delete(message)
    fifo.delete(message)  # deleted already: that is success
    assert fifo.depth() == (0, 0, 0)


def test_a_receive_that_is_tried_again_gives_the_same(fifo: Box) -> None:
    for n in range(3):
        fifo.send(str(n), MessageGroupId="g")
    first = fifo.receive(2, ReceiveRequestAttemptId="try")
    assert fifo.receive(2) == []
    again = fifo.receive(2, ReceiveRequestAttemptId="try")
    assert [m["ReceiptHandle"] for m in again] == [m["ReceiptHandle"] for m in first]
    fifo.delete(first[0])
    assert fifo.receive(2, ReceiveRequestAttemptId="try") == []


def test_delays_are_the_queues_alone_and_hold_for_what_waits(jar: TestJar, sqs: Any) -> None:
    box = Box(jar, sqs, "late.fifo", ContentBasedDeduplication="true", DelaySeconds="60")
    assert refused(box.send, MessageGroupId="g", DelaySeconds=5) == (
        "InvalidParameterValue",
        "Value 5 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for "
        "this queue type",
    )
    box.send("1", MessageGroupId="g")
    assert (box.receive(), box.depth()) == ([], (0, 0, 1))
    box.set(DelaySeconds="10")
    jar.advance(seconds=10)
    assert box.bodies() == ["1"]


def test_what_a_fifo_queue_wants_to_know(jar: TestJar, sqs: Any) -> None:
    box = Box(jar, sqs, "strict.fifo")
    assert refused(box.send) == ("MissingParameter", "The request must contain the parameter MessageGroupId.")
    assert refused(box.send, MessageGroupId="g") == (
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    )
    assert code(box.send, MessageGroupId="a b", MessageDeduplicationId="x") == "InvalidParameterValue"
    assert code(sqs.create_queue, QueueName="x.fifo") == "InvalidParameterValue"
    assert box.attribute("FifoQueue") == "true"
    assert box.attribute("DeduplicationScope") == "queue"


def test_retention_and_purge_open_groups(fifo: Box) -> None:
    fifo.set(MessageRetentionPeriod="60")
    fifo.send("old", MessageGroupId="g")
    fifo.receive(VisibilityTimeout=43200)
    fifo.jar.advance(seconds=30)
    fifo.send("new", MessageGroupId="g")
    assert fifo.receive() == []
    fifo.jar.advance(seconds=31)
    assert fifo.depth() == (1, 0, 0)
    assert fifo.bodies() == ["new"]
    fifo.client.purge_queue(QueueUrl=fifo.url)
    fifo.send("next", MessageGroupId="g")
    assert fifo.bodies() == ["next"]
