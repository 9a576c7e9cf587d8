"""Small settings of a bucket: versioning, encryption, tags, who pays, acceleration, ABAC.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html and its neighbours
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.auth.mfa import Mfa, Verdict
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket, save
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.buckets.tagging import checked_tags

# -- versioning ------------------------------------------------------------------------------------------


@op("PutBucketVersioning")
def put_bucket_versioning(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Turn versioning on, or off for what comes; MFA delete takes root and a code."""
    bucket = need_bucket(ctx, req)
    given = req["VersioningConfiguration"]
    status, mfa_delete = given.get("Status"), given.get("MFADelete")
    if not status:
        raise AwsError(
            "IllegalVersioningConfigurationException",
            "The Versioning element must be specified",
            400,
        )
    if status == "Suspended" and bucket.object_lock:
        raise AwsError(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            409,
        )
    wanted = {"Enabled": "Enabled", "Disabled": "Suspended"}.get(mfa_delete or "", bucket.mfa_delete)
    if bucket.mfa_delete == "Enabled" or mfa_delete == "Enabled":
        check_mfa(ctx, req)
    save(ctx, replace(bucket, versioning=status, mfa_delete=wanted))
    return {}


def check_mfa(ctx: Ctx, req: dict[str, Any]) -> None:
    """Raise AccessDenied unless the root user gave a right code (``x-amz-mfa: serial code``)."""
    serial, _, code = str(req.get("MFA") or "").partition(" ")
    if not code:
        raise errors.access_denied("Mfa Authentication must be used for this request")
    if ctx.caller.kind != "root":
        raise errors.access_denied()
    devices: Mfa = ctx.world.ports["mfa"]()
    verdict = devices.verify(ctx.caller, serial, code.strip())
    if verdict is not Verdict.RIGHT:

        def count() -> None:
            devices.verify(ctx.caller, serial, code.strip())

        # The refusal undoes all that the call wrote, also that a wrong code was tried: that is counted once more.
        ctx.world.state.database.on_rollback(count)
        raise errors.access_denied("The MFA authentication code is not valid")


@op("GetBucketVersioning")
def get_bucket_versioning(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Nothing at all for a bucket that never was versioned."""
    bucket = need_bucket(ctx, req)
    found: dict[str, Any] = {"Status": bucket.versioning} if bucket.versioning else {}
    if bucket.mfa_delete:
        found["MFADelete"] = "Enabled" if bucket.mfa_delete == "Enabled" else "Disabled"
    return found


# -- encryption ------------------------------------------------------------------------------------------

_SSE_S3 = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}


def encryption_rule(bucket: Bucket) -> dict[str, Any]:
    """The rule by which objects are encrypted that do not say: SSE-S3 unless the bucket has one."""
    return bucket.encryption or _SSE_S3


@op("PutBucketEncryption")
def put_bucket_encryption(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the one rule."""
    bucket = need_bucket(ctx, req)
    rules: list[dict[str, Any]] = req["ServerSideEncryptionConfiguration"].get("Rules") or []
    if len(rules) != 1:
        raise errors.malformed_xml()
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {"SSEAlgorithm": "AES256"}
    algorithm = default["SSEAlgorithm"]
    if algorithm not in ("AES256", "aws:kms", "aws:kms:dsse"):
        raise errors.not_built(f"Default encryption with {algorithm}")
    if algorithm == "AES256" and default.get("KMSMasterKeyID"):
        raise errors.invalid_argument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        )
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bool(rules[0].get("BucketKeyEnabled"))}
    blocked = rules[0].get("BlockedEncryptionTypes")
    if blocked:
        rule["BlockedEncryptionTypes"] = blocked
    save(ctx, replace(bucket, encryption=rule))
    return {}


@op("GetBucketEncryption")
def get_bucket_encryption(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The rule; every bucket has one."""
    return {"ServerSideEncryptionConfiguration": {"Rules": [encryption_rule(need_bucket(ctx, req))]}}


@op("DeleteBucketEncryption")
def delete_bucket_encryption(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Back to SSE-S3."""
    save(ctx, replace(need_bucket(ctx, req), encryption=None))
    return {}


# -- tags ------------------------------------------------------------------------------------------------


@op("PutBucketTagging")
def put_bucket_tagging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the tags."""
    bucket = need_bucket(ctx, req)
    save(ctx, replace(bucket, tags=checked_tags(req["Tagging"].get("TagSet") or (), 50)))
    return {}


@op("GetBucketTagging")
def get_bucket_tagging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags; a bucket without any has no tag set."""
    bucket = need_bucket(ctx, req)
    if not bucket.tags:
        raise AwsError("NoSuchTagSet", "The TagSet does not exist", 404, members={"BucketName": bucket.name})
    return {"TagSet": tags.as_list(bucket.tags)}


@op("DeleteBucketTagging")
def delete_bucket_tagging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No tags."""
    save(ctx, replace(need_bucket(ctx, req), tags={}))
    return {}


# -- who pays, acceleration, ABAC ------------------------------------------------------------------------


@op("PutBucketRequestPayment")
def put_bucket_request_payment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say who pays for requests."""
    save(ctx, replace(need_bucket(ctx, req), request_payment=req["RequestPaymentConfiguration"]["Payer"]))
    return {}


@op("GetBucketRequestPayment")
def get_bucket_request_payment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who pays."""
    return {"Payer": need_bucket(ctx, req).request_payment}


@op("PutBucketAccelerateConfiguration")
def put_bucket_accelerate_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Accepted and remembered; there is no edge here that could be nearer."""
    bucket = need_bucket(ctx, req)
    status = req["AccelerateConfiguration"].get("Status")
    if not status:
        raise errors.malformed_xml()
    if "." in bucket.name:
        raise errors.invalid_request(
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        )
    save(ctx, replace(bucket, accelerate=status))
    return {}


@op("GetBucketAccelerateConfiguration")
def get_bucket_accelerate_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Nothing for a bucket where it never was on."""
    status = need_bucket(ctx, req).accelerate
    return {"Status": status} if status else {}


@op("PutBucketAbac")
def put_bucket_abac(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say whether the bucket's tags count in policies."""
    save(ctx, replace(need_bucket(ctx, req), abac=req["AbacStatus"].get("Status") == "Enabled"))
    return {}


@op("GetBucketAbac")
def get_bucket_abac(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether they do."""
    return {"AbacStatus": {"Status": "Enabled" if need_bucket(ctx, req).abac else "Disabled"}}
