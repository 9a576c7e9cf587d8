"""The identity document of an instance, signed: who reads it may believe it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html
A jar has a key of its own in each region, and a certificate that the PKCS #7 forms carry along. AWS signs `pkcs7` with
a DSA key; here it is the RSA key too.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs7,
)
from cryptography.x509.oid import NameOID

from cloudjar.kit.context import Ctx
from cloudjar.kit.guests import Tree
from cloudjar.kit.record import Record, record
from cloudjar.services.ec2.instances.records import Instance

_BITS = 2048
_YEARS = timedelta(days=365 * 30)
_PURPOSE = "instance identity document"


@record("ec2", "identity-signer", key="name")
class IdentitySigner(Record, frozen=True, kw_only=True):
    """The key that signs in a region: DER, `key` sealed."""

    name: str = "signer"
    key: bytes
    certificate: bytes


def identity(ctx: Ctx, vm: Instance) -> Tree:
    """``/latest/dynamic/instance-identity``."""
    text = document(vm)
    return {
        "document": text,
        "pkcs7": lambda: _enveloped(ctx, text),
        "rsa2048": lambda: _enveloped(ctx, text),
        "signature": lambda: _bare(ctx, text),
    }


def document(vm: Instance) -> str:
    """The document as it is signed."""
    return json.dumps(
        {
            "accountId": vm.account,
            "architecture": vm.architecture,
            "availabilityZone": vm.zone,
            "billingProducts": None,
            "devpayProductCodes": None,
            "marketplaceProductCodes": None,
            "imageId": vm.image_id,
            "instanceId": vm.id,
            "instanceType": vm.type,
            "kernelId": None,
            "pendingTime": vm.launched.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "privateIp": vm.private_ip,
            "ramdiskId": None,
            "region": vm.region,
            "version": "2017-09-30",
        },
        indent=2,
    )


def _enveloped(ctx: Ctx, text: str) -> str:
    """PKCS #7 around the document, in lines of base64 without the PEM frame, as IMDS gives it."""
    signer = _signer(ctx)
    key = _key(ctx, signer)
    built = pkcs7.PKCS7SignatureBuilder().set_data(text.encode())
    certificate = x509.load_der_x509_certificate(signer.certificate)
    signed = built.add_signer(certificate, key, SHA256()).sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    return _lines(signed, 64)


def _bare(ctx: Ctx, text: str) -> str:
    """RSA over the SHA-256 of the document."""
    return _lines(_key(ctx, _signer(ctx)).sign(text.encode(), padding.PKCS1v15(), SHA256()), 76)


def _lines(data: bytes, width: int) -> str:
    text = base64.b64encode(data).decode()
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))


def _signer(ctx: Ctx) -> IdentitySigner:
    """The region's signer, made when it is first needed."""
    table = ctx.db.at("", ctx.region)[IdentitySigner]
    return table.get("signer") or table.add(_made(ctx))


def _made(ctx: Ctx) -> IdentitySigner:
    key = rsa.generate_private_key(65537, _BITS)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Cloudjar"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"instance identity of {ctx.region}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ctx.now - timedelta(days=1))
        .not_valid_after(ctx.now + _YEARS)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return IdentitySigner(
        key=ctx.world.sealer.seal(private, _PURPOSE), certificate=certificate.public_bytes(Encoding.DER)
    )


def _key(ctx: Ctx, signer: IdentitySigner) -> rsa.RSAPrivateKey:
    opened = ctx.world.sealer.open(signer.key, _PURPOSE)
    if opened is None:
        raise RuntimeError("the key of the instance identity documents cannot be opened")
    return _loaded(opened)


@lru_cache(16)
def _loaded(private: bytes) -> rsa.RSAPrivateKey:
    key: Any = load_der_private_key(private, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
