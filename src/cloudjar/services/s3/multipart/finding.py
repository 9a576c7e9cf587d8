"""The upload that a request means, and the key that its parts are wrapped with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cloudjar.base.caller import canonical_id
from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.bill import meters
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.judge import abort_of
from cloudjar.services.s3.lifecycle.rules import rules_of
from cloudjar.services.s3.multipart.table import uploads
from cloudjar.services.s3.objects import encryption
from cloudjar.services.s3.objects.rows import Content, Part, Upload
from cloudjar.services.s3.objects.writing import blobs


def need_upload(ctx: Ctx, bucket: Bucket, req: Mapping[str, Any]) -> Upload:
    """The upload under way that ``Key`` and ``UploadId`` mean. Raises NoSuchUpload."""
    found = uploads(ctx.world).get(bucket.name, req["Key"], req["UploadId"])
    if found is None:
        raise errors.no_upload(req["UploadId"])
    return found


def opened(ctx: Ctx, bucket: Bucket, upload: Upload, req: Mapping[str, Any]) -> bytes:
    """The key under which an upload's parts are wrapped: SSE-C needs the client's with every part, SSE-KMS asks KMS."""
    customer = encryption.customer_key(req)
    sse = upload.draft.sse
    if sse is not None and sse.kind == encryption.CUSTOMER:
        if customer is None:
            raise errors.invalid_request(
                "The multipart upload initiate requested encryption. Subsequent part requests must include the "
                "appropriate encryption parameters."
            )
        if customer.md5 != sse.customer_md5:
            raise errors.invalid_request(
                "The provided encryption parameters did not match the ones used originally."
            )
    content = upload.draft.content or Content()
    return encryption.opened(ctx, bucket, upload.key, sse, content.key, customer)


def abort(ctx: Ctx, upload: Upload) -> None:
    """Give an upload up: it and its parts are gone."""
    release(ctx, drop(ctx, upload))


def drop(ctx: Ctx, upload: Upload) -> list[Part]:
    """Forget an upload; gives its parts, which nobody pays for any more."""
    parts = uploads(ctx.world).drop(upload)
    meters(ctx.world).parts(upload, -sum(part.size for part in parts))
    return parts


def forget(ctx: Ctx, bucket: str) -> None:
    """A bucket is going: so are its uploads."""
    for upload in uploads(ctx.world).every(bucket):
        abort(ctx, upload)
    uploads(ctx.world).forget(bucket)


def release(ctx: Ctx, parts: list[Part]) -> None:
    """Let go of parts' bytes."""
    for part in parts:
        blobs(ctx).drop(part.blob)


def abort_date(bucket: Bucket, upload: Upload) -> dict[str, Any]:
    """``AbortDate`` and ``AbortRuleId``, when the bucket's lifecycle will give it up."""
    found = abort_of(rules_of(bucket), upload.key, upload.started)
    return {} if found is None else {"AbortDate": datetime.fromtimestamp(found[0], UTC), "AbortRuleId": found[1]}


def who(upload: Upload) -> dict[str, dict[str, str]]:
    """``Initiator`` (a user or role session by ARN, else the account) and ``Owner``."""
    account = upload.initiator.endswith(":root") or not upload.initiator.startswith("arn:")
    return {
        "Initiator": {"ID": canonical_id(upload.initiator_account) if account else upload.initiator},
        "Owner": {"ID": canonical_id(upload.draft.owner)},
    }
