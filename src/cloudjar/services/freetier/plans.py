"""Plans of accounts: on the free one credits pay, for six months at most; on the paid one credits pay first.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/free-tier-plans.html
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from cloudjar.billing.ledger import ledger
from cloudjar.kit import accounts
from cloudjar.kit.account_credits import later
from cloudjar.kit.accounts import Account
from cloudjar.kit.context import Ctx

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
    if account.plan != "free" or account.opened is None or _is_member(ctx):
        return Plan(account, "PAID", "ACTIVE", None, None)
    left = ledger(ctx.world).purse(ctx.account).left(ctx.now)
    ends = later(account.opened, MONTHS)
    return Plan(account, "FREE", "ACTIVE" if left and ctx.now < ends else "EXPIRED", left, ends)


def _is_member(ctx: Ctx) -> bool:
    """Whoever makes an organization, or joins one, is on the paid plan."""
    organization = ctx.world.ports["organization"]()
    return organization is not None and organization.standing(ctx.account) is not None
