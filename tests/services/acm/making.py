"""Certificates as somebody outside makes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Pair(NamedTuple):
    """PEM of a certificate and of its key."""

    body: bytes
    key: bytes
    certificate: x509.Certificate
    private: Any


def pair(
    domain: str, issuer: Pair | None = None, *, begins: datetime = NOW - timedelta(days=1), days: int = 90,
    names: tuple[str, ...] = (), key: Any = None,
) -> Pair:  # fmt: skip
    """A certificate, self-signed or signed by another."""
    private = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, domain)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in (domain, *names)]), critical=False)
        .sign(issuer.private if issuer else private, hashes.SHA256())
    )
    text = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return Pair(made.public_bytes(form.Encoding.PEM), text, made, private)
