"""Tags of buckets, access points and access grants by ARN.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.access_points import AccessPoint
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3control.grants.records import DEFAULT, AccessGrant, GrantsInstance, GrantsLocation
from cloudjar.services.s3control.lookup import check_account, find_bucket, invalid_request, not_built, save_bucket

_MOST = 50


def _need(ctx: Ctx, req: Mapping[str, Any]) -> Any:
    """The record behind an ARN: a bucket or an access point of the caller's account."""
    check_account(ctx, req)
    arn = arns.parse(req["ResourceArn"])
    if arn is None or arn.service != "s3":
        raise not_built("Tagging by S3 Control of anything but buckets and access points")
    if arn.type == "accesspoint":
        return ctx.db.at(ctx.account, arn.region)[AccessPoint].need(arn.name)
    if arn.type == "access-grants":
        return _of_grants(ctx.at(ctx.account, arn.region), arn)
    if arn.region or "/" in arn.resource:
        raise not_built("Tagging by S3 Control of anything but buckets and access points")
    bucket = find_bucket(ctx, arn.resource)
    if bucket is None or bucket.account != ctx.account:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
    return bucket


def _of_grants(there: Ctx, arn: arns.Arn) -> Any:
    """An instance of Access Grants, a location or a grant."""
    kind, _, key = arn.resource.removeprefix("access-grants/default").lstrip("/").partition("/")
    kinds: dict[str, type[Any]] = {"": GrantsInstance, "location": GrantsLocation, "grant": AccessGrant}
    if kind not in kinds:
        raise invalid_request("The specified ARN is not valid")
    return there.db[kinds[kind]].need(key or DEFAULT)


def _save(ctx: Ctx, item: Any, held: dict[str, str]) -> None:
    if isinstance(item, (AccessPoint, GrantsInstance, GrantsLocation, AccessGrant)):
        ctx.db.at(item.account, item.region)[type(item)].put(replace(item, tags=held))
    else:
        save_bucket(ctx, replace(item, tags=held))


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give some another value."""
    item = _need(ctx, req)
    held = {**item.tags, **tags.from_list(req["Tags"])}
    if any(key.lower().startswith("aws:") for key in held):
        raise AwsError("InvalidTag", "System tags cannot be added/updated by requester", 400)
    if len(held) > _MOST:
        raise AwsError("TooManyTagsException", f"A resource cannot have more than {_MOST} tags.", 400)
    _save(ctx, item, held)
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    item = _need(ctx, req)
    _save(ctx, item, {key: value for key, value in item.tags.items() if key not in req["TagKeys"]})
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags, in the order of their keys."""
    return {"Tags": tags.as_list(_need(ctx, req).tags)}
