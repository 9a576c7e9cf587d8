"""Contents at rest: sealed by the jar (SSE-SQS, the default), under data keys of KMS (SSE-KMS), or plain if so wanted.

The first byte of what is stored says which; a message keeps it when its queue's settings change, and in a dead-letter
queue. A data key of KMS is used as long as the queue allows (its reuse period), per caller, and asked for again then:
who sends needs kms:GenerateDataKey, who receives kms:Decrypt.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
"""

from __future__ import annotations

import struct

from cloudjar.kit import data_keys
from cloudjar.kit.context import Ctx
from cloudjar.kit.data_keys import DataKeys, Owner
from cloudjar.services.sqs import stored
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import rows

_PLAIN, _SEALED, _KMS = b"\0", b"\1", b"\2"
_PURPOSE = "sqs-message"
_NUMBER = struct.Struct(">I")
_CODES = {
    "NotFoundException": "KmsNotFound",
    "DisabledException": "KmsDisabled",
    "KMSInvalidStateException": "KmsInvalidState",
    "InvalidKeyUsageException": "KmsInvalidKeyUsage",
    "ThrottlingException": "KmsThrottled",
    "AccessDeniedException": "KmsAccessDenied",
}
_KEYS = DataKeys("sqs", context="aws:sqs:arn", codes=_CODES, thing="message")


def _owner(queue: Queue) -> Owner:
    return Owner(queue, queue.number, queue.kms_key, queue.kms_reuse)


def seal(ctx: Ctx, queue: Queue, message: stored.Message) -> bytes:
    """A message as it is stored in a queue. Raises the errors of KMS, as SQS names them."""
    data = stored.encode(message)
    if queue.kms_key:
        number, cipher = _KEYS.to_seal(ctx, _owner(queue), rows(ctx.world))
        return _KMS + _NUMBER.pack(number) + data_keys.sealed(cipher, data)
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
    cipher = _KEYS.to_open(ctx, _owner(queue), rows(ctx.world), _NUMBER.unpack(rest[:4])[0])
    return stored.decode(data_keys.opened(cipher, rest[4:]))


def forget(ctx: Ctx) -> None:
    """Ask KMS anew: a queue's settings changed."""
    _KEYS.forget(ctx)
