"""Tags of alarms, dashboards and metric streams.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudwatch import errors
from cloudjar.services.cloudwatch.records import Alarm, Dashboard, MetricStream

_MOST = 50
_Tagged = Alarm | Dashboard | MetricStream


def _tagged(ctx: Ctx, arn: str) -> _Tagged:
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "cloudwatch":
        raise errors.value(f"The value {arn} for parameter ResourceARN is invalid.")
    found: _Tagged | None = None
    if parsed.account == ctx.account and parsed.region in ("", ctx.region):
        if parsed.type == "alarm":
            found = ctx.db[Alarm].get(parsed.name)
        elif parsed.type == "dashboard":
            found = ctx.db[Dashboard].get(parsed.name)
        elif parsed.type == "metric-stream":
            found = ctx.db[MetricStream].get(parsed.name)
    if found is None:
        raise errors.no_resource(arn)
    return found


def _retag(ctx: Ctx, item: _Tagged, held: dict[str, str]) -> None:
    if isinstance(item, Alarm):
        ctx.db[Alarm].put(replace(item, tags=held))
    elif isinstance(item, MetricStream):
        ctx.db[MetricStream].put(replace(item, tags=held))
    else:
        ctx.db[Dashboard].put(replace(item, tags=held))


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    item = _tagged(ctx, req["ResourceARN"])
    held = {**item.tags, **{tag["Key"]: tag["Value"] for tag in req["Tags"]}}
    if any(key.lower().startswith("aws:") for key in held):
        raise errors.value("Tag keys must not begin with aws:, which is reserved.")
    if len(held) > _MOST:
        raise errors.value(f"A resource may have {_MOST} tags at most.")
    _retag(ctx, item, held)
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags; those that are not there are passed over."""
    item = _tagged(ctx, req["ResourceARN"])
    _retag(ctx, item, {key: value for key, value in item.tags.items() if key not in req["TagKeys"]})
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of an alarm, dashboard or metric stream."""
    held = _tagged(ctx, req["ResourceARN"]).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in held.items()]}
