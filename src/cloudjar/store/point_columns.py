"""Points in columns: what plain statistics of long spans are made of. Pure.

Most series are measured at the same instants, so that these are worked out once and shared: who puts columns together
may tell by their identity that they are the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cloudjar.store import point_blocks

if TYPE_CHECKING:
    from cloudjar.store.points import Point


class Chunk(NamedTuple):
    """Points in columns. `samples`, `low` and `high` are None when each point is one measurement (its `total`)."""

    unit: str
    at: Sequence[float]
    total: Sequence[float]
    samples: Sequence[float] | None
    low: Sequence[float] | None
    high: Sequence[float] | None


class Cut:
    """Cuts blocks of one resolution to [low, high)."""

    def __init__(self, resolution: int, low: float, high: float, *, bounds: bool = True) -> None:
        """Without `bounds` columns lack `low` and `high`."""
        self._resolution, self._low, self._high, self._bounds = resolution, low, high, bounds
        self._instants: dict[tuple[int, bytes], tuple[list[float], int, int]] = {}
        """What is left of each sort of block: its instants, and which of its places they are."""

    def block(self, data: bytes, start: int, unit: str) -> Chunk:
        """The columns of a stored block."""
        held = point_blocks.decoded(data)
        place = (start, held.slots)
        at, first, last = self._instants.get(place) or self._cut(place, point_blocks.slots(held))
        total = point_blocks.doubles(held.total)
        if last - first < len(total):
            total = total[first:last]
        if not held.samples:
            return Chunk(unit, at, total, None, None, None)
        samples = point_blocks.doubles(held.samples)
        if last - first < len(samples):
            samples = samples[first:last]
        if not self._bounds:
            return Chunk(unit, at, total, samples, None, None)
        low, high = (point_blocks.doubles(raw)[first:last] for raw in (held.low, held.high))
        return Chunk(unit, at, total, samples, low, high)

    def _cut(self, place: tuple[int, bytes], slots: Iterable[int]) -> tuple[list[float], int, int]:
        start, resolution = place[0], self._resolution
        at: list[float] = [start + slot * resolution for slot in slots]
        first, last = bisect_left(at, self._low), bisect_left(at, self._high)
        self._instants[place] = found = (at[first:last], first, last)
        return found


def of_points(points: Iterable[Point]) -> list[Chunk]:
    """Points of one series, oldest first: a chunk for each unit."""
    units: dict[str, list[Point]] = {}
    for point in points:
        units.setdefault(point.unit, []).append(point)
    return [_of_unit(unit, held) for unit, held in units.items()]


def _of_unit(unit: str, points: list[Point]) -> Chunk:
    at, _, samples, total, low, high, _ = zip(*points, strict=True)
    return Chunk(unit, at, total, samples, low, high)
