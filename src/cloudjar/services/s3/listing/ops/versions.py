"""ListObjectVersions."""

from __future__ import annotations

from typing import Any

from cloudjar.base.caller import canonical_id
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.listing import walks
from cloudjar.services.s3.listing.ops.objects import restores_at, shown
from cloudjar.services.s3.listing.paging import Spelled, limit_of
from cloudjar.services.s3.objects import version_ids, writing
from cloudjar.services.s3.objects.conditions import modified
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import NULL, Version


@op("ListObjectVersions", pages=False, data=True)
def list_object_versions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A page of versions and delete markers: by key, the newest first."""
    bucket = need_bucket(ctx, req)
    spelled = Spelled(req)
    prefix, delimiter = req.get("Prefix") or "", req.get("Delimiter") or ""
    marker, version_marker = req.get("KeyMarker") or "", req.get("VersionIdMarker") or ""
    if version_marker and not marker:
        raise errors.invalid_argument(
            "A version-id marker cannot be specified without a key marker.", "version-id-marker", version_marker
        )
    limit = limit_of(req.get("MaxKeys"), "maxKeys")
    page = walks.versions(
        index(ctx.world),
        bucket.name,
        prefix=prefix,
        delimiter=delimiter,
        start=spelled.after(marker, prefix, delimiter),
        below=_below(ctx, bucket, marker, version_marker),
        limit=limit,
    )
    told = _told(ctx, req, page, spelled)
    told |= {
        "Name": bucket.name,
        "Prefix": spelled(prefix),
        "Delimiter": spelled(delimiter) if delimiter else None,
        "KeyMarker": spelled(marker),
        "VersionIdMarker": version_marker,
        "MaxKeys": limit,
        "EncodingType": req.get("EncodingType"),
        "IsTruncated": page.more and limit > 0,
    }
    if told["IsTruncated"]:
        last = page.items[-1]
        told["NextKeyMarker"] = spelled(last if isinstance(last, str) else last.key)
        told["NextVersionIdMarker"] = None if isinstance(last, str) else last.id
    return told | writing.charged(ctx, bucket)


def _below(ctx: Ctx, bucket: Bucket, marker: str, version_id: str) -> tuple[str, int] | None:
    """Where to go on inside of a key; None when only a key is given, or the ``null`` version is no more."""
    if not version_id:
        return None
    if version_id == NULL:
        found = index(ctx.world).version(bucket.name, marker, NULL)
        return None if found is None else (marker, found.seq)
    seq = version_ids.seq_of(version_id)
    if seq is None or seq >= 1 << 63:
        raise errors.invalid_argument("Invalid version id specified", "version-id-marker", version_id)
    return marker, seq


def _told(ctx: Ctx, req: dict[str, Any], page: walks.Page, spelled: Spelled) -> dict[str, Any]:
    """Which version is the latest shows by its key being new; the first of a page is asked about."""
    restores = restores_at(ctx, req)
    versions: list[dict[str, Any]] = []
    markers: list[dict[str, Any]] = []
    before = ""
    for place, one in enumerate(page.items):
        if isinstance(one, str):
            continue
        latest = one.key != before if place else index(ctx.world).is_current(one)
        before = one.key
        own = {"VersionId": one.id, "IsLatest": latest}
        if one.marker:
            markers.append(_marker(one, spelled) | own)
        else:
            versions.append(shown(one, spelled, True, restores) | own)
    prefixes = [{"Prefix": spelled(one)} for one in page.items if isinstance(one, str)]
    return {"Versions": versions, "DeleteMarkers": markers, "CommonPrefixes": prefixes}


def _marker(marker: Version, spelled: Spelled) -> dict[str, Any]:
    return {
        "Key": spelled(marker.key),
        "LastModified": modified(marker),
        "Owner": {"ID": canonical_id(marker.owner)},
    }
