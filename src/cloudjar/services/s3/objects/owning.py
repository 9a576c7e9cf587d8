"""Who owns an object that is written, and the ACL that it gets.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.base.caller import canonical_id
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.s3.access import acl
from cloudjar.services.s3.access.blocking import blocks, refused
from cloudjar.services.s3.buckets.records import Bucket

_FULL = "bucket-owner-full-control"


class Owned(NamedTuple):
    """The owning account, and the ACL as `access.acl` keeps it."""

    owner: str
    acl: str


def of_request(ctx: Ctx, bucket: Bucket, req: Mapping[str, Any]) -> Owned:
    """The owner and ACL of an object that a request writes. Raises AccessControlListNotSupported, or AccessDenied for a
    public ACL that is blocked."""
    writer = ctx.caller.account
    owner = writer
    if bucket.acls_off or (bucket.ownership == "BucketOwnerPreferred" and req.get("ACL") == _FULL):
        owner = bucket.account
    parties = acl.Parties(canonical_id(writer), bucket.owner_id)
    found = acl.asked(ctx, req, parties)
    if bucket.acls_off:
        check_off(bucket, req, found)
        return Owned(owner, "")
    check_public(ctx, bucket, req["Key"], found)
    if owner != writer:
        return Owned(owner, "")
    return Owned(owner, found or "")


def check_off(bucket: Bucket, req: Mapping[str, Any], found: str | None) -> None:
    """Where ACLs are disabled, only what changes nothing may be asked for: full control of the bucket's owner."""
    if found is None or req.get("ACL") == _FULL:
        return
    if acl.grants(found, "") == (acl.Grant("FULL_CONTROL", bucket.owner_id),) and not req.get("ACL"):
        return
    raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)


def check_public(ctx: Ctx, bucket: Bucket, key: str, found: str | None) -> None:
    """Raise AccessDenied for a public ACL where Block Public Access prevents it."""
    if found and acl.is_public(found) and blocks(ctx, bucket, "BlockPublicAcls"):
        raise refused(ctx, "s3:PutObject", f"arn:aws:s3:::{bucket.name}/{key}", "BlockPublicAcls")
