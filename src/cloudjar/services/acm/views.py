"""Certificates in the API's form."""

from __future__ import annotations

from typing import Any

from cloudjar.services.acm import domains
from cloudjar.services.acm.records import Certificate, Proof

_SHOWN_NAMES = 100


def detail(c: Certificate) -> dict[str, Any]:
    """AWS's CertificateDetail."""
    shown: dict[str, Any] = {
        "CertificateArn": c.arn,
        "DomainName": c.domain,
        "SubjectAlternativeNames": list(c.names),
        "ManagedBy": c.managed_by or None,
        "CreatedAt": None if c.imported else c.created,
        "IssuedAt": None if c.imported else c.issued,
        "ImportedAt": c.imported,
        "Status": c.state,
        "FailureReason": c.reason or None,
        "KeyAlgorithm": c.algorithm,
        "InUseBy": list(c.users),
        "Type": c.kind,
        "RenewalEligibility": eligibility(c),
        "Options": options(c),
    }
    if c.proofs:
        shown["DomainValidationOptions"] = [proof(c, p) for p in c.proofs]
    if c.renewal is not None:
        shown["RenewalSummary"] = {
            "RenewalStatus": c.renewal.status,
            "DomainValidationOptions": [proof(c, p) for p in c.proofs],
            "UpdatedAt": c.renewal.updated,
            "RenewalStatusReason": c.renewal.reason or None,
        }
    return {**shown, **_facts(c)}


def options(c: Certificate) -> dict[str, str]:
    """What may be logged and exported."""
    shown = {"CertificateTransparencyLoggingPreference": "ENABLED" if c.transparent else "DISABLED"}
    return shown if c.imported else {**shown, "Export": "ENABLED" if c.exportable else "DISABLED"}


def eligibility(c: Certificate) -> str:
    """Whether it is renewed without being asked."""
    renewed = c.kind == "AMAZON_ISSUED" and c.state == "ISSUED" and (c.users or c.exported)
    return "ELIGIBLE" if renewed else "INELIGIBLE"


def _facts(c: Certificate) -> dict[str, Any]:
    f = c.facts
    if f is None:
        return {}
    return {
        "Serial": f.serial,
        "Subject": f.subject,
        "Issuer": f.issuer,
        "NotBefore": f.not_before,
        "NotAfter": f.not_after,
        "SignatureAlgorithm": f.signature,
        "KeyUsages": [{"Name": name} for name in f.usages],
        "ExtendedKeyUsages": [{"Name": name, "OID": oid} for name, oid in f.extended],
    }


def proof(c: Certificate, p: Proof) -> dict[str, Any]:
    """AWS's DomainValidation."""
    over = c.state in ("FAILED", "VALIDATION_TIMED_OUT")
    # Whoever waits for all of them to succeed expects to have a certificate then.
    being_made = c.state == "PENDING_VALIDATION" and all(other.given for other in c.proofs)
    status = "SUCCESS" if p.given and not being_made else "FAILED" if over else "PENDING_VALIDATION"
    shown: dict[str, Any] = {
        "DomainName": p.domain, "ValidationDomain": p.validation_domain, "ValidationStatus": status,
        "ValidationMethod": p.method,
    }  # fmt: skip
    if p.method == "DNS":
        return {**shown, "ResourceRecord": {"Name": p.name, "Type": "CNAME", "Value": p.value}}
    return {**shown, "ValidationEmails": domains.mailboxes(p)}


def summary(c: Certificate) -> dict[str, Any]:
    """AWS's CertificateSummary."""
    f = c.facts
    return {
        "CertificateArn": c.arn,
        "DomainName": c.domain,
        "SubjectAlternativeNameSummaries": list(c.names[:_SHOWN_NAMES]),
        "HasAdditionalSubjectAlternativeNames": len(c.names) > _SHOWN_NAMES,
        "Status": c.state,
        "Type": c.kind,
        "KeyAlgorithm": c.algorithm.replace("_", "-") if c.algorithm.startswith("RSA") else c.algorithm,
        "KeyUsages": list(f.usages) if f else [],
        "ExtendedKeyUsages": [name for name, _ in f.extended] if f else [],
        "ExportOption": None if c.imported else "ENABLED" if c.exportable else "DISABLED",
        "InUse": bool(c.users),
        "Exported": c.exported if c.exportable else None,
        "RenewalEligibility": eligibility(c),
        "NotBefore": f.not_before if f else None,
        "NotAfter": f.not_after if f else None,
        "CreatedAt": None if c.imported else c.created,
        "IssuedAt": None if c.imported else c.issued,
        "ImportedAt": c.imported,
        "ManagedBy": c.managed_by or None,
    }
