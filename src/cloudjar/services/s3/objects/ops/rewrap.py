"""UpdateObjectEncryption.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/update-sse-encryption.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.objects import encryption, finding, writing
from cloudjar.services.s3.objects.encryption import Wanted
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import Content, Encryption


@op("UpdateObjectEncryption")
def update_object_encryption(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The key of an object's bytes is sealed by another key; the bytes, ETag and date stay as they are."""
    bucket = need_bucket(ctx, req)
    version = finding.need(ctx, bucket, req, "PUT")
    asked = req["ObjectEncryption"].get("SSEKMS")
    if not asked:
        raise errors.malformed_xml()
    kind = version.sse.kind if version.sse is not None else encryption.S3
    if kind not in (encryption.S3, encryption.KMS):
        raise errors.invalid_request(
            "The encryption type of objects that are encrypted with customer-provided keys or in two layers cannot be "
            "updated."
        )
    content = version.content or Content()
    key = encryption.opened(ctx, bucket, version.key, version.sse, content.key, None)
    how = Wanted(Encryption(encryption.KMS, asked["KMSKeyArn"], "", bool(asked.get("BucketKeyEnabled"))))
    sse, sealed = encryption.sealed(ctx, bucket, version.key, how, key)
    index(ctx.world).change(replace(version, sse=sse, content=replace(content, key=sealed)))
    return writing.charged(ctx, bucket)
