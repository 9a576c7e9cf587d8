"""Keys: made, read and fingerprinted as AWS does; pure but for the making.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-keys.html
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_ssh_public_key,
)

from cloudjar.base.errors import AwsError

RSA_BITS = 2048
IMPORTED_RSA_BITS = (1024, 2048, 4096)

PublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class MadeKey(NamedTuple):
    """A fresh key: `private` is what the caller gets once, `public` one OpenSSH line without a comment."""

    private: str
    public: str
    fingerprint: str


class ReadKey(NamedTuple):
    """A public key that somebody brought."""

    type: str
    public: str
    fingerprint: str


def make(kind: str) -> MadeKey:
    """A new key of a type (``rsa``, ``ed25519``), its private half in the PEM form that AWS gives."""
    if kind == "ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        return MadeKey(private.decode(), _line(key.public_key()), _ed25519_fingerprint(key.public_key()))
    pair = rsa.generate_private_key(65537, RSA_BITS)
    private = pair.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return MadeKey(private.decode().rstrip("\n"), _line(pair.public_key()), _made_rsa_fingerprint(pair))


def read(material: bytes) -> ReadKey:
    """A public key in OpenSSH's form, in RFC 4716's, or as base64 of its DER; raises InvalidKey.Format."""
    key = _parse(material.strip())
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ReadKey("ed25519", _line(key), _ed25519_fingerprint(key))
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in IMPORTED_RSA_BITS:
        return ReadKey("rsa", _line(key), _imported_rsa_fingerprint(key))
    raise _unreadable()


def _unreadable() -> AwsError:
    return AwsError("InvalidKey.Format", "Key is not in valid OpenSSH public key format")


def _parse(material: bytes) -> object:
    try:
        if material.startswith((b"ssh-", b"ecdsa-")):
            return load_ssh_public_key(material)
        if material.startswith(b"---- BEGIN SSH2 PUBLIC KEY ----"):
            return load_ssh_public_key(_from_rfc4716(material))
        return load_der_public_key(b64decode(b"".join(material.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm, Base64Error):
        raise _unreadable() from None


def _from_rfc4716(material: bytes) -> bytes:
    """The one-line form of a key between ``---- BEGIN SSH2 PUBLIC KEY ----`` and its end; headers are dropped."""
    lines = material.replace(b"\\\n", b"").splitlines()[1:-1]
    body = b"".join(line.strip() for line in lines if b":" not in line)
    blob = b64decode(body, validate=True)
    length = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + length] + b" " + body


def _line(key: PublicKey) -> str:
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _made_rsa_fingerprint(key: rsa.RSAPrivateKey) -> str:
    """SHA-1 over the private key's PKCS#8 DER."""
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return _colons(hashlib.sha1(der, usedforsecurity=False).digest())


def _imported_rsa_fingerprint(key: rsa.RSAPublicKey) -> str:
    """MD5 over the public key's DER."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _colons(hashlib.md5(der, usedforsecurity=False).digest())


def _ed25519_fingerprint(key: ed25519.Ed25519PublicKey) -> str:
    """OpenSSH's: SHA-256 over the key's wire form, in base64."""
    wire = b64decode(_line(key).split()[1])
    return b64encode(hashlib.sha256(wire).digest()).decode()


def _colons(digest: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in digest)
