"""`cloudjar bill`: what was used and what it would have cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click

from cloudjar.billing import invoice, rate
from cloudjar.cli import money
from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import paint, print_table, say, show_json
from cloudjar.spec import prices


@click.command()
@click.option("--month", metavar="YYYY-MM", help="Another month than AWS's present one.")
@click.option("--by", type=click.Choice(["service", "resource"]), default="service", show_default=True)
@click.option("--free-tier", is_flag=True, help="Leave out what every account has free each month.")
@click.option("--sources", is_flag=True, help="Where each price comes from, of when, and how sure it is.")
@home_option
@json_option
def bill(month: str | None, by: str, free_tier: bool, sources: bool, home: Home, as_json: bool) -> None:
    """Everything used in a month, priced in US dollars without tax."""
    client = AdminClient(home)
    instant = money.now(client)
    start, end = money.month_of(_month(month) if month else instant)
    found = money.charges(client, start, min(end, instant), free_units=free_tier) if start < instant else []
    summary = invoice.summary(found)
    if as_json:
        return show_json(_plain(summary, found, start, by))
    say(f"{start:%B %Y}, up to {min(end, instant):%d %b %H:%M} UTC\n" if found else f"{start:%B %Y}: nothing was used.")
    if not found:
        return None
    if by == "service":
        _by_service(summary)
    else:
        _by_resource(found)
    print_table([("Total", f"{dollars(summary.cost)} USD")])
    for item in summary.unpriced:
        say(paint(f"Not in the total: {item.usage_type} in {item.region}: {item.why}", "yellow"))
    if sources:
        _sources(found)
    return None


def dollars(amount: Decimal) -> str:
    """Two decimals, as on a bill, but four where two would hide it."""
    return f"{rate.cents(amount):,.2f}" if amount >= 1 or not amount else f"{amount:,.4f}"


def quantity(amount: Decimal, unit: str) -> str:
    """At most four decimals: ``0.7512 Hrs``."""
    text = f"{amount:,.4f}".rstrip("0").rstrip(".") if amount != amount.to_integral() else f"{amount:,.0f}"
    return f"{text} {unit}"


def _month(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no month; write 2026-01", param_hint="--month") from None


def item_rows(summary: invoice.Summary) -> list[tuple[str, str, str, str]]:
    """(what, region, quantity, cost) by service; calls that cost nothing are one line per service."""
    rows = []
    for service in summary.services:
        rows.append((service.name, "", "", dollars(service.cost)))
        free = [i for i in service.items if i.usage_type == "Requests" and i.cost == 0]
        for item in service.items:
            if item not in free:
                cost = "no price" if item.cost is None else dollars(item.cost)
                rows.append((f"  {item.usage_type}", item.region, quantity(item.quantity, item.unit), cost))
        if free:
            count = sum((i.quantity for i in free), Decimal(0))
            rows.append(("  API calls", "", quantity(count, "Requests"), "free"))
    return rows


def _by_service(summary: invoice.Summary) -> None:
    print_table(item_rows(summary), ("Service", "Region", "Used", "USD"), right=(2, 3))
    say()


def _by_resource(found: Iterable[rate.Charge]) -> None:
    rows: dict[tuple[str, str, str, str], list[rate.Charge]] = {}
    for charge in found:
        if charge.line.resource:
            line = charge.line
            rows.setdefault((line.resource, line.usage_type, line.region, line.unit), []).append(charge)
    lines = []
    for (resource, usage_type, region, unit), parts in sorted(rows.items()):
        costs = [part.cost for part in parts]
        cost = "no price" if None in costs else dollars(sum((c for c in costs if c is not None), Decimal(0)))
        used = sum((part.line.quantity for part in parts), Decimal(0))
        lines.append((resource, usage_type, region, quantity(used, unit), cost))
    print_table(lines, ("Resource", "Usage type", "Region", "Used", "USD"), right=(3, 4))
    say()


def _sources(found: Iterable[rate.Charge]) -> None:
    say()
    used = {(c.price.usage_type, c.line.region): c.price for c in found if c.price and c.line.usage_type != "Requests"}
    print_table(
        [
            (kind, region, f"{price.per_unit} per {price.unit}", price.confidence, price.date or "undated",
             prices.source(price.source))
            for (kind, region), price in sorted(used.items())
        ],
        ("Price of", "Region", "USD", "Certainty", "Of", "Source"),
    )  # fmt: skip


def _plain(summary: invoice.Summary, found: Iterable[rate.Charge], start: datetime, by: str) -> dict[str, Any]:
    about: dict[str, Any] = {
        "month": f"{start:%Y-%m}",
        "currency": summary.currency,
        "total": str(summary.cost),
        "unpriced": [{"usage_type": i.usage_type, "region": i.region, "why": i.why} for i in summary.unpriced],
    }
    if by == "service":
        about["items"] = [
            {
                "service": s.service, "name": s.name, "region": i.region, "usage_type": i.usage_type,
                "operation": i.operation, "unit": i.unit, "quantity": str(i.quantity),
                "cost": None if i.cost is None else str(i.cost), "confidence": i.confidence, "account": i.account,
            }
            for s in summary.services
            for i in s.items
        ]  # fmt: skip
    else:
        about["resources"] = [
            {
                "resource": c.line.resource, "region": c.line.region, "usage_type": c.line.usage_type,
                "unit": c.line.unit, "quantity": str(c.line.quantity), "cost": None if c.cost is None else str(c.cost),
            }
            for c in found
            if c.line.resource
        ]  # fmt: skip
    return about
