"""Identities: addresses are asked by letter, domains for records in DNS.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateEmailIdentity.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors, identities
from cloudjar.kit.mailing.records import Identity
from cloudjar.kit.operation import op
from cloudjar.services.sesv2 import listing

_WORDS = {"Success": "SUCCESS", "Pending": "PENDING", "Failed": "FAILED", "NotStarted": "NOT_STARTED"}
_ABSENT = ("DkimSigningAttributes", "ConfigurationSetName")


def need(ctx: Ctx, name: str) -> Identity:
    """An identity; raises NotFoundException."""
    held = ctx.db[Identity].get(name if identities.is_address(name) else name.lower())
    if held is None:
        raise errors.no_identity(name)
    return held


def _kind(held: Identity) -> str:
    return "EMAIL_ADDRESS" if identities.is_address(held.name) else "DOMAIN"


def _dkim(ctx: Ctx, held: Identity) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "SigningEnabled": held.dkim,
        "Status": _WORDS[identities.dkim_status(ctx, held)],
        "SigningAttributesOrigin": "AWS_SES",
        "NextSigningKeyLength": "RSA_2048_BIT",
    }
    if held.dkim_tokens:
        shown |= {
            "Tokens": list(held.dkim_tokens), "CurrentSigningKeyLength": "RSA_2048_BIT",
            "SigningHostedZone": "dkim.amazonses.com",
        }  # fmt: skip
    return shown


@op("CreateEmailIdentity")
@errors.in_v2
def create_email_identity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An address, which gets a link, or a domain with the tokens that its DNS should have."""
    for member in _ABSENT:
        if req.get(member):
            raise errors.not_built("sesv2", f"{member} of identities")
    name = identities.checked(req["EmailIdentity"])
    if ctx.db[Identity].get(name) is not None:
        raise AwsError("AlreadyExistsException", f"Email identity {name} already exist.", 400)
    held = identities.ask(ctx, name, tags.from_list(req.get("Tags") or ()))
    if not identities.is_address(name):
        held = identities.ask_dkim(ctx, name)
    return {
        "IdentityType": _kind(held), "VerifiedForSendingStatus": held.verified, "DkimAttributes": _dkim(ctx, held)
    }


@op("GetEmailIdentity")
@errors.in_v2
def get_email_identity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All about an identity."""
    held = need(ctx, req["EmailIdentity"])
    return {
        "IdentityType": _kind(held),
        "FeedbackForwardingStatus": held.forwarding,
        "VerifiedForSendingStatus": held.verified,
        "DkimAttributes": _dkim(ctx, held),
        "Policies": held.policies,
        "Tags": tags.as_list(held.tags),
        "VerificationStatus": _WORDS[identities.status(ctx, held)],
    }


@op("ListEmailIdentities")
@errors.in_v2
def list_email_identities(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Identities, verified or not."""
    if req.get("Filter"):
        raise errors.not_built("sesv2", "Filter of ListEmailIdentities")
    shown = [
        {
            "IdentityType": _kind(held), "IdentityName": held.name, "SendingEnabled": held.verified,
            "VerificationStatus": _WORDS[identities.status(ctx, held)],
        }
        for held in ctx.db[Identity].all()
    ]  # fmt: skip
    return listing.page("ListEmailIdentities", req, "EmailIdentities", shown)


@op("DeleteEmailIdentity")
@errors.in_v2
def delete_email_identity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget an identity."""
    identities.drop(ctx, need(ctx, req["EmailIdentity"]).name)
    return {}


@op("PutEmailIdentityDkimAttributes")
@errors.in_v2
def put_email_identity_dkim_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether letters from an identity are signed; that needs records that were found."""
    held = need(ctx, req["EmailIdentity"])
    wanted = bool(req.get("SigningEnabled"))
    if wanted and identities.dkim_status(ctx, held) != "Success":
        raise errors.invalid(f"Identity {held.name} is not verified for DKIM signing.")
    ctx.db[Identity].put(replace(held, dkim=wanted))
    return {}
