"""What Cost Explorer keeps of its own; costs are the ledger's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.record import Record, record


@record("ce", "costcategory", arn="costcategory/{id}", regional=False, index=("name",))
class CostCategory(Record, frozen=True, kw_only=True):
    """Rules that give every line a value; the first that admits a line gives it. `rules` and `splits` are as they were
    given."""

    id: str
    name: str
    rules: tuple[dict[str, Any], ...]
    default: str = ""
    splits: tuple[dict[str, Any], ...] = ()
    start: datetime
    tags: dict[str, str] = {}


@record("ce", "cost-allocation-tag", key="key", regional=False)
class AllocationTag(Record, frozen=True, kw_only=True):
    """A tag key that somebody has switched on or off for reports."""

    key: str
    active: bool
    changed: datetime


@record("ce", "recommendation-generation", regional=False)
class Generation(Record, frozen=True, kw_only=True):
    """Somebody's wish for new recommendations, and until when AWS would be at it."""

    id: str
    started: datetime
    done: datetime


@record("ce", "tag-backfill", regional=False)
class Backfill(Record, frozen=True, kw_only=True):
    """Somebody's wish that tags count from a month on, and until when AWS would be at it."""

    id: str
    since: datetime
    asked: datetime
    done: datetime
