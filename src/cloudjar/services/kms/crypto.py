"""What keys compute. A secret is 32 bytes for symmetric keys, random bytes for HMAC, PKCS #8 (DER) for the others.

Pure: bytes in, bytes out. `Unavailable` is raised for what the installed cryptography library cannot do.
"""

from __future__ import annotations

import hmac as std_hmac
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from cloudjar.base import ids
from cloudjar.services.kms.specs import SPECS, Spec

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA_1": hashes.SHA1(),
    "SHA_256": hashes.SHA256(),
    "SHA_384": hashes.SHA384(),
    "SHA_512": hashes.SHA512(),
}
_CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}
_DIGESTS = {"HMAC_SHA_224": "sha224", "HMAC_SHA_256": "sha256", "HMAC_SHA_384": "sha384", "HMAC_SHA_512": "sha512"}


class Unavailable(Exception):
    """The installed cryptography library has no such algorithm."""


# -- making and reading ------------------------------------------------------------------------------


def generate(spec: str) -> bytes:
    """A new secret of a spec."""
    kind = SPECS[spec]
    if kind.family in ("symmetric", "hmac"):
        return ids.entropy(kind.size // 8)
    return private_der(_generate(kind))


def _generate(kind: Spec) -> Any:
    if kind.family == "rsa":
        return rsa.generate_private_key(65537, kind.size)
    if kind.family == "ecc":
        return ec.generate_private_key(_CURVES[kind.name])
    if kind.family == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return _lattice(kind).generate()


def _lattice(kind: Spec) -> Any:
    """The private key class of a post-quantum spec; young libraries have them."""
    module = "mldsa" if kind.family == "mldsa" else "mlkem"
    try:
        from importlib import import_module

        found = import_module(f"cryptography.hazmat.primitives.asymmetric.{module}")
        return getattr(found, f"{module.upper()}{kind.size}PrivateKey")
    except (ImportError, AttributeError):
        raise Unavailable(kind.name) from None


def available(spec: str) -> bool:
    """Whether keys of this spec can be made here."""
    kind = SPECS[spec]
    if kind.family not in ("mldsa", "mlkem"):
        return True
    try:
        _lattice(kind).generate()
    except (Unavailable, UnsupportedAlgorithm):
        return False
    return True


def private_der(key: Any) -> bytes:
    """A private key as PKCS #8."""
    found: bytes = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return found


def public_der(key: Any) -> bytes:
    """A public key as SubjectPublicKeyInfo."""
    found: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return found


@lru_cache(maxsize=256)
def _load(secret: bytes) -> Any:
    # What lies sealed was checked when it was made or imported.
    return serialization.load_der_private_key(secret, None, unsafe_skip_rsa_key_validation=True)


def public_key(secret: bytes) -> bytes:
    """The public half of a secret."""
    return public_der(_load(secret).public_key())


def fits(spec: str, secret: bytes) -> bool:
    """Whether imported bytes are a secret of this spec: the right length, or a valid private key of the right kind."""
    kind = SPECS[spec]
    if kind.family in ("symmetric", "hmac"):
        return len(secret) == kind.size // 8
    try:
        key = serialization.load_der_private_key(secret, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    if kind.family == "rsa":
        return isinstance(key, rsa.RSAPrivateKey) and key.key_size == kind.size
    if kind.family == "ecc":
        return isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == _CURVES[spec].name
    if kind.family == "ed25519":
        return isinstance(key, ed25519.Ed25519PrivateKey)
    return isinstance(key, _lattice(kind))


# -- RSA ---------------------------------------------------------------------------------------------


def _oaep(algorithm: str) -> padding.OAEP:
    digest = _HASHES[algorithm.partition("OAEP_")[2]]
    return padding.OAEP(padding.MGF1(digest), digest, None)


def oaep_limit(spec: str, algorithm: str) -> int:
    """How many bytes fit."""
    return SPECS[spec].size // 8 - 2 * _HASHES[algorithm.partition("OAEP_")[2]].digest_size - 2


def rsa_encrypt(secret: bytes, algorithm: str, plaintext: bytes) -> bytes:
    """RSAES-OAEP with the public half; the plaintext is within `oaep_limit`."""
    found: bytes = _load(secret).public_key().encrypt(plaintext, _oaep(algorithm))
    return found


def rsa_decrypt(secret: bytes, algorithm: str, ciphertext: bytes) -> bytes | None:
    """RSAES-OAEP, or None when it does not come out."""
    try:
        found: bytes = _load(secret).decrypt(ciphertext, _oaep(algorithm))
    except ValueError:
        return None
    return found


# -- signatures --------------------------------------------------------------------------------------


def digest_size(algorithm: str) -> int:
    """The length of a message that is a digest already (for ML-DSA, of the message representative)."""
    if algorithm == "ML_DSA_SHAKE_256":
        return 64
    return _HASHES["SHA_" + algorithm.rpartition("_")[2]].digest_size


def _scheme(algorithm: str, digest: bool) -> tuple[Any, ...]:
    """What cryptography wants beside the message."""
    chosen = _HASHES["SHA_" + algorithm.rpartition("_")[2]]
    hashed: Any = Prehashed(chosen) if digest else chosen
    if algorithm.startswith("RSASSA_PSS"):
        return padding.PSS(padding.MGF1(chosen), padding.PSS.DIGEST_LENGTH), hashed
    if algorithm.startswith("RSASSA"):
        return padding.PKCS1v15(), hashed
    return (ec.ECDSA(hashed),)


def sign(secret: bytes, algorithm: str, message: bytes, kind: str) -> bytes:
    """A signature of a message (kind RAW), of its digest (DIGEST) or of its ML-DSA representative (EXTERNAL_MU)."""
    key = _load(secret)
    found: bytes
    if algorithm == "ML_DSA_SHAKE_256":
        found = key.sign_mu(message) if kind == "EXTERNAL_MU" else key.sign(message)
    elif algorithm == "ED25519_SHA_512":
        found = key.sign(message)
    else:
        found = key.sign(message, *_scheme(algorithm, kind == "DIGEST"))
    return found


def verify(secret: bytes, algorithm: str, message: bytes, kind: str, signature: bytes) -> bool:
    """Whether `sign` would have made this signature."""
    key = _load(secret).public_key()
    try:
        if algorithm == "ML_DSA_SHAKE_256":
            (key.verify_mu if kind == "EXTERNAL_MU" else key.verify)(signature, message)
        elif algorithm == "ED25519_SHA_512":
            key.verify(signature, message)
        else:
            key.verify(signature, message, *_scheme(algorithm, kind == "DIGEST"))
    except InvalidSignature:
        return False
    return True


# -- the others --------------------------------------------------------------------------------------


def mac(secret: bytes, algorithm: str, message: bytes) -> bytes:
    """An HMAC."""
    return std_hmac.digest(secret, message, _DIGESTS[algorithm])


def is_mac(secret: bytes, algorithm: str, message: bytes, given: bytes) -> bool:
    """Whether it is the HMAC, in constant time."""
    return std_hmac.compare_digest(mac(secret, algorithm, message), given)


def agree(secret: bytes, peer: bytes) -> bytes | None:
    """The raw ECDH secret with a peer's public key (DER), or None when it is not a point of the same curve."""
    key = _load(secret)
    try:
        other = serialization.load_der_public_key(peer)
        if not isinstance(other, ec.EllipticCurvePublicKey) or other.curve.name != key.curve.name:
            return None
        found: bytes = key.exchange(ec.ECDH(), other)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return found


def encapsulate(secret: bytes) -> tuple[bytes, bytes]:
    """ML-KEM: (shared secret, its ciphertext)."""
    found: tuple[bytes, bytes] = _load(secret).public_key().encapsulate()
    return found


def decapsulate(secret: bytes, ciphertext: bytes) -> bytes | None:
    """ML-KEM: the shared secret, or None when the ciphertext has the wrong length."""
    try:
        found: bytes = _load(secret).decapsulate(ciphertext)
    except ValueError:
        return None
    return found


def unwrap(secret: bytes, algorithm: str, wrapped: bytes) -> bytes | None:
    """Imported key material out of its wrapping, or None when it does not come out.

    RSAES_OAEP_* wraps the material itself; RSA_AES_KEY_WRAP_* a fresh AES key, which wraps the material (RFC 5649).
    """
    if algorithm.startswith("RSAES_OAEP"):
        return rsa_decrypt(secret, algorithm, wrapped)
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

    size = _load(secret).key_size // 8
    wrapping = rsa_decrypt(secret, f"RSAES_OAEP_{algorithm.partition('WRAP_')[2]}", wrapped[:size])
    if wrapping is None:
        return None
    try:
        return aes_key_unwrap_with_padding(wrapping, wrapped[size:])
    except (InvalidUnwrap, ValueError):
        return None
