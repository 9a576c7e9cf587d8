"""How Compute Optimizer sees an account's Region: through its service-linked role, and CloudWatch's metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.looking import LinkedRole, Looking, NotAvailable
from cloudjar.kit.metrics import Metric
from cloudjar.kit.operation import op
from cloudjar.services.compute_optimizer import errors
from cloudjar.services.compute_optimizer.records import Enrollment

LINKED = LinkedRole(
    "compute-optimizer.amazonaws.com", "AWSServiceRoleForComputeOptimizer", "ComputeOptimizer"
)  # fmt: skip
STEP = 300
"""Seconds between the points that are looked at."""
Answer = Callable[["Seeing", dict[str, Any]], dict[str, Any]]


class Seeing(Looking):
    """One look at an account's Region."""

    linked = LINKED

    @property
    def stop(self) -> float:
        """The end of the last five minutes that are over, as Unix seconds."""
        return self.now.timestamp() // STEP * STEP

    def since(self, days: int) -> float:
        """So many days before."""
        return self.stop - timedelta(days=days).total_seconds()

    @cached_property
    def instances(self) -> dict[str, dict[str, Any]]:
        """Those that run, by id."""
        states = [{"Name": "instance-state-name", "Values": ["running"]}]
        return {
            vm["InstanceId"]: vm
            for reservation in self.each("ec2", "DescribeInstances", "Reservations", self.ctx.region, Filters=states)
            for vm in reservation["Instances"]
        }

    @cached_property
    def volumes(self) -> list[dict[str, Any]]:
        """Every volume."""
        return list(self.each("ec2", "DescribeVolumes", "Volumes", self.ctx.region))

    @cached_property
    def groups(self) -> list[dict[str, Any]]:
        """Auto Scaling groups."""
        return list(self.each("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", self.ctx.region))

    def arn(self, service: str, resource: str) -> str:
        """Of what is in this Region."""
        return arns.make(service, self.ctx.region, self.ctx.account, resource)

    def values(
        self, namespace: str, name: str, dimension: tuple[str, str], stat: str, *, days: int, period: int = STEP
    ) -> dict[float, float]:
        """A metric of the last days, by period."""
        return metrics.values(
            self.ctx.world, self.ctx.account, self.ctx.region, Metric(namespace, name, (dimension,)), stat,
            period=period, start=self.since(days), stop=self.stop,
        )  # fmt: skip

    def per_second(self, namespace: str, name: str, dimension: tuple[str, str], *, days: int) -> dict[float, float]:
        """What was counted in each five minutes, by the second."""
        return {at: total / STEP for at, total in self.values(namespace, name, dimension, "Sum", days=days).items()}


def opted_in(ctx: Ctx) -> Enrollment:
    """The account's enrolment; raises OptInRequiredException."""
    found = ctx.db[Enrollment].get("enrollment")
    if found is None or found.status != "Active":
        raise errors.not_opted_in(ctx.account)
    return found


def sees(name: str) -> Callable[[Answer], Answer]:
    """Decorator: an operation of those who have opted in, answered on a thread from what there is now."""

    def declare(function: Answer) -> Answer:
        def prepare(ctx: Ctx, req: dict[str, Any]) -> Ctx:
            opted_in(ctx)
            for account in req.get("accountIds") or ():
                if account != ctx.account:
                    raise errors.not_yours(account)
            try:
                return ctx.prepared(function(Seeing(ctx), req))
            except NotAvailable as why:
                raise errors.refused(str(why)) from None

        def fetched(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
            answer: dict[str, Any] = ctx.fetched
            return answer

        fetched.__doc__, fetched.__module__ = function.__doc__, function.__module__
        op(name, prepare=prepare)(fetched)
        return function

    return declare


def tags_of(item: Mapping[str, Any]) -> list[dict[str, str]]:
    """Tags as Compute Optimizer shows them."""
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in item.get("Tags") or ()]


def chosen(
    shown: Iterable[dict[str, Any]], req: Mapping[str, Any], asked: str, arn: str, fields: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What a request narrows by ARNs (its member `asked`) and by filters; `fields`: filter -> member."""
    found = [one for one in shown if not req.get(asked) or one[arn] in req[asked]]
    for part in req.get("filters") or ():
        name = fields.get(part.get("name") or "")
        if name is None:
            raise errors.invalid(f"Filter {part.get('name')} is not supported: choose from {sorted(fields)}")
        found = [one for one in found if _is(one.get(name), part.get("values") or ())]
    return found


def _is(held: Any, values: Iterable[str]) -> bool:
    several = held if isinstance(held, list) else [held]
    names = {str(one.get("recommendationSourceType") if isinstance(one, dict) else one).lower() for one in several}
    return bool(names & {value.replace("_", "").lower() for value in values})


def lacking(seeing: Seeing, asked: Iterable[str], known: Iterable[str], what: str) -> Iterator[dict[str, str]]:
    """Errors of resources that were asked for and of which nothing can be said."""
    there = set(known)
    for arn in asked:
        if arn not in there:
            message = f"The {what} does not exist or does not have sufficient metric data."
            yield {"identifier": arn, "code": "InsufficientData", "message": message}
