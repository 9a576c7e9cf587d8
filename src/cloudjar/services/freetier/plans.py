"""Plans of accounts: on the free one credits pay, for six months at most; on the paid one credits pay first.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/free-tier-plans.html
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from cloudjar.kit import accounts
from cloudjar.kit.accounts import Account
from cloudjar.kit.context import Ctx
from cloudjar.services.freetier import activities, offers
from cloudjar.services.freetier.records import Watch

SIGN_UP = Decimal(100)
"""Dollars of credits that an account of the free plan begins with."""
MONTHS = 6


class Plan(NamedTuple):
    """An account's plan as it is now; `credits` and `ends` are None of who never had the free plan."""

    account: Account
    kind: str
    status: str
    credits: Decimal | None
    ends: datetime | None


def plan(ctx: Ctx) -> Plan:
    """The caller's account's."""
    account = accounts.described(ctx.db, ctx.account)
    if account.plan != "free" or account.opened is None:
        return Plan(account, "PAID", "ACTIVE", None, None)
    watch = ctx.db[Watch].get(ctx.account)
    earned = sum((activities.CREDIT for _ in (watch.earned if watch is not None else ())), Decimal(0))
    paid = offers.spent(ctx.world, ctx.account, (ctx.now - account.opened).days + 1)
    left = max(SIGN_UP + earned - paid, Decimal(0))
    ends = _later(account.opened)
    return Plan(account, "FREE", "ACTIVE" if left and ctx.now < ends else "EXPIRED", left, ends)


def _later(opened: datetime) -> datetime:
    month = opened.month - 1 + MONTHS
    year, month = opened.year + month // 12, month % 12 + 1
    for day in (opened.day, 30, 29, 28):
        try:
            return opened.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
