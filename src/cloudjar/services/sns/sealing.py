"""Messages at rest: sealed by the jar, or under a data key of the topic's KMS key.

Who publishes must be allowed to make data keys of it and to open them (kms:GenerateDataKey, kms:Decrypt). A data key is
used for five minutes by the same publisher. SNS itself hands the message out without asking again: its copy of the
data key is sealed by the jar.

https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

from __future__ import annotations

import struct
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.sns.records import Topic

_PURPOSE, _KEY_PURPOSE = "sns-message", "sns-data-key"
_UNDER_KMS = b"sns-kms\0"
_LENGTH = struct.Struct(">H")
_NONCE = 12
_REUSE = 300
_PORT = "sns.data_keys"
_VIA = "sns.amazonaws.com"
_CODES = {
    "NotFoundException": "KMSNotFound", "DisabledException": "KMSDisabled",
    "KMSInvalidStateException": "KMSInvalidState", "InvalidKeyUsageException": "KMSInvalidState",
    "ThrottlingException": "KMSThrottling", "AccessDeniedException": "KMSAccessDenied",
}  # fmt: skip


def seal(ctx: Ctx, topic: Topic, data: bytes, *, under_kms: bool = True) -> bytes:
    """A message as it is stored. Raises the errors of KMS, as SNS names them."""
    key = topic.settings.get("KmsMasterKeyId", "")
    if not key or not under_kms:
        return ctx.world.sealer.seal(data, _PURPOSE)
    kept, cipher = _data_key(ctx, topic, key)
    nonce = ids.entropy(_NONCE)
    return _UNDER_KMS + _LENGTH.pack(len(kept)) + kept + nonce + bytes(cipher.encrypt(nonce, data, None))


def unseal(ctx: Ctx, data: bytes) -> bytes:
    """A message as it was published."""
    if not data.startswith(_UNDER_KMS):
        return _opened(ctx, data, _PURPOSE)
    start = len(_UNDER_KMS) + _LENGTH.size
    end = start + int(_LENGTH.unpack(data[len(_UNDER_KMS) : start])[0])
    cipher = _cipher(_opened(ctx, data[start:end], _KEY_PURPOSE))
    return bytes(cipher.decrypt(data[end : end + _NONCE], data[end + _NONCE :], None))


def _opened(ctx: Ctx, data: bytes, purpose: str) -> bytes:
    opened = ctx.world.sealer.open(data, purpose)
    if opened is None:
        raise RuntimeError("a message was sealed by another installation")
    return opened


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # some 20 ms, for those who use it

    return AESGCM(key)


def _data_key(ctx: Ctx, topic: Topic, key: str) -> tuple[bytes, Any]:
    """The jar's copy of a data key, and what seals with it."""
    cached: dict[tuple[Any, ...], tuple[float, bytes, Any]] = ctx.world.ports.setdefault(_PORT, {})
    place, now = (topic.number, key, ctx.caller.arn), ctx.now.timestamp()
    found = cached.get(place)
    if found is not None and found[0] > now:
        return found[1], found[2]
    named = _named(ctx, topic, key)
    made = _kms(ctx, topic, "GenerateDataKey", {"KeyId": named, "KeySpec": "AES_256"})
    opened = _kms(ctx, topic, "Decrypt", {"CiphertextBlob": made["CiphertextBlob"]})
    plain = opened["Plaintext"]
    kept = ctx.world.sealer.seal(plain, _KEY_PURPOSE)
    cached[place] = (now + _REUSE, kept, _cipher(plain))
    ctx.world.state.database.on_rollback(lambda: _drop(cached, place))
    return cached[place][1], cached[place][2]


def _drop(cached: dict[tuple[Any, ...], tuple[float, bytes, Any]], place: tuple[Any, ...]) -> None:
    cached.pop(place, None)


def _named(ctx: Ctx, topic: Topic, key: str) -> str:
    """A topic's key by its whole name where somebody else publishes: names are those of the topic's account."""
    if key.startswith("arn:") or topic.account == ctx.account:
        return key
    return arns.make("kms", topic.region, topic.account, key if key.startswith("alias/") else f"key/{key}")


def _kms(ctx: Ctx, topic: Topic, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    context = {"aws:sns:topicArn": ctx.arn(topic)}
    try:
        return ctx.call("kms", operation, {**params, "EncryptionContext": context}, via=_VIA)
    except AwsError as error:
        code = _CODES.get(error.code)
        if code is None:
            raise
        raise AwsError(code, error.message, 400) from error
