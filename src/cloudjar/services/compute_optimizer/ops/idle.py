"""What does nothing and costs.

https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.billing import rightsizing
from cloudjar.billing.rightsizing import MONTH
from cloudjar.kit.usage import Usage
from cloudjar.services.compute_optimizer import advising, errors, savings
from cloudjar.services.compute_optimizer.ops.groups import advised as advised_groups
from cloudjar.services.compute_optimizer.ops.instances import advised as advised_instances
from cloudjar.services.compute_optimizer.ops.instances import paged
from cloudjar.services.compute_optimizer.seeing import Seeing, chosen, lacking, sees, tags_of
from cloudjar.spec import prices

_UNATTACHED = 32
"""Days for which a volume has to be attached to nothing."""


class Idle(NamedTuple):
    """Something idle; dollars a month that it costs."""

    arn: str
    kind: str
    finding: str
    description: str
    cost: Decimal
    metrics: dict[str, float]
    days: int
    tags: list[dict[str, str]]


def idle(seeing: Seeing) -> Iterator[Idle]:
    """Instances, groups, volumes and databases."""
    yield from _instances(seeing)
    yield from _groups(seeing)
    yield from _volumes(seeing)
    yield from _databases(seeing)


def _instances(seeing: Seeing) -> Iterator[Idle]:
    for one in advised_instances(seeing):
        if one.idle:
            cpu = max(one.verdict.load.cpu)
            yield Idle(
                seeing.arn("ec2", f"instance/{one.vm['InstanceId']}"), "EC2Instance", "Idle",
                "The instance used less than 5% of its CPUs at its peaks and carried less than 5 MB a day.",
                one.verdict.price * MONTH, {"CPU": cpu}, one.preferred.days, tags_of(one.vm),
            )  # fmt: skip


def _groups(seeing: Seeing) -> Iterator[Idle]:
    for one in advised_groups(seeing):
        name = one.group["AutoScalingGroupName"]
        if advising.is_idle(seeing, one.verdict.load, ("AutoScalingGroupName", name)):
            cost = one.verdict.price * MONTH * int(one.group["DesiredCapacity"])
            yield Idle(
                one.group["AutoScalingGroupARN"], "AutoScalingGroup", "Idle",
                "No instance of the group used more than 5% of its CPUs or carried more than 5 MB a day.",
                cost, {"CPU": max(one.verdict.load.cpu)}, one.preferred.days, tags_of(one.group),
            )  # fmt: skip


def _volumes(seeing: Seeing) -> Iterator[Idle]:
    """Attached to nothing since 32 days (made before, and not measured since), or less than one read and one write a
    day."""
    for volume in seeing.volumes:
        shape = (volume["VolumeType"], volume["Size"], volume.get("Iops") or 0, volume.get("Throughput") or 0)
        cost = savings.volume(seeing.ctx.region, *shape) or Decimal(0)
        arn, named = seeing.arn("ec2", f"volume/{volume['VolumeId']}"), ("VolumeId", volume["VolumeId"])
        days = rightsizing.DAYS if volume.get("Attachments") else _UNATTACHED
        reads, writes = (
            seeing.values("AWS/EBS", name, named, "Sum", days=days) for name in ("VolumeReadOps", "VolumeWriteOps")
        )
        if not volume.get("Attachments"):
            if not reads and seeing.now - volume["CreateTime"] > timedelta(days=_UNATTACHED):
                yield Idle(arn, "EBSVolume", "Unattached", f"The volume was attached to nothing for {days} days.",
                           cost, {}, days, tags_of(volume))  # fmt: skip
            continue
        hours = len({int(at) // 3600 for at in reads})
        if hours >= rightsizing.NEEDED_HOURS and max(sum(reads.values()), sum(writes.values())) < hours / 24:
            yield Idle(
                arn, "EBSVolume", "Idle", "The volume did less than one read and one write a day.", cost,
                {"VolumeReadOpsPerSecond": 0.0, "VolumeWriteOpsPerSecond": 0.0}, days, tags_of(volume),
            )  # fmt: skip


def _databases(seeing: Seeing) -> Iterator[Idle]:
    """Databases that run, and to which nobody connected."""
    usage: Usage = seeing.ctx.world.ports["usage"]
    for span in usage.spans(seeing.now, seeing.now + timedelta(seconds=1), seeing.ctx.account):
        head = span.meter.usage_type.partition(":")[0]
        if span.end is not None or span.region != seeing.ctx.region or head not in ("InstanceUsage", "Multi-AZUsage"):
            continue
        named = ("DBInstanceIdentifier", span.resource)
        seen = seeing.values("AWS/RDS", "DatabaseConnections", named, "Maximum", days=rightsizing.DAYS)
        hours = len({int(at) // 3600 for at in seen})
        if hours < rightsizing.NEEDED_HOURS or max(seen.values()) > 0:
            continue
        meter = span.meter
        try:
            price = prices.price(meter.service, meter.usage_type, span.region, meter.operation).per_unit
        except prices.NoPrice:
            price = Decimal(0)
        yield Idle(
            seeing.arn("rds", f"db:{span.resource}"), "RDSDBInstance", "Idle",
            "Nobody connected to the database.", price * meter.rate * MONTH, {"DatabaseConnections": 0.0},
            rightsizing.DAYS, _labels(usage, span.region, span.resource, seeing.ctx.account),
        )  # fmt: skip


def _labels(usage: Usage, region: str, resource: str, account: str) -> list[dict[str, str]]:
    found: dict[str, str] = {}
    for label in usage.labels():
        if (label.account, label.region, label.resource) == (account, region, resource):
            found = label.tags
    return [{"key": key, "value": value} for key, value in sorted(found.items())]


_ORDERS = ("SavingsValue",)


@sees("GetIdleRecommendations")
def get_idle_recommendations(seeing: Seeing, req: dict[str, Any]) -> dict[str, Any]:
    """What does nothing, the dearest first."""
    order = req.get("orderBy") or {}
    if order.get("dimension", "SavingsValue") not in _ORDERS:
        raise errors.invalid(f"Order by {order['dimension']} is not supported: choose from {sorted(_ORDERS)}")
    found = sorted(idle(seeing), key=lambda one: (one.cost, one.arn), reverse=order.get("order") != "Asc")
    shown = [_shown(seeing, one) for one in found]
    known = (one["resourceArn"] for one in shown)
    wrong = list(lacking(seeing, req.get("resourceArns") or (), known, "resource"))
    fields = {"Finding": "finding", "ResourceType": "resourceType"}
    kept = chosen(shown, req, "resourceArns", "resourceArn", fields)
    return paged("GetIdleRecommendations", req, "idleRecommendations", kept, wrong)


def _shown(seeing: Seeing, one: Idle) -> dict[str, Any]:
    resource = one.arn.split(":", 5)[5]
    return {
        "resourceArn": one.arn,
        "resourceId": resource.rpartition("/")[2] if "/" in resource else resource.partition(":")[2],
        "resourceType": one.kind,
        "accountId": seeing.ctx.account,
        "finding": one.finding,
        "findingDescription": one.description,
        "savingsOpportunity": savings.opportunity(one.cost, one.cost),
        "utilizationMetrics": [
            {"name": name, "statistic": "Maximum", "value": round(value, 6)} for name, value in one.metrics.items()
        ],
        "lookBackPeriodInDays": float(one.days),
        "lastRefreshTimestamp": seeing.now,
        "tags": one.tags,
    }
