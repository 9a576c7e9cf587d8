"""Opening and listing accounts, for the command line: AWS has a web page for the first, and no API.

A new account's root gets an access key, which is told once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol, get_args

from msgspec.structs import replace

from cloudjar.auth.root_keys import RootKeys
from cloudjar.kit import account_credits, accounts
from cloudjar.kit.accounts import Account, Plan
from cloudjar.kit.context import World
from cloudjar.kit.db import Db
from cloudjar.kit.record import meta

_WATCHED = "freetier/watch"
_KEPT = timedelta(days=90)
"""How long a closed account can be opened again."""


class Keeper(Protocol):
    """What is asked of a running jar."""

    world: World
    root_keys: RootKeys


def open_account(jar: Keeper, query: Mapping[str, str]) -> dict[str, Any]:
    """Register an account by ``called``, ``email`` and ``plan``; raises ValueError on what cannot be."""
    name, email, plan = query["called"].strip(), query["email"].strip(), query["plan"]
    if not 1 <= len(name) <= 50:
        raise ValueError("a name has 1 to 50 characters")
    local, _, domain = email.partition("@")
    if not (local and "." in domain and 6 <= len(email) <= 64) or any(c.isspace() for c in email):
        raise ValueError(f"{email!r} is no e-mail address")
    if plan not in get_args(Plan):
        raise ValueError(f"there is no plan {plan!r}")
    state = jar.world.state
    with state.database.transaction():
        account = accounts.open_account(
            Db(state, "", ""), name=name, email=email, plan=plan, now=jar.world.clock.now()  # type: ignore[arg-type]  # checked above
        )
        account_credits.sign_up(Db(state, "", ""), account)
        state.wakes.wake(_WATCHED, account.id, "", account.id)
    key_id, secret = jar.root_keys.generate(account.id)
    return {**_shown(jar, account), "access_key_id": key_id, "secret_access_key": secret}


def upgrade_account(jar: Keeper, query: Mapping[str, str]) -> dict[str, Any]:
    """Put account ``id`` from the free plan on the paid one, as its root can in the console even when it was closed
    because the plan had ended; raises ValueError on what cannot be."""
    state = jar.world.state
    db = Db(state, "", "")
    with state.database.transaction():
        account = accounts.described(db, query["id"])
        if account.plan != "free":
            raise ValueError(f"the account {account.id} is not on the free plan")
        account_credits.sign_up(db, account)
        if account.state == "SUSPENDED" and account.closed is not None:
            if jar.world.clock.now() > account.closed + _KEPT:
                raise ValueError(f"the account {account.id} was closed more than {_KEPT.days} days ago")
            account = replace(account, state="ACTIVE", closed=None)
        return _shown(jar, accounts.save(db, replace(account, plan="paid")))


def list_accounts(jar: Keeper, _: Mapping[str, str]) -> dict[str, Any]:
    """Every registered account."""
    found = jar.world.state.tables.all(meta(Account).spec, None, None)
    return {"accounts": [_shown(jar, account) for account in found]}


def _shown(jar: Keeper, account: Account) -> dict[str, Any]:
    place = jar.world.ports["organization"]()
    standing = place.standing(account.id) if place is not None else None
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "plan": account.plan,
        "state": account.state,
        "opened": account.opened.isoformat() if account.opened else None,
        "organization": standing.id if standing is not None else None,
    }
