"""Accounts, registered and not."""

from __future__ import annotations

import pytest

from cloudjar.kit import accounts
from cloudjar.kit.db import Db
from tests.jar import TestJar

NUMBER = "111122223333"


@pytest.fixture
def db(steady_jar: TestJar) -> Db:
    """The tables of a jar."""
    return Db(steady_jar.jar.world.state, "", "")


def opened(jar: TestJar, email: str = "Ann@Example.com") -> accounts.Account:
    """A registered account."""
    state = jar.jar.world.state
    with state.database.transaction():
        return accounts.open_account(Db(state, "", ""), name="ann", email=email, plan="free", now=jar.clock.now())


def test_an_account_that_nobody_registered_is_described_too(db: Db) -> None:
    found = accounts.described(db, NUMBER)
    assert (found.id, found.name, found.state, found.opened) == (NUMBER, NUMBER, "ACTIVE", None)
    assert accounts.by_email(db, found.email) == found
    assert accounts.by_email(db, "root+12@accounts.invalid") is None
    assert accounts.is_open(db, NUMBER)


def test_addresses_are_one_in_any_case(steady_jar: TestJar, db: Db) -> None:
    made = opened(steady_jar)
    assert made.email == "ann@example.com"
    assert len(made.id) == 12
    assert accounts.by_email(db, "ANN@example.com") == made
    with pytest.raises(ValueError, match="another account"):
        opened(steady_jar, "ann@EXAMPLE.com")


def test_an_implied_address_ends_when_the_account_gets_one(steady_jar: TestJar, db: Db) -> None:
    implied = accounts.described(db, NUMBER)
    named = accounts.rename(db, NUMBER, "sandbox")
    assert accounts.described(db, NUMBER).name == "sandbox"
    assert accounts.by_email(db, implied.email) == named
