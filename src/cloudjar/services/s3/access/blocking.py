"""Block Public Access: what a bucket, its account and the access point that is used block between them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.access_points import AccessPoint, AccountPublicAccess
from cloudjar.kit.context import Ctx
from cloudjar.services.s3.buckets.records import Bucket

_WORDS = {
    "BlockPublicAcls": "public access control lists (ACLs)",
    "BlockPublicPolicy": "public policies",
}


def blocks(ctx: Ctx, bucket: Bucket, setting: str, point: AccessPoint | None = None) -> bool:
    """Whether a setting holds for a bucket: the strictest of all that are made for it wins."""
    if (bucket.public_access_block or {}).get(setting):
        return True
    if point is not None and point.public_access_block.get(setting):
        return True
    whole = ctx.db.at(bucket.account, "")[AccountPublicAccess].get(bucket.account)
    return whole is not None and bool(whole.settings.get(setting))


def refused(ctx: Ctx, action: str, resource: str, setting: str) -> AwsError:
    """What is put would be public, and that is blocked."""
    return AwsError(
        "AccessDenied",
        f"User: {ctx.caller.arn} is not authorized to perform: {action} on resource: "
        f'"{resource}" because {_WORDS[setting]} are prevented by the {setting} setting in S3 Block Public Access.',
        403,
    )
