"""Data keys of KMS: made and opened through KMS itself, in the name of who asks S3 (``kms:ViaService`` says so).

With a bucket key the encryption context is the bucket's ARN, and a key that somebody was given lately serves him again
for a while instead of a call. That memory is only a saving: every object keeps its own wrapped key.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects.rows import Encryption

_DEFAULT = "alias/aws/s3"
_VIA = "s3.amazonaws.com"
_NONCE = 12
_SERVES = timedelta(minutes=5)
_REMEMBERED = 1000
_PORT = "s3.bucket-keys"


class DataKey(NamedTuple):
    """A data key: plain, wrapped by KMS, and the ARN of the KMS key."""

    plain: bytes
    wrapped: bytes
    key_id: str


class _Kept(NamedTuple):
    key: DataKey
    until: datetime


def generate(ctx: Ctx, bucket: Bucket, key: str, sse: Encryption) -> DataKey:
    """A data key for an object about to be written, under the KMS key that `sse` names ("" is ``aws/s3``)."""
    memory = (_who(ctx), bucket.name, sse.key_id, sse.context, "")
    kept = _recall(ctx, memory) if sse.bucket_key else None
    if kept is not None:
        return kept
    params = {
        "KeyId": sse.key_id or _DEFAULT,
        "KeySpec": "AES_256",
        "EncryptionContext": _context(bucket, key, sse),
    }
    made = _ask(ctx, bucket, "GenerateDataKey", params)
    fresh = DataKey(made["Plaintext"], made["CiphertextBlob"], made["KeyId"])
    if sse.bucket_key:
        _remember(ctx, memory, fresh)
    return fresh


def decrypt(ctx: Ctx, bucket: Bucket, key: str, sse: Encryption) -> bytes:
    """The plain data key of an object. Raises as KMS refuses, in S3's words."""
    memory = (_who(ctx), bucket.name, sse.key_id, sse.context, sse.data_key.hex())
    kept = _recall(ctx, memory) if sse.bucket_key else None
    if kept is not None:
        return kept.plain
    params = {"CiphertextBlob": sse.data_key, "EncryptionContext": _context(bucket, key, sse), "KeyId": sse.key_id}
    plain: bytes = _ask(ctx, bucket, "Decrypt", params)["Plaintext"]
    if sse.bucket_key:
        _remember(ctx, memory, DataKey(plain, sse.data_key, sse.key_id))
    return plain


def _context(bucket: Bucket, key: str, sse: Encryption) -> dict[str, str]:
    given: dict[str, str] = json.loads(sse.context) if sse.context else {}
    arn = f"arn:aws:s3:::{bucket.name}"
    return {**given, "aws:s3:arn": arn if sse.bucket_key else f"{arn}/{key}"}


def _ask(ctx: Ctx, bucket: Bucket, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    if ctx.region != bucket.location:
        ctx = ctx.at(ctx.account, bucket.location)
    try:
        return ctx.call("kms", operation, params, via=_VIA)
    except AwsError as refused:
        raise _in_words_of_s3(refused) from refused


def _in_words_of_s3(refused: AwsError) -> AwsError:
    if refused.code == "AccessDeniedException":
        return AwsError("AccessDenied", refused.message, 403)
    if refused.code == "ThrottlingException":
        return AwsError("SlowDown", "Please reduce your request rate.", 503)
    return AwsError(f"KMS.{refused.code}", refused.message, 400)


# -- bucket keys
_Memory = tuple[str, str, str, str, str]


def _memory(ctx: Ctx) -> dict[_Memory, _Kept]:
    found: dict[_Memory, _Kept] = ctx.world.ports.setdefault(_PORT, {})
    return found


def _who(ctx: Ctx) -> str:
    """Sessions of one role may differ in what they are allowed: each has an access key of its own."""
    return f"{ctx.caller.arn} {ctx.caller.access_key_id}"


def _recall(ctx: Ctx, memory: _Memory) -> DataKey | None:
    kept = _memory(ctx).get(memory)
    return kept.key if kept is not None and kept.until > ctx.now else None


def _remember(ctx: Ctx, memory: _Memory, key: DataKey) -> None:
    kept = _memory(ctx)
    if len(kept) >= _REMEMBERED:
        kept.clear()
    kept[memory] = _Kept(key, ctx.now + _SERVES)


# -- boxes
def sealed_with(key: bytes, secret: bytes, purpose: str) -> bytes:
    """A small secret under a 32-byte key (AES-256-GCM), bound to a purpose."""
    nonce = ids.entropy(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, secret, purpose.encode())


def unsealed_with(key: bytes, box: bytes, purpose: str) -> bytes | None:
    """What was sealed, or None: with another key, or for something else."""
    try:
        return AESGCM(key).decrypt(box[:_NONCE], box[_NONCE:], purpose.encode())
    except (InvalidTag, ValueError):
        return None
