"""A message where it stands in its queue's tables, and what is remembered of a queue."""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.services.sqs.fair import Tenants

SHIFT = 40
"""Bits of a message's number in its row's."""
COLUMNS = "id, visible, count, receipt, first, sent, grp, source, data"
NOTHING_SENT = 1 << 40
"""The least size of the messages of a minute in which none was sent."""
_CHUNK = 64 << 10


class Row(NamedTuple):
    """A message where it stands. Instants are milliseconds; `times` is how often it was received, `first` when or 0;
    `source` is the ARN of the queue that it was dead in; `data` is sealed, None when it lies apart."""

    id: int
    visible: int
    times: int
    receipt: int
    first: int
    sent: int
    group: str | None
    source: str | None
    data: bytes | None


class Known:
    """What is remembered of a queue."""

    __slots__ = ("arn", "billed", "flying", "lanes", "minute", "oldest", "tenants", "total")

    def __init__(self) -> None:
        self.arn = ""
        """The queue's, once somebody has asked for it."""
        self.total: int | None = None
        """Messages in all."""
        self.oldest: int | None = None
        """No message was sent before (milliseconds)."""
        self.flying: int | None = None
        """No more messages than these are in flight."""
        self.lanes: bool | None = None
        """Whether any message of a standard queue names a group: only then there are tenants, and two lanes."""
        self.tenants: Tenants | None = None
        self.minute = 0
        """The minute (of Unix time) whose predecessors are closed."""
        self.billed = 0
        """The requests of the minutes before are billed."""


def queue_of(id_: int) -> int:
    """The number of the queue that a row is in."""
    return id_ >> SHIFT


def requests(size: int) -> int:
    """As how many requests a call counts that carries so many bytes: each begun 64 KB is one."""
    return -(-size // _CHUNK) or 1
