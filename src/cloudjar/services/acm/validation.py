"""What stands for the owner of a domain until this jar has DNS zones and mailboxes: somebody who may use the admin API
says that a certificate's questions are answered."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.caller import service as service_caller
from cloudjar.kit.certificates import proves
from cloudjar.kit.context import Ctx, World
from cloudjar.services.acm.records import CERTIFICATE, Certificate


@proves
def prove(world: World, arn: str, domain: str = "") -> list[str]:
    """Answer the questions about a certificate's domains (or one of them); gives those that are still open.

    Raises ValueError when there is no such certificate or domain, or nothing is asked.
    """
    parsed = arns.parse(arn)
    with world.state.database.transaction():
        ctx = Ctx(world, parsed.account if parsed else "", parsed.region if parsed else "",
                  service_caller("acm.amazonaws.com", ""))  # fmt: skip
        certificate = ctx.db[Certificate].get(arn) if parsed else None
        if certificate is None:
            raise ValueError(f"there is no certificate {arn}")
        asked = certificate.state == "PENDING_VALIDATION" or (
            certificate.renewal is not None and certificate.renewal.status == "PENDING_VALIDATION"
        )
        if not asked:
            raise ValueError(f"{arn} is {certificate.state}: nothing is asked of its owner")
        if domain and domain not in certificate.names:
            raise ValueError(f"{arn} has no name {domain}")
        proofs = tuple(replace(p, given=p.given or not domain or p.domain == domain) for p in certificate.proofs)
        ctx.db[Certificate].put(replace(certificate, proofs=proofs))
        world.state.wakes.wake(CERTIFICATE, ctx.account, ctx.region, arn)
        return [proof.domain for proof in proofs if not proof.given]
