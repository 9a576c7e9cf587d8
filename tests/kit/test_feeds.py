"""Event streams that go on: what they tell, when they look, how they end, and how they look on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.kit.feeds import EVERYBODY, Feed, Look
from cloudjar.kit.waiting import Waits
from cloudjar.spec.models import service
from cloudjar.wire import eventstream
from cloudjar.wire.codec import codec


async def all_of(feed: Feed) -> list[dict[str, Any]]:
    return [event async for event in feed]


def test_a_feed_looks_at_once_and_whenever_somebody_notifies_until_it_is_over() -> None:
    async def run() -> list[dict[str, Any]]:
        waits = Waits()
        looks = iter([Look([{"a": 1}]), Look(), Look([{"b": 2}, {"c": 3}], over=True)])
        feed = Feed(waits, "key", 60, lambda: next(looks))
        task = asyncio.create_task(all_of(feed))
        while not task.done():
            waits.notify("key", EVERYBODY)
            await asyncio.sleep(0)
        return await task

    assert asyncio.run(run()) == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_all_feeds_of_a_key_hear_of_it() -> None:
    async def run() -> list[list[dict[str, Any]]]:
        waits, told = Waits(), False

        def look() -> Look:
            return Look([{"x": 1}], over=True) if told else Look()

        tasks = [asyncio.create_task(all_of(Feed(waits, "key", 60, look))) for _ in range(3)]
        while not waits.waits("key") or len(waits._waiting["key"]) < 3:
            await asyncio.sleep(0)
        told = True
        waits.notify("key", EVERYBODY)
        return list(await asyncio.gather(*tasks))

    assert asyncio.run(run()) == [[{"x": 1}]] * 3


def test_a_feed_looks_again_when_it_said_and_ends_when_its_time_is_up() -> None:
    async def run() -> tuple[int, int]:
        looked, gone = [], []

        def look() -> Look:
            looked.append(1)
            return Look(again=0.01)

        feed = Feed(Waits(), "key", 0.2, look, lambda: gone.append(1))
        assert await all_of(feed) == []
        return len(looked), len(gone)

    looked, gone = asyncio.run(run())
    assert looked >= 2
    assert gone == 1


def test_a_client_that_goes_is_missed_once() -> None:
    async def run() -> list[int]:
        gone: list[int] = []
        feed = Feed(Waits(), "key", 60, lambda: Look([{"a": 1}]), lambda: gone.append(1))
        stream = cast(Any, aiter(feed))
        assert await anext(stream) == {"a": 1}
        await stream.aclose()
        return gone

    assert asyncio.run(run()) == [1]


@pytest.mark.parametrize("failing", [False, True])
def test_frames_follow_each_other_and_an_error_is_the_last(failing: bool) -> None:
    answer = codec(service("kinesis").operations["SubscribeToShard"], "json")
    record = {"SequenceNumber": "1", "Data": b"x", "PartitionKey": "p"}
    told = {"SubscribeToShardEvent": {"Records": [record], "ContinuationSequenceNumber": "1", "MillisBehindLatest": 0}}

    async def events() -> AsyncIterator[dict[str, Any]]:
        yield told
        if failing:
            raise AwsError("ResourceNotFoundException", "It is gone.", 400)

    async def run() -> list[bytes]:
        return [piece async for piece in cast(Any, answer.respond({"EventStream": events()}, "r").body)]

    messages = list(eventstream.unpack(asyncio.run(run())))
    kinds = [m.headers.get(":event-type") or m.headers[":exception-type"] for m in messages]
    assert kinds == ["initial-response", "SubscribeToShardEvent", *(["ResourceNotFoundException"] if failing else [])]
    assert b'"Data":"eA=="' in messages[1].payload
