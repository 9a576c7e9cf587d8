"""Sequence numbers and hash keys: pure arithmetic.

A sequence number is a number of 186 bits, as AWS's are: when its shard was opened (seconds, 36 bits), the record's
place in the shard (69 bits) and the shard's (32 bits). So it grows with every record of a shard, children's numbers are
greater than their parents', and it tells of which shard it is. The layout is ours; clients may only compare.
"""

from __future__ import annotations

from hashlib import md5
from typing import NamedTuple

_TOP = 1 << 185
_OPENED = 149
_PLACE = 48
_SHARD = 16
_MASK_SHARD = (1 << 32) - 1
_MASK_PLACE = (1 << (_OPENED - _PLACE)) - 1
HASHES = 1 << 128


class Place(NamedTuple):
    """What a sequence number tells."""

    opened: int
    """When the shard was opened, in seconds since 1970."""
    ordinal: int
    number: int
    """The record's place in its shard; 0 is before the first."""


def base(opened: int, ordinal: int) -> int:
    """The number of place 0 of a shard that was opened at an instant (seconds); a record's is ``base + (n << 48)``."""
    return _TOP | opened << _OPENED | ordinal << _SHARD


def text(first: int, number: int) -> str:
    """The sequence number of a record by its shard's `base`."""
    return str(first + (number << _PLACE))


def read(said: str) -> Place | None:
    """What a sequence number tells; None when it is not one of ours."""
    value = int(said)
    if value >> 185 != 1:
        return None
    value -= _TOP
    return Place(value >> _OPENED, value >> _SHARD & _MASK_SHARD, value >> _PLACE & _MASK_PLACE)


def hash_of(key: str) -> int:
    """Where a partition key falls: the MD5 of its UTF-8 bytes as a number."""
    return int.from_bytes(md5(key.encode(), usedforsecurity=False).digest(), "big")


def uniform(count: int) -> list[tuple[int, int]]:
    """The hash key ranges (both ends inclusive) of so many equal shards; the last has what is left over."""
    size = HASHES // count
    return [(i * size, HASHES - 1 if i == count - 1 else (i + 1) * size - 1) for i in range(count)]


def shard_id(ordinal: int) -> str:
    """``shardId-000000000000``."""
    return f"shardId-{ordinal:012d}"


def ordinal_of(shard: str) -> int | None:
    """The number of a shard id; None when it is none."""
    prefix, _, digits = shard.partition("-")
    return int(digits) if prefix == "shardId" and len(digits) == 12 and digits.isdigit() else None
