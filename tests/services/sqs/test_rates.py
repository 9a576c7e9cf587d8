"""How often FIFO queues may be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudjar.base.caller import root
from cloudjar.base.errors import AwsError
from tests.jar import ACCOUNT, TestJar, running
from tests.services.ec2.asking import refused
from tests.services.sqs.conftest import Box

REGION = "eu-west-3"
FAST = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[TestJar]:
    """A jar that throttles; its clock stands still, and so all is asked in one second."""
    with running(tmp_path, throttle=True) as jar:
        yield jar


def asked(jar: TestJar, operation: str, box: Box, **members: Any) -> None:
    """A call from inside: thousands are asked here."""
    assert jar.jar.world.invoke is not None
    jar.jar.world.invoke("sqs", operation, {"QueueUrl": box.url, **members}, root(ACCOUNT), REGION)


def sent(jar: TestJar, box: Box, times: int, group: str = "g") -> None:
    for n in range(times):
        asked(jar, "SendMessage", box, MessageBody="x", MessageGroupId=group, MessageDeduplicationId=f"{group}{n}")


def test_a_fifo_queue_is_asked_three_hundred_times_a_second(strict: TestJar) -> None:
    box = Box(strict, strict.client("sqs"), "a.fifo", ContentBasedDeduplication="true")
    other = Box(strict, box.client, "b.fifo", ContentBasedDeduplication="true")
    sent(strict, box, 299)
    entries = [{"Id": str(n), "MessageBody": str(n), "MessageGroupId": "g"} for n in range(10)]
    assert len(box.client.send_message_batch(QueueUrl=box.url, Entries=entries)["Successful"]) == 10
    more = {"QueueUrl": box.url, "MessageBody": "one more", "MessageGroupId": "g"}
    assert refused(box.client.send_message, **more) == ("ThrottlingException", "Rate exceeded")
    assert refused(box.client.send_message_batch, QueueUrl=box.url, Entries=entries)[0] == "ThrottlingException"
    other.send(MessageGroupId="g")
    for _ in range(299):  # each action has its own
        asked(strict, "ReceiveMessage", box, VisibilityTimeout=0)
    [message] = box.receive(1)
    with pytest.raises(AwsError, match="Rate exceeded"):
        asked(strict, "ReceiveMessage", box)
    for _ in range(300):
        asked(strict, "ChangeMessageVisibility", box, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=9)
    with pytest.raises(AwsError, match="Rate exceeded"):
        asked(strict, "ChangeMessageVisibility", box, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=9)
    for _ in range(300):
        asked(strict, "DeleteMessage", box, ReceiptHandle=message["ReceiptHandle"])
    with pytest.raises(AwsError, match="Rate exceeded"):
        asked(strict, "DeleteMessage", box, ReceiptHandle=message["ReceiptHandle"])
    strict.advance(seconds=1)
    box.client.send_message(**more)
    assert box.depth() == (309, 0, 0)


def test_high_throughput_is_by_message_group(strict: TestJar) -> None:
    box = Box(strict, strict.client("sqs"), "a.fifo", **FAST)
    sent(strict, box, 300)
    with pytest.raises(AwsError, match="Rate exceeded"):
        sent(strict, box, 1)
    for n in range(8):  # Paris: 2,400 in all
        sent(strict, box, 300 if n < 7 else 0, f"h{n}")
    with pytest.raises(AwsError, match="Rate exceeded"):
        sent(strict, box, 1, "i")
    box.set(FifoThroughputLimit="perQueue")
    strict.advance(seconds=1)
    sent(strict, box, 300, "j")
    with pytest.raises(AwsError, match="Rate exceeded"):
        sent(strict, box, 1, "k")


def test_standard_queues_are_asked_as_often_as_anybody_can(strict: TestJar) -> None:
    box = Box(strict, strict.client("sqs"))
    for _ in range(400):
        asked(strict, "SendMessage", box, MessageBody="x", MessageGroupId="g")
    assert box.depth() == (400, 0, 0)
