"""What was free for twelve months to accounts opened before July 2025: the offers, each with its source.

https://aws.amazon.com/free/
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from cloudjar.spec import instance_types

MONTHS = 12
_FILE = Path(__file__).with_name("data") / "free_tier.json"


class Offer(msgspec.Struct, frozen=True):
    """`limit` units of a calendar month are free, over all usage types (`usage`) and regions together.

    `operations` are those that count, all when empty. `where_missing` is a usage type that counts as well in regions
    that do not have an instance type. `source` and `confidence` are as those of prices.
    """

    name: str
    service: str
    usage: tuple[str, ...]
    limit: Decimal
    unit: str
    source: str
    confidence: str
    operations: tuple[str, ...] = ()
    where_missing: tuple[str, str] | None = None
    shown: str = ""

    @property
    def title(self) -> str:
        """The usage type under which Free Tier tells how much is used."""
        return self.shown or f"Global-{self.usage[0]}"

    def covers(self, usage_type: str, region: str, operation: str, unit: str) -> bool:
        """Whether usage of the offer's service counts."""
        if unit != self.unit or (self.operations and operation not in self.operations):
            return False
        if usage_type in self.usage:
            return True
        return self.where_missing is not None and usage_type == self.where_missing[0] and not _offers(
            region, self.where_missing[1]
        )


@cache
def _offers(region: str, kind: str) -> bool:
    return instance_types.offered_in(region, kind)


@cache
def offers() -> tuple[Offer, ...]:
    """All of them."""
    return msgspec.json.decode(_FILE.read_bytes(), type=tuple[Offer, ...])


@cache
def offer(service: str, usage_type: str, region: str, operation: str, unit: str) -> Offer | None:
    """The offer that usage counts against, or None."""
    for one in offers():
        if one.service == service and one.covers(usage_type, region, operation, unit):
            return one
    return None


def fingerprint() -> bytes:
    """Says whether two tables of offers are the same."""
    return sha256(_FILE.read_bytes()).digest()
