"""What accounts of the twelve-month free tier have free: how much of whose usage, by the day.

An offer counts for everybody who pays together, over all regions and usage types that it covers, from each calendar
month's first day on until it is used up; on the day on which that happens everybody has the same share of it. Whether
there is one at all is decided by the account that pays: for twelve months from when it was opened.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/free-tier-eligibility.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from cloudjar.billing.measured import USAGE, ZERO, Grid, Line, Rows
from cloudjar.kit import account_credits, accounts
from cloudjar.kit.context import World
from cloudjar.kit.db import Db
from cloudjar.spec import free_tier
from cloudjar.spec.free_tier import Offer

Window = Callable[[str], datetime | None]
"""Until when an account that pays has the offers; None of one that has none."""


def window(world: World) -> Window:
    """By what was said when the account was opened."""
    db = Db(world.state, "", "")
    known: dict[str, datetime | None] = {}

    def until(payer: str) -> datetime | None:
        if payer not in known:
            known[payer] = ends(accounts.described(db, payer))
        return known[payer]

    return until


def ends(account: accounts.Account) -> datetime | None:
    """When the twelve months of an account are over; None of one that has none."""
    if account.plan != "12-months" or account.opened is None:
        return None
    return account_credits.later(account.opened, free_tier.MONTHS)


def offer(line: Line) -> Offer | None:
    """What a line's usage counts against."""
    if line.kind != USAGE:
        return None
    return free_tier.offer(line.service, line.usage_type, line.region, line.operation, line.unit)


def given(rows: Rows, grid: Grid, payer: Callable[[str], str], until: Window) -> Rows:
    """How much of each line's usage is free; `grid` is a month by the day. Lines without are not in it."""
    pools: dict[tuple[str, str], list[tuple[Line, list[Decimal]]]] = {}
    found: dict[tuple[str, str], tuple[Offer, int]] = {}
    for line, usage in rows.items():
        pays = payer(line.account)
        end = until(pays)
        one = offer(line) if end is not None else None
        if end is not None and one is not None and end > grid.start:
            found[pays, one.name] = one, min(-((grid.start - end) // timedelta(seconds=grid.step)), grid.steps)
            pools.setdefault((pays, one.name), []).append((line, usage))
    gifts: Rows = {}
    for key, held in pools.items():
        gifts.update(_shared(held, found[key][0].limit, found[key][1]))
    return gifts


def _shared(held: list[tuple[Line, list[Decimal]]], left: Decimal, steps: int) -> Rows:
    gifts = {line: [ZERO] * len(usage) for line, usage in held}
    for i in range(steps):
        whole = sum((usage[i] for _, usage in held), ZERO)
        if not whole or not left:
            continue
        free = min(left, whole)
        left -= free
        for line, usage in held:
            gifts[line][i] = usage[i] if free == whole else free * usage[i] / whole
    return gifts
