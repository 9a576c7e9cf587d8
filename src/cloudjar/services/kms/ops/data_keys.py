"""Data keys: made here, handed out in the clear and encrypted under a key that stays.

https://docs.aws.amazon.com/kms/latest/developerguide/data-keys.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, crypto, errors, spares
from cloudjar.services.kms.ops.encryption import sealed
from cloudjar.services.kms.records import Key
from cloudjar.services.kms.specs import ENCRYPT, SPECS, SYMMETRIC
from cloudjar.services.kms.use import begin, done

_BYTES = {"AES_128": 16, "AES_256": 32}


@op("GenerateDataKey", writes=False, keys=access.encrypting)
def generate_data_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A symmetric data key, in the clear and encrypted."""
    plaintext, answer = _data_key(ctx, req, "GenerateDataKey")
    return {**answer, "Plaintext": plaintext}


@op("GenerateDataKeyWithoutPlaintext", writes=False, keys=access.encrypting)
def generate_data_key_without_plaintext(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A symmetric data key, encrypted alone."""
    return _data_key(ctx, req, "GenerateDataKeyWithoutPlaintext")[1]


def _data_key(ctx: Ctx, req: dict[str, Any], operation: str) -> tuple[bytes, dict[str, Any]]:
    if (req.get("KeySpec") is None) == (req.get("NumberOfBytes") is None):
        raise errors.validation("Please specify either number of bytes or key spec.")
    key = _symmetric(ctx, req, operation)
    done(req)
    plaintext = ids.entropy(req.get("NumberOfBytes") or _BYTES[req["KeySpec"]])
    blob = sealed(ctx, key, SYMMETRIC, plaintext, req.get("EncryptionContext") or {})
    return plaintext, {"CiphertextBlob": blob, "KeyId": arn_of(key), "KeyMaterialId": key.material}


def _symmetric(ctx: Ctx, req: dict[str, Any], operation: str) -> Key:
    key = begin(ctx, req, operation, ENCRYPT)
    if key.spec != SYMMETRIC:
        raise errors.wrong_algorithm(SYMMETRIC, key.spec)
    return key


@op("GenerateDataKeyPair", writes=False, keys=access.encrypting)
def generate_data_key_pair(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A key pair, its private half in the clear and encrypted."""
    private, answer = _pair(ctx, req, "GenerateDataKeyPair")
    return {**answer, "PrivateKeyPlaintext": private}


@op("GenerateDataKeyPairWithoutPlaintext", writes=False, keys=access.encrypting)
def generate_data_key_pair_without_plaintext(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A key pair, its private half encrypted alone."""
    return _pair(ctx, req, "GenerateDataKeyPairWithoutPlaintext")[1]


def _pair(ctx: Ctx, req: dict[str, Any], operation: str) -> tuple[bytes, dict[str, Any]]:
    key, spec = _symmetric(ctx, req, operation), str(req["KeyPairSpec"])
    if spec not in SPECS or not crypto.available(spec):
        raise errors.unsupported(f"KeyPairSpec {spec} is not supported in this region.")
    done(req)
    private = spares.secret(ctx, spec)
    return private, {
        "PrivateKeyCiphertextBlob": sealed(ctx, key, SYMMETRIC, private, req.get("EncryptionContext") or {}),
        "PublicKey": crypto.public_key(private),
        "KeyId": arn_of(key),
        "KeyPairSpec": spec,
        "KeyMaterialId": key.material,
    }
