"""Queues and topics under kill -9: what was acknowledged is there, each message once for every subscriber."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.client import Client, Crashed
from tests.crash.server import ServerProcess, until
from tests.services.sns.conftest import lets_in

QUEUES, MESSAGES, KILLS = 100, 24, 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "home")
    process.start()
    yield process
    process.kill()


def received(client: Client, url: str) -> list[str]:
    """Everything in a queue, taken out of it."""
    found: list[str] = []
    while messages := client.call("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)]
        client.call("sqs", "delete_message_batch", QueueUrl=url, Entries=entries)
    return found


def test_no_delivery_is_lost_or_made_twice(server: ServerProcess) -> None:
    client, chance = Client(server), random.Random(7)
    topic = client.call("sns", "create_topic", Name="news")["TopicArn"]
    urls = []
    for n in range(QUEUES):
        url = client.call("sqs", "create_queue", QueueName=f"q{n}")["QueueUrl"]
        arn = topic.replace(":sns:", ":sqs:").replace("news", f"q{n}")
        client.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": lets_in(topic, arn)})
        raw = {"RawMessageDelivery": "true"}
        client.call("sns", "subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
        urls.append(url)
    kills = set(chance.sample(range(MESSAGES), KILLS))
    sent, uncertain = set(), set()
    for n in range(MESSAGES):
        try:
            client.call("sns", "publish", TopicArn=topic, Message=str(n))
            sent.add(str(n))
            client.call("sqs", "send_message", QueueUrl=urls[0], MessageBody=f"own {n}")
            sent.add(f"own {n}")
        except Crashed:
            uncertain |= {str(n), f"own {n}"} - sent
            server.start()
        if n in kills:
            server.kill()
    if server.dead:
        server.start()

    def delivered() -> bool:
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible")]
        told = client.call("sqs", "get_queue_attributes", QueueUrl=urls[-1], AttributeNames=names)["Attributes"]
        return sum(map(int, told.values())) >= sum(1 for body in sent if "own" not in body)

    until(delivered, "the last subscriber to have everything")
    for url in urls:
        owed = {body for body in sent if url == urls[0] or "own" not in body}
        found: Counter[str] = Counter()

        def all_there(url: str = url, owed: set[str] = owed, found: Counter[str] = found) -> bool:
            found.update(received(client, url))
            return owed <= set(found)

        until(all_there, "everything that was acknowledged")
        assert set(found) - owed <= uncertain, json.dumps(sorted(found))
        assert max(found.values()) == 1
