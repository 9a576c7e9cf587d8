"""What a running jar used, rated: spans and calls from the admin API, prices from the product's own table."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cloudjar.billing import invoice
from cloudjar.billing.costs import price_of_line
from cloudjar.billing.lines import UsageLine
from cloudjar.billing.rate import Charge
from cloudjar.cli.admin import AdminClient
from cloudjar.kit.usage import Meter, Span


def now(client: AdminClient) -> datetime:
    """AWS time of the jar."""
    return datetime.fromisoformat(client.get("clock")["now"])


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """The calendar month (UTC) that an instant is in: [first instant, first of the next)."""
    start = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)


def spans(client: AdminClient, start: datetime, end: datetime) -> list[Span]:
    """Stretches of usage that overlap [start, end)."""
    found = client.get("usage", start=start.timestamp(), end=end.timestamp())["spans"]
    return [_span(one) for one in found]


def charges(client: AdminClient, moment: datetime) -> list[Charge]:
    """Everything used in the calendar month that an instant is in, up to now, with the tags of what was used."""
    start, end = month_of(moment)
    return [charge for charge, _ in tagged(client.get("bill", at=moment.timestamp())["lines"], start, end)]


def tagged(found: list[dict[str, Any]], start: datetime, end: datetime) -> list[tuple[Charge, dict[str, str]]]:
    """The ledger's lines as charges, each with its tags."""
    return [(_charge(one, start, end), one["tags"]) for one in found]


def _charge(one: dict[str, Any], start: datetime, end: datetime) -> Charge:
    line = UsageLine(
        one["account"], one["region"], one["service"], one["usage_type"], one["operation"], one["unit"],
        one["resource"], Decimal(one["quantity"]), start, end,
    )  # fmt: skip
    price = None if one["why"] else price_of_line(line)
    cost = None if one["cost"] is None else Decimal(one["cost"])
    known = None if isinstance(price, str) else price
    return Charge(line, cost, Decimal(one["free"]), known, one["why"], one["kind"])


def total(client: AdminClient) -> tuple[Decimal, int]:
    """This month's sum in dollars, exact, and how many usage types have no known price."""
    bill = invoice.summary(charges(client, now(client)))
    return bill.cost, len(bill.unpriced)


def _span(one: dict[str, Any]) -> Span:
    end = one["end"]
    return Span(
        one["account"],
        one["region"],
        one["resource"],
        Meter(one["service"], one["usage_type"], one["operation"], one["unit"], Decimal(str(one["rate"]))),
        datetime.fromisoformat(one["start"]),
        None if end is None else datetime.fromisoformat(end),
    )
