"""Ids of Organizations, in AWS's forms: lower-case letters and digits."""

from __future__ import annotations

from cloudjar.base import ids

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_id(prefix: str, length: int) -> str:
    """``o-`` and so many characters."""
    return f"{prefix}-" + "".join(_LETTERS[ids.below(len(_LETTERS))] for _ in range(length))


def unit_id(root: str) -> str:
    """``ou-`` with the root's own characters, and eight of its own."""
    return new_id(f"ou-{root.removeprefix('r-')}", 8)
