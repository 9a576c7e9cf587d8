"""Reports of how other accounts use an image.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/your-ec2-ami-usage.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import need_image
from cloudjar.services.ec2.images.tracing import named_by, option_values
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.launch_templates.records import LaunchTemplate
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need, need_all

KEPT = timedelta(days=30)
_PURGE = "purge"
_DEPTH = 20
_TYPES = ("ec2:Instance", "ec2:LaunchTemplate", "imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe")
_FILTERS = by_path({"creation-time": "_CreationTime", "state": "State"})
_ENTRY_FILTERS = by_path(
    {"account-id": "AccountId", "creation-time": "_CreationTime", "resource-type": "ResourceType"}
)


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """How many resources of a type in an account refer to the image."""

    account_id: str
    resource_type: str
    count: int


@record(
    "ec2",
    "image-usage-report",
    index=("image_id",),
    missing=("InvalidImageUsageReportId.NotFound", "The image usage report ID '{key}' does not exist"),
)
class UsageReport(Record, frozen=True, kw_only=True):
    """A report: what was asked, and what was found once it is available."""

    id: str
    image_id: str
    types: list[dict[str, Any]]
    accounts: tuple[str, ...] = ()
    state: str = "pending"
    created: datetime
    uses: tuple[Use, ...] = ()
    tags: dict[str, str] = {}


@op("CreateImageUsageReport")
def create_image_usage_report(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Begin a report about an image of one's own."""
    image = need_image(ctx, req["ImageId"])
    if image.own is None or image.own.account != ctx.account:
        raise errors.invalid_value(f"The image {image.id} is not owned by this account.")
    for asked in req["ResourceTypes"]:
        if asked.get("ResourceType") not in _TYPES:
            raise errors.invalid_value(f"The resource type {asked.get('ResourceType')} is not valid.")
        if asked["ResourceType"] != "ec2:LaunchTemplate" and asked.get("ResourceTypeOptions"):
            raise errors.invalid_value(f"Options are not valid for {asked['ResourceType']}.")
        option_values(asked)
    made = UsageReport(
        id=ctx.new_id("amiur"), image_id=image.id, types=list(req["ResourceTypes"]),
        accounts=tuple(req.get("AccountIds") or ()), created=ctx.now, tags=tags.specified(req, "image-usage-report"),
    )  # fmt: skip
    return {"ReportId": ctx.db[UsageReport].add(made).id}


@op("DescribeImageUsageReports")
def describe_image_usage_reports(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Reports by id, image or filter, as they stand."""
    rows = [Row(one.tags, _show(one)) for one in _chosen(ctx, req)]
    return {"ImageUsageReports": narrow(req, _FILTERS, rows)}


@op("DescribeImageUsageReportEntries")
def describe_image_usage_report_entries(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What available reports have found."""
    rows = [Row(one.tags, _show_use(one, use)) for one in _chosen(ctx, req) for use in one.uses]
    return {"ImageUsageReportEntries": narrow(req, _ENTRY_FILTERS, rows)}


def _chosen(ctx: Ctx, req: Mapping[str, Any]) -> list[UsageReport]:
    named = req.get("ReportIds")
    found = need_all(ctx, UsageReport, named) if named else ctx.db[UsageReport].all()
    images = set(req.get("ImageIds") or ())
    return [one for one in found if not images or one.image_id in images]


@op("DeleteImageUsageReport")
def delete_image_usage_report(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a report with its entries."""
    ctx.db[UsageReport].drop(need(ctx, UsageReport, req["ReportId"]))
    return {"Return": True}


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _show(one: UsageReport) -> dict[str, Any]:
    return {
        "ImageId": one.image_id,
        "ReportId": one.id,
        "ResourceTypes": one.types,
        "AccountIds": list(one.accounts),
        "State": one.state,
        "CreationTime": one.created,
        "ExpirationTime": one.created + KEPT,
        "Tags": tags.as_list(one.tags),
        "_CreationTime": _instant(one.created),
    }


def _show_use(one: UsageReport, use: Use) -> dict[str, Any]:
    return {
        "ResourceType": use.resource_type,
        "ReportId": one.id,
        "UsageCount": use.count,
        "AccountId": use.account_id,
        "ImageId": one.image_id,
        "ReportCreationTime": one.created,
        "_CreationTime": _instant(one.created),
    }


@reconciler(UsageReport)
def converge(step: Step, one: UsageReport | None) -> None:
    """Count, then wait until the report has had its time."""
    if one is None:
        return
    if one.state == "pending":
        step.change(UsageReport, lambda now: replace(now, state="available", uses=_count(step.ctx, now)))
    elif step.wake.purpose == _PURGE:
        with step.world.state.database.transaction():
            fresh = step.db[UsageReport].get(one.id)
            if fresh is not None:
                step.db[UsageReport].drop(fresh)
    elif not step.world.state.wakes.expects(step.wake, _PURGE):
        step.again(_PURGE, one.created + KEPT)


def _count(ctx: Ctx, report: UsageReport) -> tuple[Use, ...]:
    """What other accounts have of the report's Region that refers to the image, terminated instances not."""
    found: Counter[tuple[str, str]] = Counter()
    asked = {one["ResourceType"]: option_values(one) for one in report.types}
    if "ec2:Instance" in asked:
        for vm in ctx.db.everywhere(Instance):
            if vm.image_id == report.image_id and vm.region == report.region and vm.state != "terminated":
                found[vm.account, "ec2:Instance"] += 1
    if "ec2:LaunchTemplate" in asked:
        depth = int(asked["ec2:LaunchTemplate"][0]) if asked["ec2:LaunchTemplate"] else _DEPTH
        for template in ctx.db.everywhere(LaunchTemplate):
            own = ctx.db.at(template.account, template.region)
            if template.region == report.region and report.image_id in named_by(own, template, depth):
                found[template.account, "ec2:LaunchTemplate"] += 1
    return tuple(
        Use(account_id=account, resource_type=kind, count=count)
        for (account, kind), count in sorted(found.items())
        if account != report.account and (not report.accounts or account in report.accounts)
    )
