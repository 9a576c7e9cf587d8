"""Recommendations for EC2 instances.

https://docs.aws.amazon.com/compute-optimizer/latest/APIReference/API_GetEC2InstanceRecommendations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.billing import rightsizing
from cloudjar.kit import metrics, pages
from cloudjar.kit.metrics import Metric
from cloudjar.services.compute_optimizer import advising, errors, preferring
from cloudjar.services.compute_optimizer.advising import Verdict
from cloudjar.services.compute_optimizer.preferring import Preferred
from cloudjar.services.compute_optimizer.seeing import Seeing, chosen, lacking, sees, tags_of
from cloudjar.spec import instance_types
from cloudjar.spec.models import Paginator

_GROUP = "aws:autoscaling:groupName"
FILTERS = {
    "Finding": "finding", "FindingReasonCodes": "findingReasonCodes",
    "RecommendationSourceType": "recommendationSources", "InferredWorkloadTypes": "inferredWorkloadTypes",
}  # fmt: skip


class Advised(NamedTuple):
    """An instance and what is said of it."""

    vm: dict[str, Any]
    verdict: Verdict
    preferred: Preferred
    idle: bool


def architectures(req: dict[str, Any]) -> tuple[list[str], bool]:
    """Which CPUs may be recommended, and whether those are ARM's."""
    asked = (req.get("recommendationPreferences") or {}).get("cpuVendorArchitectures") or ["CURRENT"]
    return asked, "AWS_ARM64" in asked


def advised(seeing: Seeing, *, arm: bool = False) -> Iterator[Advised]:
    """Every running instance that was measured for long enough; idle ones have no options: they are to go."""
    preferred = preferring.effective(seeing.ctx, "Ec2Instance")
    ctx = seeing.ctx
    for key, vm in seeing.instances.items():
        load = rightsizing.used(ctx.world, ctx.account, ctx.region, key, seeing.since(preferred.days), seeing.stop)
        if load.enough:
            verdict = advising.judge(seeing, vm["InstanceType"], load, preferred, arm=arm)
            yield Advised(vm, verdict, preferred, advising.is_idle(seeing, load, ("InstanceId", key)))


@sees("GetEC2InstanceRecommendations")
def get_ec2_instance_recommendations(seeing: Seeing, req: dict[str, Any]) -> dict[str, Any]:
    """Instances that run, what they used, and which types would do."""
    which, arm = architectures(req)
    shown = [_shown(seeing, one, which) for one in advised(seeing, arm=arm)]
    wrong = list(lacking(seeing, req.get("instanceArns") or (), (one["instanceArn"] for one in shown), "instance"))
    found = chosen(shown, req, "instanceArns", "instanceArn", FILTERS)
    return paged("GetEC2InstanceRecommendations", req, "instanceRecommendations", found, wrong)


def paged(
    operation: str, req: dict[str, Any], member: str, found: list[dict[str, Any]], wrong: list[dict[str, str]]
) -> dict[str, Any]:
    """A page of what was found; the model does not say how these page."""
    how = Paginator(("nextToken",), ("nextToken",), "maxResults", (member,), "")
    given = {**req, "maxResults": req.get("maxResults") or 1000}
    return {**pages.cut(how, "compute-optimizer", operation, given, {member: found}), "errors": wrong}


def _shown(seeing: Seeing, one: Advised, which: list[str]) -> dict[str, Any]:
    vm, verdict = one.vm, one.verdict
    key, tags = vm["InstanceId"], tags_of(vm)
    named = {tag["key"]: tag["value"] for tag in tags}
    arn = seeing.arn("ec2", f"instance/{key}")
    source = {"recommendationSourceArn": arn, "recommendationSourceType": "Ec2Instance"}
    for group in seeing.groups if _GROUP in named else ():
        if group["AutoScalingGroupName"] == named[_GROUP]:
            source = {"recommendationSourceArn": group["AutoScalingGroupARN"],
                      "recommendationSourceType": "AutoScalingGroup"}  # fmt: skip
    days = one.preferred.days
    return {
        "instanceArn": arn,
        "accountId": seeing.ctx.account,
        "instanceName": named.get("Name", ""),
        "currentInstanceType": verdict.kind,
        "finding": verdict.finding,
        "findingReasonCodes": verdict.reasons,
        "utilizationMetrics": advising.utilization(seeing, verdict.load, ("InstanceId", key), days),
        "lookBackPeriodInDays": float(days),
        "recommendationOptions": [
            {"instanceType": option.kind, **advising.show_option(verdict, option, rank)}
            for rank, option in enumerate(verdict.options, 1)
        ],
        "recommendationSources": [source],
        "lastRefreshTimestamp": seeing.now,
        "currentPerformanceRisk": advising.risk(verdict.load),
        "effectiveRecommendationPreferences": preferring.shown(one.preferred, which),
        "inferredWorkloadTypes": [],
        "instanceState": vm["State"]["Name"],
        "tags": tags,
        "externalMetricStatus": {"statusCode": "NO_EXTERNAL_METRIC_SET", "statusReason": ""},
        "idle": "True" if one.idle else "False",
    }


@sees("GetEC2RecommendationProjectedMetrics")
def get_ec2_recommendation_projected_metrics(seeing: Seeing, req: dict[str, Any]) -> dict[str, Any]:
    """What would have been used of each recommended type, in each period."""
    key, period = _key(req["instanceArn"]), req["period"]
    if period <= 0 or period % 60:
        raise errors.invalid("The period must be a multiple of 60.")
    start, end = req["startTime"].timestamp(), req["endTime"].timestamp()
    if start >= end:
        raise errors.invalid("The start time must be before the end time.")
    _, arm = architectures(req)
    one = next((found for found in advised(seeing, arm=arm) if found.vm["InstanceId"] == key), None)
    if one is None:
        raise errors.missing(f"No recommendation was found for {req['instanceArn']}.")
    ctx, kind = seeing.ctx, one.verdict.kind
    start = start // period * period
    metric = Metric("AWS/EC2", "CPUUtilization", (("InstanceId", key),))
    cpu = metrics.values(ctx.world, ctx.account, ctx.region, metric, req["stat"], period=period, start=start, stop=end)
    at = [metrics.instant(moment) for moment in cpu]
    old = instance_types.size(kind).vcpus
    return {
        "recommendedOptionProjectedMetrics": [
            {
                "recommendedInstanceType": option.kind,
                "rank": rank,
                "projectedMetrics": [{
                    "name": "Cpu",
                    "timestamps": at,
                    "values": [
                        rightsizing.expected(value, old, instance_types.size(option.kind).vcpus)
                        for value in cpu.values()
                    ],
                }],
            }
            for rank, option in enumerate(one.verdict.options, 1)
        ]
    }  # fmt: skip


def _key(arn: str) -> str:
    found = arns.parse(arn)
    kind, _, key = found.resource.partition("/") if found is not None else ("", "", "")
    if kind != "instance" or not key:
        raise errors.invalid(f"{arn} is not the ARN of an instance.")
    return key
