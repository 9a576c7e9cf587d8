"""One task: the call of S3 that a job's operation is for one object, made with the job's role.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-operations.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import batch_objects
from cloudjar.kit.context import Ctx
from cloudjar.services.s3control.jobs.manifest import place_of
from cloudjar.services.s3control.jobs.tasks import Entry, Result
from cloudjar.services.s3control.lookup import find_bucket


class Asked(NamedTuple):
    """An operation of S3 and its request; `bucket` is where it is asked."""

    operation: str
    bucket: str
    request: dict[str, Any]


Given = dict[str, Any]


def _on(entry: Entry, **more: Any) -> dict[str, Any]:
    named = {"Bucket": entry.bucket, "Key": entry.key, **({"VersionId": entry.version} if entry.version else {})}
    return {**named, **{name: value for name, value in more.items() if value is not None}}


def _tag_set(given: list[dict[str, str]] | None) -> list[dict[str, str]]:
    return [{"Key": tag["Key"], "Value": tag["Value"]} for tag in given or ()]


def _tagging(entry: Entry, given: Given) -> Asked:
    return Asked("PutObjectTagging", entry.bucket, _on(entry, Tagging={"TagSet": _tag_set(given.get("TagSet"))}))


def _untagging(entry: Entry, _: Given) -> Asked:
    return Asked("DeleteObjectTagging", entry.bucket, _on(entry))


def _grants(given: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    kinds = {"id": ("CanonicalUser", "ID"), "emailAddress": ("AmazonCustomerByEmail", "EmailAddress"),
             "uri": ("Group", "URI")}  # fmt: skip
    found = []
    for grant in given or ():
        who = grant["Grantee"]
        kind, member = kinds[who["TypeIdentifier"]]
        found.append({"Grantee": {"Type": kind, member: who["Identifier"]}, "Permission": grant["Permission"]})
    return found


def _acl(entry: Entry, given: Given) -> Asked:
    policy = given.get("AccessControlPolicy") or {}
    if policy.get("CannedAccessControlList"):
        return Asked("PutObjectAcl", entry.bucket, _on(entry, ACL=policy["CannedAccessControlList"]))
    listed = policy.get("AccessControlList") or {}
    owner = {name: value for name, value in (listed.get("Owner") or {}).items() if name == "ID"}
    wanted = {"Grants": _grants(listed.get("Grants")), "Owner": owner}
    return Asked("PutObjectAcl", entry.bucket, _on(entry, AccessControlPolicy=wanted))


def _restore(entry: Entry, given: Given) -> Asked:
    tier = {"BULK": "Bulk", "STANDARD": "Standard"}[given.get("GlacierJobTier") or "STANDARD"]
    asked: dict[str, Any] = {"GlacierJobParameters": {"Tier": tier}}
    if given.get("ExpirationInDays"):
        asked["Days"] = given["ExpirationInDays"]
    return Asked("RestoreObject", entry.bucket, _on(entry, RestoreRequest=asked))


def _hold(entry: Entry, given: Given) -> Asked:
    return Asked("PutObjectLegalHold", entry.bucket, _on(entry, LegalHold={"Status": given["LegalHold"]["Status"]}))


def _retention(entry: Entry, given: Given) -> Asked:
    wanted = given["Retention"]
    retention = {name: wanted[name] for name in ("Mode", "RetainUntilDate") if wanted.get(name) is not None}
    bypass = given.get("BypassGovernanceRetention")
    return Asked(
        "PutObjectRetention", entry.bucket, _on(entry, Retention=retention, BypassGovernanceRetention=bypass)
    )


def _encryption(entry: Entry, given: Given) -> Asked:
    return Asked("UpdateObjectEncryption", entry.bucket, _on(entry, ObjectEncryption=given.get("ObjectEncryption")))


_HEADERS = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")


def _copy(entry: Entry, given: Given) -> Asked:
    bucket = place_of(given["TargetResource"])[0]
    prefix = given.get("TargetKeyPrefix")
    source = f"{entry.bucket}/{quote(entry.key)}" + (f"?versionId={entry.version}" if entry.version else "")
    request = {
        "Bucket": bucket,
        "Key": f"{prefix.rstrip('/')}/{entry.key}" if prefix else entry.key,
        "CopySource": source,
        "ACL": given.get("CannedAccessControlList"),
        "StorageClass": given.get("StorageClass") or "STANDARD",
        "CopySourceIfModifiedSince": given.get("ModifiedSinceConstraint"),
        "CopySourceIfUnmodifiedSince": given.get("UnModifiedSinceConstraint"),
        "WebsiteRedirectLocation": given.get("RedirectLocation"),
        "ObjectLockLegalHoldStatus": given.get("ObjectLockLegalHoldStatus"),
        "ObjectLockMode": given.get("ObjectLockMode"),
        "ObjectLockRetainUntilDate": given.get("ObjectLockRetainUntilDate"),
        "BucketKeyEnabled": given.get("BucketKeyEnabled"),
        "ChecksumAlgorithm": given.get("ChecksumAlgorithm"),
        "RequestPayer": "requester" if given.get("RequesterPays") else None,
        **_described(given),
        **_granted(given.get("AccessControlGrants")),
    }
    return Asked("CopyObject", bucket, {name: value for name, value in request.items() if value is not None})


def _described(given: Given) -> dict[str, Any]:
    """Metadata, tags and encryption of a copy."""
    told: dict[str, Any] = {}
    new = given.get("NewObjectMetadata") or {}
    if given.get("MetadataDirective") == "REPLACE" or (new and not given.get("MetadataDirective")):
        told["MetadataDirective"] = "REPLACE"
        told |= {name: new[name] for name in _HEADERS if new.get(name) is not None}
        told["Metadata"] = dict(new.get("UserMetadata") or {})
        if new.get("HttpExpiresDate") is not None:
            told["Expires"] = new["HttpExpiresDate"]
    if given.get("NewObjectTagging") is not None:
        told["TaggingDirective"] = "REPLACE"
        told["Tagging"] = urlencode([(tag["Key"], tag["Value"]) for tag in given["NewObjectTagging"]])
    algorithm = new.get("SSEAlgorithm")
    if given.get("SSEAwsKmsKeyId"):
        told |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": given["SSEAwsKmsKeyId"]}
    elif algorithm:
        told["ServerSideEncryption"] = "aws:kms" if algorithm == "KMS" else "AES256"
    return told


_MEMBERS = {"FULL_CONTROL": "GrantFullControl", "READ": "GrantRead", "READ_ACP": "GrantReadACP",
            "WRITE_ACP": "GrantWriteACP"}  # fmt: skip


def _granted(grants: list[dict[str, Any]] | None) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for grant in grants or ():
        who = grant["Grantee"]
        found.setdefault(_MEMBERS[grant["Permission"]], []).append(f'{who["TypeIdentifier"]}="{who["Identifier"]}"')
    return {member: ", ".join(listed) for member, listed in found.items()}


ASKS: dict[str, Callable[[Entry, Given], Asked]] = {
    "S3PutObjectCopy": _copy,
    "S3PutObjectTagging": _tagging,
    "S3DeleteObjectTagging": _untagging,
    "S3PutObjectAcl": _acl,
    "S3InitiateRestoreObject": _restore,
    "S3PutObjectLegalHold": _hold,
    "S3PutObjectRetention": _retention,
    "S3UpdateObjectEncryption": _encryption,
}
REPLICATE = "S3ReplicateObject"
BUILT = frozenset((*ASKS, REPLICATE))
"""Operations that jobs can carry out."""


def do(ctx: Ctx, role: Caller, kind: str, given: Given, entry: Entry) -> Result:
    """Carry one task out; `ctx` is the job's own."""
    try:
        if kind == REPLICATE:
            batch_objects.replicate(_at(ctx, role, entry.bucket), entry.bucket, entry.key, entry.version)
        else:
            asked = ASKS[kind](entry, given)
            _at(ctx, role, asked.bucket).call("s3", asked.operation, asked.request, caller=role)
    except AwsError as error:
        return Result(error.status or 400, error.code, error.message)
    return Result(200, "", "Successful")


def _at(ctx: Ctx, role: Caller, name: str) -> Ctx:
    bucket = find_bucket(ctx, name)
    region = ctx.region if bucket is None else bucket.location
    return Ctx(ctx.world, role.account, region, role)
