"""The accounts of a jar: whose they are, on which plan they were opened, whether they are closed.

An account need not be registered to be used: any twelve digits are one (its root signs with them on loopback). What
is asked about such an account is answered by `described`; a record is stored once something is to be remembered.
Here and not in a service, since Account Management, Organizations and billing all speak of the same accounts.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.db import Db
from cloudjar.kit.record import Record, record
from cloudjar.spec import regions

if TYPE_CHECKING:
    from cloudjar.kit.context import World

State = Literal["ACTIVE", "PENDING_CLOSURE", "SUSPENDED", "CLOSED"]
"""A closed account is SUSPENDED for ninety days, in which AWS would open it again, then CLOSED for ever."""

RegionState = Literal["ENABLED_BY_DEFAULT", "ENABLING", "ENABLED", "DISABLING", "DISABLED"]
"""Whether an account can be used in a region; only in ENABLED ones (and those that are by default) it can."""

Plan = Literal["free", "paid", "12-months"]
"""How an account pays: since July 2025 an account is opened on the free plan (credits, then it ends) or on the paid
one; older accounts have some things free for twelve months."""

_REMEMBERED = 4096
_DOMAIN = "accounts.invalid"
"""Where the mail of accounts that nobody registered would go: nowhere (RFC 2606)."""


@record("account", "account", index=("email",), arn="account", regional=False, everywhere=True)
class Account(Record, frozen=True, kw_only=True):
    """One account; `id` is its number. `opened` is None when it was used before anybody said so."""

    id: str
    name: str
    email: str
    plan: Plan = "paid"
    opened: datetime | None = None
    state: State = "ACTIVE"
    closed: datetime | None = None
    """When it was closed (suspended)."""
    users_see_bills: bool = True
    """Whether its users may be allowed to see its bills, or root alone sees them."""


@record("account", "region", key="name", regional=False)
class OptedRegion(Record, frozen=True, kw_only=True):
    """What an account has decided about a region that must be opted into."""

    name: str
    state: RegionState


def region_state(db: Db, account: str, region: str, home: str) -> RegionState:
    """Whether an account can be used in a region. `home` is the jar's own, where everybody can."""
    if region in regions.DEFAULT:
        return "ENABLED_BY_DEFAULT"
    found = db.at(account, "")[OptedRegion].get(region)
    if found is not None:
        return found.state
    return "ENABLED" if region == home else "DISABLED"


class Doors:
    """Which accounts let nobody in, and where: asked for every call, so remembered until an account changes."""

    def __init__(self, world: World) -> None:
        self._db = Db(world.state, "", "")
        self._home = world.settings["region"]
        self._known: dict[tuple[str, str], bool] = {}
        world.state.watchers.setdefault("account", []).append(self._forget)

    def _forget(self) -> None:
        self._known = {}

    def shut(self, account: str, region: str) -> bool:
        """True when an account was closed, or has not opted in to a region."""
        known = self._known
        found = known.get((account, region))
        if found is None:
            found = self._is_shut(account, region)
            if len(known) >= _REMEMBERED:
                known.clear()
            known[account, region] = found
        return found

    def _is_shut(self, account: str, region: str) -> bool:
        if not is_open(self._db, account):
            return True
        if region not in regions.OPT_IN:
            return False  # what is no region is not ours to refuse
        return region_state(self._db, account, region, self._home) != "ENABLED"


def described(db: Db, account: str) -> Account:
    """What is known of an account; for one without a record, what it has by default."""
    found = db.at(account, "")[Account].get(account)
    if found is not None:
        return found
    return Account(account=account, id=account, name=account, email=f"root+{account}@{_DOMAIN}")


def is_open(db: Db, account: str) -> bool:
    """False once an account is closed, or being closed: nobody can use it, nor its roles."""
    return described(db, account).state == "ACTIVE"


def save(db: Db, account: Account) -> Account:
    """Store what `described` gave, changed."""
    table = db.at(account.id, "")[Account]
    return table.add(account) if table.get(account.id) is None else table.put(account)


def by_email(db: Db, email: str) -> Account | None:
    """The account that an address belongs to, whatever its case; a closed account keeps its address."""
    folded = email.strip().lower()
    found = db.everywhere(Account, email=folded)
    if found:
        return found[0]
    name, _, domain = folded.partition("@")
    number = name.removeprefix("root+")
    if domain == _DOMAIN and len(number) == 12 and number.isdecimal():
        implied = described(db, number)
        return implied if implied.email == folded else None
    return None


def open_account(db: Db, *, name: str, email: str, plan: Plan, now: datetime) -> Account:
    """Register a new account under a number that nobody has used; raises ValueError when the address is taken."""
    if by_email(db, email) is not None:
        raise ValueError(f"{email} belongs to another account")
    number = _free_number(db)
    account = Account(id=number, name=name, email=email.strip().lower(), plan=plan, opened=now)
    return db.at(number, "")[Account].add(account)


def rename(db: Db, account: str, name: str) -> Account:
    """Give an account another name."""
    return save(db, replace(described(db, account), name=name))


def _free_number(db: Db) -> str:
    while True:
        number = str(100_000_000_000 + ids.below(900_000_000_000))
        if db.find(Account, number) is None:
            return number
