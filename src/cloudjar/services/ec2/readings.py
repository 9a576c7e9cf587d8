"""Counters of the host's that only grow: read now and then, what has come since the last time told as metrics.

A reading is written down before the next one is taken, so that nothing is told twice; counters that were made anew
(`born` differs) are told whole. What was counted between two readings is told in the minute of the second one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Table
from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import Record, meta

SAMPLE = "sample"
"""The purpose of a wake that asks for a reading."""
Told = tuple[metrics.Dimensions, str, str, float]
"""A metric's dimensions, its name and unit, and the amount."""


R = TypeVar("R", bound=Record)
K = TypeVar("K", bound=Record)
C = TypeVar("C", bound=msgspec.Struct)


def turn(world: World, name: str) -> AbstractContextManager[object]:
    """A reading must be written before the next one of its kind is taken."""
    lock: threading.Lock = world.ports.setdefault(f"{name} counts", threading.Lock())
    return lock


def house(world: World, owner: Record | None = None) -> Ctx:
    """The house's own context, in the place of what is read (None: in none)."""
    account, region = (owner.account, owner.region) if owner is not None else ("", "")
    return Ctx(world, account, region, service_caller("cloudjar.internal", account))


def sample(world: World, cls: type[R], wanted: Callable[[R], bool]) -> None:
    """Have everything of a kind that is there read; in a transaction."""
    for item in house(world).db.everywhere(cls):
        if wanted(item):
            declared = meta(cls)
            world.state.wakes.wake(
                declared.spec.name, item.account, item.region, declared.key_of(item), purpose=SAMPLE
            )


def write(table: Table[K], key: str, seen: C, make: Callable[[], K]) -> C | None:
    """Write a reading down, in a transaction; the one before is given back, None when there was none."""
    known: Any = table.get(key)
    if known is None:
        table.add(make())
        return None
    if known.read != seen:
        table.put(replace(known, read=seen))
    before: C = known.read
    return before


def growth(before: C | None, seen: C, names: Iterable[str]) -> dict[str, Any]:
    """By how much counters have grown, by name."""
    old: Any = before if before is not None and _born(before) == _born(seen) else None
    return {name: max(getattr(seen, name) - (getattr(old, name) if old is not None else 0), 0) for name in names}


def _born(read: Any) -> str:
    return str(read.born)


def tell(world: World, account: str, region: str, namespace: str, told: Iterable[Told]) -> None:
    """Put amounts down as metrics of now; in a transaction."""
    now = world.clock.now()
    points = [(Metric(namespace, name, named), False, [metrics.value(now, amount, unit)])
              for named, name, unit, amount in told]  # fmt: skip
    metrics.put_all(world, account, region, points)


def forget(table: Table[K], known: Iterable[K | None]) -> None:
    """What was read is gone; in a transaction."""
    for one in known:
        if one is not None:
            table.drop(one)
