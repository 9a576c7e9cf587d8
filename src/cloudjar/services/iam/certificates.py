"""X.509 certificates and public keys as IAM takes them. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_ssh-keys.html
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from datetime import datetime
from typing import TYPE_CHECKING

from cloudjar.base.errors import AwsError

if TYPE_CHECKING:  # slow to import, and few calls need it
    from cryptography.x509 import Certificate

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s.*?-----END \1-----", re.DOTALL)
_SSH_BITS = range(2048, 16385)


def malformed(message: str) -> AwsError:
    """400: what was uploaded is no certificate, key or chain."""
    return AwsError("MalformedCertificate", message, 400)


def _blocks(text: str) -> list[str]:
    return [found.group() for found in _PEM.finditer(text)]


def certificate(text: str) -> Certificate:
    """The one certificate of a PEM text; raises MalformedCertificate."""
    found = chain(text)
    if len(found) != 1 or _PEM.sub("", text).strip():
        raise _no_certificate()
    return found[0]


def chain(text: str) -> list[Certificate]:
    """The certificates of a PEM text in order; raises MalformedCertificate."""
    from cryptography import x509

    try:
        return [x509.load_pem_x509_certificate(block.encode()) for block in _blocks(text)]
    except ValueError:
        raise _no_certificate() from None


def _no_certificate() -> AwsError:
    return malformed("Unable to parse certificate. Please ensure the certificate is in PEM format.")


def check_key(owner: Certificate, text: str) -> None:
    """Raises MalformedCertificate for what is no unencrypted private key, KeyPairMismatch for another's."""
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError):
        raise malformed("Unable to parse private key. Please ensure the private key is in PEM format.") from None
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != owner.public_key().public_bytes(*form):
        raise AwsError("KeyPairMismatch", "Private key does not match the certificate.", 400)


def check_chain(leaf: Certificate, above: list[Certificate]) -> None:
    """Raises MalformedCertificate unless each certificate is signed by the next; -1 stands for the leaf's own."""
    signed = leaf
    for index, signer in enumerate(above, -1):
        if not _signs(signer, signed):
            raise malformed(
                "Unable to validate certificate chain. The certificate chain must start with the immediate signing "
                "certificate, followed by any intermediaries in order. The index within the chain of the invalid "
                f"certificate is: {index}"
            )
        signed = signer


def _signs(signer: Certificate, signed: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        signed.verify_directly_issued_by(signer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def expiry(found: Certificate) -> datetime:
    """When a certificate ends."""
    return found.not_valid_after_utc


# -- public keys for SSH
def ssh_key(text: str) -> str:
    """An RSA public key of 2,048 to 16,384 bits as ``ssh-rsa BASE64``, given so or as PEM; raises InvalidPublicKey."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    given = text.strip().encode()
    try:
        pem = given.startswith(b"-----BEGIN")
        key = serialization.load_pem_public_key(given) if pem else serialization.load_ssh_public_key(given)
    except (ValueError, TypeError, UnicodeError):
        raise AwsError("InvalidPublicKey", "Invalid SSH public key.", 400) from None
    except Exception as error:  # noqa: BLE001 UnsupportedAlgorithm, which the lazy import keeps out of reach
        raise AwsError("InvalidPublicKey", f"Invalid SSH public key: {type(error).__name__}.", 400) from None
    if not isinstance(key, RSAPublicKey) or key.key_size not in _SSH_BITS:
        raise AwsError("InvalidPublicKey", "The SSH public key must be an RSA key of at least 2048 bits.", 400)
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def pem_of(ssh: str) -> str:
    """A key of `ssh_key` as PEM."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_ssh_public_key(ssh.encode())
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.public_bytes(*form).decode()


def fingerprint(ssh: str) -> str:
    """MD5 of a key of `ssh_key`, in pairs of hex digits."""
    digest = hashlib.md5(b64decode(ssh.split()[1]), usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, 32, 2))
