"""The CRC of a whole from those of its parts, without the bytes."""

from __future__ import annotations

from collections.abc import Iterable

_SIZES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8}
COMBINABLE = frozenset(_SIZES)
"""Algorithms whose full-object value follows from the parts'."""


def combined(algorithm: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """The checksum (raw bytes) of parts one after the other, each as its checksum and its size in bytes."""
    from awscrt import checksums  # slow to load, rarely needed

    combine = getattr(checksums, f"combine_{algorithm.lower()}")
    value = 0
    for raw, size in parts:
        value = combine(value, int.from_bytes(raw, "big"), size)
    return int(value).to_bytes(_SIZES[algorithm], "big")
