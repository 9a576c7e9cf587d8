"""One plain statistic of one series as a line: instants and values, oldest first. Pure.

Lines of series that are measured at the same instants share these, so that what depends on instants alone (how they
look in an answer) is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import truediv
from typing import NamedTuple

from cloudjar.store.point_columns import Chunk
from cloudjar.store.sums import COLUMNS, Sums


class Line(NamedTuple):
    """Values at instants (Unix seconds, rising). Neither is to be changed."""

    at: Sequence[float]
    values: Sequence[float]

    @property
    def points(self) -> dict[float, float]:
        """The values by instant."""
        return dict(zip(self.at, self.values, strict=True))


class Lines:
    """Draws lines of one period, counted from `origin`, of points that begin at multiples of a resolution."""

    def __init__(self, period: int, origin: float, resolution: int) -> None:
        self._period, self._origin, self._resolution = period, origin, resolution
        self._joined: dict[tuple[int, ...], tuple[Sequence[Sequence[float]], Sequence[float]]] = {}
        """By their identity: parts of time that follow each other, and the whole."""

    def draw(self, stat: str, chunks: Sequence[Chunk], extra: Sequence[Chunk] = ()) -> Line:
        """The line of chunks (none is empty), and of further ones whose points begin anywhere."""
        if self._resolution == self._period and not extra and _follow(chunks):
            return self._as_they_are(stat, chunks)
        return self._summed(stat, chunks, extra)

    def _as_they_are(self, stat: str, chunks: Sequence[Chunk]) -> Line:
        values: list[float] = []  # not an array: each number is made once, not whenever somebody looks at it
        try:
            for chunk in chunks:
                values += _values(stat, chunk)
        except ZeroDivisionError:
            return self._summed(stat, chunks)  # which leaves out what has no average
        return Line(self._instants(chunks), values)

    def _summed(self, stat: str, chunks: Iterable[Chunk], extra: Iterable[Chunk] = ()) -> Line:
        sums = Sums(stat, self._period, self._origin)
        for chunk in chunks:
            sums.add(chunk, self._resolution)
        for chunk in extra:
            sums.add(chunk, 0)
        found = sums.found()
        return Line(list(found), list(found.values()))

    def _instants(self, chunks: Sequence[Chunk]) -> Sequence[float]:
        if len(chunks) == 1:
            return chunks[0].at
        parts = [chunk.at for chunk in chunks]
        place = tuple(map(id, parts))
        known = self._joined.get(place)
        if known is None:
            known = self._joined[place] = (parts, [at for part in parts for at in part])
        return known[1]


def _follow(chunks: Sequence[Chunk]) -> bool:
    """Whether each begins after the one before has ended."""
    return all(before.at[-1] < after.at[0] for before, after in pairwise(chunks))


def _values(stat: str, chunk: Chunk) -> Iterable[float]:
    if chunk.samples is None:
        return (1.0,) * len(chunk.at) if stat == "SampleCount" else chunk.total
    if stat == "Average":
        return map(truediv, chunk.total, chunk.samples)
    column: Sequence[float] = getattr(chunk, COLUMNS[stat])
    return column
