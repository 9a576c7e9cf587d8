"""EventBridge under kill -9: every event that was acknowledged reaches the queue, once."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.client import Client, Crashed
from tests.crash.server import ServerProcess, until
from tests.crash.test_messages import received
from tests.services.events.conftest import lets_in

EVENTS, KILLS = 60, 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "home")
    process.start()
    yield process
    process.kill()


def test_no_event_is_lost_or_comes_twice(server: ServerProcess) -> None:
    client, chance = Client(server), random.Random(11)
    rule = client.call("events", "put_rule", Name="r", EventPattern='{"source": ["law"]}')["RuleArn"]
    url = client.call("sqs", "create_queue", QueueName="q")["QueueUrl"]
    arn = rule.replace(":events:", ":sqs:").replace("rule/r", "q")
    client.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": lets_in(arn, rule)})
    client.call("events", "put_targets", Rule="r", Targets=[{"Id": "t", "Arn": arn, "InputPath": "$.detail"}])
    kills = set(chance.sample(range(EVENTS), KILLS))
    sent, uncertain = set(), set()
    for n in range(EVENTS):
        text = json.dumps({"n": n}, separators=(",", ":"))
        try:
            client.call("events", "put_events", Entries=[{"Source": "law", "DetailType": "x", "Detail": text}])
            sent.add(text)
        except Crashed:
            uncertain.add(text)
            server.start()
        if n in kills:
            server.kill()
    if server.dead:
        server.start()
    found: Counter[str] = Counter()

    def all_there() -> bool:
        found.update(received(client, url))
        return sent <= set(found)

    until(all_there, "everything that was acknowledged")
    assert set(found) - sent <= uncertain, sorted(found)
    assert not [body for body, count in found.items() if count > 1]
