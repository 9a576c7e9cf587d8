"""Certificates asked for: requested, asked about again by mail, changed, removed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.acm import domains, errors
from cloudjar.services.acm.ops.tags import given_tags
from cloudjar.services.acm.records import Certificate

_NAMES = ("acm", "L-FB94F0B0")
_REQUESTABLE = ("RSA_2048", "EC_prime256v1", "EC_secp384r1")


@op("RequestCertificate")
def request_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A certificate of the jar's own authority; it is issued once its domains are proven."""
    if req.get("CertificateAuthorityArn"):
        raise errors.not_built("A certificate of a private certificate authority")
    method = req.get("ValidationMethod") or "EMAIL"
    if method == "HTTP" or req.get("ManagedBy"):
        raise errors.parameter("HTTP validation is for certificates that CLOUDFRONT manages, which is not built.")
    algorithm = req.get("KeyAlgorithm") or "RSA_2048"
    if algorithm not in _REQUESTABLE:
        raise errors.parameter(f"The key algorithm {algorithm} is not supported for public certificates.")
    names = domains.wanted(req["DomainName"], req.get("SubjectAlternativeNames") or (), ctx.limit(*_NAMES))
    token = req.get("IdempotencyToken") or ""
    for other in ctx.db[Certificate].all(token=token) if token else ():
        if other.names == names and ctx.now < other.created + timedelta(hours=1):
            return {"CertificateArn": other.arn}
    options = req.get("Options") or {}
    identity = ids.request_id()
    certificate = Certificate(
        arn=f"arn:{arns.PARTITION}:acm:{ctx.region}:{ctx.account}:certificate/{identity}", id=identity,
        domain=names[0], names=names, kind="AMAZON_ISSUED", algorithm=algorithm, created=ctx.now, token=token,
        proofs=domains.proofs(ctx.account, names, method, req.get("DomainValidationOptions") or ()),
        transparent=options.get("CertificateTransparencyLoggingPreference") != "DISABLED",
        exportable=options.get("Export") == "ENABLED", tags=given_tags(req.get("Tags")),
    )  # fmt: skip
    return {"CertificateArn": ctx.db[Certificate].add(certificate).arn}


@op("ResendValidationEmail")
def resend_validation_email(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Checks what AWS checks; there is no mailbox in this jar (README.md: `cloudjar certificate validate`)."""
    certificate = ctx.db[Certificate].need(req["CertificateArn"])
    proof = next((p for p in certificate.proofs if p.domain == req["Domain"].lower()), None)
    if proof is None or proof.method != "EMAIL":
        raise AwsError("InvalidStateException", f"The certificate {certificate.arn} was not requested by email.")
    if certificate.state != "PENDING_VALIDATION":
        raise AwsError("InvalidStateException", f"The certificate {certificate.arn} is not pending validation.")
    domains.proofs(ctx.account, certificate.names, "EMAIL", [
        {"DomainName": req["Domain"], "ValidationDomain": req["ValidationDomain"]}])  # fmt: skip
    changed = tuple(
        replace(p, validation_domain=req["ValidationDomain"].lower()) if p is proof else p for p in certificate.proofs
    )
    ctx.db[Certificate].put(replace(certificate, proofs=changed))
    return {}


@op("UpdateCertificateOptions")
def update_certificate_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Transparency logging; that it can be exported may be added and not taken away."""
    certificate = ctx.db[Certificate].need(req["CertificateArn"])
    if certificate.kind == "IMPORTED":
        raise AwsError("InvalidStateException", "Options of imported certificates cannot be changed.")
    logging = req["Options"].get("CertificateTransparencyLoggingPreference")
    export = req["Options"].get("Export")
    if export and (export == "ENABLED") != certificate.exportable:
        raise errors.validation("The export option cannot be changed after a certificate was requested.")
    ctx.db[Certificate].put(
        replace(certificate, transparent=logging == "ENABLED" if logging else certificate.transparent)
    )
    return {}


@op("RenewCertificate")
def renew_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Private certificates alone can be renewed by hand, and there are none yet."""
    certificate = ctx.db[Certificate].need(req["CertificateArn"])
    raise errors.validation(
        f"Certificate {certificate.arn} is not a private certificate: it cannot be renewed by hand."
    )


@op("DeleteCertificate")
def delete_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a certificate that nobody serves with."""
    certificate = ctx.db[Certificate].need(req["CertificateArn"])
    if certificate.users:
        raise AwsError("ResourceInUseException", f"Certificate {certificate.arn} in account {ctx.account} is in use.")
    ctx.db[Certificate].drop(certificate)
    return {}
