"""Answers that go on: an event stream whose events come as things happen, without a thread.

A handler puts a `Feed` where the model has the event stream. Its `look` is asked on the event loop's thread, like a
handler: at first, whenever somebody notifies the key (`kit.waiting`), and when the time comes that it named itself. It
must not block. The stream ends when `look` says so, when the time is up, or when the client goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

from cloudjar.base.clock import monotonic
from cloudjar.kit.waiting import Held, Key, Waits

EVERYBODY = 1 << 30
"""`Waits.notify(key, EVERYBODY)`: all feeds of a key hear of what happened."""


class Look(NamedTuple):
    """What there is to tell. `again`: in how many real seconds to look by oneself (0: there is more at once; None: only
    when notified)."""

    events: Sequence[dict[str, Any]] = ()
    again: float | None = None
    over: bool = False


class Feed:
    """An event stream that goes on. `seconds` (real ones: the client's connection is) is how long at most.

    An `AwsError` raised by `look` is the stream's last event. `left` is called once, however the stream ends.
    """

    def __init__(
        self, waits: Waits, key: Key, seconds: float, look: Callable[[], Look], left: Callable[[], None] | None = None
    ) -> None:
        self._waits = waits
        self._key = key
        self._until = monotonic() + seconds
        self._look = look
        self._left = left

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        try:
            while (left := self._until - monotonic()) > 0:
                seen = self._waits.count
                found = self._look()
                for event in found.events:
                    yield event
                if found.over:
                    return
                if found.again == 0:
                    await asyncio.sleep(0)  # there is more, and others want their turn
                else:
                    left = left if found.again is None else min(left, found.again)
                    await self._waits.wait(Held(self._key, left, seen), left)
        finally:
            if self._left is not None:
                self._left()
