"""A bucket's policy.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.auth.authorize import principal
from cloudjar.base.errors import AwsError
from cloudjar.kit.bucket_policies import checked
from cloudjar.kit.context import Ctx
from cloudjar.kit.named_principals import in_force, unique_ids
from cloudjar.kit.operation import op
from cloudjar.kit.public_policies import is_public
from cloudjar.kit.record import arn_of
from cloudjar.policy.document import Document
from cloudjar.policy.evaluate import AccessRequest, Policy, PolicySet, Reason, decide
from cloudjar.services.s3.access.blocking import blocks, refused
from cloudjar.services.s3.buckets.finding import need_bucket, save
from cloudjar.services.s3.buckets.records import Bucket


def need_own(ctx: Ctx, req: dict[str, Any]) -> Bucket:
    """The bucket, for its own account alone: a policy is nobody else's business, whatever it allows."""
    bucket = need_bucket(ctx, req)
    if bucket.account != ctx.account:
        raise AwsError(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
            405,
            members={"Method": ctx.request.method if ctx.request is not None else "", "ResourceType": "BUCKETPOLICY"},
        )
    return bucket


@op("PutBucketPolicy")
def put_bucket_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the policy; a public one is refused where that is blocked."""
    bucket = need_own(ctx, req)
    text = req["Policy"]
    document = checked(ctx, text, arn_of(bucket))
    if is_public(text) and blocks(ctx, bucket, "BlockPublicPolicy"):
        raise refused(ctx, "s3:PutBucketPolicy", arn_of(bucket), "BlockPublicPolicy")
    if not req.get("ConfirmRemoveSelfBucketAccess") and _locks_out(ctx, bucket, document):
        raise AwsError(
            "AccessDenied",
            "The policy would remove your own permission to change it; confirm with "
            "x-amz-confirm-remove-self-bucket-access.",
            403,
        )
    save(ctx, replace(bucket, policy=text, named=unique_ids(ctx, document)))
    return {}


def _locks_out(ctx: Ctx, bucket: Bucket, document: Document) -> bool:
    """Whether the policy denies its author to take it back; root always may."""
    if ctx.caller.kind == "root":
        return False
    request = AccessRequest("s3:PutBucketPolicy", arn_of(bucket), principal(ctx.caller), {}, bucket.account)
    decision = decide(request, PolicySet(resource=Policy(document, "resource")))
    return decision.reason is Reason.EXPLICIT_DENY


@op("GetBucketPolicy")
def get_bucket_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The policy as it was put; who was deleted since goes by his unique id."""
    return {"Policy": _need(ctx, need_own(ctx, req))}


@op("DeleteBucketPolicy")
def delete_bucket_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No policy any more; harmless when there is none."""
    save(ctx, replace(need_own(ctx, req), policy="", named={}))
    return {}


@op("GetBucketPolicyStatus")
def get_bucket_policy_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether the policy is public."""
    return {"PolicyStatus": {"IsPublic": is_public(_need(ctx, need_bucket(ctx, req)))}}


def _need(ctx: Ctx, bucket: Bucket) -> str:
    if not bucket.policy:
        raise AwsError(
            "NoSuchBucketPolicy", "The bucket policy does not exist", 404, members={"BucketName": bucket.name}
        )
    return in_force(ctx, bucket.policy, bucket.named)
