"""Records under a KMS key: data keys that are used for five minutes, per caller, and asked for again then.

Who puts needs kms:GenerateDataKey, who reads kms:Decrypt. A record keeps the key it was put under.

https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.kinesis.records import Stream
from cloudjar.services.kinesis.rows import rows

_NONCE = 12
_REUSED = 300
_PORT = "kinesis.data_keys"
_VIA = "kinesis.amazonaws.com"
OWN = "alias/aws/kinesis"
_CODES = {
    "NotFoundException": "KMSNotFoundException",
    "DisabledException": "KMSDisabledException",
    "KMSInvalidStateException": "KMSInvalidStateException",
    "InvalidKeyUsageException": "KMSInvalidStateException",
    "ThrottlingException": "KMSThrottlingException",
    "AccessDeniedException": "KMSAccessDeniedException",
}
_Cached = dict[tuple[Any, ...], tuple[float, int, Any]]


def _cached(ctx: Ctx) -> _Cached:
    held: _Cached = ctx.world.ports.setdefault(_PORT, {})
    return held


def forget(ctx: Ctx) -> None:
    """Ask KMS anew: a stream's settings changed."""
    ctx.world.ports.pop(_PORT, None)


def kms(ctx: Ctx, stream: Stream, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """Ask KMS in the caller's name. Raises its errors as Kinesis names them."""
    context = {"aws:kinesis:arn": ctx.arn(stream)}
    try:
        return ctx.call("kms", operation, {**params, "EncryptionContext": context}, via=_VIA)
    except AwsError as error:
        code = _CODES.get(error.code)
        if code is None:
            raise
        raise AwsError(code, error.message, 400) from error


def _aead(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # some 20 ms, for those who use it

    return AESGCM(key)


def for_putting(ctx: Ctx, stream: Stream) -> tuple[int, Any]:
    """(number of the data key, what seals with it); (0, None) for a stream that is not encrypted."""
    if stream.encryption == "NONE":
        return 0, None
    cached, now = _cached(ctx), ctx.now.timestamp()
    place = (stream.number, stream.kms_key, ctx.caller.arn)
    found = cached.get(place)
    if found is not None and found[0] > now:
        return found[1], found[2]
    made = kms(ctx, stream, "GenerateDataKey", {"KeyId": stream.kms_key, "KeySpec": "AES_256"})
    number = rows(ctx.world).new_key(stream.number, made["KeyId"], made["CiphertextBlob"])
    cipher = _aead(made["Plaintext"])
    cached[place] = (now + _REUSED, number, cipher)
    ctx.world.state.database.on_rollback(lambda: _drop(cached, place))
    return number, cipher


def _drop(cached: _Cached, place: tuple[Any, ...]) -> None:
    cached.pop(place, None)


def sealed(cipher: Any, data: bytes) -> bytes:
    """Data as it is stored."""
    if cipher is None:
        return data
    nonce = ids.entropy(_NONCE)
    return nonce + bytes(cipher.encrypt(nonce, data, None))


def opened(ctx: Ctx, stream: Stream, number: int, data: bytes) -> bytes:
    """Data as it was put. Raises KMS's errors as Kinesis names them."""
    if not number:
        return data
    cached, now = _cached(ctx), ctx.now.timestamp()
    place = (number, ctx.caller.arn)
    found = cached.get(place)
    if found is None or found[0] <= now:
        kept = rows(ctx.world).key(number)
        if kept is None:
            raise AwsError("KMSNotFoundException", "The data key of this record is gone.", 400)
        plain = kms(ctx, stream, "Decrypt", {"KeyId": kept[0], "CiphertextBlob": kept[1]})["Plaintext"]
        found = cached[place] = (now + _REUSED, number, _aead(plain))
    return bytes(found[2].decrypt(data[:_NONCE], data[_NONCE:], None))
