"""Signatures, MACs, key agreement, encapsulation, and the public halves of keys.

https://docs.aws.amazon.com/kms/latest/developerguide/symmetric-asymmetric.html
https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import access, crypto, errors, finding, grants, material
from cloudjar.services.kms.records import Key
from cloudjar.services.kms.specs import AGREE, ENCAPSULATE, MAC, SIGN, SPECS, is_asymmetric
from cloudjar.services.kms.use import begin, done
from cloudjar.services.kms.views import algorithms


@op("Sign", writes=False, keys=access.signing)
def sign(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A signature of a message, or of its digest."""
    key, algorithm, kind = _signing(ctx, req, "Sign")
    done(req)
    signature = crypto.sign(material.opened(ctx, key), algorithm, req["Message"], kind)
    return {"KeyId": arn_of(key), "Signature": signature, "SigningAlgorithm": algorithm}


@op("Verify", writes=False, keys=access.signing)
def verify(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """True, or KMSInvalidSignatureException."""
    key, algorithm, kind = _signing(ctx, req, "Verify")
    done(req)
    if not crypto.verify(material.opened(ctx, key), algorithm, req["Message"], kind, req["Signature"]):
        raise errors.invalid_signature()
    return {"KeyId": arn_of(key), "SignatureValid": True, "SigningAlgorithm": algorithm}


def _signing(ctx: Ctx, req: dict[str, Any], operation: str) -> tuple[Key, str, str]:
    key = begin(ctx, req, operation, SIGN)
    algorithm, kind = str(req["SigningAlgorithm"]), str(req.get("MessageType") or "RAW")
    _check_algorithm(key, SIGN, algorithm)
    allowed = {"ML_DSA_SHAKE_256": ("RAW", "EXTERNAL_MU"), "ED25519_SHA_512": ("RAW",),
               "ED25519_PH_SHA_512": ("DIGEST",)}.get(algorithm, ("RAW", "DIGEST"))  # fmt: skip
    if kind not in allowed:
        raise errors.validation(f"MessageType {kind} is incompatible with algorithm {algorithm}.")
    if kind != "RAW" and len(req["Message"]) != crypto.digest_size(algorithm):
        raise errors.validation(f"Digest is invalid length for algorithm {algorithm}.")
    if algorithm == "ED25519_PH_SHA_512":
        raise errors.not_built("Ed25519ph, Ed25519 of a digest,")
    return key, algorithm, kind


def _check_algorithm(key: Key, usage: str, algorithm: str) -> None:
    if algorithm not in SPECS[key.spec].algorithms[usage]:
        raise errors.wrong_algorithm(algorithm, key.spec)


@op("GenerateMac", writes=False, keys=access.of_request)
def generate_mac(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An HMAC of a message."""
    key, algorithm = _mac(ctx, req, "GenerateMac")
    done(req)
    made = crypto.mac(material.opened(ctx, key), algorithm, req["Message"])
    return {"Mac": made, "MacAlgorithm": algorithm, "KeyId": arn_of(key)}


@op("VerifyMac", writes=False, keys=access.of_request)
def verify_mac(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """True, or KMSInvalidMacException."""
    key, algorithm = _mac(ctx, req, "VerifyMac")
    done(req)
    if not crypto.is_mac(material.opened(ctx, key), algorithm, req["Message"], req["Mac"]):
        raise errors.invalid_mac()
    return {"KeyId": arn_of(key), "MacValid": True, "MacAlgorithm": algorithm}


def _mac(ctx: Ctx, req: dict[str, Any], operation: str) -> tuple[Key, str]:
    key, algorithm = begin(ctx, req, operation, MAC), str(req["MacAlgorithm"])
    _check_algorithm(key, MAC, algorithm)
    return key, algorithm


@op("DeriveSharedSecret", writes=False, keys=access.of_request)
def derive_shared_secret(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The raw ECDH secret with a peer's public key."""
    key = begin(ctx, req, "DeriveSharedSecret", AGREE)
    _check_algorithm(key, AGREE, req["KeyAgreementAlgorithm"])
    secret = crypto.agree(material.opened(ctx, key), req["PublicKey"])
    if secret is None:
        raise errors.validation(f"PublicKey is not a public key of the key spec {key.spec}.")
    done(req)
    return {
        "KeyId": arn_of(key),
        "SharedSecret": secret,
        "KeyAgreementAlgorithm": req["KeyAgreementAlgorithm"],
        "KeyOrigin": key.origin,
    }


@op("Encapsulate", writes=False, access=access.using("Encapsulate"))
def encapsulate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """ML-KEM: a shared secret, and its ciphertext for the holder of the key."""
    key = begin(ctx, req, "Encapsulate", ENCAPSULATE)
    _check_algorithm(key, ENCAPSULATE, req["EncapsulationAlgorithm"])
    done(req)
    secret, ciphertext = crypto.encapsulate(material.opened(ctx, key))
    return {
        "KeyId": arn_of(key),
        "SharedSecret": secret,
        "SharedSecretCiphertextBlob": ciphertext,
        "EncapsulationAlgorithm": req["EncapsulationAlgorithm"],
    }


@op("Decapsulate", writes=False, access=access.using("Decapsulate"))
def decapsulate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """ML-KEM: the shared secret out of its ciphertext; a ciphertext of another key gives another secret, no error."""
    key = begin(ctx, req, "Decapsulate", ENCAPSULATE)
    _check_algorithm(key, ENCAPSULATE, req["EncapsulationAlgorithm"])
    secret = crypto.decapsulate(material.opened(ctx, key), req["SharedSecretCiphertextBlob"])
    if secret is None:
        raise errors.invalid_ciphertext()
    done(req)
    return {
        "KeyId": arn_of(key),
        "SharedSecret": secret,
        "EncapsulationAlgorithm": req["EncapsulationAlgorithm"],
    }


@op("GetPublicKey", keys=access.of_request)
def get_public_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The public half of an asymmetric key (DER), and what it is for."""
    grants.check_tokens(ctx, req)
    key = finding.need(ctx, req["KeyId"], alias=True)
    if not is_asymmetric(key.spec):
        raise errors.unsupported(f"{arn_of(key)} has key spec {key.spec}, which has no public key.")
    finding.usable(key)
    return {
        "KeyId": arn_of(key),
        "PublicKey": crypto.public_key(material.opened(ctx, key)),
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
        **algorithms(key),
    }
