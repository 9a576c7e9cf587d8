"""ACLs of buckets, who owns objects, and what public access is blocked.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.access_points import BLOCK_ALL
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access import acl
from cloudjar.services.s3.access.blocking import blocks, refused
from cloudjar.services.s3.buckets.finding import need_bucket, save


@op("PutBucketAcl")
def put_bucket_acl(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the ACL, where ACLs are on."""
    bucket = need_bucket(ctx, req)
    if bucket.acls_off:
        raise acls_not_supported()
    wanted = acl.asked(ctx, req, acl.Parties(bucket.owner_id, bucket.owner_id))
    if wanted is None:
        raise AwsError("MissingSecurityHeader", "Your request was missing a required header", 400)
    if acl.is_public(wanted) and blocks(ctx, bucket, "BlockPublicAcls"):
        raise refused(ctx, "s3:PutBucketAcl", arn_of(bucket), "BlockPublicAcls")
    save(ctx, replace(bucket, acl=wanted))
    return {}


@op("GetBucketAcl")
def get_bucket_acl(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The ACL; where ACLs are off, the owner's full control."""
    bucket = need_bucket(ctx, req)
    return acl.shown("" if bucket.acls_off else bucket.acl, bucket.owner_id)


def acls_not_supported() -> AwsError:
    """Ownership is the bucket owner's, so ACLs are off."""
    return AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)


# -- ownership controls ----------------------------------------------------------------------------------


@op("PutBucketOwnershipControls")
def put_bucket_ownership_controls(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say who owns objects; ACLs go off only where no grant to others would be lost."""
    bucket = need_bucket(ctx, req)
    rules: list[dict[str, Any]] = req["OwnershipControls"].get("Rules") or []
    if len(rules) != 1:
        raise errors.malformed_xml()
    ownership = rules[0]["ObjectOwnership"]
    if ownership == "BucketOwnerEnforced" and bucket.acl:
        raise AwsError(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            400,
        )
    save(ctx, replace(bucket, ownership=ownership))
    return {}


@op("GetBucketOwnershipControls")
def get_bucket_ownership_controls(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The one rule."""
    bucket = need_bucket(ctx, req)
    if bucket.ownership is None:
        raise AwsError(
            "OwnershipControlsNotFoundError",
            "The bucket ownership controls were not found",
            404,
            members={"BucketName": bucket.name},
        )
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": bucket.ownership}]}}


@op("DeleteBucketOwnershipControls")
def delete_bucket_ownership_controls(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No rule: who writes an object owns it."""
    save(ctx, replace(need_bucket(ctx, req), ownership=None))
    return {}


# -- block public access ---------------------------------------------------------------------------------


@op("PutPublicAccessBlock")
def put_public_access_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the settings; what is not named is off."""
    given = req["PublicAccessBlockConfiguration"]
    settings = {name: bool(given.get(name)) for name in BLOCK_ALL}
    save(ctx, replace(need_bucket(ctx, req), public_access_block=settings))
    return {}


@op("GetPublicAccessBlock")
def get_public_access_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The bucket's own settings."""
    bucket = need_bucket(ctx, req)
    if bucket.public_access_block is None:
        raise AwsError(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
            404,
            members={"BucketName": bucket.name},
        )
    return {"PublicAccessBlockConfiguration": dict(bucket.public_access_block)}


@op("DeletePublicAccessBlock")
def delete_public_access_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The bucket itself blocks nothing any more; its account may."""
    save(ctx, replace(need_bucket(ctx, req), public_access_block=None))
    return {}
