"""Reserved DB instances begin, and end by the clock; what they cost, and what they lower on the bill.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithReservedDBInstances.html
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec.structs import replace

from cloudjar.billing import dimensions
from cloudjar.kit.commitments import RESERVATION, Terms, commits
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.kit.usage import Meter, fees, meters
from cloudjar.services.rds.reserved.records import ReservedDbInstances
from cloudjar.spec import databases, prices


@reconciler(ReservedDbInstances)
def converge(step: Step, _: ReservedDbInstances | None) -> None:
    """One look: a purchase that is paid for is active, one whose term is over is retired."""
    with step.world.state.database.transaction():
        held = step.db[ReservedDbInstances].get(step.key)
        if held is None or held.state == "retired":
            return
        if held.state == "payment-pending":
            held = step.db[ReservedDbInstances].put(replace(held, state="active"))
        if step.ctx.now >= held.end:
            step.db[ReservedDbInstances].put(replace(held, state="retired"))
        else:
            step.ctx.wake(held, purpose="end", at=held.end)


def _usage(held: ReservedDbInstances) -> tuple[str, str, str]:
    return "AmazonRDS", f"HeavyUsage:{held.instance_class}", databases.operation(held.engine)


@meters(ReservedDbInstances)
def recurring(held: ReservedDbInstances) -> Iterable[Meter]:
    """What an hour of the term costs."""
    hourly = Decimal(held.hourly) * held.count
    return (Meter(*_usage(held), prices.RECURRING, hourly),) if held.state == "active" and hourly else ()


@fees(ReservedDbInstances)
def upfront(held: ReservedDbInstances) -> Iterable[Meter]:
    """What is due when a purchase becomes active."""
    due = Decimal(held.fixed) * held.count
    return (Meter(*_usage(held), prices.ONCE, due),) if held.state == "active" and due else ()


@commits(ReservedDbInstances)
def terms(held: ReservedDbInstances) -> Terms | None:
    """What lowers the price of usage that matches it, while it is active."""
    if held.state != "active":
        return None
    operation = databases.operation(held.engine)
    kind = dimensions.database(held.instance_class, operation, multi_az=held.multi_az)
    return Terms(
        arn=arn_of(held),
        kind=RESERVATION,
        fee=_usage(held),
        type=kind,
        region=held.region,
        count=held.count,
        upfront=Decimal(held.fixed) * held.count,
        hourly=Decimal(held.hourly) * held.count,
        due=Decimal(held.fixed) * held.count,
        seconds=held.seconds,
        option=held.option,
        cls="standard",
        start=held.start,
        end=held.end,
    )
