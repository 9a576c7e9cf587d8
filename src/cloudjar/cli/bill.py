"""`cloudjar bill`: what was used and what it would have cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import click

from cloudjar.billing import invoice, rate
from cloudjar.cli import money
from cloudjar.cli.admin import AdminClient
from cloudjar.cli.clock import seconds
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import paint, print_table, say, show_json
from cloudjar.spec import prices


@click.command()
@click.option("--month", metavar="YYYY-MM", help="Another month than AWS's present one.")
@click.option("--by", type=click.Choice(["service", "resource", "account", "region"]), default="service",
              show_default=True)  # fmt: skip
@click.option("--tag", metavar="KEY", help="By the values of a tag instead.")
@click.option("--if-left-running", "ahead", metavar="30d", help="What is to come if nothing is stopped.")
@click.option("--sources", is_flag=True, help="Where each price comes from, of when, and how sure it is.")
@home_option
@json_option
def bill(
    month: str | None, by: str, tag: str | None, ahead: str | None, sources: bool, home: Home, as_json: bool
) -> None:
    """Everything used in a month, priced in US dollars without tax; what every account has free is left out."""
    if ahead and month:
        raise click.UsageError("--if-left-running begins now: it goes with no --month")
    length = seconds(ahead) if ahead else 0
    wanted = _month(month) if month else None
    client = AdminClient(home)
    instant = money.now(client)
    start, end = money.month_of(wanted or instant)
    if length:
        start, end = instant, instant + timedelta(seconds=length)
        lines = client.get("bill-ahead", seconds=length)["lines"]
    else:
        lines = client.get("bill", at=start.timestamp())["lines"] if start < instant else []
        end = min(end, instant)
    tagged = money.tagged(lines, start, end)
    found = [charge for charge, _ in tagged]
    summary = invoice.summary(found)
    by = f"tag {tag}" if tag else by
    if as_json:
        return show_json({**_plain(summary, found, start, by), **_parts_json(_parts(tagged, by))})
    say(_heading(start, end, bool(found), ahead))
    if found:
        _show(summary, tagged, by, sources)
    return None


def _heading(start: datetime, end: datetime, used: bool, ahead: str | None) -> str:
    if ahead:
        until = f"until {end:%d %B %Y %H:%M} UTC"
        return f"If all of this is left running, {until}\n" if used else f"Nothing that runs costs anything {until}."
    return f"{start:%B %Y}, up to {end:%d %b %H:%M} UTC\n" if used else f"{start:%B %Y}: nothing was used."


Tagged = list[tuple[rate.Charge, dict[str, str]]]


def _show(summary: invoice.Summary, tagged: Tagged, by: str, sources: bool) -> None:
    found = [charge for charge, _ in tagged]
    if by == "service":
        _by_service(summary)
    elif by == "resource":
        _by_resource(found)
    else:
        rows = [(name or "(none)", dollars(cost)) for name, cost in _parts(tagged, by).items()]
        print_table(rows, (by.capitalize(), "USD"), right=(1,))
        say()
    print_table([("Total", f"{dollars(summary.cost)} USD")])
    for item in summary.unpriced:
        say(paint(f"Not in the total: {item.usage_type} in {item.region}: {item.why}", "yellow"))
    if sources:
        _sources(found)


def _parts(tagged: Tagged, by: str) -> dict[str, Decimal]:
    """Name -> cost, dearest first, where the bill is by account, region or tag; what has no price is not in it."""
    if by in ("service", "resource"):
        return {}
    sums: dict[str, Decimal] = {}
    for charge, tags in tagged:
        name = tags.get(by.removeprefix("tag "), "") if by.startswith("tag ") else getattr(charge.line, by)
        sums[name] = sums.get(name, Decimal(0)) + (charge.cost or Decimal(0))
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))


def _parts_json(parts: dict[str, Decimal]) -> dict[str, Any]:
    return {"parts": {name: str(cost) for name, cost in parts.items()}} if parts else {}


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
    if by != "resource":
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
