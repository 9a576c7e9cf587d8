"""Server-side encryption: whose key seals the key of an object's bytes, what opens it again, and what is told.

The bytes are always encrypted under a random key of their own (`store.blobs`). SSE-S3 seals that key with the
installation's, SSE-KMS with a data key of KMS, asked for in the caller's name; DSSE with both, one around the other;
SSE-C with the client's key, which is kept nowhere.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects import data_keys
from cloudjar.services.s3.objects.data_keys import sealed_with, unsealed_with
from cloudjar.services.s3.objects.rows import Encryption

S3 = "AES256"
KMS = "aws:kms"
DSSE = "aws:kms:dsse"
CUSTOMER = "SSE-C"
_KINDS = (S3, KMS, DSSE)
_WITH_CUSTOMER = "Requests specifying Server Side Encryption with Customer provided keys must provide"


class Customer(NamedTuple):
    """A client's own key and its base64 MD5."""

    key: bytes
    md5: str


class Wanted(NamedTuple):
    """How an object is to be encrypted; `customer` for SSE-C only."""

    sse: Encryption
    customer: Customer | None = None


def wanted(ctx: Ctx, bucket: Bucket, req: Mapping[str, Any]) -> Wanted:
    """What a request asks for, or the bucket's default. Raises InvalidArgument and the like."""
    customer = customer_key(req)
    kind, key_id = req.get("ServerSideEncryption"), req.get("SSEKMSKeyId") or ""
    rule = bucket.encryption or {}
    if customer is not None:
        return _by_customer(customer, kind, key_id, rule)
    if kind is not None and kind not in _KINDS:
        raise errors.invalid_argument(
            "The encryption method specified is not supported", "x-amz-server-side-encryption", kind
        )
    given = _context(req)
    if key_id and kind not in (KMS, DSSE):
        raise errors.invalid_argument(
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : "
            "aws:kms",
            "x-amz-server-side-encryption",
            kind,
        )
    bucket_key = req.get("BucketKeyEnabled")
    if kind is None:
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        kind, key_id = default.get("SSEAlgorithm") or S3, default.get("KMSMasterKeyID") or ""
    if kind == S3:
        return Wanted(Encryption(S3))
    if bucket_key is None:
        bucket_key = bool(rule.get("BucketKeyEnabled"))
    if ctx.caller.kind == "anonymous":
        text = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
        raise errors.invalid_argument(text, "Authorization", "null")
    return Wanted(Encryption(kind, key_id, given, bool(bucket_key) and kind == KMS))


def _by_customer(customer: Customer, kind: str | None, key_id: str, rule: Mapping[str, Any]) -> Wanted:
    if kind or key_id:
        raise errors.invalid_argument(
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
            "x-amz-server-side-encryption",
            kind or "",
        )
    if CUSTOMER in ((rule.get("BlockedEncryptionTypes") or {}).get("EncryptionType") or ()):
        raise errors.access_denied("The bucket does not allow server-side encryption with customer-provided keys")
    return Wanted(Encryption(CUSTOMER, customer_md5=customer.md5), customer)


def customer_key(req: Mapping[str, Any], source: str = "") -> Customer | None:
    """The key that a request brings (`source`: ``CopySource`` for the source's), checked; None when it brings none."""
    algorithm = req.get(f"{source}SSECustomerAlgorithm")
    text = req.get(f"{source}SSECustomerKey")
    md5 = req.get(f"{source}SSECustomerKeyMD5")
    if not (algorithm or text or md5):
        return None
    header = "x-amz-copy-source-server-side-encryption" if source else "x-amz-server-side-encryption"
    if not algorithm:
        raise errors.invalid_argument(
            f"{_WITH_CUSTOMER} a valid encryption algorithm.", f"{header}-customer-algorithm", "null"
        )
    if algorithm != "AES256":
        raise errors.error(
            "InvalidEncryptionAlgorithmError",
            "The Encryption request you specified is not valid. Supported value: AES256.",
            ArgumentName=f"{header}-customer-algorithm",
            ArgumentValue=algorithm,
        )
    if not text:
        raise errors.invalid_argument(f"{_WITH_CUSTOMER} an appropriate secret key.", f"{header}-customer-key", "null")
    key = _decoded(text)
    if len(key) != 32:
        raise errors.invalid_argument(
            "The secret key was invalid for the specified algorithm.", f"{header}-customer-key", "null"
        )
    if not md5:
        raise errors.invalid_argument(
            f"{_WITH_CUSTOMER} the client calculated MD5 of the secret key.", f"{header}-customer-key-MD5", "null"
        )
    if not hmac.compare_digest(hashlib.md5(key, usedforsecurity=False).digest(), _decoded(md5)):
        raise errors.invalid_argument(
            "The calculated MD5 hash of the key did not match the hash that was provided.",
            f"{header}-customer-key-MD5",
            md5,
        )
    return Customer(key, md5)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("latin-1"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _context(req: Mapping[str, Any]) -> str:
    """The encryption context that a request brings, as canonical JSON."""
    text = req.get("SSEKMSEncryptionContext")
    if not text:
        return ""
    try:
        found = json.loads(_decoded(text))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise errors.invalid_argument(
            "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON with "
            "the encryption context key-value pairs",
            "x-amz-server-side-encryption-context",
            text,
        )
    return json.dumps(found, sort_keys=True, separators=(",", ":"))


# -- sealing
def sealed(
    ctx: Ctx, bucket: Bucket, key: str, how: Wanted, blob_key: bytes
) -> tuple[Encryption, bytes]:
    """Seal the key of an object's bytes; gives what is kept of the encryption, and the sealed key. Errors of KMS as S3
    words them."""
    sse = how.sse
    purpose = _purpose(bucket.name, key)
    if sse.kind == S3:
        return sse, ctx.world.sealer.seal(blob_key, purpose)
    if how.customer is not None:
        return sse, sealed_with(how.customer.key, blob_key, purpose)
    fresh = data_keys.generate(ctx, bucket, key, sse)
    inner = sealed_with(fresh.plain, blob_key, purpose)
    if sse.kind == DSSE:
        inner = ctx.world.sealer.seal(inner, purpose)
    return replace(sse, key_id=fresh.key_id, data_key=fresh.wrapped), inner


def as_it_is(target: Bucket, bucket: str, key: str, sse: Encryption) -> Encryption:
    """The encryption of a copy that stays sealed as its source is, under a client's key that nobody has: what it was
    sealed for is kept. Raises AccessDenied where the bucket blocks such keys."""
    blocked = ((target.encryption or {}).get("BlockedEncryptionTypes") or {}).get("EncryptionType") or ()
    if CUSTOMER in blocked:
        raise errors.access_denied("The bucket does not allow server-side encryption with customer-provided keys")
    return replace(sse, context=sse.context or _purpose(bucket, key))


def opened(
    ctx: Ctx, bucket: Bucket, key: str, sse: Encryption | None, box: bytes, customer: Customer | None
) -> bytes:
    """The key of an object's bytes. AccessDenied, or InvalidRequest where a client's key lacks or is too much."""
    sse = sse or Encryption()
    check_customer(sse, customer)
    purpose = _purpose(bucket.name, key)
    found: bytes | None
    if sse.kind == S3:
        found = ctx.world.sealer.open(box, purpose)
    elif customer is not None:
        found = unsealed_with(customer.key, box, sse.context or purpose)
        if found is None:
            raise errors.access_denied()
    else:
        plain = data_keys.decrypt(ctx, bucket, key, sse)
        inner = ctx.world.sealer.open(box, purpose) if sse.kind == DSSE else box
        found = None if inner is None else unsealed_with(plain, inner, purpose)
    if found is None:
        raise AwsError("InternalError", "We encountered an internal error. Please try again.", 500)
    return found


def check_customer(sse: Encryption | None, customer: Customer | None) -> None:
    """Whether a request that reads an object (also HEAD) brings a client's key exactly where one is needed."""
    if sse is None or sse.kind != CUSTOMER:
        if customer is not None:
            raise errors.invalid_request("The encryption parameters are not applicable to this object.")
        return
    if customer is None:
        raise errors.invalid_request(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
        )
    if not hmac.compare_digest(customer.md5.encode("latin-1"), sse.customer_md5.encode("latin-1")):
        raise errors.access_denied()


def _purpose(bucket: str, key: str) -> str:
    return f"s3:{bucket}/{key}"


# -- telling
def shown(sse: Encryption | None, *, context: bool = False) -> dict[str, Any]:
    """The members of an answer that tell of an object's encryption; the context only where it was just given."""
    sse = sse or Encryption()
    if sse.kind == CUSTOMER:
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": sse.customer_md5}
    told: dict[str, Any] = {"ServerSideEncryption": sse.kind}
    if sse.kind != S3:
        told["SSEKMSKeyId"] = sse.key_id
        if sse.bucket_key:
            told["BucketKeyEnabled"] = True
        if context and sse.context:
            told["SSEKMSEncryptionContext"] = base64.b64encode(sse.context.encode()).decode()
    return told
