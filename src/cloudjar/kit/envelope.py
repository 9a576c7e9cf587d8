"""Envelope encryption under a KMS key: what services do with data that is too large for KMS itself.

KMS makes a data key; the data is sealed here with it (AES-256-GCM) and kept beside the wrapped data key. KMS is
called as the caller, so who may not use the key cannot read the data, and a key that is disabled makes it unreadable.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-cryptography.html#enveloping
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cloudjar.base import ids
from cloudjar.kit.context import Ctx

_NONCE = 12


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """Sealed data: the key's ARN, the data key that it wraps, the nonce, the ciphertext."""

    key: str
    wrapped: bytes
    nonce: bytes
    sealed: bytes


def seal(ctx: Ctx, key_id: str, data: bytes, context: Mapping[str, str], *, via: str) -> Envelope:
    """Encrypt under a key (id, ARN or alias); `context` is the encryption context, `via` the service that asks.

    Raises what KMS answers to GenerateDataKey.
    """
    made = ctx.call(
        "kms", "GenerateDataKey", {"KeyId": key_id, "KeySpec": "AES_256", "EncryptionContext": dict(context)}, via=via
    )
    nonce = ids.entropy(_NONCE)
    sealed = _cipher(made["Plaintext"]).encrypt(nonce, data, _bound(context))
    return Envelope(made["KeyId"], made["CiphertextBlob"], nonce, sealed)


def unseal(ctx: Ctx, envelope: Envelope, context: Mapping[str, str], *, via: str) -> bytes:
    """The data again; raises what KMS answers to Decrypt."""
    key = ctx.call(
        "kms",
        "Decrypt",
        {"KeyId": envelope.key, "CiphertextBlob": envelope.wrapped, "EncryptionContext": dict(context)},
        via=via,
    )["Plaintext"]
    return bytes(_cipher(key).decrypt(envelope.nonce, envelope.sealed, _bound(context)))


def _cipher(key: bytes):  # type: ignore[no-untyped-def]  # imported when first needed: it costs some 20 ms
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _bound(context: Mapping[str, str]) -> bytes:
    return msgspec.json.encode(dict(context), order="deterministic")
