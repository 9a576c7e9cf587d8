"""One line of a server access log. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl, quote

from cloudjar.base.caller import Caller, canonical_id
from cloudjar.kit.observing import Seen
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.wire.message import Request

_OPERATIONS = {
    "PutObject": "REST.PUT.OBJECT", "GetObject": "REST.GET.OBJECT", "HeadObject": "REST.HEAD.OBJECT",
    "DeleteObject": "REST.DELETE.OBJECT", "CopyObject": "REST.COPY.OBJECT", "PostObject": "REST.POST.OBJECT",
    "DeleteObjects": "REST.POST.MULTI_OBJECT_DELETE", "ListObjects": "REST.GET.BUCKET",
    "ListObjectsV2": "REST.GET.BUCKET", "ListObjectVersions": "REST.GET.BUCKETVERSIONS",
    "CreateMultipartUpload": "REST.POST.UPLOADS", "UploadPart": "REST.PUT.PART", "UploadPartCopy": "REST.COPY.PART",
    "CompleteMultipartUpload": "REST.POST.UPLOAD", "AbortMultipartUpload": "REST.DELETE.UPLOAD",
    "ListParts": "REST.GET.UPLOAD", "ListMultipartUploads": "REST.GET.UPLOADS", "HeadBucket": "REST.HEAD.BUCKET",
    "DeleteBucket": "REST.DELETE.BUCKET", "SelectObjectContent": "REST.POST.OBJECT_SELECT",
    "RestoreObject": "REST.POST.RESTORE",
}  # fmt: skip
_SUBRESOURCES = (
    "accelerate", "acl", "analytics", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold",
    "lifecycle", "location", "logging", "metrics", "notification", "object-lock", "ownershipControls", "policy",
    "policyStatus", "publicAccessBlock", "replication", "requestPayment", "retention", "tagging", "versioning",
    "website", "attributes",
)  # fmt: skip


def operation(seen: Seen) -> str:
    """What was asked for, in the log's words: ``REST.GET.OBJECT``."""
    known = _OPERATIONS.get(seen.operation)
    if known is not None:
        return known
    request = seen.ctx.request
    method, query = (request.method, request.query) if request is not None else ("GET", "")
    named = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    found = next((one for one in _SUBRESOURCES if one in named), "bucket")
    return f"REST.{method}.{found.replace('-', '_').upper()}"


def requester(caller: Caller) -> str:
    """Who asked: a canonical id for root, an ARN for others, "-" for anybody."""
    if caller.kind == "anonymous":
        return "-"
    return canonical_id(caller.account) if caller.kind == "root" else caller.arn


def stamp(at: datetime) -> str:
    """``[06/Feb/2019:00:00:38 +0000]``."""
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"[{at.day:02d}/{months[at.month - 1]}/{at.year}:{at:%H:%M:%S} +0000]"


def line(
    seen: Seen, bucket: Bucket, status: int, received: int, sent: int, headers: Mapping[str, str]
) -> str:
    """The line of an answer."""
    ctx = seen.ctx
    request = ctx.request
    assert request is not None
    key = seen.req.get("Key")
    took = str(max(round(seen.seconds * 1000), 1))
    whole = headers.get("content-range", "").rpartition("/")[2] or (str(sent) if status == 200 and sent else "")
    size = str(received) if seen.operation in ("PutObject", "UploadPart") and received else whole
    uri = f"{request.method} {request.path}{'?' + request.query if request.query else ''} HTTP/1.1"
    tls = request.tls.agreed() if request.tls is not None else ("", "")
    version_id = seen.req.get("VersionId") or headers.get("x-amz-version-id") or ""
    fields = (
        bucket.owner_id, bucket.name, stamp(ctx.now), request.peer, requester(ctx.caller), ctx.request_id,
        operation(seen), quote(key, safe="/-_.~") if isinstance(key, str) else "", _quoted(uri), str(status),
        seen.error, str(sent or ""), size if isinstance(key, str) else "", took, took,
        _quoted(request.headers.get("referer", "")), _quoted(request.headers.get("user-agent", "")), version_id,
        headers.get("x-amz-id-2", ""), _signature(request), tls[1], _authentication(request),
        request.headers.get("host", ""), tls[0], "", "",
    )  # fmt: skip
    return " ".join(field or "-" for field in fields)


def _quoted(text: str) -> str:
    if not text:
        return '"-"'
    clean = "".join(c if c.isprintable() and c != '"' else quote(c) for c in text)
    return f'"{clean}"'


def _signature(request: Request) -> str:
    held = request.headers.get("authorization", "")
    if held.startswith("AWS4-") or "X-Amz-Signature" in request.query:
        return "SigV4"
    return "SigV2" if held.startswith("AWS ") or "Signature=" in request.query else ""


def _authentication(request: Request) -> str:
    if request.headers.get("authorization"):
        return "AuthHeader"
    return "QueryString" if "Signature=" in request.query else ""


def expired(bucket: Bucket, event: str, key: str, size: int, version_id: str, at: datetime, request_id: str) -> str:
    """The line of what lifecycle did (``S3.EXPIRE.OBJECT``)."""
    fields = [bucket.owner_id, bucket.name, stamp(at), "", "AmazonS3", request_id, event,
              quote(key, safe="/-_.~"), '"-"', "", "", "", str(size), "", "", '"-"', '"-"', version_id]  # fmt: skip
    return " ".join(field or "-" for field in [*fields, *[""] * 8])
