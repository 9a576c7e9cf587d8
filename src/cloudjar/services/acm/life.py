"""The life of certificates by AWS's clock: issued once their domains are proven, renewed while in use, expired.

Keys are made here and not in a request: an RSA key takes its time.

https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
https://docs.aws.amazon.com/acm/latest/userguide/supported-events.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import certificates
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.services.acm import domains, x509
from cloudjar.services.acm.records import CERTIFICATE, Certificate, Configuration, Renewal, purpose

VALID = timedelta(days=198)
RENEWED = timedelta(days=45)
PATIENCE = timedelta(hours=72)
"""How long a domain may stay unproven."""
_DAY = timedelta(days=1)


@reconciler(Certificate)
def converge(step: Step, certificate: Certificate | None) -> None:
    """Bring a certificate to where its proofs and the clock say."""
    if certificate is None:
        return
    now = step.ctx.now
    if certificate.state == "PENDING_VALIDATION":
        _pending(step, certificate, now)
    elif certificate.state == "ISSUED" and certificate.facts is not None:
        _in_force(step, certificate, certificate.facts.not_after, now)


def _pending(step: Step, certificate: Certificate, now: datetime) -> None:
    if domains.not_allowed(certificate.names):
        _end(step, "FAILED", "DOMAIN_NOT_ALLOWED")
    elif all(proof.given for proof in certificate.proofs):
        _issue(step, certificate)
    elif now >= certificate.created + PATIENCE:
        _end(step, "VALIDATION_TIMED_OUT", "")
    else:
        step.again("patience", certificate.created + PATIENCE)


def _end(step: Step, state: str, reason: str) -> None:
    step.change(Certificate, lambda now: replace(now, state=state, reason=reason))


def _issue(step: Step, certificate: Certificate) -> None:
    """Make a key and a certificate for it, for the first time or anew."""
    clock = step.world.clock
    body, chain, key = step.port("authority").issue(
        certificate.names, certificate.algorithm, min(clock.now(), clock.real()), step.ctx.now + VALID
    )
    made = x509.facts(x509.parse(body.encode())[0])
    sealed = step.world.sealer.seal(key, purpose(certificate))

    def issued(now: Certificate) -> Certificate:
        anew = now.issued is not None
        renewal = Renewal(status="SUCCESS", updated=step.ctx.now) if anew else None
        return replace(now, state="ISSUED", body=body, chain=chain, key=sealed, facts=made,
                       issued=now.issued or step.ctx.now, renewal=renewal)  # fmt: skip

    with step.world.state.database.transaction():
        after = step.change(Certificate, issued)
        if after is not None:
            _emit(step.ctx, after, "ACM Certificate Available", {"Action": "RENEWAL" if after.renewal else "ISSUANCE",
                  "CertificateType": after.kind, "CommonName": after.domain})  # fmt: skip
            certificates.changed(step.ctx, after.arn, after.users)


def _in_force(step: Step, certificate: Certificate, end: datetime, now: datetime) -> None:
    if now >= end:
        _end(step, "EXPIRED", "")
        _emit(step.ctx, certificate, "ACM Certificate Expired", {"CommonName": certificate.domain})
        return
    begins = end - RENEWED
    if now >= begins and certificate.kind == "AMAZON_ISSUED" and (certificate.users or certificate.exported):
        _renew(step, certificate)
    _warn(step, certificate, now)


def _renew(step: Step, certificate: Certificate) -> None:
    """DNS records are still there; who was asked by mail is asked again."""
    if all(proof.given for proof in certificate.proofs):
        _issue(step, certificate)
        if any(proof.method == "EMAIL" for proof in certificate.proofs):
            step.change(Certificate, _forget)
    elif certificate.renewal is None or certificate.renewal.status != "PENDING_VALIDATION":
        asked = Renewal(status="PENDING_VALIDATION", updated=step.ctx.now)
        step.change(Certificate, lambda now: replace(now, renewal=asked))
        _emit(step.ctx, certificate, "ACM Certificate Renewal Action Required", {
            "Action": "RENEWAL", "CommonName": certificate.domain, "RenewalStatusReason": None})  # fmt: skip


def _forget(certificate: Certificate) -> Certificate:
    return replace(certificate, proofs=tuple(replace(p, given=p.method != "EMAIL") for p in certificate.proofs))


def _warn(step: Step, certificate: Certificate, now: datetime) -> None:
    """A daily word while a certificate comes to its end, and the next look."""
    settings = step.db[Configuration].get("configuration") or Configuration()
    after = step.db[Certificate].get(certificate.arn)
    if after is None or after.facts is None:
        return
    end = after.facts.not_after
    first, days = end - timedelta(days=settings.days_before_expiry), -((now - end) // _DAY)
    if now >= first and step.wake.purpose == "expiry":
        _emit(step.ctx, certificate, "ACM Certificate Approaching Expiration", {
            "DaysToExpiry": days, "CommonName": certificate.domain})  # fmt: skip
    step.again("expiry", max(first, end - (days - 1) * _DAY) if now >= first else first)
    if now < end - RENEWED:
        step.again("renewal", end - RENEWED)


def _emit(ctx: Ctx, certificate: Certificate, kind: str, detail: dict[str, object]) -> None:
    with ctx.world.state.database.transaction():
        ctx.world.events.emit(certificate.account, certificate.region, "aws.acm", kind, detail, (certificate.arn,))


@on_boot("acm")
def at_start(world: World) -> None:
    """Look at every certificate that still has something before it."""
    for certificate in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(Certificate):
        if certificate.state == "PENDING_VALIDATION":
            world.state.wakes.wake(CERTIFICATE, certificate.account, certificate.region, certificate.arn)
