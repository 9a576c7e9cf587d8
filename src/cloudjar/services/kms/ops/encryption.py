"""Encrypting, decrypting, re-encrypting, and random bytes.

https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, blob, crypto, errors, material
from cloudjar.services.kms.records import Key
from cloudjar.services.kms.specs import ENCRYPT, SPECS, SYMMETRIC
from cloudjar.services.kms.use import begin, done, refuse_recipient


@op("Encrypt", writes=False, keys=access.encrypting)
def encrypt(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Up to 4 KB under a symmetric key, or what fits an RSA key."""
    key = begin(ctx, req, "Encrypt", ENCRYPT)
    algorithm = str(req.get("EncryptionAlgorithm") or SYMMETRIC)
    _check(key, algorithm, req.get("EncryptionContext"), len(req["Plaintext"]))
    done(req)
    return {
        "CiphertextBlob": sealed(ctx, key, algorithm, req["Plaintext"], req.get("EncryptionContext") or {}),
        "KeyId": arn_of(key),
        "EncryptionAlgorithm": algorithm,
    }


def _check(key: Key, algorithm: str, context: Mapping[str, str] | None, size: int = 0) -> None:
    if algorithm not in SPECS[key.spec].algorithms[ENCRYPT]:
        raise errors.wrong_algorithm(algorithm, key.spec)
    if algorithm == SYMMETRIC:
        return
    if context:
        raise errors.validation("EncryptionContext is not supported for asymmetric keys.")
    limit = crypto.oaep_limit(key.spec, algorithm)
    if size > limit:
        raise errors.validation(
            f"Algorithm {algorithm} and key spec {key.spec} cannot encrypt data larger than {limit} bytes."
        )


def sealed(ctx: Ctx, key: Key, algorithm: str, plaintext: bytes, context: Mapping[str, str]) -> bytes:
    """The ciphertext of checked data under a checked key."""
    secret = material.opened(ctx, key)
    if algorithm == SYMMETRIC:
        return blob.encrypt(key.account, key.id, key.material, secret, plaintext, context)
    return crypto.rsa_encrypt(secret, algorithm, plaintext)


@op("Decrypt", writes=False, access=access.decrypting)
def decrypt(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What was encrypted, for who says the same encryption context."""
    key, plaintext, used = _opened(ctx, req, "Decrypt", "")
    done(req)
    return {
        "KeyId": arn_of(key),
        "Plaintext": plaintext,
        "EncryptionAlgorithm": req.get("EncryptionAlgorithm") or SYMMETRIC,
        "KeyMaterialId": used or None,
    }


@op("ReEncrypt", writes=False, access=access.reencrypting)
def re_encrypt(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """From one key, algorithm or context to another; the plaintext never leaves."""
    source, plaintext, used = _opened(ctx, req, "ReEncrypt", "Source")
    target = begin(ctx, req, "ReEncrypt", ENCRYPT, member="DestinationKeyId")
    algorithm = str(req.get("DestinationEncryptionAlgorithm") or SYMMETRIC)
    context = req.get("DestinationEncryptionContext")
    _check(target, algorithm, context, len(plaintext))
    done(req)
    return {
        "CiphertextBlob": sealed(ctx, target, algorithm, plaintext, context or {}),
        "SourceKeyId": arn_of(source),
        "KeyId": arn_of(target),
        "SourceEncryptionAlgorithm": req.get("SourceEncryptionAlgorithm") or SYMMETRIC,
        "DestinationEncryptionAlgorithm": algorithm,
        "SourceKeyMaterialId": used or None,
        "DestinationKeyMaterialId": target.material if algorithm == SYMMETRIC else None,
    }


def _opened(ctx: Ctx, req: dict[str, Any], operation: str, side: str) -> tuple[Key, bytes, str]:
    """The key, the plaintext and the symmetric material's id of a Decrypt, or of a ReEncrypt's source side."""
    ciphertext: bytes | None = req.get("CiphertextBlob")
    named = f"{side}KeyId"
    if ciphertext is None:
        if "IGNORE_CIPHERTEXT" not in (req.get("DryRunModifiers") or ()) or not req.get("DryRun"):
            raise errors.validation("CiphertextBlob is required.")
        if not req.get(named):
            raise errors.validation(f"{named} is required when the ciphertext is ignored.")
        return begin(ctx, req, operation, ENCRYPT, member=named), b"", ""
    algorithm = str(req.get(f"{side}EncryptionAlgorithm") or SYMMETRIC)
    context = req.get(f"{side}EncryptionContext")
    if algorithm == SYMMETRIC:
        return _symmetric(ctx, req, operation, named, ciphertext, context or {})
    if not req.get(named):
        raise errors.validation(f"{named} is required for ciphertexts of asymmetric keys.")
    key = begin(ctx, req, operation, ENCRYPT, member=named)
    _check(key, algorithm, context)
    plaintext = crypto.rsa_decrypt(material.opened(ctx, key), algorithm, ciphertext)
    if plaintext is None:
        raise errors.invalid_ciphertext()
    return key, plaintext, ""


def _symmetric(
    ctx: Ctx, req: dict[str, Any], operation: str, named: str, ciphertext: bytes, context: Mapping[str, str]
) -> tuple[Key, bytes, str]:
    envelope = blob.read(ciphertext)
    if req.get(named):
        key = begin(ctx, req, operation, ENCRYPT, member=named)
        _check(key, SYMMETRIC, None)
        if envelope is not None and (envelope.account, envelope.key_id) != (key.account, key.id):
            raise errors.incorrect_key()
    elif envelope is not None:
        found = ctx.db.at(envelope.account, ctx.region)[Key].get(envelope.key_id)
        if found is None:
            raise errors.unknown_ciphertext()
        key = begin(ctx, req, operation, ENCRYPT, key=found)
    if envelope is None:
        raise errors.invalid_ciphertext()
    plaintext = blob.decrypt(envelope, material.opened(ctx, key, envelope.material), context)
    if plaintext is None:
        raise errors.invalid_ciphertext()
    return key, plaintext, envelope.material


@op("GenerateRandom", writes=False, keys=access.of_request)
def generate_random(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Random bytes; no key is involved."""
    refuse_recipient(req)
    if req.get("CustomKeyStoreId"):
        raise errors.not_built("A custom key store (CloudHSM or external)")
    if req.get("NumberOfBytes") is None:
        raise errors.validation("NumberOfBytes is required.")
    return {"Plaintext": ids.entropy(req["NumberOfBytes"])}
