"""What a running jar used, rated: spans and calls from the admin API, prices from the product's own table."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cloudjar.billing import calls, invoice, lines, quantities, rate
from cloudjar.cli.admin import AdminClient
from cloudjar.kit.quantities import Owner, Quantity, Tally
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


def charges(client: AdminClient, start: datetime, end: datetime, *, free_units: bool = False) -> list[rate.Charge]:
    """Everything used in [start, end), priced; `end` must not be later than the jar's now."""
    used = list(lines.measure(spans(client, start, end), start, end))
    counted = client.get("requests", start=start.timestamp(), end=end.timestamp())["requests"]
    used += quantities.lines(counted_quantities(client, start, end))
    used += calls.lines([calls.Calls(**one) for one in counted], start)
    return rate.rate(used, free_units=free_units)


def counted_quantities(client: AdminClient, start: datetime, end: datetime) -> list[Quantity]:
    """What was counted (bytes carried) in the hours that overlap [start, end)."""
    found = client.get("quantities", start=start.timestamp(), end=end.timestamp())["quantities"]
    return [_quantity(one) for one in found]


def _quantity(one: dict[str, Any]) -> Quantity:
    owner = Owner(one["account"], one["region"], one["resource"])
    tally = Tally(one["service"], one["usage_type"], one["operation"], one["unit"], one["per"])
    return Quantity(owner, tally, datetime.fromisoformat(one["hour"]), one["amount"])


def total(client: AdminClient) -> tuple[Decimal, int]:
    """This month's sum in dollars, exact, and how many usage types have no known price."""
    instant = now(client)
    bill = invoice.summary(charges(client, month_of(instant)[0], instant))
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
