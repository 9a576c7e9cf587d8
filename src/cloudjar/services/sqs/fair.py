"""Fair queues: a tenant (a message group of a standard queue) that has most of the queue in flight waits behind others.

A tenant is noisy from the moment in which it has at least 30 messages in flight and more than a tenth of all; it is
quiet again when nothing of it waits any more, or when it has sent nothing for five minutes. Only this is remembered
here; where a message waits is in its row (`lane`).

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

_LEAST = 30
_SHARE = 10
_SILENT = 300_000


class Tenants:
    """Who has how much in flight, of one queue. Times are milliseconds."""

    def __init__(self, flying: Iterable[tuple[int, int, str | None]], now: int) -> None:
        self._until: dict[int, tuple[int, str]] = {}
        self._ends: list[tuple[int, int]] = []
        self._of: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self.noisy: set[str] = set()
        for id_, visible, group in flying:
            self.took(id_, visible, group)
        self._judge(now, set(self._of))

    def sends(self, group: str, now: int) -> None:
        """A tenant has sent a message."""
        self._sent[group] = now

    def took(self, id_: int, until: int, group: str | None) -> None:
        """A message is in flight (or for another time than before)."""
        self.left(id_)
        name = group or ""
        self._until[id_] = (until, name)
        self._of[name] = self._of.get(name, 0) + 1
        heappush(self._ends, (until, id_))

    def flying(self, group: str) -> int:
        """How many of a tenant's messages are in flight."""
        return self._of.get(group, 0)

    def left(self, id_: int) -> None:
        """A message is not in flight any more."""
        held = self._until.pop(id_, None)
        if held is not None:
            self._of[held[1]] -= 1
            if not self._of[held[1]]:
                del self._of[held[1]]

    def judged(self, now: int, groups: Iterable[str | None]) -> set[str]:
        """Who is noisy now; `groups` are those that were just served."""
        while self._ends and self._ends[0][0] <= now:
            until, id_ = heappop(self._ends)
            held = self._until.get(id_)
            if held is not None and held[0] == until:
                self.left(id_)
        self._judge(now, {group for group in groups if group})
        return self.noisy

    def _judge(self, now: int, groups: set[str]) -> None:
        total = len(self._until)
        for group in groups - {""}:
            if self.loud(group, total):
                self.noisy.add(group)
                self._sent.setdefault(group, now)

    def loud(self, group: str, total: int | None = None) -> bool:
        """Whether a tenant has too much in flight."""
        mine = self._of.get(group, 0)
        return mine >= _LEAST and mine * _SHARE > (len(self._until) if total is None else total)

    def silent(self, now: int) -> list[str]:
        """The noisy ones who have sent nothing for five minutes."""
        return [group for group in self.noisy if now - self._sent.get(group, 0) >= _SILENT]
