"""S3's condition keys, each worked out when a policy asks for it.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from cloudjar.kit import tags
from cloudjar.kit.access_points import AccessPoint
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.s3.buckets.records import Bucket

ExistingTags = Callable[[], Mapping[str, str]]

_MEMBERS = {
    "s3:delimiter": "Delimiter",
    "s3:if-match": "IfMatch",
    "s3:if-none-match": "IfNoneMatch",
    "s3:max-keys": "MaxKeys",
    "s3:object-lock-legal-hold": "ObjectLockLegalHoldStatus",
    "s3:object-lock-mode": "ObjectLockMode",
    "s3:prefix": "Prefix",
    "s3:versionid": "VersionId",
    "s3:x-amz-acl": "ACL",
    "s3:x-amz-bucket-namespace": "BucketNamespace",
    "s3:x-amz-grant-full-control": "GrantFullControl",
    "s3:x-amz-grant-read": "GrantRead",
    "s3:x-amz-grant-read-acp": "GrantReadACP",
    "s3:x-amz-grant-write": "GrantWrite",
    "s3:x-amz-grant-write-acp": "GrantWriteACP",
    "s3:x-amz-metadata-directive": "MetadataDirective",
    "s3:x-amz-object-ownership": "ObjectOwnership",
    "s3:x-amz-server-side-encryption": "ServerSideEncryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "s3:x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
    "s3:x-amz-storage-class": "StorageClass",
    "s3:x-amz-website-redirect-location": "WebsiteRedirectLocation",
}
_CREATES = frozenset(("PutObject", "CopyObject", "CompleteMultipartUpload", "RenameObject"))
_WRITES_PARTS = frozenset(("CreateMultipartUpload", "UploadPart", "UploadPartCopy"))
_EXISTING = "s3:existingobjecttag/"
_REQUESTED = "s3:requestobjecttag/"


class Keys(Mapping[str, Any]):
    """What a request to S3 brings to policies, by key in lower case.

    `existing` gives the tags of the object that is asked for; `point` is the access point that it came by.
    """

    __slots__ = ("bucket", "ctx", "existing", "operation", "point", "req")

    def __init__(
        self,
        ctx: Ctx,
        operation: str,
        req: Mapping[str, Any],
        bucket: Bucket | None,
        point: AccessPoint | None = None,
        existing: ExistingTags | None = None,
    ) -> None:
        self.ctx = ctx
        self.operation = operation
        self.req = req
        self.bucket = bucket
        self.point = point
        self.existing = existing

    def get(self, key: str, default: Any = None) -> Any:
        member = _MEMBERS.get(key)
        if member is not None:
            return _text(self.req.get(member, default))
        function = _COMPUTED.get(key)
        if function is not None:
            return function(self)
        if "/" in key:
            return self._tag(key)
        return default

    def _tag(self, key: str) -> str | None:
        if key.startswith(_EXISTING):
            held = self.existing() if self.existing is not None else {}
            return _folded(held, key[len(_EXISTING) :])
        if key.startswith(_REQUESTED):
            return _folded(requested_tags(self.req), key[len(_REQUESTED) :])
        if key.startswith("aws:requesttag/") and self.operation == "CreateBucket":
            return _folded(_bucket_tags(self.req), key[15:])
        if key.startswith(("aws:resourcetag/", "s3:buckettag/")):
            held = self.bucket.tags if self.bucket is not None and self.bucket.abac else {}
            return _folded(held, key.partition("/")[2])
        if key.startswith("s3:accesspointtag/") and self.point is not None:
            return _folded(self.point.tags, key[18:])
        return None

    def __getitem__(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        """Every key there is, for whoever wants to show them all."""
        yield from (key for key in (*_MEMBERS, *_COMPUTED) if self.get(key) is not None)
        yield from (f"{_REQUESTED}{name.lower()}" for name in requested_tags(self.req))
        yield from (f"{_EXISTING}{name.lower()}" for name in (self.existing() if self.existing is not None else ()))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        """Without working anything out."""
        return True


def requested_tags(req: Mapping[str, Any]) -> dict[str, str]:
    """The tags that a request gives an object: in a header (``a=1&b=2``) or as XML."""
    given = req.get("Tagging")
    if isinstance(given, str):
        return dict(parse_qsl(given, keep_blank_values=True))
    return tags.from_list(given.get("TagSet") or ()) if isinstance(given, dict) else {}


def _bucket_tags(req: Mapping[str, Any]) -> dict[str, str]:
    return tags.from_list((req.get("CreateBucketConfiguration") or {}).get("Tags") or ())


def _folded(held: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in held.items() if key.lower() == name), None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


# -- how it was signed -----------------------------------------------------------------------------------


def _header(keys: Keys, name: str) -> str | None:
    return None if keys.ctx.request is None else keys.ctx.request.headers.get(name)


def _in_query(keys: Keys) -> bool:
    request = keys.ctx.request
    return request is not None and "X-Amz-Signature=" in request.query


def _auth_type(keys: Keys) -> str | None:
    if keys.ctx.request is None:
        return None
    if _in_query(keys):
        return "REST-QUERY-STRING"
    if _header(keys, ":form"):  # `access.forms.MARK`: which no client can send
        return "POST"
    return "REST-HEADER" if _header(keys, "authorization") else None


def _signature_version(keys: Keys) -> str | None:
    return "AWS4-HMAC-SHA256" if _auth_type(keys) else None


def _signature_age(keys: Keys) -> str | None:
    """Milliseconds since the request was signed."""
    stamp = _header(keys, "x-amz-date")
    request = keys.ctx.request
    if request is not None and "X-Amz-Date=" in request.query:
        stamp = request.query.partition("X-Amz-Date=")[2].partition("&")[0]
    try:
        signed = datetime.strptime(stamp or "", "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return str(max(int((keys.ctx.world.clock.real() - signed).total_seconds() * 1000), 0))


def _tls(keys: Keys) -> str | None:
    request = keys.ctx.request
    if request is None or request.tls is None:
        return None
    return request.tls.agreed()[0].removeprefix("TLSv")


def _payload(keys: Keys) -> str | None:
    if _in_query(keys):
        return _header(keys, "x-amz-content-sha256") or "UNSIGNED-PAYLOAD"
    return _header(keys, "x-amz-content-sha256")


# -- what it is about ------------------------------------------------------------------------------------


def _copy_source(keys: Keys) -> str | None:
    source = keys.req.get("CopySource")
    return unquote(source) if isinstance(source, str) else None


def _owner(keys: Keys) -> str | None:
    return keys.bucket.account if keys.bucket is not None else None


def _location(keys: Keys) -> str | None:
    return _text((keys.req.get("CreateBucketConfiguration") or {}).get("LocationConstraint"))


def _retention(keys: Keys, member: str) -> Any:
    return (keys.req.get("Retention") or {}).get(member)


def _lock_mode(keys: Keys) -> str | None:
    return _text(keys.req.get("ObjectLockMode") or _retention(keys, "Mode"))


def _until(keys: Keys) -> datetime | None:
    found = keys.req.get("ObjectLockRetainUntilDate") or _retention(keys, "RetainUntilDate")
    return found if isinstance(found, datetime) else None


def _until_text(keys: Keys) -> str | None:
    until = _until(keys)
    return None if until is None else until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _remaining_days(keys: Keys) -> str | None:
    until = _until(keys)
    return None if until is None else str(math.ceil((until - keys.ctx.now).total_seconds() / 86_400))


def _legal_hold(keys: Keys) -> str | None:
    return _text(keys.req.get("ObjectLockLegalHoldStatus") or (keys.req.get("LegalHold") or {}).get("Status"))


def _creates(keys: Keys) -> str | None:
    if keys.operation in _CREATES:
        return "true"
    return "false" if keys.operation in _WRITES_PARTS else None


def _inventory_fields(keys: Keys) -> list[str] | None:
    return (keys.req.get("InventoryConfiguration") or {}).get("OptionalFields")


def _tag_names(keys: Keys) -> list[str] | None:
    return list(requested_tags(keys.req)) or None


def _all_tag_names(keys: Keys) -> list[str] | None:
    return list(_bucket_tags(keys.req)) or None


_COMPUTED: dict[str, Callable[[Keys], Any]] = {
    "aws:tagkeys": _all_tag_names,
    "s3:accesspointnetworkorigin": lambda k: None if k.point is None else k.point.origin,
    "s3:authtype": _auth_type,
    "s3:dataaccesspointaccount": lambda k: None if k.point is None else k.point.account,
    "s3:dataaccesspointarn": lambda k: None if k.point is None else arn_of(k.point),
    "s3:inventoryaccessibleoptionalfields": _inventory_fields,
    "s3:locationconstraint": _location,
    "s3:object-lock-legal-hold": _legal_hold,
    "s3:object-lock-mode": _lock_mode,
    "s3:object-lock-remaining-retention-days": _remaining_days,
    "s3:object-lock-retain-until-date": _until_text,
    "s3:objectcreationoperation": _creates,
    "s3:requestobjecttagkeys": _tag_names,
    "s3:resourceaccount": _owner,
    "s3:signatureage": _signature_age,
    "s3:signatureversion": _signature_version,
    "s3:tlsversion": _tls,
    "s3:x-amz-content-sha256": _payload,
    "s3:x-amz-copy-source": _copy_source,
}
for _key in _COMPUTED:
    _MEMBERS.pop(_key, None)
