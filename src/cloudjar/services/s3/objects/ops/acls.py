"""ACLs of objects."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import canonical_id
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access import acl
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.objects import changes, finding, owning
from cloudjar.services.s3.objects.index import index


@op("GetObjectAcl", data=True)
def get_object_acl(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who owns an object, and what it grants; where ACLs are disabled, the bucket's owner has full control."""
    bucket = need_bucket(ctx, req)
    version = finding.need(ctx, bucket, req)
    if bucket.acls_off:
        return acl.shown("", bucket.owner_id)
    return acl.shown(version.acl, canonical_id(version.owner))


@op("PutObjectAcl", data=True)
def put_object_acl(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace an object's ACL."""
    bucket = need_bucket(ctx, req)
    before = finding.need(ctx, bucket, req, "PUT")
    owner = canonical_id(before.owner)
    asked = acl.asked(ctx, req, acl.Parties(owner, bucket.owner_id))
    if bucket.acls_off:
        owning.check_off(bucket, req, asked if asked is not None else "")
        return {}
    if asked is None:
        raise errors.error(
            "MissingSecurityHeader",
            "Your request was missing a required header",
            MissingHeaderName="x-amz-acl",
        )
    owning.check_public(ctx, bucket, before.key, asked)
    after = replace(before, acl=asked)
    index(ctx.world).change(after)
    changes.tell(ctx, bucket, changes.Change(changes.ACL, after, before))
    return {}
