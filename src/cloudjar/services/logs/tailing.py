"""Live Tail: who looks at a group's events as they come. Nothing of it is kept: a session is a connection.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.feeds import Feed, Look
from cloudjar.services.logs.finding import millis
from cloudjar.services.logs.patterns.filter import Pattern
from cloudjar.services.logs.patterns.scanner import TooSlow
from cloudjar.services.logs.records import LogGroup

_PORT = "logs.tails"
_SECONDS, _EVERY = 10_800.0, 1.0
_MOST = 500
"""Events of an update; of more, some are shown."""
MOST_SESSIONS = 15


class Session:
    """One session of Live Tail."""

    def __init__(
        self, ctx: Ctx, key: str, groups: Sequence[LogGroup], streams: tuple[str, ...], prefixes: tuple[str, ...],
        pattern: Pattern,
    ) -> None:  # fmt: skip
        self.account, self._key, self._ctx = ctx.account, key, ctx
        self.groups = {group.number: f"{group.account}:{group.name}" for group in groups}
        self._streams, self._prefixes, self._pattern = streams, prefixes, pattern
        self._waiting: deque[dict[str, Any]] = deque()
        self._sampled = False
        self._began = monotonic()
        self._told = float("-inf")

    def feed(self, start: dict[str, Any]) -> Feed:
        """The session's events: how it was started, and an update each second in which something came."""
        sessions(self._ctx.world).append(self)
        self._start: dict[str, Any] | None = start
        return Feed(self._ctx.world.waits, ("logs tail", self._key), _SECONDS + 60, self._look, self._left)

    def _left(self) -> None:
        held = sessions(self._ctx.world)
        if self in held:
            held.remove(self)

    def offer(self, group: int, stream: str, events: Sequence[tuple[int, bytes]], ingested: int) -> None:
        """Take in what came, if it is wanted."""
        if self._streams and stream not in self._streams:
            return
        if self._prefixes and not stream.startswith(self._prefixes):
            return
        for time, raw in events:
            message = raw.decode()
            if not self._fits(message):
                continue
            if len(self._waiting) >= _MOST:
                self._sampled = True
                break
            self._waiting.append(
                {
                    "logStreamName": stream,
                    "logGroupIdentifier": self.groups[group],
                    "message": message,
                    "timestamp": time,
                    "ingestionTime": ingested,
                }
            )
        self._ctx.world.waits.notify(("logs tail", self._key))

    def _fits(self, message: str) -> bool:
        try:
            return self._pattern.match(message) is not None
        except TooSlow:
            return False

    def _look(self) -> Look:
        if self._start is not None:
            events = [{"sessionStart": self._start}]
            self._start, self._told = None, monotonic()
            return Look(events, again=_EVERY)
        if monotonic() - self._began >= _SECONDS:
            raise AwsError("SessionTimeoutException", "The session has lasted for three hours.")
        left = self._told + _EVERY - monotonic()
        if left > 0:
            return Look(again=left)
        self._told = monotonic()
        found, self._waiting = list(self._waiting), deque()
        sampled, self._sampled = self._sampled, False
        return Look(
            [{"sessionUpdate": {"sessionMetadata": {"sampled": sampled}, "sessionResults": found}}], again=_EVERY
        )


def sessions(world: World) -> list[Session]:
    """Sessions that are open now."""
    found: list[Session] = world.ports.setdefault(_PORT, [])
    return found


def offer(ctx: Ctx, group: LogGroup, stream: str, events: Sequence[tuple[int, bytes]]) -> None:
    """Tell sessions of what a transaction appends, once it is done."""
    wanting = [session for session in sessions(ctx.world) if group.number in session.groups]
    if not wanting:
        return
    now = millis(ctx.now)

    def tell() -> None:
        for session in wanting:
            session.offer(group.number, stream, events, now)

    ctx.world.state.database.on_commit(tell)
