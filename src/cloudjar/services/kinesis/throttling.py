"""What a shard takes and gives in a second of AWS's clock.

Kept in memory alone: after a restart nothing has been used. What is more than a second's worth (a record of up to
10 MiB, an answer of 10 MB) is taken when anything is left, and paid for in the seconds that follow.

https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
"""

from __future__ import annotations

from collections import defaultdict

from cloudjar.kit.context import World
from cloudjar.kit.windows import Window

_PORT = "kinesis.meters"
WRITE_BYTES, WRITE_RECORDS = 1 << 20, 1_000
READ_BYTES, READ_CALLS = 2 << 20, 5


class Meter:
    """A shard's limits."""

    __slots__ = ("calls", "read", "records", "written")

    def __init__(self) -> None:
        self.written = Window(WRITE_BYTES)
        self.records = Window(WRITE_RECORDS)
        self.read = Window(READ_BYTES)
        self.calls = Window(READ_CALLS)

    def write(self, second: int, size: int) -> bool:
        """Take a record of so many bytes; False when it is too much."""
        if not self.written.fits(second, size) or self.records.left(second) < 1:
            return False
        self.written.used += size
        self.records.used += 1
        return True

    def ask(self, second: int) -> bool:
        """Let a GetRecords in; False when there were too many, or too much was given."""
        if self.calls.left(second) < 1 or self.read.left(second) < 1:
            return False
        self.calls.used += 1
        return True

    def gave(self, size: int) -> None:
        """So many bytes were given."""
        self.read.used += size


def meters(world: World) -> dict[int, Meter]:
    """Every shard's, by its number."""
    held: dict[int, Meter] | None = world.ports.get(_PORT)
    if held is None:
        held = world.ports[_PORT] = defaultdict(Meter)
    return held


def meter(world: World, sid: int) -> Meter:
    """A shard's."""
    return meters(world)[sid]
