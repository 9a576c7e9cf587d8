"""Buckets themselves: made, found, listed, removed.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import canonical_id
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.access_points import BLOCK_ALL, AccessPoint
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access import acl
from cloudjar.services.s3.buckets import names
from cloudjar.services.s3.buckets.finding import find_bucket, need_bucket, save
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.multipart import finding as uploads
from cloudjar.services.s3.objects.index import index

_US = "us-east-1"


@op("CreateBucket")
def create_bucket(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A bucket under a name that nobody has, in any account."""
    name = req["Bucket"]
    settings = req.get("CreateBucketConfiguration") or {}
    if settings.get("Bucket") or settings.get("Location"):
        raise errors.not_built("A directory bucket")
    if req.get("BucketNamespace") == "account-regional":
        raise errors.not_built("A bucket in the account's regional namespace")
    names.check_name(name)
    location = names.place(settings.get("LocationConstraint") or "", ctx.region)
    held = find_bucket(ctx, name)
    if held is not None:
        return _again(ctx, held, location)
    bucket = Bucket(
        name=name,
        location=location,
        created=ctx.now.replace(microsecond=0),
        tags=tags.from_list(settings.get("Tags") or ()),
        ownership=req.get("ObjectOwnership") or "BucketOwnerEnforced",
        public_access_block=BLOCK_ALL,
        object_lock=bool(req.get("ObjectLockEnabledForBucket")),
        versioning="Enabled" if req.get("ObjectLockEnabledForBucket") else "",
        acl=_first_acl(ctx, req),
    )
    ctx.db[Bucket].add(bucket)
    return _made(bucket)


def _first_acl(ctx: Ctx, req: dict[str, Any]) -> str:
    """The ACL that a bucket is made with: none but the owner's unless ACLs are on, none for all while that is blocked,
    as it is for every new bucket."""
    owner = canonical_id(ctx.account)
    wanted = acl.asked(ctx, req, acl.Parties(owner, owner)) or ""
    if wanted and req.get("ObjectOwnership") in (None, "BucketOwnerEnforced"):
        raise AwsError(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            400,
        )
    if acl.is_public(wanted):
        raise AwsError(
            "InvalidBucketAclWithBlockPublicAccessError",
            "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
            400,
        )
    return wanted


def _again(ctx: Ctx, held: Bucket, location: str) -> dict[str, Any]:
    """The name is taken: fine in us-east-1 for who has it himself, where its ACL is reset as AWS does."""
    if held.account != ctx.account:
        raise AwsError(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again.",
            409,
            members={"BucketName": held.name},
        )
    if held.location == location == ctx.region == _US:
        return _made(save(ctx, replace(held, acl="")))
    raise AwsError(
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
        409,
        members={"BucketName": held.name},
    )


def _made(bucket: Bucket) -> dict[str, Any]:
    here = bucket.location == _US
    return {
        "Location": f"/{bucket.name}" if here else f"http://{bucket.name}.s3.amazonaws.com/",
        "BucketArn": arn_of(bucket),
    }


@op("DeleteBucket")
def delete_bucket(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Gone, when there is nothing in it: no object, no version, no delete marker."""
    bucket = need_bucket(ctx, req)
    objects = index(ctx.world)
    if not objects.is_empty(bucket.name):
        raise _not_empty(bucket)
    if ctx.db.everywhere(AccessPoint, bucket=bucket.name):
        raise AwsError(
            "BucketHasAccessPointsAttached",
            "The bucket you are trying to delete has access points attached. Delete your access points before "
            "deleting the bucket.",
            400,
        )
    objects.forget(bucket.name)
    uploads.forget(ctx, bucket.name)
    ctx.db.at(bucket.account, "")[Bucket].drop(bucket)
    return {}


def _not_empty(bucket: Bucket) -> AwsError:
    message = "The bucket you tried to delete is not empty"
    if bucket.ever_versioned:
        message += ". You must delete all versions in the bucket."
    return AwsError("BucketNotEmpty", message, 409, members={"BucketName": bucket.name})


@op("HeadBucket")
def head_bucket(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a bucket is there, and where."""
    bucket = need_bucket(ctx, req)
    return {"BucketRegion": bucket.location, "BucketArn": arn_of(bucket), "AccessPointAlias": False}


@op("GetBucketLocation")
def get_bucket_location(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The region; nothing at all for us-east-1."""
    location = need_bucket(ctx, req).location
    return {} if location == _US else {"LocationConstraint": location}


@op("ListBuckets")
def list_buckets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The caller's buckets in every region, or of one, or under a prefix."""
    prefix, region = req.get("Prefix") or "", req.get("BucketRegion") or ""
    found = [
        bucket
        for bucket in ctx.db[Bucket].all(**({"location": region} if region else {}))
        if bucket.name.startswith(prefix)
    ]
    told = any(req.get(name) for name in ("MaxBuckets", "ContinuationToken", "Prefix", "BucketRegion"))
    result: dict[str, Any] = {
        "Buckets": [_listed(bucket, told=told) for bucket in found],
        "Owner": {"ID": canonical_owner(ctx)},
    }
    if prefix:
        result["Prefix"] = prefix
    return result


def canonical_owner(ctx: Ctx) -> str:
    """The canonical user id of the caller's account."""
    return canonical_id(ctx.account)


def _listed(bucket: Bucket, *, told: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"Name": bucket.name, "CreationDate": bucket.created}
    if told:
        entry |= {"BucketRegion": bucket.location, "BucketArn": arn_of(bucket)}
    return entry
