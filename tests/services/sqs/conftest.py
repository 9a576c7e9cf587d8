"""SQS in Paris as root, and what its tests say again and again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar


class Box:
    """One queue."""

    def __init__(self, jar: TestJar, client: Any, name: str = "orders", **attributes: str) -> None:
        self.jar, self.client, self.name = jar, client, name
        if name.endswith(".fifo"):
            attributes.setdefault("FifoQueue", "true")
        self.url: str = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.arn: str = self.attribute("QueueArn")

    def send(self, body: str = "hello", **more: Any) -> dict[str, Any]:
        """SendMessage."""
        answer: dict[str, Any] = self.client.send_message(QueueUrl=self.url, MessageBody=body, **more)
        return answer

    def receive(self, most: int = 10, **more: Any) -> list[dict[str, Any]]:
        """ReceiveMessage, with every attribute."""
        asked = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"], **more}
        answer = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, **asked)
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def bodies(self, most: int = 10, **more: Any) -> list[str]:
        """The bodies of what is received."""
        return [message["Body"] for message in self.receive(most, **more)]

    def delete(self, message: dict[str, Any]) -> None:
        """DeleteMessage."""
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def hold(self, message: dict[str, Any], seconds: int) -> None:
        """ChangeMessageVisibility."""
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )

    def attribute(self, name: str) -> str:
        """One attribute; "" when there is none."""
        answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        value: str = answer.get("Attributes", {}).get(name, "")
        return value

    def set(self, **attributes: str) -> None:
        """SetQueueAttributes."""
        self.client.set_queue_attributes(QueueUrl=self.url, Attributes=attributes)

    def depth(self) -> tuple[int, int, int]:
        """(visible, in flight, delayed)."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        visible, flying, delayed = (int(found[name]) for name in names)
        return visible, flying, delayed


@pytest.fixture
def sqs(jar: TestJar) -> Any:
    """A client of SQS."""
    return jar.client("sqs")


@pytest.fixture
def box(jar: TestJar, sqs: Any) -> Box:
    """A standard queue."""
    return Box(jar, sqs)
