"""Long polls: answered by the next message, whoever brings it; held by nobody's thread."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import refused
from tests.services.sqs.conftest import Box

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def sqs(steady_jar: TestJar) -> Any:
    return steady_jar.client("sqs", max_pool_connections=40)


@pytest.fixture
def box(steady_jar: TestJar, sqs: Any) -> Box:
    return Box(steady_jar, sqs)


def polling(box: Box, pool: ThreadPoolExecutor, count: int = 1, wait: int = 20) -> list[Future[list[str]]]:
    """So many polls, all of them waiting."""
    waits = box.jar.jar.world.waits
    found = [pool.submit(box.bodies, 1, WaitTimeSeconds=wait) for _ in range(count)]
    until_held(waits, count)
    return found


def until_held(waits: Any, count: int) -> None:
    """Until so many answers are held back."""
    from threading import Event

    pause = Event()
    for _ in range(6000):
        if sum(len(queue) for queue in list(waits._waiting.values())) == count:
            return
        pause.wait(0.01)
    raise AssertionError("the polls do not wait")


def test_a_poll_hears_the_next_message(box: Box) -> None:
    with ThreadPoolExecutor(4) as pool:
        [poll] = polling(box, pool)
        box.send("now")
        assert poll.result(60) == ["now"]
        [poll] = polling(box, pool)
        entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(2)]
        box.client.send_message_batch(QueueUrl=box.url, Entries=entries)
        assert poll.result(60) in (["0"], ["1"])


def test_each_of_many_polls_gets_a_message_of_its_own(box: Box) -> None:
    with ThreadPoolExecutor(32) as pool:
        polls = polling(box, pool, 20)
        for first in range(0, 20, 10):
            entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(first, first + 10)]
            box.client.send_message_batch(QueueUrl=box.url, Entries=entries)
        found = [body for poll in polls for body in poll.result(60)]
        assert sorted(found, key=int) == [str(n) for n in range(20)]


def test_a_poll_hears_what_time_brings(box: Box) -> None:
    box.send("late", DelaySeconds=600)
    box.send("held", DelaySeconds=0)
    [held] = box.receive(VisibilityTimeout=900)
    with ThreadPoolExecutor(4) as pool:
        [poll] = polling(box, pool)
        box.jar.advance(seconds=600)
        assert poll.result(60) == ["late"]
        [poll] = polling(box, pool)
        box.hold(held, 0)
        assert poll.result(60) == ["held"]


def test_a_poll_ends_empty_after_its_time_and_with_its_queue(box: Box) -> None:
    assert "Messages" not in box.client.receive_message(QueueUrl=box.url, WaitTimeSeconds=1)
    with ThreadPoolExecutor(4) as pool:
        waits = box.jar.jar.world.waits
        poll = pool.submit(refused, box.client.receive_message, QueueUrl=box.url, WaitTimeSeconds=20)
        until_held(waits, 1)
        box.client.delete_queue(QueueUrl=box.url)
        assert poll.result(60)[0] == "AWS.SimpleQueueService.NonExistentQueue"


def test_the_queue_may_say_how_long_to_wait(steady_jar: TestJar, sqs: Any) -> None:
    box = Box(steady_jar, sqs, "patient", ReceiveMessageWaitTimeSeconds="20")
    with ThreadPoolExecutor(4) as pool:
        poll = pool.submit(box.bodies, 1)
        until_held(steady_jar.jar.world.waits, 1)
        box.send("x")
        assert poll.result(60) == ["x"]
        assert box.bodies(1, WaitTimeSeconds=0) == []


def test_what_dies_is_heard_of_where_it_goes(steady_jar: TestJar, sqs: Any, box: Box) -> None:
    dead = Box(steady_jar, sqs, "dead")
    box.set(RedrivePolicy=f'{{"deadLetterTargetArn":"{dead.arn}","maxReceiveCount":1}}')
    box.send("poison")
    box.receive(VisibilityTimeout=0)
    with ThreadPoolExecutor(4) as pool:
        [poll] = polling(dead, pool)
        assert box.receive() == []
        assert poll.result(60) == ["poison"]


def test_who_went_away_takes_nobodys_turn(box: Box) -> None:
    impatient = box.jar.client("sqs", read_timeout=1)
    with ThreadPoolExecutor(4) as pool:
        gone = pool.submit(impatient.receive_message, QueueUrl=box.url, WaitTimeSeconds=20)
        until_held(box.jar.jar.world.waits, 1)
        [poll] = polling(box, pool, 1) if gone.exception(60) else []
        box.send("for the other")
        assert poll.result(60) == ["for the other"]
