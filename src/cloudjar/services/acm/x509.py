"""X.509 certificates as this service reads them. `cryptography` is imported when one is there to be read.

https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloudjar.services.acm import errors
from cloudjar.services.acm.records import Facts

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_CURVES = {"secp256r1": "EC_prime256v1", "secp384r1": "EC_secp384r1", "secp521r1": "EC_secp521r1"}
_USAGES = {
    "digital_signature": "DIGITAL_SIGNATURE", "content_commitment": "NON_REPUDIATION",
    "key_encipherment": "KEY_ENCIPHERMENT", "data_encipherment": "DATA_ENCIPHERMENT",
    "key_agreement": "KEY_AGREEMENT", "key_cert_sign": "CERTIFICATE_SIGNING", "crl_sign": "CRL_SIGNING",
}  # fmt: skip
_EXTENDED = {
    "1.3.6.1.5.5.7.3.1": "TLS_WEB_SERVER_AUTHENTICATION", "1.3.6.1.5.5.7.3.2": "TLS_WEB_CLIENT_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.3": "CODE_SIGNING", "1.3.6.1.5.5.7.3.4": "EMAIL_PROTECTION",
    "1.3.6.1.5.5.7.3.8": "TIME_STAMPING", "1.3.6.1.5.5.7.3.9": "OCSP_SIGNING", "2.5.29.37.0": "ANY",
}  # fmt: skip


def parse(pem: bytes, what: str = "certificate") -> list[Certificate]:
    """The certificates of a PEM text; raises ValidationException when it is none."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        found = load_pem_x509_certificates(pem)
    except ValueError:
        found = []
    if not found:
        raise errors.validation(f"Unable to parse {what}. Please ensure the {what} is in PEM format.")
    return found


def check(pem: bytes, key_pem: bytes, chain_pem: bytes, now: datetime) -> tuple[Facts, tuple[str, ...]]:
    """What an imported certificate says, and its names; raises ValidationException for what ACM does not take."""
    found = parse(pem)
    if len(found) > 1:
        raise errors.validation(
            "The certificate field contains more than one certificate. You can specify only one certificate in this "
            "field."
        )
    leaf = found[0]
    key = _private(key_pem)
    if key.public_key() != leaf.public_key():
        raise errors.validation("The private key does not match the certificate.")
    if not leaf.not_valid_before_utc <= now:
        raise errors.validation("The certificate is not valid yet.")
    if leaf.not_valid_after_utc <= now:
        raise errors.validation("The certificate has expired.")
    made = facts(leaf)
    _chain(leaf, parse(chain_pem, "certificate chain") if chain_pem.strip() else [])
    return made, names(leaf)


def _private(pem: bytes) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(pem, None)
    except TypeError:
        raise errors.validation("The private key is encrypted: only an unencrypted one can be imported.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise errors.validation(
            "Unable to parse private key. Please ensure the private key is in PEM format and is not encrypted."
        ) from None


def _chain(leaf: Certificate, chain: list[Certificate]) -> None:
    """Each certificate must be signed by the next one; without a chain it must be self-signed or its root unknown."""
    from cryptography.exceptions import InvalidSignature

    signed = leaf
    for issuer in chain:
        try:
            signed.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            raise errors.validation("Could not validate the certificate with the certificate chain.") from None
        signed = issuer


def facts(leaf: Certificate) -> Facts:
    """A certificate in the API's words; raises ValidationException for a kind of key that ACM does not know."""
    from cryptography import x509

    usages, extended = [], []
    for extension in leaf.extensions:
        if isinstance(extension.value, x509.KeyUsage):
            usages = [name for field, name in _USAGES.items() if getattr(extension.value, field)]
        if isinstance(extension.value, x509.ExtendedKeyUsage):
            oids = [usage.dotted_string for usage in extension.value]
            extended = [(_EXTENDED.get(oid, "CUSTOM"), oid) for oid in oids]
    serial = f"{leaf.serial_number:x}"
    serial = serial.zfill(len(serial) + len(serial) % 2)
    return Facts(
        not_before=leaf.not_valid_before_utc, not_after=leaf.not_valid_after_utc,
        serial=":".join(serial[n : n + 2] for n in range(0, len(serial), 2)),
        subject=_name(leaf.subject), issuer=_common(leaf.issuer), algorithm=algorithm(leaf.public_key()),
        signature=_signature(leaf), usages=tuple(usages), extended=tuple(extended),
    )  # fmt: skip


def _name(name: Any) -> str:
    return str(name.rfc4514_string({})) if name else ""


def _common(name: Any) -> str:
    from cryptography.x509 import NameOID

    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        found = name.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)
    return _name(name)


def _signature(leaf: Certificate) -> str:
    kind = "ECDSA" if algorithm_of(leaf.signature_algorithm_oid) == "ecdsa" else "RSA"
    digest = leaf.signature_hash_algorithm.name.upper() if leaf.signature_hash_algorithm else ""
    return f"{digest}WITH{kind}"


def algorithm_of(oid: Any) -> str:
    """``ecdsa`` or ``rsa``."""
    return "ecdsa" if oid.dotted_string.startswith("1.2.840.10045.") else "rsa"


def algorithm(key: Any) -> str:
    """``RSA_2048``, ``EC_prime256v1``; raises ValidationException."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if isinstance(key, RSAPublicKey) and key.key_size in (1024, 2048, 3072, 4096):
        return f"RSA_{key.key_size}"
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    length = getattr(key, "key_size", "unknown")
    raise errors.validation(f"The private key length {length} is not supported for key algorithm.")


def names(leaf: Certificate) -> tuple[str, ...]:
    """The DNS names of a certificate, its common name first."""
    from cryptography import x509

    common = [str(a.value) for a in leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    try:
        alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        listed = alternative.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        listed = []
    return tuple(dict.fromkeys([*common, *listed]))


def encrypted(key_pem: bytes, passphrase: bytes) -> str:
    """A private key that only a passphrase opens (PKCS #8); raises ValidationException."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if len(passphrase) < 4:
        raise errors.validation("The passphrase must have at least 4 characters.")
    key = load_pem_private_key(key_pem, None)
    wrapped = form.BestAvailableEncryption(passphrase)
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, wrapped).decode()
