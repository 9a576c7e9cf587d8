"""What was bought ahead and lowers what usage costs: reserved instances and savings plans, from when to when.

A service's ``bill.py`` says what a record commits to in its present state; the store's writes note it in the same
transaction, at the instants of the record's meters. `billing.covering` applies it hour by hour.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from cloudjar.kit.record import meta
from cloudjar.store.database import Database
from cloudjar.store.tables import Record

R = TypeVar("R", bound=Record)
RESERVATION, FAMILY_PLAN, COMPUTE_PLAN = "Reservation", "EC2Instance", "Compute"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed. Dollars: `upfront` in all for the whole term of `seconds`, of which `due` is paid at the
    beginning; `hourly` in all.

    A reservation is of `count` instances of `type` in `region`, with a `zone` (the id that everybody has for it) in
    that zone alone. A plan is of `commitment` dollars an hour at `share` of on-demand prices, a family's (`type`) in
    `region`. `fee` is (service, usage type, operation) of its fees on the bill.
    """

    arn: str
    kind: str
    fee: tuple[str, str, str]
    type: str = ""
    region: str = ""
    zone: str = ""
    count: int = 1
    upfront: Decimal = Decimal(0)
    hourly: Decimal = Decimal(0)
    due: Decimal = Decimal(0)
    commitment: Decimal = Decimal(0)
    share: Decimal = Decimal(1)
    seconds: int
    option: str
    cls: str = ""
    start: datetime
    end: datetime
    returned: bool = False
    """Given back: it covers nothing, as if it had never been, and what was paid is paid back."""


class Commitment(msgspec.Struct, frozen=True, kw_only=True):
    """Terms that an account is under from `start` on; `stop` is None while it is."""

    account: str
    region: str
    resource: str
    terms: Terms
    start: datetime
    stop: datetime | None


_TERMS: dict[type[Record], Callable[[Any], Terms | None]] = {}


def commits(cls: type[R]) -> Callable[[Callable[[R], Terms | None]], Callable[[R], Terms | None]]:
    """Decorator: what a record commits its account to, as a pure function of the record; None of nothing (yet)."""

    def declare(function: Callable[[R], Terms | None]) -> Callable[[R], Terms | None]:
        _TERMS[cls] = function
        return function

    return declare


class Commitments:
    """The table of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.execute(
            "CREATE TABLE IF NOT EXISTS commitment (id INTEGER PRIMARY KEY, account TEXT, region TEXT, resource TEXT, "
            "terms BLOB, start REAL, stop REAL)"
        )

    def edge(self, before: Record | None, after: Record | None, instant: float) -> None:
        """Note what a write of a record changes; called inside its transaction."""
        item = after or before
        function = _TERMS.get(type(item)) if item is not None else None
        if function is None or item is None:
            return
        was = function(before) if before is not None else None
        now = function(after) if after is not None else None
        if was == now:
            return
        place = (item.account, item.region, meta(type(item)).key_of(item))
        if was is not None:
            over = instant if now is None or now.returned else None
            self._database.execute(
                "UPDATE commitment SET terms=?, stop=? WHERE account=? AND region=? AND resource=? AND stop IS NULL",
                (msgspec.json.encode(now or was), over, *place),
            )
        elif now is not None:
            self._database.execute(
                "INSERT INTO commitment (account, region, resource, terms, start) VALUES (?,?,?,?,?)",
                (*place, msgspec.json.encode(now), instant),
            )

    def between(self, start: datetime, end: datetime) -> list[Commitment]:
        """Those that were in force somewhere in [start, end), oldest first."""
        rows = self._database.query(
            "SELECT account, region, resource, terms, start, stop FROM commitment "
            "WHERE start < ? AND (stop IS NULL OR stop > ?) ORDER BY start, id",
            (end.timestamp(), start.timestamp()),
        )
        return [
            Commitment(
                account=account,
                region=region,
                resource=resource,
                terms=msgspec.json.decode(terms, type=Terms),
                start=datetime.fromtimestamp(begun, UTC),
                stop=None if stop is None else datetime.fromtimestamp(stop, UTC),
            )
            for account, region, resource, terms, begun, stop in rows
        ]
