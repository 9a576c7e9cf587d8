"""Authorities of clients' certificates, as somebody who runs one has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Holder(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def secret(self) -> str:
        """The key."""
        kind = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()

    @property
    def serial(self) -> str:
        """As headers and logs have it."""
        whole = f"{self.certificate.serial_number:X}"
        return whole if len(whole) % 2 == 0 else f"0{whole}"


def _name(common: str) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme, Inc"),
        x509.NameAttribute(NameOID.COMMON_NAME, common),
    ])  # fmt: skip


def make(common: str, above: Holder | None = None, *, ca: bool = False, days: tuple[int, int] = (-2, 9)) -> Holder:
    """A certificate below another, or of its own; `days` are from today."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(above.certificate.subject if above else _name(common))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca, None), True)
    )
    return Holder(built.sign(above.key if above else key, hashes.SHA256()), key)


def revoking(authority: Holder, *gone: Holder) -> str:
    """The authority's revocation list."""
    now = datetime.now(UTC)
    built = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.subject)
    built = built.last_update(now - timedelta(hours=1)).next_update(now + timedelta(days=9))
    for one in gone:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
        built = built.add_revoked_certificate(entry.revocation_date(now).build())
    return built.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
