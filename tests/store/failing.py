"""Transactions that fail at their end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cloudjar.store.database import Database


class Oops(Exception):
    """Something went wrong."""


@contextmanager
def undone(database: Database) -> Iterator[None]:
    """A block whose transaction is rolled back by an exception, which ends here."""
    try:
        with database.transaction():
            yield
            raise Oops
    except Oops:
        return
