"""What costs money, and what CloudWatch is told.

https://aws.amazon.com/eventbridge/pricing/
https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
"""

from __future__ import annotations

from cloudjar.kit.context import World
from cloudjar.kit.counted_metrics import Counted
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.services.scheduler.records import Schedule

_INVOCATION = Tally("AWSEvents", "ScheduledInvocation", "", "Invocations", 1)
_METRICS = Counted("AWS/Scheduler", "scheduler", totals=True)


def invoked(world: World, schedule: Schedule) -> None:
    """A target is to be called for one time of a schedule; in a transaction."""
    quantities: Quantities = world.ports["quantities"]
    quantities.add(Owner(schedule.account, schedule.region, schedule.group), _INVOCATION, 1)


def measured(world: World, schedule: Schedule, **counted: int) -> None:
    """What CloudWatch counts, for all schedules and for the group; in a transaction."""
    _METRICS.count(world, schedule.account, schedule.region, (("ScheduleGroup", schedule.group),), **counted)
