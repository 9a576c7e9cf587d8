"""ListObjects, ListObjectsV2."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from cloudjar.base.caller import canonical_id
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.listing import walks
from cloudjar.services.s3.listing.paging import Spelled, limit_of
from cloudjar.services.s3.objects import writing
from cloudjar.services.s3.objects.conditions import at, modified
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import Version


@op("ListObjects", pages=False, data=True)
def list_objects(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A page of current objects, from a marker on."""
    bucket = need_bucket(ctx, req)
    spelled = Spelled(req)
    prefix, delimiter, marker = req.get("Prefix") or "", req.get("Delimiter") or "", req.get("Marker") or ""
    limit = limit_of(req.get("MaxKeys"), "maxKeys")
    page = walks.current(
        index(ctx.world),
        bucket.name,
        prefix=prefix,
        delimiter=delimiter,
        start=spelled.after(marker, prefix, delimiter),
        limit=limit,
    )
    told = _told(ctx, bucket.name, req, page, spelled, limit, owners=True)
    told["Marker"] = spelled(marker)
    if told["IsTruncated"] and delimiter:  # else the last key is the marker, and AWS does not repeat it
        told["NextMarker"] = spelled(_last(page))
    return told | writing.charged(ctx, bucket)


@op("ListObjectsV2", pages=False, data=True)
def list_objects_v2(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A page of current objects, from a token on."""
    bucket = need_bucket(ctx, req)
    spelled = Spelled(req)
    prefix, delimiter = req.get("Prefix") or "", req.get("Delimiter") or ""
    token, after = req.get("ContinuationToken"), req.get("StartAfter") or ""
    limit = limit_of(req.get("MaxKeys"), "maxKeys")
    page = walks.current(
        index(ctx.world),
        bucket.name,
        prefix=prefix,
        delimiter=delimiter,
        start=spelled.after(after if token is None else _opened(token), prefix, delimiter),
        limit=limit,
    )
    told = _told(ctx, bucket.name, req, page, spelled, limit, owners=bool(req.get("FetchOwner")))
    told |= {"KeyCount": len(page.items), "ContinuationToken": token, "StartAfter": spelled(after) if after else None}
    if told["IsTruncated"]:
        told["NextContinuationToken"] = _token(_last(page))
    return told | writing.charged(ctx, bucket)


def _told(
    ctx: Ctx, bucket: str, req: dict[str, Any], page: walks.Page, spelled: Spelled, limit: int, *, owners: bool
) -> dict[str, Any]:
    delimiter = req.get("Delimiter")
    restores = restores_at(ctx, req)
    return {
        "Name": bucket,
        "Prefix": spelled(req.get("Prefix") or ""),
        "Delimiter": spelled(delimiter) if delimiter else None,
        "MaxKeys": limit,
        "EncodingType": req.get("EncodingType"),
        "IsTruncated": page.more and limit > 0,
        "Contents": [shown(one, spelled, owners, restores) for one in page.items if isinstance(one, Version)],
        "CommonPrefixes": [{"Prefix": spelled(one)} for one in page.items if isinstance(one, str)],
    }


def shown(version: Version, spelled: Spelled, owner: bool, restores: float | None) -> dict[str, Any]:
    """An object as it is listed. `restores`: the instant at which is told whether it is restored; None: not at all."""
    told: dict[str, Any] = {
        "Key": spelled(version.key),
        "LastModified": modified(version),
        "ETag": version.quoted_etag,
        "Size": version.size,
        "StorageClass": version.storage_class,
    }
    if version.checksums:
        told["ChecksumAlgorithm"] = list(version.checksums)
        told["ChecksumType"] = version.checksum_type
    if owner:
        told["Owner"] = {"ID": canonical_id(version.owner)}
    restore = version.restore
    if restores is not None and restore is not None:
        waits = restore.ready > restores
        ends = {} if waits else {"RestoreExpiryDate": at(restore.until)}
        told["RestoreStatus"] = {"IsRestoreInProgress": waits, **ends}
    return told


def restores_at(ctx: Ctx, req: dict[str, Any]) -> float | None:
    """Now, when a request asks for ``RestoreStatus``."""
    return ctx.now.timestamp() if "RestoreStatus" in (req.get("OptionalObjectAttributes") or ()) else None


def _last(page: walks.Page) -> str:
    last = page.items[-1]
    return last if isinstance(last, str) else last.key


def _token(place: str) -> str:
    return base64.urlsafe_b64encode(b"1" + place.encode()).decode()


def _opened(token: str) -> str:
    try:
        raw = base64.b64decode(token.encode(), b"-_", validate=True)
        if raw[:1] == b"1":
            return raw[1:].decode()
    except (binascii.Error, ValueError):
        pass
    raise errors.invalid_argument("The continuation token provided is incorrect", "continuation-token", token)
