"""What policies are held against.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html
"""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import by_arn
from cloudjar.services.scheduler.records import Schedule


@by_arn("scheduler", "schedule")
def _schedule(ctx: Ctx, arn: arns.Arn) -> Schedule | None:
    """A schedule's ARN ends in its name, behind the name of its group."""
    return ctx.db[Schedule].get(arn.resource.removeprefix("schedule/"))
