"""Bool and BinaryEquals."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence

from cloudjar.policy.conditions.text import Compare, equals_ignoring_case
from cloudjar.policy.match import Context


def boolean(values: Sequence[str], variables: bool) -> Compare:
    """Bool: ``true`` and ``false`` in any case; other text is never equal."""
    same = equals_ignoring_case(values, variables)

    def compare(value: str, context: Context) -> bool:
        return value.lower() in ("true", "false") and same(value, context)

    return compare


def decode(text: str) -> bytes | None:
    """The bytes behind base64 `text`, or None."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def binary(values: Sequence[str], variables: bool) -> Compare:
    """BinaryEquals: byte for byte, both sides written in base64."""
    wanted = frozenset(b for b in map(decode, values) if b is not None)

    def compare(value: str, context: Context) -> bool:
        return decode(value) in wanted

    return compare
