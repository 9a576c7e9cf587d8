"""A SAML response: found to be signed by its provider, and read from nothing but what was signed. Pure.

https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf
https://www.usenix.org/conference/usenixsecurity12/technical-sessions/presentation/somorovsky (signature wrapping)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudjar.kit import safe_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_TRANSFORMS = frozenset(
    (
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
    )
)
_MOST_ELEMENTS = 20_000


class ResponseError(Exception):
    """A response that is not one, or not of this shape."""


class SignatureError(Exception):
    """Not signed by the provider, or not all of it."""


class Assertion(NamedTuple):
    """What a provider says of somebody. Dates are None where it gives none."""

    issuer: str
    subject: str
    format: str
    recipient: str
    issued: datetime
    confirmed_until: datetime
    begins: datetime | None
    ends: datetime | None
    session_ends: datetime | None
    audiences: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]


def read(text: bytes, certificates: Sequence[bytes]) -> Assertion:
    """The one assertion of a response, signed itself or within a signed response by a holder of one of the
    certificates (DER). Raises `ResponseError`, `SignatureError`."""
    try:
        root = safe_xml.parse(text)
    except safe_xml.BadXmlError as error:
        raise ResponseError(str(error)) from None
    _check_shape(root)
    return _contents(_signed_assertion(root, certificates))


def _check_shape(root: _Element) -> None:
    """One response, in it one assertion, signatures only where they belong, ids that name one thing each: what is
    looked up can then only be what is read."""
    if root.tag != f"{_PROTOCOL}Response":
        raise ResponseError("not a response")
    elements = list(root.iter("*"))
    if len(elements) > _MOST_ELEMENTS:
        raise ResponseError("too large")
    assertions = [e for e in elements if e.tag == f"{_SAML}Assertion"]
    if len(assertions) != 1 or assertions[0].getparent() is not root:
        raise ResponseError("a response holds one assertion, and no encrypted one")
    ids = [value for e in elements for name, value in e.attrib.items() if str(name).rpartition("}")[2].lower() == "id"]
    if len(set(ids)) != len(ids):
        raise ResponseError("an id that names two things")
    for signature in (e for e in elements if e.tag == f"{_DS}Signature"):
        if signature.getparent() not in (root, assertions[0]):
            raise ResponseError("a signature where none belongs")
    status = root.find(f"{_PROTOCOL}Status/{_PROTOCOL}StatusCode")
    if status is None or status.get("Value") != _SUCCESS:
        raise ResponseError("the provider reports no success")


def _signed_assertion(root: _Element, certificates: Sequence[bytes]) -> _Element:
    """The assertion out of what was signed; every signature that there is must hold."""
    found: _Element | None = None
    assertion = root.find(f"{_SAML}Assertion")
    assert assertion is not None
    for element in (root, assertion):
        signatures = element.findall(f"{_DS}Signature")
        if len(signatures) > 1:
            raise SignatureError("two signatures on one thing")
        if signatures:
            signed = _verified(element, signatures[0], certificates)
            found = signed if element is assertion else signed.find(f"{_SAML}Assertion")
    if found is None:
        raise SignatureError("neither the response nor the assertion is signed")
    return found


def _verified(element: _Element, signature: _Element, certificates: Sequence[bytes]) -> _Element:
    """The element as it was signed, by one of the certificates."""
    references = signature.findall(f"{_DS}SignedInfo/{_DS}Reference")
    if len(references) != 1 or not element.get("ID") or references[0].get("URI") != f"#{element.get('ID')}":
        raise SignatureError("signed is something else")
    transforms = references[0].findall(f"{_DS}Transforms/{_DS}Transform")
    if any(transform.get("Algorithm") not in _TRANSFORMS for transform in transforms):
        raise SignatureError("a transformation that is not known")
    for certificate in certificates:
        signed = _verified_by(element, certificate)
        if signed is not None and signed.tag == element.tag and signed.get("ID") == element.get("ID"):
            return signed
    raise SignatureError("nobody whom we know has signed this")


def _verified_by(element: _Element, der: bytes) -> _Element | None:
    from cryptography import x509
    from lxml import etree
    from signxml.exceptions import SignXMLException
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    certificate = x509.load_der_x509_certificate(der)
    # Certificates of a metadata document are believed for as long as they are in it, as on AWS.
    config = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=_methods(),
        ignore_ambiguous_key_info=True,
        verification_time=certificate.not_valid_before_utc,
    )
    try:
        result = XMLVerifier().verify(
            etree.tostring(element, with_tail=False), x509_cert=certificate, id_attribute="ID", expect_config=config
        )
    except (SignXMLException, etree.LxmlError, ValueError, LookupError, TypeError, NotImplementedError):
        return None  # not this one, or no signature at all
    assert not isinstance(result, list)
    return result.signed_xml


def _methods() -> Any:
    from signxml.algorithms import SignatureMethod as Method

    return frozenset(
        (
            Method.RSA_SHA256, Method.RSA_SHA384, Method.RSA_SHA512,
            Method.ECDSA_SHA256, Method.ECDSA_SHA384, Method.ECDSA_SHA512,
        )
    )  # fmt: skip


def _contents(assertion: _Element) -> Assertion:
    subject = _one(assertion, "Subject")
    confirmation = _one(subject, "SubjectConfirmation")
    data = _one(confirmation, "SubjectConfirmationData")
    if confirmation.get("Method") != _BEARER:
        raise ResponseError("the subject is not confirmed as the bearer")
    name = subject.find(f"{_SAML}NameID")
    conditions, authn = assertion.find(f"{_SAML}Conditions"), assertion.find(f"{_SAML}AuthnStatement")
    return Assertion(
        issuer=safe_xml.words(_one(assertion, "Issuer")),
        subject="" if name is None else safe_xml.words(name),
        format="" if name is None else name.get("Format", ""),
        recipient=data.get("Recipient", ""),
        issued=_needed(assertion, "IssueInstant"),
        confirmed_until=_needed(data, "NotOnOrAfter"),
        begins=_moment(conditions, "NotBefore"),
        ends=_moment(conditions, "NotOnOrAfter"),
        session_ends=_moment(authn, "SessionNotOnOrAfter"),
        audiences=_audiences(conditions),
        attributes=_attributes(assertion.findall(f"{_SAML}AttributeStatement/{_SAML}Attribute")),
    )


def _one(parent: _Element, name: str) -> _Element:
    found = parent.findall(f"{_SAML}{name}")
    if len(found) != 1:
        raise ResponseError(f"{len(found)} {name} elements, where one is wanted")
    return found[0]


def _audiences(conditions: _Element | None) -> tuple[str, ...]:
    """Of one restriction: several would all have to hold."""
    if conditions is None:
        return ()
    restrictions = conditions.findall(f"{_SAML}AudienceRestriction")
    if len(restrictions) != 1:
        return ()
    return tuple(safe_xml.words(e) for e in restrictions[0].findall(f"{_SAML}Audience"))


def _attributes(elements: Iterable[_Element]) -> dict[str, tuple[str, ...]]:
    """Values by name; of a name that comes twice the first counts."""
    found: dict[str, tuple[str, ...]] = {}
    for element in elements:
        values = tuple(safe_xml.words(value) for value in element.findall(f"{_SAML}AttributeValue"))
        found.setdefault(element.get("Name", ""), values)
    return found


def _needed(element: _Element, name: str) -> datetime:
    found = _moment(element, name)
    if found is None:
        raise ResponseError(f"{name} is missing")
    return found


def _moment(element: _Element | None, name: str) -> datetime | None:
    text = None if element is None else element.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ResponseError(f"{name} is no time") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
