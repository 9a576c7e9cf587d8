"""What S3 keeps in tables of its own, made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cloudjar.kit.context import World

T = TypeVar("T")


def table_of(world: World, port: str, make: Callable[[World], T]) -> T:
    """One of a running jar's: made once; again when the transaction that made it is undone, for its tables are too."""
    found: T | None = world.ports.get(port)
    if found is None:
        found = world.ports[port] = make(world)
        if world.state.database.in_transaction:
            world.state.database.on_rollback(lambda: world.ports.pop(port, None))
    return found
