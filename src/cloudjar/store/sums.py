"""Plain statistics of columns of points, by period."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cloudjar.store.point_columns import Chunk

_JOINS: dict[str, tuple[str, Callable[[float, float], float]]] = {
    "Minimum": ("low", min),
    "Maximum": ("high", max),
    "SampleCount": ("samples", float.__add__),
    "Sum": ("total", float.__add__),
    "Average": ("total", float.__add__),
}
COLUMNS = {stat: column for stat, (column, _) in _JOINS.items()}
"""What a statistic is made of."""


class Sums:
    """One statistic (Sum, Average, Minimum, Maximum, SampleCount) over periods that are counted from `origin`."""

    def __init__(self, stat: str, period: int, origin: float) -> None:
        self._stat, self._period, self._origin = stat, period, origin
        self._column, self._join = _JOINS[stat]
        self._values: dict[float, float] = {}
        self._samples: dict[float, float] = {}
        self._last = float("-inf")
        self._sorted = True

    def add(self, chunk: Chunk, resolution: int) -> None:
        """Take in points that begin at multiples of a resolution (0: anywhere), oldest first."""
        if not len(chunk.at):
            return
        at: Sequence[float] = chunk.at
        direct = resolution == self._period
        if not direct:
            at = [one - (one - self._origin) % self._period for one in at]
        fresh = direct and at[0] > self._last
        self._sorted &= at[0] >= self._last
        ones: Sequence[float] = chunk.samples if chunk.samples is not None else (1.0,) * len(at)
        column = getattr(chunk, self._column)
        if column is None:
            column = ones if self._column == "samples" else chunk.total
        self._take(self._values, at, column, self._join, fresh=fresh)
        if self._stat == "Average":
            self._take(self._samples, at, ones, float.__add__, fresh=fresh)
        self._last = max(self._last, at[-1])

    @staticmethod
    def _take(
        into: dict[float, float],
        at: Iterable[float],
        column: Iterable[float],
        join: Callable[[float, float], float],
        *,
        fresh: bool,
    ) -> None:
        if fresh:
            into.update(zip(at, column, strict=True))
            return
        for one, value in zip(at, column, strict=True):
            held = into.get(one)
            into[one] = value if held is None else join(held, value)

    def found(self) -> dict[float, float]:
        """The statistic by the beginning of each period."""
        if self._stat == "Average":
            samples = self._samples
            made = {at: total / samples[at] for at, total in self._values.items() if samples[at]}
        else:
            made = self._values
        return made if self._sorted else dict(sorted(made.items()))
