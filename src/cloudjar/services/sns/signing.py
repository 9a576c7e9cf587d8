"""Signatures of messages, and the certificate with which anybody can verify them: served by the jar itself.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.services.sns.records import SigningKey

PATH = "/SimpleNotificationService-"
_PURPOSE = "sns-signing-key"
_ID = "current"
_PORT = "sns.signing"
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_YEARS = timedelta(days=3650)


def certificate(ctx: Ctx) -> SigningKey:
    """The jar's certificate; made when it is first needed."""
    table = ctx.db.at("", "")[SigningKey]
    found = table.get(_ID)
    if found is not None:
        return found
    with ctx.world.state.database.transaction():
        return table.get(_ID) or table.add(_make(ctx))


def _make(ctx: Ctx) -> SigningKey:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    real = ctx.world.clock.real()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(real - timedelta(days=1))
        .not_valid_after(real + _YEARS)
        .sign(key, hashes.SHA256())
    )
    raw = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    text = made.public_bytes(serialization.Encoding.PEM).decode()
    serial = made.fingerprint(hashes.SHA256()).hex()[:32]
    return SigningKey(id=_ID, key=ctx.world.sealer.seal(raw, _PURPOSE), certificate=text, serial=serial)


def _private(ctx: Ctx, held: SigningKey) -> Any:
    from cryptography.hazmat.primitives import serialization

    known = ctx.world.ports.get(_PORT)
    if known is None or known[0] != held.serial:
        raw = ctx.world.sealer.open(held.key, _PURPOSE)
        if raw is None:
            raise RuntimeError("the signing key was sealed by another installation")
        known = ctx.world.ports[_PORT] = (held.serial, serialization.load_der_private_key(raw, None))
    return known[1]


def text_of(message: Mapping[str, Any]) -> bytes:
    """What is signed of a message."""
    names = _NOTIFICATION if message["Type"] == "Notification" else _CONFIRMATION
    return "".join(f"{name}\n{message[name]}\n" for name in names if name in message).encode()


def signed(ctx: Ctx, message: dict[str, Any], version: str, base: str) -> dict[str, Any]:
    """A message with its signature and where the certificate is."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    held = certificate(ctx)
    digest = hashes.SHA256() if version == "2" else hashes.SHA1()
    signature = _private(ctx, held).sign(text_of(message), padding.PKCS1v15(), digest)
    return {
        **message,
        "SignatureVersion": version,
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": f"{base}{PATH}{held.serial}.pem",
    }
