"""Certificates described and listed."""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.acm import views
from cloudjar.services.acm.records import Certificate

_BY_DEFAULT = ("RSA_1024", "RSA_2048")
"""Whoever does not say what he knows of sees RSA certificates of the old lengths alone."""


@op("DescribeCertificate")
def describe_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Everything about a certificate but its key."""
    return {"Certificate": views.detail(ctx.db[Certificate].need(req["CertificateArn"]))}


@op("ListCertificates")
def list_certificates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Certificates by status and kind of key."""
    if bool(req.get("SortBy")) != bool(req.get("SortOrder")):
        raise AwsError("InvalidArgsException", "SortBy and SortOrder must be specified together.")
    if req.get("CertificateKeyPairOrigins"):
        raise AwsError("NotImplemented", "Listing by the origin of key pairs is not built in Cloudjar yet.", 501)
    found = [c for c in ctx.db[Certificate].all() if _wanted(c, req)]
    found.sort(key=lambda c: c.created, reverse=req.get("SortOrder") == "DESCENDING")
    return {"CertificateSummaryList": [views.summary(c) for c in found]}


def _wanted(c: Certificate, req: dict[str, Any]) -> bool:
    includes = req.get("Includes") or {}
    kinds = includes.get("keyTypes") or _BY_DEFAULT
    facts = c.facts
    usages, extended = set(facts.usages if facts else ()), {name for name, _ in facts.extended} if facts else set()
    return (
        c.algorithm in kinds
        and (not req.get("CertificateStatuses") or c.state in req["CertificateStatuses"])
        and set(includes.get("keyUsage") or ()) <= usages
        and set(includes.get("extendedKeyUsage") or ()) <= extended
        and (
            not includes.get("exportOption") or includes["exportOption"] == ("ENABLED" if c.exportable else "DISABLED")
        )
        and (not includes.get("managedBy") or includes["managedBy"] == c.managed_by)
    )
