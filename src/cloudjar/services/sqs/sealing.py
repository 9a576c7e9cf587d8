"""Contents at rest: sealed by the jar (SSE-SQS, the default), under data keys of KMS (SSE-KMS), or plain if so wanted.

The first byte of what is stored says which; a message keeps it when its queue's settings change, and in a dead-letter
queue. A data key of KMS is used as long as the queue allows (its reuse period), per caller, and asked for again then:
who sends needs kms:GenerateDataKey, who receives kms:Decrypt.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
"""

from __future__ import annotations

import struct
from typing import Any

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.sqs import stored
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import rows

_PLAIN, _SEALED, _KMS = b"\0", b"\1", b"\2"
_PURPOSE = "sqs-message"
_NUMBER = struct.Struct(">I")
_NONCE = 12
_PORT = "sqs.data_keys"
_VIA = "sqs.amazonaws.com"
_CODES = {
    "NotFoundException": "KmsNotFound",
    "DisabledException": "KmsDisabled",
    "KMSInvalidStateException": "KmsInvalidState",
    "InvalidKeyUsageException": "KmsInvalidKeyUsage",
    "ThrottlingException": "KmsThrottled",
    "AccessDeniedException": "KmsAccessDenied",
}

Cached = dict[tuple[Any, ...], tuple[float, int, Any]]


def seal(ctx: Ctx, queue: Queue, message: stored.Message) -> bytes:
    """A message as it is stored in a queue. Raises the errors of KMS, as SQS names them."""
    data = stored.encode(message)
    if queue.kms_key:
        number, cipher = _for_sending(ctx, queue)
        nonce = ids.entropy(_NONCE)
        return _KMS + _NUMBER.pack(number) + nonce + bytes(cipher.encrypt(nonce, data, None))
    if queue.sse:
        return _SEALED + ctx.world.sealer.seal(data, _PURPOSE)
    return _PLAIN + data


def resealed(ctx: Ctx, message: stored.Message) -> bytes:
    """A message sealed by the jar, whatever its queue wants: nobody asks KMS for what moves by itself."""
    return _SEALED + ctx.world.sealer.seal(stored.encode(message), _PURPOSE)


def under_kms(data: bytes) -> bool:
    """Whether only who may use a KMS key can open this."""
    return data[:1] == _KMS


def unseal(ctx: Ctx, queue: Queue, data: bytes) -> stored.Message:
    """A message as it was sent. Raises the errors of KMS, as SQS names them."""
    kind, rest = data[:1], data[1:]
    if kind == _PLAIN:
        return stored.decode(rest)
    if kind == _SEALED:
        opened = ctx.world.sealer.open(rest, _PURPOSE)
        if opened is None:
            raise RuntimeError("a message was sealed by another installation")
        return stored.decode(opened)
    number = _NUMBER.unpack(rest[:4])[0]
    nonce, body = rest[4 : 4 + _NONCE], rest[4 + _NONCE :]
    return stored.decode(_for_receiving(ctx, queue, number).decrypt(nonce, body, None))


def forget(ctx: Ctx) -> None:
    """Ask KMS anew: a queue's settings changed."""
    ctx.world.ports.pop(_PORT, None)


def _cached(ctx: Ctx) -> Cached:
    held: Cached = ctx.world.ports.setdefault(_PORT, {})
    return held


def _kms(ctx: Ctx, queue: Queue, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    context = {"aws:sqs:arn": ctx.arn(queue)}
    try:
        return ctx.call("kms", operation, {**params, "EncryptionContext": context}, via=_VIA)
    except AwsError as error:
        code = _CODES.get(error.code)
        if code is None:
            raise
        raise AwsError(code, error.message, 400) from error


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # some 20 ms, for those who use it

    return AESGCM(key)


def _for_sending(ctx: Ctx, queue: Queue) -> tuple[int, Any]:
    cached, now = _cached(ctx), ctx.now.timestamp()
    place = (queue.number, queue.kms_key, ctx.caller.arn)
    found = cached.get(place)
    if found is not None and found[0] > now:
        return found[1], found[2]
    made = _kms(ctx, queue, "GenerateDataKey", {"KeyId": queue.kms_key, "KeySpec": "AES_256"})
    number = rows(ctx.world).new_key(queue.number, made["KeyId"], made["CiphertextBlob"])
    cipher = _cipher(made["Plaintext"])
    cached[place] = (now + queue.kms_reuse, number, cipher)
    ctx.world.state.database.on_rollback(lambda: _drop(cached, place))
    return number, cipher


def _for_receiving(ctx: Ctx, queue: Queue, number: int) -> Any:
    cached, now = _cached(ctx), ctx.now.timestamp()
    place = (number, ctx.caller.arn)
    found = cached.get(place)
    if found is not None and found[0] > now:
        return found[2]
    kept = rows(ctx.world).key(number)
    if kept is None:
        raise AwsError("KmsNotFound", "The data key of this message is gone.", 400)
    opened = _kms(ctx, queue, "Decrypt", {"KeyId": kept[0], "CiphertextBlob": kept[1]})
    cipher = _cipher(opened["Plaintext"])
    cached[place] = (now + queue.kms_reuse, number, cipher)
    return cipher


def _drop(cached: Cached, place: tuple[Any, ...]) -> None:
    cached.pop(place, None)
