"""How shards are split and merged: pure planning.

A change is a list of steps; each closes one shard (a split) or two (a merge) and opens the children. To scale to a
number of equal shards, every shard is cut at the boundaries of the new ones that lie in it and the pieces are put
together, two at a time: no shard ever has more than two parents, as on AWS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cloudjar.services.kinesis import sequence


class Range(NamedTuple):
    """A shard that is open: its number in the stream, and its hash key range (both ends inclusive)."""

    ordinal: int
    lo: int
    hi: int


class Step(NamedTuple):
    """Shards that close (ordinals, one or two) and the ranges of those that open."""

    closed: tuple[int, ...]
    opened: tuple[tuple[int, int], ...]


def scale(open_shards: Sequence[Range], count: int, next_ordinal: int) -> list[Step]:
    """The steps to `count` equal shards; none for those that are equal already."""
    steps: list[Step] = []
    pieces: list[Range] = []
    cuts = [lo for lo, _ in sequence.uniform(count)][1:]
    for shard in sorted(open_shards, key=lambda one: one.lo):
        rest = shard
        for cut in cuts:
            if rest.lo < cut <= rest.hi:
                steps.append(Step((rest.ordinal,), ((rest.lo, cut - 1), (cut, rest.hi))))
                pieces.append(Range(next_ordinal, rest.lo, cut - 1))
                rest = Range(next_ordinal + 1, cut, rest.hi)
                next_ordinal += 2
        pieces.append(rest)
    for lo, hi in sequence.uniform(count):
        inside = [piece for piece in pieces if lo <= piece.lo and piece.hi <= hi]
        while len(inside) > 1:
            first, second, *others = inside
            steps.append(Step((first.ordinal, second.ordinal), ((first.lo, second.hi),)))
            inside = [Range(next_ordinal, first.lo, second.hi), *others]
            next_ordinal += 1
    return steps


def doubled(open_shards: Sequence[Range]) -> list[Step]:
    """Every shard in two halves."""
    steps = []
    for shard in open_shards:
        middle = (shard.lo + shard.hi) // 2 + 1
        steps.append(Step((shard.ordinal,), ((shard.lo, middle - 1), (middle, shard.hi))))
    return steps
