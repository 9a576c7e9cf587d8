"""Certificate authorities: shown, and chosen for new instances."""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import authorities, certificates, errors


@op("DescribeCertificates")
def describe_certificates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The authorities that an instance's certificate may be of."""
    named = req.get("CertificateIdentifier")
    found = [authorities.need(named)] if named else sorted(authorities.KEYS)
    facts = certificates.authority_facts(ctx)
    shown = filters.apply(req.get("Filters"), {}, [_shown(ctx, one, facts) for one in found])
    return {"Certificates": shown, "DefaultCertificateForNewLaunches": certificates.usual(ctx)}


@op("ModifyCertificates")
def modify_certificates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have another authority for the account's new instances, or AWS's usual one again."""
    named, removes = req.get("CertificateIdentifier"), bool(req.get("RemoveCustomerOverride"))
    if bool(named) == removes:
        raise errors.combination("Specify either CertificateIdentifier or RemoveCustomerOverride.")
    held = certificates.override(ctx)
    certificates.prefer(ctx, authorities.need(named) if named else "")
    of = named or (held.authority if held is not None else authorities.USUAL)
    return {"Certificate": _shown(ctx, of, certificates.authority_facts(ctx))}


def _shown(ctx: Ctx, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    held = certificates.override(ctx)
    mine = held is not None and held.authority == name
    return {
        "CertificateIdentifier": name,
        "CertificateType": "CA",
        "CertificateArn": arns.make("rds", ctx.region, "", f"cert:{name}"),
        "CustomerOverride": mine,
        "CustomerOverrideValidTill": facts["ValidTill"] if mine else None,
        **facts,
    }
