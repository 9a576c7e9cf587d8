"""Records into the buffer of a delivery stream, and when it is full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.gauges import gauges
from cloudjar.kit.windows import Window, in_force
from cloudjar.services.firehose import errors, measuring
from cloudjar.services.firehose.records import ACTIVE, DIRECT, Delivery
from cloudjar.services.firehose.rows import Row, rows

_PURPOSE = "firehose-record"
_MIB = 1 << 20
_LARGE = frozenset(("us-east-1", "us-west-2", "eu-west-1"))
"""Regions in which a delivery stream takes five times as much."""
_PORT = "firehose.windows"


def stream(ctx: Ctx, name: str) -> Delivery:
    """The delivery stream. Raises ResourceNotFoundException."""
    found = ctx.db[Delivery].get(name)
    if found is None:
        raise errors.no_stream(name, ctx.account)
    return found


def direct(ctx: Ctx, name: str) -> Delivery:
    """The same, when records can be put into it."""
    found = stream(ctx, name)
    if found.state != ACTIVE:
        raise errors.no_stream(name, ctx.account)
    if found.kind != DIRECT:
        raise errors.invalid(f"This operation is not permitted on {found.kind} delivery stream type.")
    return found


def hints(held: Delivery) -> tuple[int, int]:
    """(bytes, seconds) after which the buffer is delivered."""
    told = held.config["BufferingHints"]
    return told["SizeInMBs"] * _MIB, told["IntervalInSeconds"]


def admit(ctx: Ctx, held: Delivery, records: Sequence[dict[str, Any]]) -> None:
    """Take a request's worth of what the stream takes in a second, or raise ServiceUnavailableException."""
    if not in_force(ctx.world):
        return
    windows: dict[tuple[str, ...], Any] = ctx.world.ports.setdefault(_PORT, {})
    place = (held.account, held.region, held.name)
    large = held.region in _LARGE
    limits = (2_000, 500_000, 5 * _MIB) if large else (1_000, 100_000, _MIB)
    three = windows.setdefault(place, [Window(limit) for limit in limits])
    second = int(ctx.now.timestamp())
    amounts = (1, len(records), sum(len(one["Data"]) for one in records))
    if not all(window.fits(second, amount) for window, amount in zip(three, amounts, strict=True)):
        measuring.measured(ctx.world, held, "ThrottledRecords", len(records))
        raise errors.slow_down()
    for window, amount in zip(three, amounts, strict=True):
        window.used += amount


def keep(ctx: Ctx, held: Delivery, records: Sequence[bytes]) -> None:
    """Add records to the buffer in the running transaction, and see to it that it is delivered in time."""
    world = ctx.world
    most, seconds = hints(held)
    store = rows(world)
    empty = store.first(held.number) is None
    data = [world.sealer.seal(one, _PURPOSE) for one in records] if held.sealed else records
    waiting = store.add(held.number, int(ctx.now.timestamp() * 1000), data, sealed=held.sealed)
    if waiting.size >= most:
        ctx.wake(held, purpose="full")
    elif empty:
        ctx.wake(held, purpose="flush", at=ctx.now + timedelta(seconds=seconds))
    sizes = [len(one) for one in records]
    measuring.billed(world, held, sizes)
    measuring.measured(world, held, "IncomingBytes", sum(sizes))
    measuring.measured(world, held, "IncomingRecords", len(sizes))
    gauges(world).tick()


def opened(ctx: Ctx, row: Row) -> bytes:
    """A record's data as it came."""
    if not row.sealed:
        return row.data
    found = ctx.world.sealer.open(row.data, _PURPOSE)
    if found is None:
        raise AwsError("InternalFailure", "A record was sealed by another installation.", 500)
    return found
