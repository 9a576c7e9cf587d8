"""Credits of accounts: dollars that pay for usage before anybody else has to.

Here and not in a service, since an account is opened with some, Free Tier gives more, and the ledger spends them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from cloudjar.kit.accounts import Account, described
from cloudjar.kit.record import Record, record

if TYPE_CHECKING:
    from cloudjar.kit.db import Db

SIGN_UP = Decimal(100)
"""Dollars that an account begins with since July 2025."""
MONTHS = 12
"""How long credits are good for."""
_SIGN_UP, _TITLE = "sign-up", "AWS Free Tier sign-up credits"


@record("account", "credit", key="id", regional=False)
class Credit(Record, frozen=True, kw_only=True):
    """Dollars that an account was given at an instant, for usage from that day on until they expire."""

    id: str
    title: str
    amount: Decimal
    given: datetime
    expires: datetime


def give(db: Db, account: str, key: str, title: str, amount: Decimal, now: datetime) -> None:
    """Give an account credits, once for each key; in a transaction."""
    table = db.at(account, "")[Credit]
    if table.get(key) is None:
        table.add(Credit(id=key, title=title, amount=amount, given=now, expires=later(now, MONTHS)))


def sign_up(db: Db, account: Account) -> None:
    """What an account is opened with; in a transaction. Accounts of the twelve-month free tier have none."""
    if account.plan != "12-months" and account.opened is not None:
        give(db, account.id, _SIGN_UP, _TITLE, SIGN_UP, account.opened)


def of(db: Db, account: str) -> list[Credit]:
    """All that an account was ever given: those that expire first are first."""
    found = db.at(account, "")[Credit].all()
    known = described(db, account)
    if known.plan == "free" and known.opened is not None and all(one.id != _SIGN_UP for one in found):
        found.append(_begun(known, known.opened))
    return sorted(found, key=lambda one: (one.expires, one.given, one.id))


def owners(db: Db) -> set[str]:
    """Accounts that were ever given some."""
    free = {one.id for one in db.everywhere(Account) if one.plan == "free"}
    return free | {one.account for one in db.everywhere(Credit)}


def _begun(account: Account, opened: datetime) -> Credit:
    return Credit(
        account=account.id, id=_SIGN_UP, title=_TITLE, amount=SIGN_UP, given=opened, expires=later(opened, MONTHS)
    )


def later(moment: datetime, months: int) -> datetime:
    """So many calendar months later; the month's last day where there is no such day."""
    month = moment.month - 1 + months
    year, month = moment.year + month // 12, month % 12 + 1
    for day in (moment.day, 30, 29, 28):
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
