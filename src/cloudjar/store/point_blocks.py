"""Points of one series, resolution and unit in one value: columns, of which a plain one (single measurements) has one.

Pure. A block begins at a multiple of its span, so that where a point lies follows from its instant.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import msgspec

SPAN = {60: 6 * 3600, 300: 24 * 3600, 3600: 96 * 3600}
"""Seconds that a block of each resolution covers."""

Pairs = tuple[tuple[float, float], ...]
Measured = tuple[float, float, float, float, float, "Pairs | None"]
"""(at, samples, total, low, high, pairs) of one period."""


class Block(msgspec.Struct, array_like=True):
    """Columns by period, oldest first. `samples`, `low` and `high` are empty when each is one measurement.

    Single values lie beside it: those of periods whose values are not all the same (None: not known)."""

    slots: bytes = b""
    """Number of the period in the block, two bytes each."""
    total: bytes = b""
    samples: bytes = b""
    low: bytes = b""
    high: bytes = b""


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Block).decode
_PAIRS = msgspec.msgpack.Decoder(dict[int, Pairs | None]).decode


def doubles(raw: bytes) -> array[float]:
    """A column of numbers."""
    made = array("d")
    made.frombytes(raw)
    return made


def slots(block: Block) -> array[int]:
    """The column of places."""
    made = array("H")
    made.frombytes(block.slots)
    return made


def decoded(data: bytes) -> Block:
    """A stored block."""
    return _DECODE(data)


def measured(data: bytes, values: bytes | None, start: int, resolution: int) -> Iterator[Measured]:
    """The periods of what `encoded` made."""
    block = decoded(data)
    totals = doubles(block.total)
    places = slots(block)
    if not block.samples:
        for slot, total in zip(places, totals, strict=True):
            yield start + slot * resolution, 1.0, total, total, total, ((total, 1.0),)
        return
    known = _PAIRS(values) if values is not None else {}
    columns = (places, doubles(block.samples), totals, doubles(block.low), doubles(block.high))
    for slot, samples, total, low, high in zip(*columns, strict=True):
        pairs: Pairs | None = ((low, samples),) if low == high and slot not in known else known.get(slot)
        yield start + slot * resolution, samples, total, low, high, pairs


def encoded(points: Iterable[Measured], start: int, resolution: int) -> tuple[bytes, bytes | None]:
    """A block of periods, oldest first, and what is known of their single values."""
    held, values = list(points), None
    made = Block(
        slots=array("H", [int(point[0] - start) // resolution for point in held]).tobytes(),
        total=_column(point[2] for point in held),
    )
    if any(point[1] != 1.0 or point[5] is None or not point[3] == point[2] == point[4] for point in held):
        made.samples = _column(point[1] for point in held)
        made.low, made.high = _column(point[3] for point in held), _column(point[4] for point in held)
        told = {
            int(point[0] - start) // resolution: point[5]
            for point in held
            if point[5] is None or point[3] != point[4]
        }
        values = _ENCODE(told)
    return _ENCODE(made), values


def _column(values: Iterable[float]) -> bytes:
    return array("d", values).tobytes()
