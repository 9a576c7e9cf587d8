"""How many of something there were when: kept of those records of whose quota CloudWatch tells what is used.

What is kept is the difference that each minute made. Of records that were there before anything was kept, it is assumed
that they had always been there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from cloudjar.base.clock import Clock
from cloudjar.kit.record import Quota, Record, RecordMeta
from cloudjar.store.database import Database

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS resource_count (account TEXT, region TEXT, code TEXT, minute INTEGER, more INTEGER, "
    "PRIMARY KEY (account, region, code, minute)) WITHOUT ROWID"
)
_KEPT = 456 * 1440
"""Minutes for which CloudWatch keeps data."""


class Counts:
    """The differences; written in the transaction of the record's own write."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._made = False

    def edge(self, declared: RecordMeta[Record], before: Record | None, after: Record | None) -> None:
        """Note what a write makes of the counts that its record is in."""
        for quota in declared.quotas:
            if quota.per or not _is_told(quota.code):
                continue
            more = _counts(quota, after) - _counts(quota, before)
            item = after or before
            if more and item is not None:
                self._note(item.account, item.region, "/".join(quota.code), more)

    def _note(self, account: str, region: str, code: str, more: int) -> None:
        self._make()
        minute = int(self._clock.now().timestamp()) // 60
        run = self._database.execute
        run(
            "INSERT INTO resource_count VALUES (?,?,?,?,?) "
            "ON CONFLICT (account, region, code, minute) DO UPDATE SET more = more + excluded.more",
            (account, region, code, minute, more),
        )
        run(
            "DELETE FROM resource_count WHERE account=? AND region=? AND code=? AND minute<?",
            (account, region, code, minute - _KEPT),
        )

    def _make(self) -> None:
        if not self._made:
            with self._database.lock:
                self._database.execute(_SCHEMA)
            self._made = True
            self._database.undone(self._forget)

    def _forget(self) -> None:
        self._made = False

    def known(self, account: str, region: str) -> list[tuple[str, str]]:
        """The quotas of which a difference was ever noted."""
        self._make()
        rows = self._database.query(
            "SELECT DISTINCT code FROM resource_count WHERE account=? AND region=?", (account, region)
        )
        pairs = (code.partition("/") for (code,) in rows)
        return [(service, quota) for service, _, quota in pairs if _is_told((service, quota))]

    def changes(self, account: str, region: str, code: tuple[str, str], now: int) -> Iterator[tuple[int, int]]:
        """(minute since 1970, how many there were from its end on), oldest first; first of all (0, how many before).
        `now` is how many there are."""
        self._make()
        rows = self._database.query(
            "SELECT minute, more FROM resource_count WHERE account=? AND region=? AND code=? ORDER BY minute",
            (account, region, "/".join(code)),
        )
        held = now - sum(more for _, more in rows)
        yield 0, held
        for minute, more in rows:
            held += more
            yield minute, held


def _counts(quota: Quota, item: Record | None) -> int:
    if item is None:
        return 0
    return int(quota.counts is None or bool(quota.counts(item)))


@cache
def _is_told(code: tuple[str, str]) -> bool:
    from cloudjar.spec import usage_metrics  # read at the first write of a counted record, not at start

    return code in usage_metrics.COUNTED
