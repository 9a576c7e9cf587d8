"""One plain statistic of one series as a line: instants and values, oldest first. Pure.

Lines of series that are measured at the same instants share these, so that what depends on instants alone (how they
look in an answer) is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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


class Periods(NamedTuple):
    """The periods that parts of time are, that follow each other: where they begin; in each part the places of each
    one's points, and whether its first is the last of the part before. Who keeps them keeps the parts, that are known
    by their identity."""

    parts: Sequence[Sequence[float]]
    at: list[float]
    runs: list[list[tuple[int, int]]]
    goes_on: list[bool]


class Lines:
    """Draws lines of one period, counted from `origin`, of points that begin at multiples of a resolution."""

    def __init__(self, period: int, origin: float, resolution: int) -> None:
        self._period, self._origin, self._resolution = period, origin, resolution
        self._joined: dict[tuple[int, ...], tuple[Sequence[Sequence[float]], Sequence[float]]] = {}
        """By their identity: parts of time that follow each other, and the whole."""
        self._cut: dict[tuple[int, ...], Periods] = {}
        """The same, and the periods that they are."""

    def draw(self, stat: str, chunks: Sequence[Chunk], extra: Sequence[Chunk] = ()) -> Line:
        """The line of chunks (none is empty), and of further ones whose points begin anywhere."""
        if extra or not _follow(chunks):
            return self._summed(stat, chunks, extra)
        try:
            if self._resolution == self._period:
                return self._as_they_are(stat, chunks)
            return self._by_period(stat, chunks)
        except ZeroDivisionError:
            return self._summed(stat, chunks)  # which leaves out what has no average

    def _as_they_are(self, stat: str, chunks: Sequence[Chunk]) -> Line:
        values: list[float] = []  # not an array: each number is made once, not whenever somebody looks at it
        for chunk in chunks:
            values += _values(stat, chunk)
        return Line(self._instants(chunks), values)

    def _by_period(self, stat: str, chunks: Sequence[Chunk]) -> Line:
        """Points of one period lie beside each other, and in the same places in all series that share instants."""
        periods = self._periods(chunks)
        values = _folded(COLUMNS[stat], chunks, periods)
        if stat == "Average":
            values = list(map(truediv, values, _folded("samples", chunks, periods)))
        return Line(periods.at, values)

    def _periods(self, chunks: Sequence[Chunk]) -> Periods:
        parts = [chunk.at for chunk in chunks]
        place = tuple(map(id, parts))
        known = self._cut.get(place)
        if known is None:
            known = self._cut[place] = Periods(parts, [], [], [])
            for part in parts:
                self._cut_into(known, part)
        return known

    def _cut_into(self, periods: Periods, part: Sequence[float]) -> None:
        """Add the periods of points that follow."""
        begins = [one - (one - self._origin) % self._period for one in part]
        first = [0, *(place for place in range(1, len(begins)) if begins[place] != begins[place - 1])]
        goes_on = bool(periods.at) and periods.at[-1] == begins[0]
        periods.runs.append([*zip(first, [*first[1:], len(begins)], strict=True)])
        periods.goes_on.append(goes_on)
        periods.at.extend([begins[place] for place in first][goes_on:])

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


_FOLDS: dict[str, Callable[[Iterable[float]], float]] = {"low": min, "high": max, "samples": sum, "total": sum}


def _folded(name: str, chunks: Sequence[Chunk], periods: Periods) -> list[float]:
    """A column by period."""
    fold, found = _FOLDS[name], list[float]()
    for chunk, runs, goes_on in zip(chunks, periods.runs, periods.goes_on, strict=True):
        column: Sequence[float] | None = getattr(chunk, name)
        if column is None and name == "samples":
            parts = [float(last - first) for first, last in runs]
        else:
            held = chunk.total if column is None else column
            parts = [fold(held[first:last]) for first, last in runs]
        if goes_on:
            parts[0] = fold((found.pop(), parts[0]))
        found += parts
    return found


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
