"""Receives that the tables do not know of yet: nothing may tell them from others, not even a crash."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.auth.presign import Credentials, sign
from cloudjar.base.caller import root
from cloudjar.base.clock import SystemClock
from cloudjar.kit.context import Ctx
from cloudjar.services.sqs import leases
from cloudjar.services.sqs.ops.messages import send_message
from cloudjar.services.sqs.rows import rows
from cloudjar.wire.message import Request
from tests.jar import ACCOUNT, running
from tests.services.sqs.conftest import Box
from tests.services.sqs.test_measures import values
from tests.store.failing import undone


@pytest.fixture
def steady(tmp_path: Path) -> Iterator[Box]:
    """A queue of a jar that crashes when it is told to; the first receive of it was the long way."""
    with running(tmp_path) as jar:
        box = Box(jar, jar.client("sqs"))
        box.send("first")
        box.delete(box.receive(1)[0])
        yield box


def stored(box: Box) -> list[tuple[int, int]]:
    """(receives, when it can be seen) of each message as the tables know it."""
    found: list[tuple[int, int]] = box.jar.jar.database.query("SELECT count, visible FROM sqs_message ORDER BY id")
    return found


def test_a_receive_and_its_deletion_write_no_message_anew(steady: Box) -> None:
    steady.send("a")
    before = stored(steady)
    [message] = steady.receive(1)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert stored(steady) == before
    steady.delete(message)
    assert stored(steady) == []


def test_who_asks_sees_what_was_received(steady: Box) -> None:
    for body in "abc":
        steady.send(body)
    [a] = steady.receive(1)
    assert steady.depth() == (2, 1, 0)
    steady.hold(a, 0)
    assert sorted(steady.bodies()) == ["a", "b", "c"]
    assert steady.depth() == (0, 3, 0)


def test_a_crash_forgets_no_receive(steady: Box) -> None:
    for body in "abc":
        steady.send(body)
    [a], [b] = steady.receive(1), steady.receive(1, VisibilityTimeout=100)
    assert [count for count, _ in stored(steady)] == [0, 0, 0]
    steady.jar.crash()
    assert steady.bodies() == ["c"]
    steady.delete(a)
    steady.hold(b, 10)
    steady.jar.advance(seconds=11)
    [again] = steady.receive(1)
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("b", "2")


def test_a_crash_forgets_no_count(steady: Box) -> None:
    for body in "abc":
        steady.send(body)
    steady.receive(1)
    steady.jar.crash()
    steady.receive(1)
    steady.receive(1)
    steady.jar.crash()
    steady.jar.crash()
    steady.jar.advance(seconds=60)
    assert values(steady.jar, "orders", "NumberOfMessagesReceived") == [4]
    assert values(steady.jar, "orders", "NumberOfMessagesDeleted") == [1]


def test_what_is_noted_badly_is_not_believed(steady: Box) -> None:
    for body in "ab":
        steady.send(body)
    steady.receive(1)
    steady.receive(1)
    place = steady.jar.home / leases.FILE
    noted = place.read_bytes()
    half = len(noted) // 2
    place.write_bytes(noted[:half] + bytes(len(noted) - half) + b"torn")
    steady.jar.crash()
    assert steady.bodies() == ["b"]


def test_the_journal_begins_anew(steady: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_LONG", 300)
    for number in range(20):
        steady.send(str(number))
        steady.delete(steady.receive(1)[0])
        assert (steady.jar.home / leases.FILE).stat().st_size < 600
    steady.jar.crash()
    assert steady.depth() == (0, 0, 0)


def test_an_old_receipt_deletes_nothing(steady: Box) -> None:
    steady.send("a")
    [old] = steady.receive(1, VisibilityTimeout=1)
    steady.jar.advance(seconds=2)
    [new] = steady.receive(1)
    steady.delete(old)
    assert steady.depth() == (0, 1, 0)
    steady.delete(new)
    steady.delete(new)
    assert steady.depth() == (0, 0, 0)


def test_larger_messages_go_whole(steady: Box) -> None:
    steady.send("x" * 10_000)
    [message] = steady.receive(1)
    assert message["Body"] == "x" * 10_000
    steady.delete(message)
    assert steady.jar.jar.database.query("SELECT count(*) FROM sqs_body") == [(0,)]


def test_many_queues_are_not_all_held(steady: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_FRONTS", 3)
    boxes = [Box(steady.jar, steady.client, f"q{n}") for n in range(5)]
    for box in boxes:
        for body in "ab":
            box.send(body)
        box.receive(1)
        box.receive(1)
    held = rows(steady.jar.jar.world).leases._fronts
    assert len(held) <= 3
    assert [box.depth() for box in boxes] == [(0, 2, 0)] * 5


def test_a_poll_hears_what_is_sent_in_the_same_moment(steady: Box) -> None:
    """It has looked, and does not wait yet."""

    def asked(operation: str, **members: Any) -> Request:
        body = json.dumps({"QueueUrl": steady.url, **members}).encode()
        headers = {"host": "localhost", "content-type": "application/x-amz-json-1.0",
                   "x-amz-target": f"AmazonSQS.{operation}"}  # fmt: skip
        request = Request("POST", "/", "", headers, body)
        sign(request, Credentials("test", "test"), "eu-west-3", "sqs", SystemClock().real())
        return request

    async def both() -> bytes:
        front = steady.jar.jar.front
        poll = asyncio.ensure_future(front(asked("ReceiveMessage", WaitTimeSeconds=20)))  # type: ignore[arg-type] # held
        front(asked("SendMessage", MessageBody="now"))
        answer = await asyncio.wait_for(poll, 15)
        return bytes(answer.body)  # type: ignore[arg-type] # bytes

    assert b'"Body":"now"' in steady.jar.on_loop(both())


def test_what_is_undone_in_part_is_told_again(steady: Box) -> None:
    """The tables are asked about a queue in the turn in which something was sent to it, by a call that then fails."""
    jar = steady.jar.jar

    def send(ctx: Ctx) -> None:
        send_message(ctx, {"QueueUrl": steady.url, "MessageBody": "x" * 10})

    async def turn() -> None:
        ctx = Ctx(jar.world, ACCOUNT, "eu-west-3", root(ACCOUNT))
        jar.database.joined(send, ctx)

        def ask() -> int:
            with undone(jar.database):
                assert rows(jar.world).total(1) == 1
            return rows(jar.world).total(1)

        assert jar.database.joined(ask) == 1
        jar.database.joined(send, ctx)
        jar.database.commit_joined()

    steady.jar.on_loop(turn())
    assert steady.depth() == (2, 0, 0)
    steady.jar.advance(minutes=1)
    assert sum(values(steady.jar, "orders", "NumberOfMessagesSent")) == 3
    assert max(values(steady.jar, "orders", "SentMessageSize", "Maximum")) == 10


@dataclass
class Message:
    """In the model of a standard queue. `until` and `first` are seconds."""

    until: float
    receives: int = 0
    handle: str = ""
    first: float = 0.0


class Model:
    """A standard queue as AWS promises it, beside a real one."""

    def __init__(self, box: Box, chance: random.Random) -> None:
        self.box, self.chance = box, chance
        self.now = 0.0
        self.messages: dict[str, Message] = {}
        self.handles: list[tuple[str, str]] = []
        self.sent = 0

    def send(self) -> None:
        entries: list[dict[str, Any]] = []
        for _ in range(self.chance.choice((1, 1, 1, 4))):
            self.sent += 1
            delay = self.chance.choice((0, 0, 0, 5))
            body = str(self.sent) + "x" * self.chance.choice((0, 0, 3000))
            entries.append({"Id": str(self.sent), "MessageBody": body, "DelaySeconds": delay})
            self.messages[body] = Message(self.now + delay)
        if len(entries) > 1:
            self.box.client.send_message_batch(QueueUrl=self.box.url, Entries=entries)
        else:
            self.box.send(entries[0]["MessageBody"], DelaySeconds=entries[0]["DelaySeconds"])

    def receive(self) -> None:
        most, hidden = self.chance.choice((1, 1, 1, 3)), self.chance.choice((3, 30, 30, 0))
        found = self.box.receive(most, VisibilityTimeout=hidden)
        there = {body for body, one in self.messages.items() if one.until <= self.now}
        assert {message["Body"] for message in found} <= there
        assert len(found) == min(most, len(there))
        for message in found:
            one = self.messages[message["Body"]]
            one.receives, one.until, one.handle = one.receives + 1, self.now + hidden, message["ReceiptHandle"]
            assert message["Attributes"]["ApproximateReceiveCount"] == str(one.receives)
            self.handles.append((message["Body"], message["ReceiptHandle"]))

    def delete(self) -> None:
        chosen = self.handles[-6:]
        self.chance.shuffle(chosen)
        for body, handle in chosen[: self.chance.choice((1, 1, 2))]:
            self.box.client.delete_message(QueueUrl=self.box.url, ReceiptHandle=handle)
            if body in self.messages and self.messages[body].handle == handle:
                del self.messages[body]

    def hold(self) -> None:
        for body, handle in self.handles[-2:]:
            seconds = self.chance.choice((0, 5, 60))
            one = self.messages.get(body)
            good = one is not None and one.handle == handle and one.until > self.now
            try:
                self.box.hold({"ReceiptHandle": handle}, seconds)
                assert good
            except ClientError:
                assert not good
            if good and one is not None:
                one.until = self.now + seconds

    def time(self) -> None:
        seconds = self.chance.choice((1, 4, 31, 61))
        self.box.jar.advance(seconds=seconds)
        self.now += seconds

    def look(self) -> None:
        visible, flying, delayed = self.box.depth()
        hidden = [one for one in self.messages.values() if one.until > self.now]
        assert flying == sum(1 for one in hidden if one.receives)
        assert delayed == sum(1 for one in hidden if not one.receives)
        assert visible == len(self.messages) - len(hidden)

    def purge(self) -> None:
        self.box.jar.advance(seconds=61)
        self.now += 61
        self.box.client.purge_queue(QueueUrl=self.box.url)
        self.messages.clear()

    def crash(self) -> None:
        self.box.jar.crash()


STEPS = {"send": 30, "receive": 40, "delete": 25, "hold": 4, "time": 6, "look": 5, "purge": 1, "crash": 3}


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_of_a_standard_queue(steady: Box, seed: int) -> None:
    chance = random.Random(seed)
    model = Model(steady, chance)
    for step in chance.choices([*STEPS], [*STEPS.values()], k=150):
        getattr(model, step)()
    steady.jar.advance(seconds=timedelta(minutes=2).total_seconds())
    model.now += 120
    model.look()
    left: list[str] = []
    while found := steady.receive():
        left += [message["Body"] for message in found]
    assert sorted(left) == sorted(model.messages)
    assert sum(values(steady.jar, "orders", "NumberOfMessagesSent", minutes=600)) == model.sent + 1


def test_what_could_not_be_committed_is_undone(steady: Box) -> None:
    for body in "ab":
        steady.send(body)
    steady.receive(1)
    [b] = steady.receive(1)
    database = steady.jar.jar.database

    async def refused() -> None:
        database.query("PRAGMA query_only=ON")

    async def accepted() -> None:
        database.query("PRAGMA query_only=OFF")

    steady.jar.on_loop(refused())
    for call in (lambda: steady.delete(b), lambda: steady.send("c")):
        with pytest.raises(ClientError) as failure:
            call()
        assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    steady.jar.on_loop(accepted())
    assert steady.depth() == (0, 2, 0)
    steady.delete(b)
    assert steady.depth() == (0, 1, 0)
    steady.jar.advance(minutes=1)
    assert sum(values(steady.jar, "orders", "NumberOfMessagesSent")) == 3
    assert sum(values(steady.jar, "orders", "NumberOfMessagesDeleted")) == 2
