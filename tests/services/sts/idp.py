"""A SAML identity provider: its metadata, and responses signed with its own key."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import SignatureConstructionMethod
from signxml.signer import XMLSigner

from tests.services.sts.issuer import rsa_key

ENTITY = "https://idp.example.com/saml"
RECIPIENT = "https://signin.aws.amazon.com/saml"
OURS = "https://aws.amazon.com/SAML/Attributes/"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
DS = "http://www.w3.org/2000/09/xmldsig#"


@cache
def certificate(name: str) -> x509.Certificate:
    """A certificate that is long out of date: AWS does not mind."""
    key, called = rsa_key(name), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    return builder.not_valid_after(datetime(2021, 1, 1, tzinfo=UTC)).sign(key, hashes.SHA256())


def metadata(*names: str, entity: str = ENTITY, more: str = "") -> str:
    """The document that IAM is given; `names` are keys."""
    keys = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>'
        f"{b64encode(certificate(name).public_bytes(Encoding.DER)).decode()}"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for name in names or ("idp",)
    )
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}"{more}>'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{PROTOCOL}">{keys}'
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{entity}/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )


def stamp(away: float = 0) -> str:
    """A time, so many seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=away)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attribute(name: str, values: str | Sequence[str]) -> str:
    each = [values] if isinstance(values, str) else values
    inner = "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in each)
    return f'<saml:Attribute Name="{name}">{inner}</saml:Attribute>'


def assertion(
    attributes: Mapping[str, str | Sequence[str]],
    *,
    id: str = "_a1",  # noqa: A002 SAML calls it so
    issuer: str = ENTITY,
    subject: str = "ann@example.com",
    audience: str = RECIPIENT,
    recipient: str = RECIPIENT,
    issued: float = -10,
    until: float = 300,
    session: float | None = None,
    method: str = "bearer",
) -> str:
    """An assertion that is not signed yet; times are seconds from now."""
    said = "".join(_attribute(name, values) for name, values in attributes.items())
    ends = "" if session is None else f' SessionNotOnOrAfter="{stamp(session)}"'
    format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"  # noqa: A001 SAML calls it so
    name = f'<saml:NameID Format="{format}">{subject}</saml:NameID>' if subject else ""
    return (
        f'<saml:Assertion xmlns:saml="{SAML}" ID="{id}" Version="2.0" IssueInstant="{stamp(issued)}">'
        f"<saml:Issuer>{issuer}</saml:Issuer><saml:Subject>{name}"
        f'<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:{method}">'
        f'<saml:SubjectConfirmationData NotOnOrAfter="{stamp(until)}" Recipient="{recipient}"/>'
        "</saml:SubjectConfirmation></saml:Subject>"
        f'<saml:Conditions NotBefore="{stamp(issued)}" NotOnOrAfter="{stamp(until)}"><saml:AudienceRestriction>'
        f"<saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
        f'<saml:AuthnStatement AuthnInstant="{stamp(issued)}"{ends}/>'
        f"<saml:AttributeStatement>{said}</saml:AttributeStatement></saml:Assertion>"
    )


def response(inner: str, status: str = SUCCESS) -> str:
    """A response around assertions."""
    return (
        f'<samlp:Response xmlns:samlp="{PROTOCOL}" ID="_r1" Version="2.0" IssueInstant="{stamp()}" '
        f'Destination="{RECIPIENT}"><saml:Issuer xmlns:saml="{SAML}">{ENTITY}</saml:Issuer>'
        f'<samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status>{inner}</samlp:Response>'
    )


def signed(text: str, key: str = "idp", *, algorithm: str = "rsa-sha256") -> str:
    """The same element with an enveloped signature."""
    root = etree.fromstring(text)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped, signature_algorithm=algorithm, c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"
    )
    made: Any = signer.sign(
        root, key=rsa_key(key), cert=[certificate(key)], reference_uri=root.get("ID"), id_attribute="ID"
    )
    return str(etree.tostring(made, encoding="unicode"))


def encoded(text: str) -> str:
    """As it travels."""
    return b64encode(text.encode()).decode()


def answer(attributes: Mapping[str, str | Sequence[str]], key: str = "idp", **more: Any) -> str:
    """A response with a signed assertion, ready to be sent."""
    return encoded(response(signed(assertion(attributes, **more), key)))

