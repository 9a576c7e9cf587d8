"""What was used and what it costs, for the command line: the ledger's lines, now and as they would go on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cloudjar.kit.record import by_noun

if TYPE_CHECKING:
    from cloudjar.billing.costs import Row
    from cloudjar.billing.measured import Line
    from cloudjar.kit.context import World

_HORIZON = 3 * 366 * 86400


def lines(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """The lines of the calendar month that ``at`` (seconds since 1970, AWS time) is in, up to now; on a thread that may
    wait for counters."""
    from cloudjar.billing.ledger import ledger

    book = ledger(world)
    book.collect()
    moment = datetime.fromtimestamp(float(query["at"]), UTC)
    return {"lines": [_shown(row) for row in book.book(moment).rows]}


def ahead(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """The lines of the coming ``seconds``, if everything that runs now is left running. Nothing is changed."""
    from cloudjar.billing.ledger import ledger

    seconds = float(query["seconds"])
    if not 0 < seconds <= _HORIZON:
        raise ValueError("seconds must be between 0 and three years")
    until = datetime.fromtimestamp(world.clock.now().timestamp() + seconds, UTC)
    lines = [{**_shown(row), "noun": _noun(world, row.line)} for row in ledger(world).ahead(until)]
    return {"until": until, "lines": lines}


def _noun(world: World, line: Line) -> str:
    """What a resource is where its usage does not tell: a cluster of databases is billed as its members are."""
    if line.service != "AmazonRDS":
        return ""
    world.load("rds")
    clusters = by_noun("rds", "cluster")
    assert clusters is not None  # rds has clusters
    found = world.state.tables.get(clusters.spec, line.account, line.region, line.resource)
    return "" if found is None else clusters.noun


def _shown(row: Row) -> dict[str, Any]:
    from cloudjar.billing.measured import total

    line = row.line
    return {
        **line._asdict(),
        "tags": dict(line.tags),
        "quantity": str(total(row.usage)),
        "free": str(total(row.free)),
        "cost": None if row.why else str(total(row.cost)),
        "why": row.why,
    }


def invoices(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """The invoices of ``account`` that were issued by now, the newest first."""
    from cloudjar.billing import invoices as issued

    found = [
        {
            "id": one.id, "month": f"{one.month:%Y-%m}", "issued": one.issued, "charges": str(one.charges),
            "credits": str(one.credits), "tax": "0.00", "total": str(one.total),
            "parts": [{**part._asdict(), "amount": str(part.amount)} for part in one.parts],
        }
        for one in issued.of_payer(world, query["account"])
    ]  # fmt: skip
    return {"invoices": found[::-1]}
