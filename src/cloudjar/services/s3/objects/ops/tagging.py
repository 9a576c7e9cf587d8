"""Tags of objects."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.objects import attributes, changes, finding
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.writing import told_id


@op("GetObjectTagging", data=True)
def get_object_tagging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags; an empty list when there are none."""
    bucket = need_bucket(ctx, req)
    version = finding.need(ctx, bucket, req)
    listed = [{"Key": name, "Value": value} for name, value in version.tags.items()]
    return {"TagSet": listed, "VersionId": told_id(bucket, version)}


@op("PutObjectTagging", data=True)
def put_object_tagging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace all tags."""
    tags = attributes.listed_tags(req["Tagging"].get("TagSet") or [])
    return _retag(ctx, req, tags, changes.TAGGED)


@op("DeleteObjectTagging", data=True)
def delete_object_tagging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove all tags."""
    return _retag(ctx, req, {}, changes.UNTAGGED)


def _retag(ctx: Ctx, req: dict[str, Any], tags: dict[str, str], event: str) -> dict[str, Any]:
    bucket = need_bucket(ctx, req)
    before = finding.need(ctx, bucket, req, "DELETE" if event == changes.UNTAGGED else "PUT")
    after = replace(before, tags=tags)
    index(ctx.world).change(after)
    changes.tell(ctx, bucket, changes.Change(event, after, before))
    return {"VersionId": told_id(bucket, after)}
