"""DeleteObject, DeleteObjects."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access.asking import check_may_match, object_refusal
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.buckets.settings import check_mfa
from cloudjar.services.s3.objects import conditions, finding, integrity
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.removing import Removed, remove, remove_version
from cloudjar.services.s3.objects.writing import charged
from cloudjar.wire.rest import whole

_AT_ONCE = 1000


@op("DeleteObject", data=True, joins=True)
def delete_object(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What is not there is deleted too."""
    bucket = need_bucket(ctx, req)
    if req.get("VersionId") == "":
        raise errors.bad_version_id("")
    if req.get("VersionId") and bucket.mfa_delete == "Enabled":
        check_mfa(ctx, req)
    removed = _remove(ctx, bucket, req, bypass=bool(req.get("BypassGovernanceRetention")))
    told: dict[str, Any] = {}
    if req.get("VersionId"):
        told["VersionId"] = req["VersionId"]
        if removed.gone is not None and removed.gone.marker:
            told["DeleteMarker"] = True
    elif removed.marker is not None:
        told = {"VersionId": removed.marker.id, "DeleteMarker": True}
    return told | charged(ctx, bucket)


def _remove(ctx: Ctx, bucket: Bucket, one: Mapping[str, Any], *, bypass: bool) -> Removed:
    """Delete what ``Key`` and ``VersionId`` name, if its conditions hold."""
    key, version_id = one["Key"], one.get("VersionId")
    _check_unconditional(one)
    check_may_match(ctx, bucket, key, one.get("IfMatch") or one.get("ETag"))
    if not version_id:
        conditions.check_delete(one, index(ctx.world).current(bucket.name, key))
        return remove(ctx, bucket, key)
    found = finding.find_version(ctx, bucket, key, version_id)
    conditions.check_delete(one, index(ctx.world).current(bucket.name, key))
    if found is None:
        return Removed()
    return remove_version(ctx, bucket, found, bypass=bypass)


def _check_unconditional(one: Mapping[str, Any]) -> None:
    """Conditions on size and time belong to directory buckets."""
    for member in ("IfMatchLastModifiedTime", "IfMatchSize", "LastModifiedTime", "Size"):
        if one.get(member) is not None:
            raise errors.error(
                "NotImplemented", "A header you provided implies functionality that is not implemented", 501
            )


@op("DeleteObjects", data=True, joins=True)
def delete_objects(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Up to a thousand at once, each decided and answered by itself."""
    bucket = need_bucket(ctx, req)
    given: list[dict[str, Any]] = req["Delete"]["Objects"]
    if not 1 <= len(given) <= _AT_ONCE:
        raise errors.malformed_xml()
    _check_body(ctx, req)
    if bucket.mfa_delete == "Enabled" and any(one.get("VersionId") for one in given):
        check_mfa(ctx, req)
    deleted: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for one in given:
        try:
            deleted.append(_delete_one(ctx, bucket, one, req))
        except AwsError as error:
            failed.append(_told_error(one, error))
    told: dict[str, Any] = {"Errors": failed}
    if not req["Delete"].get("Quiet"):
        told["Deleted"] = deleted
    return told | charged(ctx, bucket)


def _check_body(ctx: Ctx, req: Mapping[str, Any]) -> None:
    """The list must come with an MD5 or checksum, and be what it says."""
    request = ctx.request
    if request is None:
        return
    headers = request.headers
    asked = integrity.asked(ctx, {**req, **_stated(headers)})
    if not asked.chosen and "content-md5" not in headers:
        raise errors.invalid_request("Missing required header for this request: Content-MD5")
    body = whole(request)
    if "content-md5" in headers:
        integrity.check_md5(headers["content-md5"], hashlib.md5(body, usedforsecurity=False).digest())
    if asked.value:
        integrity.check_value(asked.algorithm, integrity.compute(asked.algorithm, body), asked.value)


def _stated(headers: Mapping[str, str]) -> dict[str, str]:
    """Checksum headers: the model does not name them for this operation."""
    prefix = "x-amz-checksum-"
    return {f"Checksum{name[len(prefix) :].upper()}": text for name, text in headers.items() if name.startswith(prefix)}


def _delete_one(ctx: Ctx, bucket: Bucket, one: dict[str, Any], req: dict[str, Any]) -> dict[str, Any]:
    key, version_id = one["Key"], one.get("VersionId") or ""
    bypass = bool(req.get("BypassGovernanceRetention"))
    actions = ["s3:DeleteObjectVersion" if version_id else "s3:DeleteObject"]
    if bypass:
        actions.append("s3:BypassGovernanceRetention")
    asked = {"VersionId": version_id} if version_id else {}
    if one.get("ETag"):
        asked["IfMatch"] = one["ETag"]
    for action in actions:
        refused = object_refusal(ctx, bucket, key, action, "DeleteObjects", asked, version_id)
        if refused is not None:
            raise refused
    with ctx.world.state.database.transaction():
        removed = _remove(ctx, bucket, one, bypass=bypass)
    told: dict[str, Any] = {"Key": key}
    if version_id:
        told["VersionId"] = version_id
    marker = removed.marker or (removed.gone if removed.gone is not None and removed.gone.marker else None)
    if marker is not None:
        told |= {"DeleteMarker": True, "DeleteMarkerVersionId": marker.id}
    return told


def _told_error(one: Mapping[str, Any], error: AwsError) -> dict[str, Any]:
    told = {"Key": one["Key"], "Code": error.code, "Message": error.message}
    if one.get("VersionId"):
        told["VersionId"] = one["VersionId"]
    return told
