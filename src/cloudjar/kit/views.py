"""Views that are made once per state of their records.

Records are frozen and kept decoded, so "made from the same objects" means "still true". A remembered view also keeps
its rendering (see `wire.rendered`): describing a thousand unchanged things costs reading them, not writing them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudjar.wire.rendered import View

_LIMIT = 20_000


class Views:
    """Views by key. `sources` are the objects that a view was made from, compared by identity (texts by value)."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[Any, ...], View]] = {}

    def get(self, key: str, sources: tuple[Any, ...], make: Callable[[], dict[str, Any]]) -> View:
        """The view, made anew when any source is another object than last time."""
        kept = self._kept.get(key)
        if kept is not None and _same(kept[0], sources):
            return kept[1]
        view = View(make())
        if len(self._kept) >= _LIMIT:
            self._kept.clear()
        self._kept[key] = (sources, view)
        return view


def _same(before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    if len(before) != len(now):
        return False
    for one, other in zip(before, now, strict=True):
        if one is not other and (one.__class__ is not str or one != other):
            return False
    return True
