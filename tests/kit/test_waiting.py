"""Answers that are held back: woken in order, by whom they wait for, by time, or not at all."""

from __future__ import annotations

import asyncio
import threading

from cloudjar.kit.waiting import Held, Waits


def held(waits: Waits, seconds: float = 60, due: float | None = None) -> Held:
    return Held("key", seconds, waits.count, due)


async def waiting(waits: Waits, count: int) -> list[asyncio.Task[bool]]:
    """So many that wait."""
    tasks = [asyncio.create_task(waits.wait(held(waits), 60)) for _ in range(count)]
    while sum(len(queue) for queue in waits._waiting.values()) < count:
        await asyncio.sleep(0)
    return tasks


def test_who_waited_longest_is_woken_first() -> None:
    async def run() -> None:
        waits = Waits()
        tasks = await waiting(waits, 3)
        waits.notify("other", 9)
        waits.notify("key", 2)
        assert await tasks[0]
        assert await tasks[1]
        assert not tasks[2].done()
        waits.stir()
        assert await tasks[2]
        assert not waits.waits("key")

    asyncio.run(run())


def test_what_happened_since_one_looked_is_not_missed() -> None:
    async def run() -> None:
        waits = Waits()
        looked = held(waits)
        waits.notify("key")
        assert await waits.wait(looked, 60)

    asyncio.run(run())


def test_time_wakes_too_and_patience_ends() -> None:
    async def run() -> None:
        waits = Waits()
        assert await waits.wait(held(waits, due=0.01), 60)
        assert not await waits.wait(held(waits), 0.01)

    asyncio.run(run())


def test_who_goes_away_passes_his_turn_on() -> None:
    async def run() -> None:
        waits = Waits()
        first, second = await waiting(waits, 2)
        waits.notify("key")
        first.cancel()
        assert await second
        assert (await asyncio.gather(first, return_exceptions=True))[0].__class__ is asyncio.CancelledError

    asyncio.run(run())


def test_other_threads_may_notify() -> None:
    async def run() -> None:
        waits = Waits()
        [task] = await waiting(waits, 1)
        threading.Thread(target=waits.notify, args=("key",)).start()
        assert await asyncio.wait_for(task, 60)

    asyncio.run(run())
