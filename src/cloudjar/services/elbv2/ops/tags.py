"""Tags of everything that the service has."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record
from cloudjar.services.elbv2 import errors
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Rule, TargetGroup, TrustStore

_TYPES: dict[str, type[Any]] = {
    "loadbalancer": LoadBalancer, "listener": Listener, "listener-rule": Rule, "targetgroup": TargetGroup,
    "truststore": TrustStore,
}  # fmt: skip


@op("AddTags")
def add_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add or overwrite tags."""
    given = req["Tags"]
    keys = [tag["Key"] for tag in given]
    if len(set(keys)) < len(keys):
        raise AwsError("DuplicateTagKeys", "A tag key was specified more than once.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise errors.validation("Tag keys that begin with 'aws:' are reserved")
    for item in _things(ctx, req):
        merged = {**item.tags, **tags.from_list(given)}
        if len(merged) > tags.LIMIT:
            raise AwsError("TooManyTags", "The maximum number of tags has been reached for the resource.")
        ctx.db[type(item)].put(replace(item, tags=merged))
    return {}


@op("RemoveTags")
def remove_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags; those that are not there are passed over."""
    for item in _things(ctx, req):
        kept = {key: value for key, value in item.tags.items() if key not in req["TagKeys"]}
        ctx.db[type(item)].put(replace(item, tags=kept))
    return {}


@op("DescribeTags")
def describe_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tags of up to 20 things."""
    found = _things(ctx, req)
    return {"TagDescriptions": [{"ResourceArn": item.arn, "Tags": tags.as_list(item.tags)} for item in found]}


def _things(ctx: Ctx, req: dict[str, Any]) -> list[Any]:
    return [_thing(ctx, arn) for arn in req["ResourceArns"]]


def _thing(ctx: Ctx, arn: str) -> Record:
    kind = _TYPES.get(arn.rpartition(":")[2].partition("/")[0])
    if kind is None or ":elasticloadbalancing:" not in arn:
        raise errors.validation(f"'{arn}' is not a valid ARN")
    found: Record = ctx.db[kind].need(arn)
    return found
