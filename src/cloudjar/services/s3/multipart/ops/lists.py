"""ListParts, ListMultipartUploads."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.listing.paging import Spelled, limit_of
from cloudjar.services.s3.multipart import finding
from cloudjar.services.s3.multipart.table import uploads
from cloudjar.services.s3.objects import version_ids, writing
from cloudjar.services.s3.objects.conditions import at
from cloudjar.services.s3.objects.rows import Upload


@op("ListParts", pages=False, data=True)
def list_parts(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The parts of an upload by number."""
    bucket = need_bucket(ctx, req)
    upload = finding.need_upload(ctx, bucket, req)
    limit = limit_of(req.get("MaxParts"), "max-parts")
    after = int(req.get("PartNumberMarker") or 0)
    parts = uploads(ctx.world).parts(upload.id, after, limit + 1)
    page = parts[:limit]
    told = {
        "Bucket": bucket.name,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": after,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": bool(limit) and len(parts) > limit,
        "StorageClass": upload.draft.storage_class,
        "Parts": [
            {
                "PartNumber": part.number,
                "LastModified": at(part.modified),
                "ETag": f'"{part.etag}"',
                "Size": part.size,
                **{f"Checksum{name}": value for name, value in part.checksums.items() if name == upload.algorithm},
            }
            for part in page
        ],
        **finding.who(upload),
        **finding.abort_date(bucket, upload),
        **writing.charged(ctx, bucket),
    }
    return told | _checksum(upload)


def _checksum(upload: Upload) -> dict[str, Any]:
    if not upload.algorithm:
        return {}
    return {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}


@op("ListMultipartUploads", pages=False, data=True)
def list_multipart_uploads(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The uploads under way: by key, then as they began."""
    bucket = need_bucket(ctx, req)
    spelled = Spelled(req)
    limit = limit_of(req.get("MaxUploads"), "max-uploads")
    prefix, delimiter = req.get("Prefix") or "", req.get("Delimiter") or ""
    marker, upload_marker = req.get("KeyMarker") or "", req.get("UploadIdMarker") or ""
    below: tuple[str, int] | None = None
    if marker and upload_marker:
        seq = version_ids.seq_of(upload_marker)
        below = (marker, seq) if seq is not None else None
    page = uploads(ctx.world).page(
        bucket.name,
        prefix=prefix,
        delimiter=delimiter,
        start=spelled.after(marker, prefix, delimiter),
        below=below,
        limit=limit,
    )
    told: dict[str, Any] = {
        "Bucket": bucket.name,
        "KeyMarker": spelled(marker),
        "UploadIdMarker": upload_marker,
        "Prefix": spelled(prefix),
        "Delimiter": spelled(delimiter) if delimiter else None,
        "MaxUploads": limit,
        "IsTruncated": page.more and limit > 0,
        "EncodingType": req.get("EncodingType"),
        "Uploads": [_shown(one, spelled) for one in page.items if isinstance(one, Upload)],
        "CommonPrefixes": [{"Prefix": spelled(one)} for one in page.items if isinstance(one, str)],
        **writing.charged(ctx, bucket),
    }
    if page.items and told["IsTruncated"]:
        last = page.items[-1]
        told["NextKeyMarker"] = spelled(last if isinstance(last, str) else last.key)
        told["NextUploadIdMarker"] = "" if isinstance(last, str) else last.id
    return told


def _shown(upload: Upload, spelled: Spelled) -> dict[str, Any]:
    return {
        "UploadId": upload.id,
        "Key": spelled(upload.key),
        "Initiated": at(upload.started),
        "StorageClass": upload.draft.storage_class,
        **finding.who(upload),
        **_checksum(upload),
    }
