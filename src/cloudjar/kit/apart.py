"""Answers that need not wait for what others do in the same turn of the loop."""

from __future__ import annotations

from typing import Any


class Apart(dict[str, Any]):
    """What a handler answers that read nothing but what is committed: the turn's transaction (`Database.joined`) is not
    committed for its sake."""

    __slots__ = ()
