"""What a trust store takes: bundles of authorities and revocation lists, read from buckets as who asks.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.elbv2 import errors
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Revocation, TrustStore

_VIA = "elasticloadbalancing.amazonaws.com"
_MOST_BYTES = 50 << 20
_MISSING = ("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NotFound")
_LIMITS = {
    "stores": ("L-A8F7060B", 20), "authorities": ("L-43FE5A42", 25), "subjects": ("L-F31E307C", 10_000),
    "lists": ("L-332EE142", 30), "entries": ("L-37E1617B", 500_000),
}  # fmt: skip
"""Quotas of Service Quotas, and what AWS gives everybody:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""


class Bundle(NamedTuple):
    """Authorities in PEM, and how many."""

    text: str
    size: int


def limit(ctx: Ctx, what: str) -> int:
    """How many ``stores`` an account, and ``authorities``, ``lists`` and ``entries`` a trust store may have."""
    code, usual = _LIMITS[what]
    known = ctx.limit("elasticloadbalancing", code)
    return usual if known is None else int(known)


def bundle(ctx: Ctx, req: dict[str, Any]) -> Bundle:
    """The authorities that a request names. Raises CaCertificatesBundleNotFound, InvalidCaCertificatesBundle."""
    front = "CaCertificatesBundle"
    data = _read(ctx, req, front, AwsError(f"{front}NotFound", "The specified ca certificate bundle does not exist"))
    invalid = f"Invalid{front}"
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError:
        raise AwsError(invalid, "The specified ca certificate bundle is in an invalid format or is corrupt") from None
    if len(found) > limit(ctx, "authorities"):
        raise AwsError(invalid, "The specified ca certificate bundle has too many certificates")
    if sum(len(one.subject.public_bytes()) for one in found) > limit(ctx, "subjects"):
        raise AwsError(invalid, "The subjects of the specified ca certificate bundle are too long")
    if not all(_vouches(one) for one in found):
        raise AwsError(invalid, "The specified ca certificate bundle has certificates that are not of authorities")
    return Bundle("".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in found), len(found))


def _vouches(certificate: x509.Certificate) -> bool:
    try:
        said = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return said.ca


def revocation(ctx: Ctx, place: dict[str, Any], number: int) -> Revocation:
    """A revocation list. Raises RevocationContentNotFound, InvalidRevocationContent."""
    absent = AwsError("RevocationContentNotFound", "The specified revocation file does not exist")
    data = _read(ctx, place, "", absent)
    invalid = AwsError("InvalidRevocationContent", "The provided revocation file is an invalid format")
    pieces = re.findall(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", data, re.DOTALL)
    try:
        found = [x509.load_pem_x509_crl(one) for one in pieces] or [x509.load_der_x509_crl(data)]
    except ValueError:
        raise invalid from None
    text = "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in found)
    return Revocation(id=number, content=text, entries=sum(len(one) for one in found))


def _read(ctx: Ctx, req: dict[str, Any], front: str, absent: AwsError) -> bytes:
    """An object, in the name of who asks."""
    bucket, key = req.get(f"{front}S3Bucket"), req.get(f"{front}S3Key")
    if not bucket or not key:
        raise errors.validation("An S3 bucket and key must be specified")
    asked = {"Bucket": bucket, "Key": key}
    if req.get(f"{front}S3ObjectVersion"):
        asked["VersionId"] = req[f"{front}S3ObjectVersion"]
    try:
        found = ctx.call("s3", "GetObject", asked, via=_VIA)
    except AwsError as error:
        raise (absent if error.code in _MISSING else error) from error
    if int(found["ContentLength"]) > _MOST_BYTES:
        raise errors.validation("The file is larger than 50 MB")
    body = found["Body"]
    return body if isinstance(body, bytes) else b"".join(body)


def users(ctx: Ctx, arn: str) -> list[Listener]:
    """Listeners that ask for certificates of a trust store's authorities."""
    return [listener for listener in ctx.db[Listener].all() if listener.trust_store_arn == arn]


def changed(ctx: Ctx, store: TrustStore) -> None:
    """Have the nodes know that a trust store is another."""
    for arn in {listener.load_balancer_arn for listener in users(ctx, store.arn)}:
        ctx.wake(ctx.db[LoadBalancer].need(arn))


def mutual(ctx: Ctx, listener: Listener, given: dict[str, Any] | None, protocol: str) -> dict[str, Any]:
    """A listener's fields for what a request says of clients' certificates (None: nothing new)."""
    off = {"mutual": "off", "trust_store_arn": "", "ignores_expiry": False, "advertises": False}
    if given is None:
        return {} if protocol == "HTTPS" else off
    mode, arn = given.get("Mode") or "off", given.get("TrustStoreArn") or ""
    if mode not in ("off", "passthrough", "verify"):
        raise errors.validation(f"Mutual authentication mode '{mode}' must be one of '[off, passthrough, verify]'")
    if mode != "off" and protocol == "TLS":
        raise errors.not_built("Mutual authentication by a network load balancer")
    if mode != "off" and protocol != "HTTPS":
        raise errors.validation(f"Mutual authentication is not supported for {protocol} listeners")
    expiry, advertised = given.get("IgnoreClientCertificateExpiry"), given.get("AdvertiseTrustStoreCaNames")
    if mode != "verify":
        if arn or expiry is not None or advertised:
            raise errors.validation(f"A trust store cannot be specified for the mutual authentication mode '{mode}'")
        return {**off, "mutual": mode}
    if not arn:
        raise errors.validation("A trust store ARN must be specified for the mutual authentication mode 'verify'")
    if advertised not in (None, "on", "off"):
        raise errors.validation(f"'{advertised}' is not one of '[on, off]'")
    if ctx.db[TrustStore].get(arn) is None:
        raise AwsError("TrustStoreNotFound", f"Trust store '{arn}' not found")
    return {"mutual": mode, "trust_store_arn": arn, "ignores_expiry": bool(expiry), "advertises": advertised == "on"}


def show_mutual(listener: Listener) -> dict[str, Any]:
    """AWS's MutualAuthenticationAttributes."""
    if listener.mutual != "verify":
        return {"Mode": listener.mutual}
    return {
        "Mode": "verify", "TrustStoreArn": listener.trust_store_arn,
        "IgnoreClientCertificateExpiry": listener.ignores_expiry, "TrustStoreAssociationStatus": "active",
        "AdvertiseTrustStoreCaNames": "on" if listener.advertises else "off",
    }  # fmt: skip
