"""CreateTrail, UpdateTrail, DeleteTrail and what shows trails.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudtrail.access import reading
from cloudjar.services.cloudtrail.trails import destinations, errors, finding, organizing, runs, tagging
from cloudjar.services.cloudtrail.trails.records import Trail
from cloudjar.services.cloudtrail.trails.views import setting, shown
from cloudjar.spec import regions

_LIMIT = 5
_LONGEST_PREFIX = 200
_FLAGS = {
    "IncludeGlobalServiceEvents": "global_events",
    "IsMultiRegionTrail": "multi_region",
    "EnableLogFileValidation": "validation",
    "RecursiveLogging": "recursive",
}
_TEXTS = {
    "S3BucketName": "bucket",
    "S3KeyPrefix": "prefix",
    "CloudWatchLogsLogGroupArn": "group",
    "CloudWatchLogsRoleArn": "role",
}


@op("CreateTrail")
def create_trail(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A trail that does not log yet; wherever it delivers was tried."""
    name = finding.checked_name(req["Name"])
    if ctx.db[Trail].get(name) is not None:
        raise errors.exists(name, ctx.account)
    draft = Trail(
        name=name, bucket="", created=ctx.now, account=ctx.account, region=ctx.region, tags=tagging.first(req)
    )
    trail = _set(ctx, draft, req)
    _check_room(ctx, trail)
    _check(ctx, trail, None)
    return setting(ctx.db[Trail].add(trail))


@op("UpdateTrail")
def update_trail(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change what is said; an empty text takes a setting away. Logging goes on."""
    held = finding.need_own(ctx, req["Name"])
    trail = _set(ctx, held, req)
    if trail.multi_region and not held.multi_region:
        _check_room(ctx, trail)
    _check(ctx, trail, held)
    ctx.db[Trail].put(trail)
    return setting(trail)


@op("DeleteTrail")
def delete_trail(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What was logged until now is still delivered."""
    held = finding.need_own(ctx, req["Name"])
    if held.run:
        held = runs.stop(ctx, held)
    runs.bequeath(ctx, held)
    ctx.db[Trail].drop(held)
    return {}


@op("GetTrail", access=reading("cloudtrail:GetTrail", "Name"))
def get_trail(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One trail."""
    return {"Trail": shown(finding.need(ctx, req["Name"]))}


@op("DescribeTrails")
def describe_trails(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Trails of this Region and those that log here from elsewhere; with names only those that there are."""
    shadows = req.get("includeShadowTrails") is not False
    names = req.get("trailNameList") or []
    if not names:
        return {"trailList": [shown(trail) for trail in finding.seen(ctx, shadows=shadows)]}
    found: list[Trail] = []
    for text in names:
        held = _named(ctx, text)
        if held is not None and held not in found and (shadows or held.region == ctx.region):
            found.append(held)
    return {"trailList": [shown(trail) for trail in found]}


def _named(ctx: Ctx, text: str) -> Trail | None:
    """A name is one of this Region; elsewhere a trail has to be named by its ARN."""
    try:
        return finding.need(ctx, text)
    except AwsError as error:
        if error.code != "TrailNotFoundException":
            raise
        return None


@op("ListTrails")
def list_trails(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's trails of every Region, and its organization's."""
    own = [trail for trail in ctx.db.everywhere(Trail) if trail.account == ctx.account]
    found = [*own, *(trail for trail in finding.shadowing(ctx) if trail.account != ctx.account)]
    return {
        "Trails": [
            {"TrailARN": destinations.trail_arn(trail), "Name": trail.name, "HomeRegion": trail.region}
            for trail in sorted(found, key=lambda trail: (trail.region, trail.name))
        ]
    }


def _set(ctx: Ctx, trail: Trail, req: Mapping[str, Any]) -> Trail:
    """The trail as the request wants it."""
    changes: dict[str, Any] = {field: req[member] for member, field in _FLAGS.items() if req.get(member) is not None}
    changes.update({field: req[member] for member, field in _TEXTS.items() if req.get(member) is not None})
    trail = replace(trail, **changes)
    if len(trail.prefix) > _LONGEST_PREFIX:
        raise AwsError("InvalidS3PrefixException", f"S3 prefix is longer than maximum length {_LONGEST_PREFIX}.", 400)
    if not trail.bucket:
        raise AwsError("InvalidS3BucketNameException", "Bucket name cannot be blank!", 400)
    if trail.multi_region and not trail.global_events:
        raise errors.combination("Multi-Region trail must include global service events.")
    if req.get("SnsTopicName") is not None:
        named = req["SnsTopicName"]
        trail = replace(trail, topic=named, topic_arn=destinations.topic_arn(ctx, named) if named else "")
    if req.get("IsOrganizationTrail") is not None:
        trail = replace(trail, organization=organizing.wanted(ctx) if req["IsOrganizationTrail"] else "")
    if req.get("KmsKeyId") is not None:
        trail = replace(trail, key=destinations.key_arn(ctx, trail, req["KmsKeyId"]) if req["KmsKeyId"] else "")
    return trail


def _check(ctx: Ctx, trail: Trail, before: Trail | None) -> None:
    """Try each place to which the trail delivers from now on."""
    if before is None or _of_bucket(trail) != _of_bucket(before):
        destinations.check_bucket(ctx, trail)
    if trail.topic_arn and (before is None or trail.topic_arn != before.topic_arn):
        destinations.check_topic(ctx, trail)
    if (trail.group or trail.role) and (before is None or (trail.group, trail.role) != (before.group, before.role)):
        destinations.check_logs(ctx, trail)


def _of_bucket(trail: Trail) -> tuple[str, str, str, str]:
    return trail.bucket, trail.prefix, trail.key, trail.organization


def _check_room(ctx: Ctx, trail: Trail) -> None:
    """Five trails a Region; one of all Regions counts in each."""
    place = (trail.account, trail.region, trail.name)
    every = ctx.db.everywhere(Trail)
    own = [held for held in every if held.account == ctx.account and (held.account, held.region, held.name) != place]
    for region in sorted(regions.NAMES) if trail.multi_region else (ctx.region,):
        if sum(1 for held in own if held.multi_region or held.region == region) >= _LIMIT:
            raise errors.too_many(ctx.account, _LIMIT, region)
