"""GetObject, HeadObject, GetObjectAttributes."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.objects import conditions, encryption, finding, integrity, reading
from cloudjar.services.s3.objects.rows import Version
from cloudjar.services.s3.objects.writing import told_id

_MAX_PARTS = 1000


@op("GetObject", data=True)
def get_object(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An object's bytes, whole or a range, with what is known of it."""
    bucket = need_bucket(ctx, req)
    version = finding.need(ctx, bucket, req)
    customer = encryption.customer_key(req)
    encryption.check_customer(version.sse, customer)
    conditions.check_read(req, version)
    reading.check_readable(ctx, version)
    where = reading.span(req, version)
    told = reading.shown(ctx, bucket, version, req, where)
    told["Body"] = reading.body(ctx, bucket, version, where, customer)
    return told


@op("HeadObject", data=True)
def head_object(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What GetObject would tell, without the bytes; also of archived objects."""
    bucket = need_bucket(ctx, req)
    version = finding.need(ctx, bucket, req, "HEAD")
    encryption.check_customer(version.sse, encryption.customer_key(req))
    conditions.check_read(req, version)
    told = reading.shown(ctx, bucket, version, req, reading.span(req, version))
    if version.archived:
        told["ArchiveStatus"] = version.archived
    return told


@op("GetObjectAttributes", pages=False, data=True)
def get_object_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The parts of an object's description that were asked for."""
    bucket = need_bucket(ctx, req)
    version = finding.need(ctx, bucket, req)
    encryption.check_customer(version.sse, encryption.customer_key(req))
    wanted = {name.strip() for text in req["ObjectAttributes"] for name in text.split(",")}
    if not wanted <= {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}:
        raise errors.invalid_argument("Invalid attribute name specified.", "x-amz-object-attributes")
    told: dict[str, Any] = {"LastModified": conditions.modified(version), "VersionId": told_id(bucket, version)}
    if "ETag" in wanted:
        told["ETag"] = version.etag
    if "Checksum" in wanted and version.checksums:
        told["Checksum"] = integrity.shown(version.checksums, version.checksum_type)
    if "ObjectParts" in wanted and version.parts:
        told["ObjectParts"] = _parts(version, req)
    if "StorageClass" in wanted:
        told["StorageClass"] = version.storage_class
    if "ObjectSize" in wanted:
        told["ObjectSize"] = version.size
    return told


def _parts(version: Version, req: dict[str, Any]) -> dict[str, Any]:
    """Parts are listed where a checksum was asked for, not where there is only the one that all objects have."""
    told: dict[str, Any] = {"TotalPartsCount": version.parts}
    parts = version.content.parts if version.content is not None else ()
    if version.checksum_type != "COMPOSITE" and integrity.DEFAULT in version.checksums:
        return told
    limit = min(int(req.get("MaxParts") or _MAX_PARTS), _MAX_PARTS)
    after = int(req.get("PartNumberMarker") or 0)
    rest = [part for part in parts if part.number > after]
    page = rest[:limit]
    return told | {
        "PartNumberMarker": after,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(rest) > limit,
        "Parts": [
            {
                "PartNumber": part.number,
                "Size": part.size,
                **{f"Checksum{name}": value for name, value in part.checksums.items()},
            }
            for part in page
        ],
    }
