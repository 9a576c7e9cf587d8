"""Answers that may be held back until something happens: long polls, without a thread and without asking again.

A handler that has nothing to say yet returns `Held`: the answer that it would give now, and what to wait for. The
gateway calls it again when somebody `notify`s that key (a commit that brings what is waited for), when `due` has come
(something becomes visible by itself) and, for the last time (`Ctx.final`), when the time is up. Whoever cannot wait (a
call from inside) takes the answer as it is. How long a client waits is real time: his own patience is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

Key = Hashable


class Held(dict[str, Any]):
    """The answer if it must be given now. `seconds`: how long it may be held; `due`: in how many seconds of AWS time to
    look again by oneself (None: never); `seen`: `Waits.count` from before the handler looked."""

    __slots__ = ("due", "key", "seconds", "seen")

    def __init__(self, key: Key, seconds: float, seen: int, due: float | None = None) -> None:
        super().__init__()
        self.key = key
        self.seconds = seconds
        self.seen = seen
        self.due = due


class Waits:
    """Who waits for what. `notify` may be called from any thread, `wait` on the event loop."""

    def __init__(self) -> None:
        self.count = 0
        """Notifications so far: a handler reads it before it looks, so that nothing is missed in between."""
        self._waiting: dict[Key, deque[asyncio.Future[bool]]] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.pace: Callable[[], float] = lambda: 1.0
        """Seconds of AWS time in one of the machine's; 0 while it is frozen."""

    def waits(self, key: Key) -> bool:
        """Whether anybody waits for this."""
        return key in self._waiting

    def notify(self, key: Key, how_many: int = 1) -> None:
        """Wake so many of those who have waited longest."""
        self.count += 1
        loop = self._loop
        if loop is None or key not in self._waiting:
            return
        if _is_running(loop):
            self._wake(key, how_many)
        else:
            loop.call_soon_threadsafe(self._wake, key, how_many)

    def stir(self) -> None:
        """Wake one of each: time was moved, and what it brings is anybody's guess."""
        for key in list(self._waiting):
            self.notify(key)

    async def wait(self, held: Held, seconds: float) -> bool:
        """Until somebody notifies, or `held.due`; False when `seconds` (real ones) went by first."""
        if self.count != held.seen:
            return True
        loop = self._loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        queue = self._waiting.setdefault(held.key, deque())
        queue.append(future)
        if held.due is not None:
            pace = self.pace()
            if pace:
                self._arm(held.key, held.due / pace)
        timer = loop.call_later(seconds, _resolve, future, False)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.result():
                self.notify(held.key)  # it was his turn, but he is gone
            raise
        finally:
            timer.cancel()
            self._leave(held.key, future)

    def _arm(self, key: Key, seconds: float) -> None:
        assert self._loop is not None
        at = self._loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= at:
                return
            timer.cancel()
        self._timers[key] = self._loop.call_later(seconds, self._ring, key)

    def _ring(self, key: Key) -> None:
        self._timers.pop(key, None)
        self._wake(key, 1)

    def _wake(self, key: Key, how_many: int) -> None:
        queue = self._waiting.get(key)
        while queue and how_many > 0:
            future = queue.popleft()
            if not future.done():
                future.set_result(True)
                how_many -= 1

    def _leave(self, key: Key, future: asyncio.Future[bool]) -> None:
        queue = self._waiting.get(key)
        if queue is None:
            return
        if queue and queue[0] is future:
            queue.popleft()
        while queue and queue[0].done():
            queue.popleft()
        if not queue:
            del self._waiting[key]
            timer = self._timers.pop(key, None)
            if timer is not None:
                timer.cancel()


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _resolve(future: asyncio.Future[bool], value: bool) -> None:
    if not future.done():
        future.set_result(value)
