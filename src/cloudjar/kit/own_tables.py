"""Tables that a service shapes for its own access path: made on first use, and remembered for the jar.

A transaction that is undone takes the tables that it made with it, and what is remembered of them goes too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from cloudjar.kit.context import World
from cloudjar.store.database import Database

T = TypeVar("T")


def of_jar(world: World, port: str, make: Callable[[], T]) -> T:
    """A jar's one instance of what speaks to the tables, by the name of its port."""
    held: T | None = world.ports.get(port)
    if held is None:
        held = world.ports[port] = make()
        world.state.database.undone(lambda: world.ports.pop(port, None))
    return held


def create(database: Database, schema: Iterable[str]) -> None:
    """Make the tables and indexes that are not there yet (``CREATE ... IF NOT EXISTS``)."""
    with database.lock:
        for statement in schema:
            database.execute(statement)


def counter(table: str) -> str:
    """The schema of a table for `next_number`."""
    return f"CREATE TABLE IF NOT EXISTS {table} (one INTEGER PRIMARY KEY, next INTEGER)"


def next_number(database: Database, table: str) -> int:
    """A number from 1 on that is never given again, in the running transaction."""
    row = database.execute(
        f"INSERT INTO {table} VALUES (1, 2) ON CONFLICT DO UPDATE SET next=next+1 RETURNING next"
    ).fetchone()
    return int(row[0]) - 1
