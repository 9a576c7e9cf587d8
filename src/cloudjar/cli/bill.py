"""`cloudjar bill`: what was used and what it would have cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
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
    """Everything used in a month, priced in US dollars without tax. The total is rounded once, and lines so that they
    add up to it; what is free stands at 0."""
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
        parts = _parts(tagged, by)
        costs = invoice.apportioned(list(parts.values()), shown_total(summary), digit_of(summary.cost))
        rows = [(name or "(none)", _fixed(cost)) for name, cost in zip(parts, costs, strict=True)]
        print_table(rows, (by.capitalize(), "USD"), right=(1,))
        say()
    print_table([("Total", f"{_fixed(shown_total(summary))} USD")])
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
    """(what, region, quantity, cost) by service, which add up to the total that is shown; calls that cost nothing are
    one line per service, and so are its credits. What was free stands at 0."""
    rows = []
    digit = digit_of(summary.cost)
    services = invoice.apportioned([s.cost for s in summary.services], shown_total(summary), digit)
    for service, whole in zip(summary.services, services, strict=True):
        rows.append((service.name, "", "", _fixed(whole)))
        free = [i for i in service.items if i.usage_type == "Requests" and i.cost == 0]
        paying = [i for i in service.items if i.kind == "Credit"]
        items = [i for i in service.items if i not in free and i not in paying]
        paid = sum((i.cost or Decimal(0) for i in paying), Decimal(0))
        *costs, credit = invoice.apportioned([*(i.cost or Decimal(0) for i in items), paid], whole, digit)
        for item, cost in zip(items, costs, strict=True):
            rows += _item_rows(item, cost)
        if paying:
            rows.append(("  Credits", "", "", _fixed(credit)))
        if free:
            count = sum((i.quantity for i in free), Decimal(0))
            rows.append(("  API calls", "", quantity(count, "Requests"), "free"))
    return rows


def _item_rows(item: invoice.Item, cost: Decimal) -> Iterator[tuple[str, str, str, str]]:
    rest = item.quantity - item.free
    if item.free:
        what = f"  {item.usage_type} (free tier)"
        yield what, item.region, quantity(item.free, item.unit), _fixed(cost * 0)
    if rest or not item.free:
        shown = "no price" if item.cost is None else _fixed(cost)
        what = f"  {item.usage_type}" + ("" if item.kind == "Usage" else f" ({item.kind})")
        yield what, item.region, quantity(rest, item.unit), shown


def digit_of(total: Decimal) -> Decimal:
    """The last digit that a bill shows: cents, or less where cents would hide what it comes to."""
    return rate.CENT if abs(total) >= 1 or not total else rate.CENT / 100


def shown_total(summary: invoice.Summary) -> Decimal:
    """The total, rounded once."""
    return summary.cost.quantize(digit_of(summary.cost), ROUND_HALF_UP)


def _fixed(amount: Decimal) -> str:
    """With as many digits as it has."""
    return f"{amount if amount else abs(amount):,f}"


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
                "free": str(i.free), "kind": i.kind,
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
