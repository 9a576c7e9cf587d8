"""Users' X.509 signing certificates.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSigningCertificate.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import certificates, errors, names
from cloudjar.services.iam.credentials import SigningCertificate
from cloudjar.services.iam.records import User
from cloudjar.spec import quotas

_PER_USER = quotas.IAM_SUMMARY["SigningCertificatesPerUserQuota"]


def status_of(active: bool) -> str:
    """``Active`` or ``Inactive``."""
    return "Active" if active else "Inactive"


def asked_status(req: dict[str, Any], what: str) -> bool:
    """Whether a request makes something active; nobody can make it expire."""
    if req["Status"] not in ("Active", "Inactive"):
        raise errors.invalid_input(f"Status {req['Status']} is not valid for {what}.")
    return bool(req["Status"] == "Active")


def _shown(user: User, item: SigningCertificate) -> dict[str, Any]:
    return {
        "UserName": user.name,
        "CertificateId": item.id,
        "CertificateBody": item.body,
        "Status": status_of(item.active),
        "UploadDate": item.made,
    }


def _need(ctx: Ctx, req: dict[str, Any]) -> SigningCertificate:
    user = names.user_or_caller(ctx, req.get("UserName"))
    item = ctx.db[SigningCertificate].need(req["CertificateId"])
    if item.user_id != user.id:
        raise ctx.db[SigningCertificate].meta.not_found(item.id)
    return item


@op("UploadSigningCertificate")
def upload_signing_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A certificate that nobody else has; a user may have two."""
    user = names.user_or_caller(ctx, req.get("UserName"))
    body = req["CertificateBody"].strip()
    if certificates.expiry(certificates.certificate(body)) <= ctx.now:
        raise AwsError("InvalidCertificate", "The certificate has expired.", 400)
    if any(item.body == body for item in ctx.db.everywhere(SigningCertificate)):
        raise AwsError("DuplicateCertificate", "The certificate is already associated with a user.", 409)
    if ctx.db[SigningCertificate].count(user_id=user.id) >= _PER_USER:
        raise errors.quota("CertificatesPerUser", _PER_USER)
    item = SigningCertificate(
        id=ids.unique_id("")[:8] + ids.unique_id("") + ids.unique_id("")[:3],
        user_id=user.id,
        made=ctx.now.replace(microsecond=0),
        body=body,
    )
    return {"Certificate": _shown(user, ctx.db[SigningCertificate].add(item))}


@op("ListSigningCertificates")
def list_signing_certificates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A user's certificates, oldest first."""
    user = names.user_or_caller(ctx, req.get("UserName"))
    found = sorted(ctx.db[SigningCertificate].all(user_id=user.id), key=lambda item: item.made)
    return {"Certificates": [_shown(user, item) for item in found]}


@op("UpdateSigningCertificate")
def update_signing_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a certificate active or inactive."""
    active = asked_status(req, "a signing certificate")
    ctx.db[SigningCertificate].put(replace(_need(ctx, req), active=active, changed=ctx.now))
    return {}


@op("DeleteSigningCertificate")
def delete_signing_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a certificate."""
    ctx.db[SigningCertificate].drop(_need(ctx, req))
    return {}
