"""Certificates brought from elsewhere, and those that leave.

https://docs.aws.amazon.com/acm/latest/userguide/import-certificate.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import certificates
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.acm import errors, x509
from cloudjar.services.acm.ops.tags import given_tags
from cloudjar.services.acm.records import Certificate, purpose


@op("ImportCertificate")
def import_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A certificate with its key, new or in the place of one that was imported before."""
    chain = req.get("CertificateChain") or b""
    facts, names = x509.check(req["Certificate"], req["PrivateKey"], chain, ctx.now)
    before = ctx.db[Certificate].need(req["CertificateArn"]) if req.get("CertificateArn") else None
    if before is not None:
        return {"CertificateArn": _again(ctx, before, req, facts, names)}
    identity = ids.request_id()
    made = Certificate(
        arn=f"arn:{arns.PARTITION}:acm:{ctx.region}:{ctx.account}:certificate/{identity}", id=identity,
        domain=names[0] if names else "", names=names, kind="IMPORTED", algorithm=facts.algorithm, created=ctx.now,
        state="ISSUED", facts=facts, body=_text(req["Certificate"]), chain=_text(chain), imported=ctx.now,
        tags=given_tags(req.get("Tags")),
    )  # fmt: skip
    made = replace(made, key=ctx.world.sealer.seal(req["PrivateKey"], purpose(made)))
    return {"CertificateArn": ctx.db[Certificate].add(made).arn}


def _again(ctx: Ctx, before: Certificate, req: dict[str, Any], facts: Any, names: tuple[str, ...]) -> str:
    if before.kind != "IMPORTED":
        raise errors.validation(f"Certificate {before.arn} was not imported: only an imported one can be replaced.")
    if req.get("Tags"):
        raise AwsError("InvalidParameterException", "You cannot specify tags when you reimport a certificate.")
    if facts.algorithm != before.algorithm and before.users:
        raise errors.validation("The key algorithm of a certificate that is in use cannot be changed by reimporting.")
    after = replace(
        before, facts=facts, names=names, domain=names[0] if names else "", algorithm=facts.algorithm, state="ISSUED",
        body=_text(req["Certificate"]), chain=_text(req.get("CertificateChain") or b""), imported=ctx.now,
        key=ctx.world.sealer.seal(req["PrivateKey"], purpose(before)),
    )  # fmt: skip
    ctx.db[Certificate].put(after)
    certificates.changed(ctx, after.arn, after.users)
    return after.arn


def _text(pem: bytes) -> str:
    text = pem.decode().strip()
    return text + "\n" if text else ""


@op("GetCertificate")
def get_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The certificate and its chain, once it is issued."""
    found = _ready(ctx, req["CertificateArn"])
    return {"Certificate": found.body, "CertificateChain": found.chain or None}


@op("ExportCertificate", writes=True)
def export_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Certificate, chain and key, the key under a passphrase; only of those that were requested as exportable."""
    found = _ready(ctx, req["CertificateArn"])
    if not found.exportable:
        raise errors.validation(
            f"Certificate ARN: {found.arn} is not a private certificate and was not requested with the export option."
        )
    key = ctx.world.sealer.open(found.key, purpose(found))
    assert key is not None
    locked = x509.encrypted(key, req["Passphrase"])
    ctx.db[Certificate].put(replace(found, exported=True))
    return {"Certificate": found.body, "CertificateChain": found.chain, "PrivateKey": locked}


def _ready(ctx: Ctx, arn: str) -> Certificate:
    found = ctx.db[Certificate].need(arn)
    if found.state == "PENDING_VALIDATION":
        raise AwsError("RequestInProgressException", f"Certificate {arn} is still being issued.")
    if not found.body:
        raise errors.validation(f"Certificate {arn} was never issued.")
    return found
