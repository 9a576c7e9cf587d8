"""Order and exactly-once of FIFO queues, against a model: random histories of senders that retry and several consumers,
with crashes, dead letters and time.

The model is what AWS promises, in a page: a queue of groups, each a list; a group is closed while any of its messages
is in flight. The jar must do in each step exactly what the model may do.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cloudjar.app import Jar
from cloudjar.base.caller import root
from cloudjar.base.clock import SimClock
from cloudjar.base.errors import AwsError
from cloudjar.base.settings import Settings
from cloudjar.planes.compute.sim import SimCompute
from cloudjar.planes.network.sim import SimNetwork

ACCOUNT, REGION = "000000000000", "eu-west-3"
WINDOW, VISIBLE, DEADLY = 300_000, 30_000, 3
URL = f"http://jar/{ACCOUNT}"


@dataclass
class Held:
    """A message in the model."""

    body: str
    dedup: str
    until: int = 0
    receives: int = 0
    handle: str = ""


@dataclass
class Model:
    """A FIFO queue with a dead-letter queue, as AWS promises it. Milliseconds."""

    now: int = 0
    groups: dict[str, list[Held]] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def send(self, group: str, body: str, dedup: str) -> bool:
        """Whether the message is a new one."""
        if self.known.get(dedup, -1) > self.now:
            return False
        self.known[dedup] = self.now + WINDOW
        self.groups.setdefault(group, []).append(Held(body, dedup))
        self.sent.append(body)
        return True

    def is_open(self, group: str) -> bool:
        """Whether nothing of a group is in flight."""
        return bool(self.groups.get(group)) and all(held.until <= self.now for held in self.groups[group])

    def bury(self, group: str) -> None:
        """Move what was received too often from the front of an open group."""
        while self.groups[group] and self.groups[group][0].receives >= DEADLY:
            self.dead.append(self.groups[group].pop(0).body)

    def received(self, found: list[tuple[str, str, str]], most: int) -> None:
        """Check what a receive gave out: (group, body, handle), in order."""
        begun = [group for group in self.groups if self.is_open(group)]
        taken: dict[str, int] = {}
        for group, body, handle in found:
            assert group in begun, f"{group} was closed"
            if group not in taken:
                self.bury(group)
            place = taken.get(group, 0)
            held = self.groups[group][place]
            assert held.body == body, f"{body} came before {held.body}"
            assert held.receives < DEADLY
            held.receives, held.handle = held.receives + 1, handle
            taken[group] = place + 1
        for group in taken:
            for held in self.groups[group][: taken[group]]:
                held.until = self.now + VISIBLE
        if len(found) < most:  # nothing that could have been given out was kept back
            for group in begun:
                if group not in taken:
                    self.bury(group)
                left = self.groups[group][taken.get(group, 0) :]
                assert not left or left[0].receives >= DEADLY, f"{left[0].body} was kept back"

    def delete(self, handle: str) -> bool:
        """Whether a receipt deletes (or has nothing to delete any more); False when it has expired."""
        for group, members in self.groups.items():
            for held in members:
                if held.handle == handle:
                    if held.until <= self.now:
                        return False
                    self.groups[group] = [one for one in members if one is not held]
                    return True
        return True

    def hold(self, handle: str, seconds: int) -> None:
        """ChangeMessageVisibility of a message that is in flight."""
        for members in self.groups.values():
            for held in members:
                if held.handle == handle:
                    held.until = self.now + seconds * 1000


class Real:
    """A jar with the two queues, that can crash."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = SimClock()
        self.jar = self.open()

    def open(self) -> Jar:
        settings = Settings(home=self.home, planes="sim", durable=False)
        return Jar(settings, clock=self.clock, network=SimNetwork(), compute=SimCompute())

    def crash(self) -> None:
        """Forget everything that is not on disk."""
        self.jar.database.close()
        self.jar = self.open()

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """A call as root, from inside."""
        assert self.jar.world.invoke is not None
        return self.jar.world.invoke("sqs", operation, params, root(ACCOUNT), REGION)

    def queues(self, name: str) -> tuple[str, str]:
        """The URLs of a new queue and of its dead letters'."""
        self.call("CreateQueue", QueueName=f"{name}-dead.fifo", Attributes={"FifoQueue": "true"})
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dead.fifo"
        redrive = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{DEADLY}}}'
        attributes: dict[str, Any] = {"FifoQueue": "true", "RedrivePolicy": redrive}
        attributes["VisibilityTimeout"] = str(VISIBLE // 1000)
        self.call("CreateQueue", QueueName=f"{name}.fifo", Attributes=attributes)
        return f"{URL}/{name}.fifo", f"{URL}/{name}-dead.fifo"


def history(real: Real, name: str, seed: int, steps: int) -> None:
    """One random history, every step compared."""
    chance, model = random.Random(seed), Model()
    url, dead = real.queues(name)
    handles: list[str] = []
    for step in range(steps):
        match chance.choices(("send", "receive", "delete", "hold", "time", "crash"), (30, 30, 25, 6, 8, 1))[0]:
            case "send":
                group = chance.choice("abc")
                body = f"{group}{step}" if chance.random() < 0.8 or not model.sent else chance.choice(model.sent)
                asked = {"MessageBody": body, "MessageGroupId": body[0], "MessageDeduplicationId": body}
                real.call("SendMessage", QueueUrl=url, **asked)
                model.send(body[0], body, body)
            case "receive":
                most = chance.randint(1, 4)
                answer = real.call(
                    "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=most, AttributeNames=["MessageGroupId"]
                )
                messages = answer.get("Messages", [])
                found = [(m["Attributes"]["MessageGroupId"], m["Body"], m["ReceiptHandle"]) for m in messages]
                model.received(found, most)
                handles += [handle for _, _, handle in found]
            case "delete" if handles:
                handle = chance.choice(handles[-6:])
                try:
                    real.call("DeleteMessage", QueueUrl=url, ReceiptHandle=handle)
                    done = True
                except AwsError:
                    done = False
                assert done == model.delete(handle) or not _current(model, handle)
            case "hold" if handles:
                handle, seconds = chance.choice(handles[-3:]), chance.choice((0, 5, 60))
                try:
                    real.call(
                        "ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=seconds
                    )
                except AwsError:
                    continue
                model.hold(handle, seconds)
            case "time":
                seconds = chance.choice((1, 10, 31, 301))
                real.jar.runner.advance(_seconds(seconds))
                model.now += seconds * 1000
            case "crash":
                real.crash()
    _drain(real, model, url, dead)


def _current(model: Model, handle: str) -> bool:
    """Whether a receipt is of a message in the queue. One that came too often may be among the dead letters already,
    though nothing of its group was given out since."""
    return any(
        held.handle == handle and (held.receives < DEADLY or held.until > model.now)
        for members in model.groups.values()
        for held in members
    )


def _seconds(count: int) -> Any:
    from datetime import timedelta

    return timedelta(seconds=count)


def _drain(real: Real, model: Model, url: str, dead: str) -> None:
    """What is left comes in order, each once; what is dead is where the dead are, in order of groups."""
    while any(model.groups.values()):
        real.jar.runner.advance(_seconds(61))
        model.now += 61_000
        answer = real.call("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"])
        messages = answer.get("Messages", [])
        found = [(m["Attributes"]["MessageGroupId"], m["Body"], m["ReceiptHandle"]) for m in messages]
        model.received(found, 10)
        for _, _, handle in found:
            real.call("DeleteMessage", QueueUrl=url, ReceiptHandle=handle)
            assert model.delete(handle)
    buried: list[str] = []
    while messages := real.call("ReceiveMessage", QueueUrl=dead, MaxNumberOfMessages=10).get("Messages"):
        buried += [message["Body"] for message in messages]
        for message in messages:
            real.call("DeleteMessage", QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
    assert sorted(buried) == sorted(model.dead)
    for group in "abc":
        assert [body for body in buried if body[0] == group] == [body for body in model.dead if body[0] == group]


def test_random_histories_are_what_the_model_allows(tmp_path: Path) -> None:
    real = Real(tmp_path)
    for seed in range(60):
        history(real, f"q{seed}", seed, 60)
    real.jar.close()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_random_histories(tmp_path: Path) -> None:
    for first in range(1000, 11_000, 250):
        home = tmp_path / str(first)
        real = Real(home)
        for seed in range(first, first + 250):
            history(real, f"q{seed}", seed, 60)
        real.jar.close()
