"""Messages of standard queues: sent, seen, held, given back, deleted, forgotten."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from cloudjar.services.sqs import receiving
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.sqs.conftest import Box


def test_a_message_is_there_until_it_is_deleted(box: Box) -> None:
    sent = box.send("hello")
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    assert "MD5OfMessageAttributes" not in sent
    [message] = box.receive()
    assert (message["Body"], message["MessageId"]) == ("hello", sent["MessageId"])
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert message["Attributes"]["SenderId"] == ACCOUNT
    assert box.depth() == (0, 1, 0)
    assert box.receive() == []
    box.jar.advance(seconds=31)
    [again] = box.receive()
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again["Attributes"]["ApproximateFirstReceiveTimestamp"] == message["Attributes"]["SentTimestamp"]
    assert again["ReceiptHandle"] != message["ReceiptHandle"]
    box.delete(message)  # an old receipt succeeds, and deletes nothing
    assert box.depth() == (0, 1, 0)
    box.delete(again)
    box.delete(again)
    assert box.depth() == (0, 0, 0)


def test_an_empty_receive_has_no_messages_and_attributes_come_when_asked(box: Box) -> None:
    assert "Messages" not in box.client.receive_message(QueueUrl=box.url)
    box.send("x", MessageAttributes={"a": {"DataType": "String", "StringValue": "1"}})
    [bare] = box.client.receive_message(QueueUrl=box.url, VisibilityTimeout=0)["Messages"]
    assert bare.keys() == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}
    [some] = box.receive(AttributeNames=["SentTimestamp"], MessageAttributeNames=["b.*"], VisibilityTimeout=0)
    assert some["Attributes"].keys() == {"SentTimestamp"}
    assert "MessageAttributes" not in some


def test_digests_are_those_that_clients_compute(box: Box) -> None:
    attributes = {
        "text": {"DataType": "String", "StringValue": "v"},
        "number": {"DataType": "Number.int", "StringValue": "42"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\0\1"},
    }
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2-3"}}
    sent = box.send("x", MessageAttributes=attributes, MessageSystemAttributes=trace)

    def digest(found: dict[str, Any]) -> str:
        whole = b""
        for name in sorted(found):
            kind = found[name]["DataType"]
            text = found[name].get("StringValue")
            raw = text.encode() if text is not None else found[name]["BinaryValue"]
            for part in (name.encode(), kind.encode()):
                whole += len(part).to_bytes(4, "big") + part
            whole += (b"\1" if text is not None else b"\2") + len(raw).to_bytes(4, "big") + raw
        return hashlib.md5(whole).hexdigest()

    assert sent["MD5OfMessageAttributes"] == digest(attributes)
    assert sent["MD5OfMessageSystemAttributes"] == digest(trace)
    [message] = box.receive(MessageAttributeNames=["te.*", "number.x"], VisibilityTimeout=0)
    assert message["MessageAttributes"].keys() == {"text"}
    assert message["MD5OfMessageAttributes"] == digest({"text": attributes["text"]})
    assert message["Attributes"]["AWSTraceHeader"] == "Root=1-2-3"
    [message] = box.receive()
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == digest(attributes)


def test_a_message_is_held_for_longer_or_given_back(box: Box) -> None:
    box.send()
    [message] = box.receive()
    box.hold(message, 600)
    box.jar.advance(seconds=599)
    assert box.receive() == []
    box.hold(message, 0)
    [message] = box.receive()
    said = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
    assert refused(box.hold, message=message, seconds=43200)[1].endswith(said)
    assert code(box.hold, message=message, seconds=43201) == "InvalidParameterValue"
    box.jar.advance(seconds=31)
    assert code(box.hold, message=message, seconds=10) == "AWS.SimpleQueueService.MessageNotInflight"
    [message] = box.receive()
    box.delete(message)
    assert code(box.hold, message=message, seconds=10) == "InvalidParameterValue"
    assert code(box.hold, message={"ReceiptHandle": "nonsense"}, seconds=10) == "ReceiptHandleIsInvalid"
    assert refused(box.delete, message={"ReceiptHandle": "nonsense"}) == (
        "ReceiptHandleIsInvalid", 'The input receipt handle "nonsense" is not a valid receipt handle.',
    )  # fmt: skip


def test_delays_are_the_messages_or_the_queues(jar: TestJar, sqs: Any) -> None:
    box = Box(jar, sqs, "late", DelaySeconds="60")
    box.send("queue")
    box.send("own", DelaySeconds=5)
    box.send("none", DelaySeconds=0)
    assert box.bodies() == ["none"]
    assert box.depth() == (0, 1, 2)
    jar.advance(seconds=5)
    assert box.bodies() == ["own"]
    box.set(DelaySeconds="0")  # what waits keeps its delay
    assert box.bodies() == []
    jar.advance(seconds=55)
    assert "queue" in box.bodies()
    assert code(box.send, DelaySeconds=901) == "InvalidParameterValue"


def test_retention_is_by_the_clock(jar: TestJar, sqs: Any) -> None:
    box = Box(jar, sqs, "short", MessageRetentionPeriod="60")
    box.send("first")
    jar.advance(seconds=30)
    box.send("second")
    jar.advance(seconds=31)
    assert box.depth() == (1, 0, 0)
    assert box.bodies() == ["second"]
    box.set(MessageRetentionPeriod="1209600")
    jar.advance(days=13)
    assert box.bodies() == ["second"]
    jar.advance(days=2)
    assert (box.bodies(), box.depth()) == ([], (0, 0, 0))


def test_a_megabyte_is_the_limit_of_a_message_and_of_a_batch(jar: TestJar, box: Box) -> None:
    box.send("x" * (1 << 20))
    assert refused(box.send, body="x" * ((1 << 20) + 1)) == (
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
    )
    small = Box(jar, box.client, "small", MaximumMessageSize="1024")
    attributes = {"abc": {"DataType": "String", "StringValue": "x" * 15}}
    small.send("x" * 1000, MessageAttributes=attributes)
    assert code(small.send, body="x" * 1001, MessageAttributes=attributes) == "InvalidParameterValue"
    halves = [{"Id": str(n), "MessageBody": "x" * (1 << 19)} for n in range(3)]
    box.client.send_message_batch(QueueUrl=box.url, Entries=halves[:2])
    assert refused(box.client.send_message_batch, QueueUrl=box.url, Entries=halves) == (
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1572864 bytes.",
    )
    assert sorted(len(body) for body in box.bodies()) == [1 << 19, 1 << 19, 1 << 20]


def test_what_may_not_be_sent(box: Box) -> None:
    assert refused(box.send, body="\x00")[0] == "InvalidMessageContents"
    assert refused(box.send, body="") == ("MissingParameter", "The request must contain the parameter MessageBody.")
    assert code(box.send, MessageDeduplicationId="x") == "InvalidParameterValue"

    def with_attribute(name: str, **value: Any) -> str:
        return refused(box.send, MessageAttributes={name: value})[1]

    assert "reserved for internal use" in with_attribute("AWS.x", DataType="String", StringValue="1")
    assert "set of supported type prefixes" in with_attribute("x", DataType="Text", StringValue="1")
    assert "non-empty message attribute value" in with_attribute("x", DataType="String", StringValue="")
    assert "to a number" in with_attribute("x", DataType="Number", StringValue="one")
    many = {f"a{n}": {"DataType": "String", "StringValue": "1"} for n in range(11)}
    assert refused(box.send, MessageAttributes=many)[1] == (
        "Number of message attributes [11] exceeds the allowed maximum [10]."
    )


def test_batches_fail_entry_by_entry(box: Box) -> None:
    entries = [{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2", "DelaySeconds": 1000}]
    answer = box.client.send_message_batch(QueueUrl=box.url, Entries=entries)
    assert [one["Id"] for one in answer["Successful"]] == ["a"]
    [failed] = answer["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("b", "InvalidParameterValue", True)
    [message] = box.receive()
    holds = [{"Id": "a", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 99},
             {"Id": "b", "ReceiptHandle": "nonsense", "VisibilityTimeout": 99}]  # fmt: skip
    answer = box.client.change_message_visibility_batch(QueueUrl=box.url, Entries=holds)
    assert [one["Id"] for one in answer["Successful"]] == ["a"]
    assert answer["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"
    gone = [{"Id": one["Id"], "ReceiptHandle": one["ReceiptHandle"]} for one in holds]
    answer = box.client.delete_message_batch(QueueUrl=box.url, Entries=gone)
    assert [one["Id"] for one in answer["Successful"]] == ["a"]
    assert box.depth() == (0, 0, 0)
    send = box.client.send_message_batch
    assert code(send, QueueUrl=box.url, Entries=[]) == "AWS.SimpleQueueService.EmptyBatchRequest"
    eleven = [{"Id": str(n), "MessageBody": "x"} for n in range(11)]
    assert refused(send, QueueUrl=box.url, Entries=eleven) == (
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 11.",
    )
    same = [{"Id": "a", "MessageBody": "x"}] * 2
    assert refused(send, QueueUrl=box.url, Entries=same) == (
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id a repeated.",
    )  # fmt: skip
    odd = [{"Id": "a b", "MessageBody": "x"}]
    assert code(send, QueueUrl=box.url, Entries=odd) == "AWS.SimpleQueueService.InvalidBatchEntryId"


def test_what_may_not_be_asked_of_a_receive(box: Box) -> None:
    assert refused(box.receive, most=11) == (
        "InvalidParameterValue",
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
    )
    assert refused(box.receive, WaitTimeSeconds=21) == (
        "InvalidParameterValue",
        "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
    )
    assert code(box.receive, VisibilityTimeout=43201) == "InvalidParameterValue"


def test_too_many_in_flight_is_an_error_for_who_does_not_wait(
    jar: TestJar, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "FLYING", 3)
    box, fifo = Box(jar, sqs), Box(jar, sqs, "many.fifo", ContentBasedDeduplication="true")
    for n in range(5):
        box.send(str(n))
        fifo.send(str(n), MessageGroupId=str(n))
    held = box.receive(3)
    assert len(fifo.receive(3)) == 3
    assert code(box.receive, most=1) == "OverLimit"
    assert fifo.receive(1) == []
    assert box.receive(1, WaitTimeSeconds=1) == []
    box.delete(held[0])
    assert len(box.receive(1)) == 1
    jar.advance(seconds=31)
    assert len(box.receive(3)) == 3
