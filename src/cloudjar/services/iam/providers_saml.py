"""What a SAML identity provider says of itself: its metadata document. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html
https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit import safe_xml
from cloudjar.services.iam import errors

if TYPE_CHECKING:
    from lxml.etree import _Element

_MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_LEAST_BITS = 1024


class Metadata(NamedTuple):
    """Whose it is, the certificates (DER) that its assertions are signed with, and how long it holds."""

    entity_id: str
    certificates: tuple[bytes, ...]
    valid_until: datetime | None


def _unreadable() -> AwsError:
    return errors.invalid_input("Could not parse metadata")


def read(document: str) -> Metadata:
    """Take a metadata document apart; raises InvalidInput. Certificates may be out of date: AWS does not mind."""
    try:
        root = safe_xml.parse(document)
    except safe_xml.BadXmlError:
        raise _unreadable() from None
    provider = root.find(f"{_MD}IDPSSODescriptor")
    entity_id = root.get("entityID") or ""
    if root.tag != f"{_MD}EntityDescriptor" or provider is None or not entity_id:
        raise _unreadable()
    certificates = tuple(dict.fromkeys(_certificates(provider)))
    if not certificates:
        raise _unreadable()
    until = provider.get("validUntil") or root.get("validUntil")
    return Metadata(entity_id, certificates, _moment(until) if until else None)


def _certificates(provider: _Element) -> Iterator[bytes]:
    for described in provider.findall(f"{_MD}KeyDescriptor"):
        if described.get("use", "signing") == "signing":
            for element in described.iter(f"{_DS}X509Certificate"):
                yield _certificate(safe_xml.words(element))


def _certificate(text: str) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        der = b64decode("".join(text.split()), validate=True)
        key = x509.load_der_x509_certificate(der).public_key()
    except (binascii.Error, ValueError):
        raise _unreadable() from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _LEAST_BITS:
        raise _unreadable()
    return der


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _unreadable() from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
