"""Version ids: opaque to clients, yet each tells the place of its row, so that a version is found without a search."""

from __future__ import annotations

import base64
import binascii

from cloudjar.base import ids

_RANDOM = 16
_LENGTH = 32


def make(seq: int) -> str:
    """A fresh id (32 characters of ``A-Za-z0-9._``) of the row `seq` of a key."""
    chance = ids.entropy(_RANDOM)
    return base64.b64encode(chance + _veiled(seq, chance), b"._").decode()


def seq_of(version_id: str) -> int | None:
    """The row that an id names; None for what is no id at all."""
    if len(version_id) != _LENGTH:
        return None
    try:
        raw = base64.b64decode(version_id.encode(), b"._", validate=True)
    except (binascii.Error, ValueError):
        return None
    return int.from_bytes(_xor(raw[_RANDOM:], raw[:8]), "big")


def _veiled(seq: int, chance: bytes) -> bytes:
    return _xor(seq.to_bytes(8, "big"), chance[:8])


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
