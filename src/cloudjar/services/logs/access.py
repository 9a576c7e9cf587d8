"""What policies are held against: a stream is under its group, and an account's resource policies hold for all groups.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
"""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import ResourcePolicy, by_arn, resource_policies
from cloudjar.services.logs.finding import GROUP
from cloudjar.services.logs.records import AccountPolicy, LogGroup


def _group(ctx: Ctx, arn: arns.Arn) -> LogGroup | None:
    return ctx.db[LogGroup].get(arn.resource.removeprefix(GROUP).partition(":")[0])


def _policies(ctx: Ctx, group: LogGroup) -> ResourcePolicy:
    """The group's own policy, and those of its account beside it."""
    account = ctx.at(group.account, group.region).db[AccountPolicy].all()
    return ResourcePolicy(group.policy, grants=tuple(policy.document for policy in account))


for _noun in ("log-group", "log-stream"):
    by_arn("logs", _noun)(_group)
    resource_policies("logs", _noun)(_policies)
