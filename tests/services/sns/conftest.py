"""SNS in Paris as root, with queues and people who listen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.sqs.conftest import Box


class News:
    """One topic."""

    def __init__(self, jar: TestJar, client: Any, name: str = "news", **attributes: str) -> None:
        self.jar, self.client = jar, client
        if name.endswith(".fifo"):
            attributes.setdefault("FifoTopic", "true")
        self.arn: str = client.create_topic(Name=name, Attributes=attributes)["TopicArn"]

    def publish(self, text: str = "hello", **more: Any) -> dict[str, Any]:
        """Publish, and let what follows come to rest."""
        answer: dict[str, Any] = self.client.publish(TopicArn=self.arn, Message=text, **more)
        self.jar.settle()
        return answer

    def subscribe(self, protocol: str, endpoint: str, **attributes: str) -> str:
        """Subscribe; the ARN."""
        answer = self.client.subscribe(
            TopicArn=self.arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes, ReturnSubscriptionArn=True
        )
        self.jar.settle()
        return str(answer["SubscriptionArn"])

    def queue(self, name: str = "inbox", *, allowed: bool = True, **attributes: str) -> Box:
        """A queue that subscribes, and lets the topic in."""
        box = Box(self.jar, self.jar.client("sqs"), name)
        if allowed:
            box.set(Policy=lets_in(self.arn, box.arn))
        self.subscribe("sqs", box.arn, **attributes)
        return box


def lets_in(topic: str, queue: str) -> str:
    """The policy of a queue that a topic may send to."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def sns(jar: TestJar) -> Any:
    """A client of SNS."""
    return jar.client("sns")


@pytest.fixture
def news(jar: TestJar, sns: Any) -> News:
    """A standard topic."""
    return News(jar, sns)
