"""What costs money, and what CloudWatch is told.

https://aws.amazon.com/eventbridge/pricing/
https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
"""

from __future__ import annotations

from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Metric
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.services.scheduler.records import Schedule

_INVOCATION = Tally("AWSEvents", "ScheduledInvocation", "", "Invocations", 1)


def invoked(world: World, schedule: Schedule) -> None:
    """A target is to be called for one time of a schedule; in a transaction."""
    quantities: Quantities = world.ports["quantities"]
    quantities.add(Owner(schedule.account, schedule.region, schedule.group), _INVOCATION, 1)


def measured(world: World, schedule: Schedule, **counted: int) -> None:
    """What CloudWatch counts, for all schedules and for the group; in a transaction."""
    now = world.clock.now()
    found = [
        (Metric("AWS/Scheduler", name, dimensions), False, [metrics.value(now, amount, "Count")])
        for name, amount in counted.items()
        if amount
        for dimensions in ((), (("ScheduleGroup", schedule.group),))
    ]
    if found:
        metrics.put_all(world, schedule.account, schedule.region, found)
