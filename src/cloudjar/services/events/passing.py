"""An event that goes on from one bus to another, as it is: with its own id, time, account and source.

It is put by PutEvents, so that the other bus's policy decides as always. What is passed on is not in the request, which
could not say it, but under a name that is only known here and only while the call lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cloudjar.base import ids
from cloudjar.kit.context import World
from cloudjar.services.events.outbox import Kept

_PORT = "events.passing"


@contextmanager
def passing(world: World, kept: Kept) -> Iterator[str]:
    """The name under which an event is passed on while the block runs."""
    held: dict[str, Kept] = world.ports.setdefault(_PORT, {})
    name = ids.token()
    held[name] = kept
    try:
        yield name
    finally:
        del held[name]


def passed(world: World, name: str | None) -> Kept | None:
    """The event of a name, if there is one."""
    return world.ports.get(_PORT, {}).get(name) if name else None
