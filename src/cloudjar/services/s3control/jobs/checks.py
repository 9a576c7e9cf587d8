"""What CreateJob refuses. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.services.s3control.jobs import doing, manifest
from cloudjar.services.s3control.lookup import invalid_request, not_built

_REPORT = ("Bucket", "Format", "ReportScope")


def check(req: Mapping[str, Any]) -> None:
    """Raises InvalidRequest, and NotImplemented for what jobs cannot do here."""
    operation: dict[str, Any] = {name: given for name, given in req["Operation"].items() if given is not None}
    if len(operation) != 1:
        raise invalid_request("Exactly one operation must be specified")
    kind = next(iter(operation))
    if kind not in doing.BUILT:
        raise not_built(f"A job with the operation {kind}")
    _check_manifest(req, kind)
    report = req["Report"]
    if report["Enabled"] and any(not report.get(name) for name in _REPORT):
        raise invalid_request("Report: Bucket, Format and ReportScope are needed when it is enabled")
    check_one = _CHECKS.get(kind)
    if check_one is not None:
        check_one(operation[kind] or {})


def _check_manifest(req: Mapping[str, Any], kind: str) -> None:
    given, generator = req.get("Manifest"), (req.get("ManifestGenerator") or {}).get("S3JobManifestGenerator")
    if (given is None) == (generator is None):
        raise invalid_request("Either a manifest or a manifest generator must be specified")
    if generator is not None:
        if generator["EnableManifestOutput"] and not generator.get("ManifestOutputLocation"):
            raise invalid_request("ManifestOutputLocation is needed when the manifest is to be written")
        return
    assert given is not None
    fields = given["Spec"].get("Fields") or []
    if given["Spec"]["Format"] == manifest.INVENTORY:
        if fields:
            raise invalid_request("Fields cannot be specified for an inventory report")
        return
    missing = [name for name in ("Bucket", "Key") if name not in fields]
    if kind == doing.REPLICATE and "VersionId" not in fields:
        missing.append("VersionId")
    if missing:
        raise invalid_request(f"Required fields are missing in the schema: {', '.join(missing)}")
    named = [name for name in fields if name != "Ignore"]
    if len(set(named)) != len(named):
        raise invalid_request("A field is named twice in the schema")


def _check_copy(given: Mapping[str, Any]) -> None:
    target = given.get("TargetResource") or ""
    if not target.startswith("arn:aws:s3:::") or "/" in target:
        if ":accesspoint/" in target or target.startswith("arn:aws:s3express"):
            raise not_built("A copy to anything but a bucket")
        raise invalid_request("TargetResource is not the ARN of a bucket")
    new = given.get("NewObjectMetadata") or {}
    if new.get("ContentLength") is not None or new.get("ContentMD5") is not None:
        raise invalid_request("ContentLength and ContentMD5 cannot be specified for a copy")
    if given.get("ObjectLockEventHold") is not None or given.get("AnnotationDirective") is not None:
        raise not_built("Event holds and annotations of objects")
    if given.get("CannedAccessControlList") and given.get("AccessControlGrants"):
        raise invalid_request("Specifying both Canned ACLs and Header Grants is not allowed")
    if any(grant["Permission"] == "WRITE" for grant in given.get("AccessControlGrants") or ()):
        raise invalid_request("WRITE cannot be granted on objects")


def _check_acl(given: Mapping[str, Any]) -> None:
    policy = given.get("AccessControlPolicy") or {}
    if bool(policy.get("CannedAccessControlList")) == bool(policy.get("AccessControlList")):
        raise invalid_request("Either a canned ACL or a list of grants must be specified")


def _check_tagging(given: Mapping[str, Any]) -> None:
    tags = given.get("TagSet") or []
    if len(tags) > 10:
        raise invalid_request("Object tags cannot be greater than 10")
    if len({tag["Key"] for tag in tags}) != len(tags):
        raise invalid_request("Cannot provide multiple Tags with the same key")


def _check_restore(given: Mapping[str, Any]) -> None:
    days = given.get("ExpirationInDays")
    if days is not None and days < 1:
        raise invalid_request("ExpirationInDays must be at least 1")


def _check_retention(given: Mapping[str, Any]) -> None:
    wanted = given["Retention"]
    if (wanted.get("Mode") is None) != (wanted.get("RetainUntilDate") is None):
        raise invalid_request("Retention: Mode and RetainUntilDate go together")
    if wanted.get("EventHold") is not None or wanted.get("EventHoldDuration") is not None:
        raise not_built("Event holds of objects")


def _check_encryption(given: Mapping[str, Any]) -> None:
    if not (given.get("ObjectEncryption") or {}).get("SSEKMS"):
        raise invalid_request("ObjectEncryption must be specified")


_CHECKS = {
    "S3PutObjectCopy": _check_copy,
    "S3PutObjectAcl": _check_acl,
    "S3PutObjectTagging": _check_tagging,
    "S3InitiateRestoreObject": _check_restore,
    "S3PutObjectRetention": _check_retention,
    "S3UpdateObjectEncryption": _check_encryption,
}
