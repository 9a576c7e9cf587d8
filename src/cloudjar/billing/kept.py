"""Rows of a month that is over, as they are stored: numbers once, lists by their numbers, compressed."""

from __future__ import annotations

import zlib
from decimal import Decimal
from functools import cache
from hashlib import sha256

import msgspec

from cloudjar import __version__
from cloudjar.billing.costs import Row, price_of_line
from cloudjar.billing.measured import Line
from cloudjar.spec import free_tier, prices

_FORM = "2"


@cache
def stamp() -> str:
    """What a month was made by: other prices, or another product, make it anew."""
    facts = prices.fingerprint() + free_tier.fingerprint()
    return f"{_FORM} {__version__} {sha256(facts).hexdigest()[:16]}"


_Line = tuple[str, str, str, str, str, str, str, str, list[tuple[str, str]], str, str]


class _Kept(msgspec.Struct, array_like=True):
    numbers: list[str]
    rows: list[tuple[_Line, list[int], list[int], list[int], list[int], list[int], str]]


def packed(rows: list[Row]) -> bytes:
    """Rows as bytes."""
    places: dict[Decimal, int] = {}

    def column(amounts: list[Decimal]) -> list[int]:
        return [places.setdefault(one, len(places)) for one in amounts]

    kept = []
    for row in rows:
        cost = column(row.cost)
        kept.append((
            (*row.line[:8], list(row.line.tags), row.line.zone, row.line.commitment),
            column(row.usage),
            cost,
            [] if row.amortized is row.cost else column(row.amortized),
            [] if row.blended is row.cost else column(row.blended),
            column(row.free) if any(row.free) else [],
            row.why,
        ))  # fmt: skip
    return zlib.compress(msgspec.msgpack.encode(_Kept([str(one) for one in places], kept)), 6)


def unpacked(data: bytes) -> list[Row]:
    """What `packed` made bytes of."""
    kept = msgspec.msgpack.decode(zlib.decompress(data), type=_Kept)
    numbers = [Decimal(text) for text in kept.numbers]
    zero = Decimal(0)
    rows = []
    for line, usage, cost, amortized, blended, free, why in kept.rows:
        about = Line(*line[:8], tuple(line[8]), *line[9:])
        paid = [numbers[i] for i in cost]
        price = None if why else price_of_line(about)
        rows.append(Row(
            about,
            [numbers[i] for i in usage],
            paid,
            [numbers[i] for i in amortized] if amortized else paid,
            [numbers[i] for i in blended] if blended else paid,
            [numbers[i] for i in free] if free else [zero] * len(usage),
            None if isinstance(price, str) else price,
            why,
        ))  # fmt: skip
    return rows
