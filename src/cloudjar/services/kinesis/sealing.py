"""Records under a KMS key: data keys that are used for five minutes, per caller, and asked for again then.

Who puts needs kms:GenerateDataKey, who reads kms:Decrypt. A record keeps the key it was put under.

https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit import data_keys
from cloudjar.kit.context import Ctx
from cloudjar.kit.data_keys import DataKeys, Owner
from cloudjar.services.kinesis.records import Stream
from cloudjar.services.kinesis.rows import rows

_REUSED = 300
OWN = "alias/aws/kinesis"
_CODES = {
    "NotFoundException": "KMSNotFoundException",
    "DisabledException": "KMSDisabledException",
    "KMSInvalidStateException": "KMSInvalidStateException",
    "InvalidKeyUsageException": "KMSInvalidStateException",
    "ThrottlingException": "KMSThrottlingException",
    "AccessDeniedException": "KMSAccessDeniedException",
}
_KEYS = DataKeys("kinesis", context="aws:kinesis:arn", codes=_CODES, thing="record")


def forget(ctx: Ctx) -> None:
    """Ask KMS anew: a stream's settings changed."""
    _KEYS.forget(ctx)


def try_key(ctx: Ctx, stream: Stream) -> None:
    """Make a data key of a stream's KMS key, for nothing. Raises KMS's errors as Kinesis names them."""
    _KEYS.ask(ctx, stream, "GenerateDataKey", {"KeyId": stream.kms_key, "KeySpec": "AES_256"})


def _owner(stream: Stream) -> Owner:
    return Owner(stream, stream.number, stream.kms_key, _REUSED)


def for_putting(ctx: Ctx, stream: Stream) -> tuple[int, Any]:
    """(number of the data key, what seals with it); (0, None) for a stream that is not encrypted."""
    if stream.encryption == "NONE":
        return 0, None
    return _KEYS.to_seal(ctx, _owner(stream), rows(ctx.world))


def sealed(cipher: Any, data: bytes) -> bytes:
    """Data as it is stored."""
    return data if cipher is None else data_keys.sealed(cipher, data)


def opened(ctx: Ctx, stream: Stream, number: int, data: bytes) -> bytes:
    """Data as it was put. Raises KMS's errors as Kinesis names them."""
    if not number:
        return data
    return data_keys.opened(_KEYS.to_open(ctx, _owner(stream), rows(ctx.world), number), data)
