"""What an inventory tells of a version: its columns, and the values in each. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from cloudjar.base.caller import canonical_id
from cloudjar.services.s3.access import acl
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.judge import Held, expiry_of
from cloudjar.services.s3.lifecycle.rules import rules_of
from cloudjar.services.s3.objects.rows import Encryption, Version

ALL = ("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker")
CURRENT = ("Bucket", "Key")
BUILT = frozenset(
    (
        "Size", "LastModifiedDate", "ETag", "StorageClass", "IsMultipartUploaded", "ReplicationStatus",
        "EncryptionStatus", "ObjectLockRetainUntilDate", "ObjectLockMode", "ObjectLockLegalHoldStatus",
        "IntelligentTieringAccessTier", "BucketKeyStatus", "ChecksumAlgorithm", "ObjectAccessControlList",
        "ObjectOwner", "LifecycleExpirationDate",
    )
)  # fmt: skip
"""Optional fields that are filled in."""
_SSE = {"AES256": "SSE-S3", "aws:kms": "SSE-KMS", "aws:kms:dsse": "DSSE-KMS", "SSE-C": "SSE-C"}

Value = str | int | bool | datetime | None


class Column(NamedTuple):
    """A column as manifests call it, as Parquet and ORC do, and its type there."""

    name: str
    field: str
    type: str


_TYPES = {
    "Size": "long", "LastModifiedDate": "timestamp", "IsMultipartUploaded": "boolean", "IsLatest": "boolean",
    "IsDeleteMarker": "boolean", "ObjectLockRetainUntilDate": "timestamp", "LifecycleExpirationDate": "timestamp",
}  # fmt: skip
_FIELDS = {"ETag": "e_tag", "IsLatest": "is_latest"}


def columns(configuration: Mapping[str, Any]) -> list[Column]:
    """The columns of an inventory, in order."""
    first = ALL if configuration["IncludedObjectVersions"] == "All" else CURRENT
    names = [*first, *(configuration.get("OptionalFields") or ())]
    return [Column(name, _FIELDS.get(name) or _snake(name), _TYPES.get(name, "string")) for name in names]


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() and place else letter.lower()
                   for place, letter in enumerate(name))  # fmt: skip


def values(bucket: Bucket, version: Version, *, latest: bool, wanted: Sequence[Column]) -> list[Value]:
    """A row."""
    return [_value(bucket, version, column.name, latest=latest) for column in wanted]


def _value(bucket: Bucket, version: Version, name: str, *, latest: bool) -> Value:
    plain: dict[str, Value] = {
        "Bucket": bucket.name,
        "Key": version.key,
        "VersionId": "" if version.id == "null" else version.id,
        "IsLatest": latest,
        "IsDeleteMarker": version.marker,
        "LastModifiedDate": _instant(version.modified),
        "ObjectOwner": canonical_id(version.owner) if version.owner.isdigit() else version.owner,
    }
    if name in plain:
        return plain[name]
    if version.marker:
        return None
    return _of_object(bucket, version, name)


def _of_object(bucket: Bucket, version: Version, name: str) -> Value:
    sse = version.sse or Encryption()
    lock = version.lock
    plain: dict[str, Value] = {
        "Size": version.size,
        "ETag": version.etag,
        "StorageClass": version.storage_class,
        "IsMultipartUploaded": version.parts > 0,
        "ReplicationStatus": version.replication or None,
        "EncryptionStatus": _SSE[sse.kind],
        "BucketKeyStatus": ("ENABLED" if sse.bucket_key else "DISABLED") if sse.kind == "aws:kms" else None,
        "ChecksumAlgorithm": ",".join(version.checksums) or None,
        "ObjectLockMode": (lock.mode or None) if lock is not None else None,
        "ObjectLockRetainUntilDate": _instant(lock.until) if lock is not None and lock.mode else None,
        "ObjectLockLegalHoldStatus": ("On" if lock.hold else "Off") if lock is not None else None,
    }
    if name in plain:
        return plain[name]
    if name == "IntelligentTieringAccessTier":
        return _tier(version) if version.storage_class == "INTELLIGENT_TIERING" else None
    if name == "LifecycleExpirationDate":
        return _expires(bucket, version)
    return _acl(version) if name == "ObjectAccessControlList" else None


_TIERS = {"ARCHIVE_ACCESS": "ARCHIVE", "DEEP_ARCHIVE_ACCESS": "DEEP_ARCHIVE", "INFREQUENT": "INFREQUENT",
          "ARCHIVE_INSTANT": "ARCHIVE_INSTANT_ACCESS", "": "FREQUENT"}  # fmt: skip


def _tier(version: Version) -> str:
    return _TIERS[version.archived or version.tier]


def _expires(bucket: Bucket, version: Version) -> Value:
    held = Held(version.id, version.modified, version.size, version.storage_class, tags=version.tags)
    found = expiry_of(rules_of(bucket), version.key, held)
    return None if found is None else datetime.fromtimestamp(found[0], UTC)


def _acl(version: Version) -> str:
    owner = canonical_id(version.owner)
    grants = [
        {
            "canonicalId" if not grant.grantee.startswith("http") else "uri": grant.grantee,
            "type": "Group" if grant.grantee.startswith("http") else "CanonicalUser",
            "permission": grant.permission,
        }
        for grant in acl.grants(version.acl, owner)
    ]
    text = json.dumps({"version": "2022-11-10", "status": "AVAILABLE", "grants": grants}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def csv_row(row: Sequence[Value], wanted: Sequence[Column]) -> str:
    """A row as text: every value quoted, keys URL-encoded."""
    shown = (_text(value, column.name) for value, column in zip(row, wanted, strict=True))
    return ",".join(f'"{text}"' for text in shown)


def _text(value: Value, name: str) -> str:
    if value is None:
        return ""
    if name == "Key":
        return quote_plus(str(value), safe="/-_.*")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return str(value).replace('"', '""')
