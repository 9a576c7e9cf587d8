"""Signed JSON web tokens (RFC 7519, 7515, 7517, 7518): taken apart, and verified with an issuer's keys. Pure.

Only asymmetric signatures are known, so that neither ``none`` nor a public key used as a shared secret can pass.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes

_HASHES = {"256": "SHA256", "384": "SHA384", "512": "SHA512"}
_CURVES = {"ES256": ("P-256", 32), "ES384": ("P-384", 48), "ES512": ("P-521", 66)}
ALGORITHMS = frozenset(("RS256", "RS384", "RS512", *_CURVES))
_RSA_BITS = 2048
_OURS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class Token(NamedTuple):
    """A token as it came: nothing in it is believed yet."""

    algorithm: str
    key_id: str | None
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


class NotATokenError(Exception):
    """The text is no signed JSON web token."""


def decoded(text: str) -> bytes:
    """Base64url without padding; raises `NotATokenError` for anything else, so that a text has one meaning."""
    if not _OURS.issuperset(text):
        raise NotATokenError("not base64url")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise NotATokenError("not base64url") from None


def read(text: str) -> Token:
    """Take a compact token apart; raises `NotATokenError`."""
    parts = text.split(".")
    if len(parts) != 3:
        raise NotATokenError("a token has three parts")
    header, claims = _object(decoded(parts[0])), _object(decoded(parts[1]))
    key_id = header.get("kid")
    if not isinstance(header.get("alg"), str) or (key_id is not None and not isinstance(key_id, str)):
        raise NotATokenError("the header does not say how it is signed")
    if "crit" in header:  # something that must be understood, and is not
        raise NotATokenError("critical header parameters")
    return Token(header["alg"], key_id, claims, f"{parts[0]}.{parts[1]}".encode(), decoded(parts[2]))


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise NotATokenError("not JSON") from None
    if not isinstance(found, dict):
        raise NotATokenError("not a JSON object")
    return found


def key_for(token: Token, keys: Iterable[Any]) -> Mapping[str, Any] | None:
    """The issuer's key that a token names, fit for its algorithm; without a name, the one key that is fit."""
    fit = [key for key in keys if isinstance(key, dict) and _fits(token, key)]
    if token.key_id is not None:
        fit = [key for key in fit if key.get("kid") == token.key_id]
    return fit[0] if len(fit) == 1 else None


def _fits(token: Token, key: Mapping[str, Any]) -> bool:
    """An RSA key verifies RSA signatures, a key of a curve those of that curve, and only if it is meant for it."""
    if token.algorithm not in ALGORITHMS or key.get("use", "sig") != "sig":
        return False
    if key.get("alg", token.algorithm) != token.algorithm:
        return False
    if token.algorithm in _CURVES:
        return key.get("kty") == "EC" and key.get("crv") == _CURVES[token.algorithm][0]
    return key.get("kty") == "RSA"


def verified(token: Token, key: Mapping[str, Any]) -> bool:
    """Whether the token's signature was made with the private half of `key` (from `key_for`)."""
    from cryptography.exceptions import InvalidSignature

    try:
        if token.algorithm in _CURVES:
            _verify_curve(token, key)
        else:
            _verify_rsa(token, key)
    except (InvalidSignature, NotATokenError, ValueError, KeyError, TypeError):
        return False  # a wrong signature, or a key that is none
    return True


def _number(key: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(decoded(key[name]), "big")


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    made: hashes.HashAlgorithm = getattr(hashes, _HASHES[algorithm[2:]])()
    return made


def _verify_rsa(token: Token, key: Mapping[str, Any]) -> None:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    public = RSAPublicNumbers(_number(key, "e"), _number(key, "n")).public_key()
    if public.key_size < _RSA_BITS:
        raise ValueError("the key is too short to be believed")
    public.verify(token.signature, token.signed, PKCS1v15(), _hash(token.algorithm))


def _verify_curve(token: Token, key: Mapping[str, Any]) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    curves: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    curve = curves[key["crv"]]
    size = _CURVES[token.algorithm][1]
    if len(token.signature) != 2 * size:
        raise ValueError("a signature of another curve")
    public = ec.EllipticCurvePublicNumbers(_number(key, "x"), _number(key, "y"), curve).public_key()
    r, s = (int.from_bytes(half, "big") for half in (token.signature[:size], token.signature[size:]))
    public.verify(encode_dss_signature(r, s), token.signed, ec.ECDSA(_hash(token.algorithm)))
