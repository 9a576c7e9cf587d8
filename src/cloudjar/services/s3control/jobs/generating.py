"""Manifests that a job makes itself: what a bucket holds, as its filter says, written beside when it is asked for.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_S3JobManifestGenerator.html
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from cloudjar.auth.authorize import Authorizer, Denied
from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import batch_objects
from cloudjar.kit.batch_objects import Listed
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant
from cloudjar.services.s3control.jobs.manifest import BadManifestError, place_of
from cloudjar.services.s3control.jobs.records import Job
from cloudjar.services.s3control.jobs.tasks import Entry
from cloudjar.services.s3control.lookup import find_bucket

_FORM = "S3InventoryReport_CSV_20211130"


def generate(ctx: Ctx, role: Caller, job: Job, given: Mapping[str, Any]) -> tuple[list[Entry], dict[str, Any] | None]:
    """The objects of a generator's bucket that it is about, and where they were listed. Raises `BadManifestError`."""
    name = place_of(given["SourceBucket"])[0]
    bucket = find_bucket(ctx, name)
    if bucket is None:
        raise BadManifestError("NoSuchBucket", "The source bucket of the manifest does not exist")
    if given.get("ExpectedBucketOwner") and given["ExpectedBucketOwner"] != bucket.account:
        raise BadManifestError("AccessDenied", "The source bucket is not the expected owner's")
    _ask(Ctx(ctx.world, role.account, bucket.location, role), name, bucket.account, getattr(bucket, "policy", ""))
    wanted = chooser(given.get("Filter") or {})
    listed = [one for one in batch_objects.walk(ctx, name) if wanted(one)]
    entries = [Entry(name, one.key, one.version) for one in listed]
    if not entries:
        raise BadManifestError("ManifestGenerationFailed", "No objects match the filter of the manifest generator")
    return entries, _written(ctx, role, job, given, entries) if given["EnableManifestOutput"] else None


def _ask(ctx: Ctx, name: str, owner: str, policy: str) -> None:
    """A generated manifest is an inventory that the job's role must be allowed to ask for."""
    authorizer: Authorizer = ctx.world.ports["authorize"]
    asked = Grant("s3:PutInventoryConfiguration", f"arn:aws:s3:::{name}", None, policy, owner)
    try:
        authorizer(ctx, "s3", [asked])
    except Denied as error:
        raise BadManifestError("AccessDenied", "The role may not list the source bucket") from error


def chooser(given: Mapping[str, Any]) -> Callable[[Listed], bool]:
    """What a filter lets through: every condition that it states."""
    tests: list[Callable[[Listed], bool]] = [*_of_times(given), *_of_names(given)]
    if given.get("EligibleForReplication") is not None:
        tests.append(lambda one: one.eligible == given["EligibleForReplication"])
    if given.get("ObjectReplicationStatuses"):
        statuses = given["ObjectReplicationStatuses"]
        tests.append(lambda one: (one.replication or "NONE") in statuses)
    if given.get("ObjectSizeGreaterThanBytes") is not None:
        tests.append(lambda one: one.size > given["ObjectSizeGreaterThanBytes"])
    if given.get("ObjectSizeLessThanBytes") is not None:
        tests.append(lambda one: one.size < given["ObjectSizeLessThanBytes"])
    if given.get("MatchAnyStorageClass"):
        classes = given["MatchAnyStorageClass"]
        tests.append(lambda one: one.storage_class in classes)
    if given.get("MatchAnyObjectEncryption"):
        kinds = given["MatchAnyObjectEncryption"]
        tests.append(lambda one: any(_encrypted(one, kind) for kind in kinds))
    if not (given.get("EligibleForReplication") or given.get("ObjectReplicationStatuses")):
        tests.append(lambda one: one.latest)
    return lambda one: all(test(one) for test in tests)


def _of_times(given: Mapping[str, Any]) -> list[Callable[[Listed], bool]]:
    tests: list[Callable[[Listed], bool]] = []
    after: datetime | None = given.get("CreatedAfter")
    before: datetime | None = given.get("CreatedBefore")
    if after is not None:
        tests.append(lambda one: one.modified > after.timestamp())
    if before is not None:
        tests.append(lambda one: one.modified < before.timestamp())
    return tests


def _of_names(given: Mapping[str, Any]) -> list[Callable[[Listed], bool]]:
    names = given.get("KeyNameConstraint") or {}
    tests: list[Callable[[Listed], bool]] = []
    if names.get("MatchAnyPrefix"):
        tests.append(lambda one: one.key.startswith(tuple(names["MatchAnyPrefix"])))
    if names.get("MatchAnySuffix"):
        tests.append(lambda one: one.key.endswith(tuple(names["MatchAnySuffix"])))
    if names.get("MatchAnySubstring"):
        tests.append(lambda one: any(text in one.key for text in names["MatchAnySubstring"]))
    return tests


def _encrypted(one: Listed, given: Mapping[str, Any]) -> bool:
    kind, more = next(iter(given.items()))
    if one.encryption != kind:
        return False
    more = more or {}
    if more.get("KmsKeyArn") and more["KmsKeyArn"] != one.kms_key:
        return False
    return more.get("BucketKeyEnabled") is None or more["BucketKeyEnabled"] == one.bucket_key


def _written(ctx: Ctx, role: Caller, job: Job, given: Mapping[str, Any], entries: list[Entry]) -> dict[str, Any]:
    """The manifest as an inventory in the bucket that is to have it; where it lies."""
    where = given["ManifestOutputLocation"]
    bucket = place_of(where["Bucket"])[0]
    there = find_bucket(ctx, bucket)
    at = ctx if there is None else ctx.at(ctx.account, there.location)
    prefix = (where.get("ManifestPrefix") or "").strip("/")
    folder = f"{prefix}/{job.id}" if prefix else job.id
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows((e.bucket, quote(e.key), e.version) for e in entries)
    data = gzip.compress(out.getvalue().encode(), mtime=0)
    name = f"{folder}/manifest-{ids.uuid4()}.csv.gz"
    told = {
        "sourceBucket": entries[0].bucket,
        "destinationBucket": f"arn:aws:s3:::{bucket}",
        "version": "2021-11-30",
        "creationTimestamp": str(int(ctx.now.timestamp() * 1000)),
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId",
        "files": [{"key": name, "size": len(data),
                   "MD5checksum": hashlib.md5(data, usedforsecurity=False).hexdigest()}],
    }  # fmt: skip
    more: dict[str, Any] = _encryption(where.get("ManifestEncryption") or {})
    if where.get("ExpectedManifestBucketOwner"):
        more["ExpectedBucketOwner"] = where["ExpectedManifestBucketOwner"]
    try:
        at.call("s3", "PutObject", {"Bucket": bucket, "Key": name, "Body": data, **more}, caller=role)
        key = f"{folder}/manifest.json"
        put = {"Bucket": bucket, "Key": key, "Body": msgspec.json.encode(told), **more}
        answer = at.call("s3", "PutObject", put, caller=role)
    except AwsError as error:
        raise BadManifestError(error.code, f"The manifest could not be written: {error.message}"[:256]) from error
    place = {"ObjectArn": f"arn:aws:s3:::{bucket}/{key}", "ETag": answer["ETag"].strip('"')}
    if answer.get("VersionId"):
        place["ObjectVersionId"] = answer["VersionId"]
    return {"Format": _FORM, "Location": place}


def _encryption(given: Mapping[str, Any]) -> dict[str, str]:
    if given.get("SSEKMS") is not None:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": given["SSEKMS"]["KeyId"]}
    return {"ServerSideEncryption": "AES256"} if given.get("SSES3") is not None else {}
