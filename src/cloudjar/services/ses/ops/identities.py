"""Identities: addresses are asked by letter, domains for records in DNS.

https://docs.aws.amazon.com/ses/latest/APIReference/API_VerifyEmailIdentity.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors, identities
from cloudjar.kit.mailing.records import Identity
from cloudjar.kit.operation import op


@op("VerifyEmailIdentity")
def verify_email_identity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Send an address a link that verifies it."""
    _ask_address(ctx, req["EmailAddress"])
    return {}


@op("VerifyEmailAddress")
def verify_email_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The older name of the same."""
    _ask_address(ctx, req["EmailAddress"])
    return {}


def _ask_address(ctx: Ctx, address: str) -> None:
    if not identities.is_address(address):
        raise errors.invalid(f"Invalid email address<{address}>.")
    identities.ask(ctx, address)


@op("VerifyDomainIdentity")
def verify_domain_identity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a TXT record at _amazonses.DOMAIN should hold."""
    return {"VerificationToken": identities.ask(ctx, _domain(req)).token}


@op("VerifyDomainDkim")
def verify_domain_dkim(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tokens of the CNAME records for DKIM."""
    return {"DkimTokens": list(identities.ask_dkim(ctx, _domain(req)).dkim_tokens)}


def _domain(req: dict[str, Any]) -> str:
    name: str = req["Domain"]
    if identities.is_address(name):
        raise errors.invalid(f"Invalid domain name {name}.")
    return name


@op("ListIdentities")
def list_identities(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Names of identities, verified or not."""
    kind = req.get("IdentityType")
    names = [held.name for held in ctx.db[Identity].all()]
    return {"Identities": [n for n in names if not kind or identities.is_address(n) == (kind == "EmailAddress")]}


@op("ListVerifiedEmailAddresses")
def list_verified_email_addresses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Addresses whose owners have followed the link."""
    found = [held.name for held in ctx.db[Identity].all() if held.verified and identities.is_address(held.name)]
    return {"VerifiedEmailAddresses": found}


@op("DeleteIdentity")
def delete_identity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget an identity; nothing happens where there is none."""
    identities.drop(ctx, req["Identity"])
    return {}


@op("DeleteVerifiedEmailAddress")
def delete_verified_email_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The older name of the same, for addresses."""
    if identities.is_address(req["EmailAddress"]):
        identities.drop(ctx, req["EmailAddress"])
    return {}


def _known(ctx: Ctx, req: dict[str, Any]) -> list[Identity]:
    found = [ctx.db[Identity].get(name) for name in dict.fromkeys(req["Identities"])]
    return [held for held in found if held is not None]


@op("GetIdentityVerificationAttributes")
def get_identity_verification_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How far the identities that are known are; domains with their token."""
    shown: dict[str, Any] = {}
    for held in _known(ctx, req):
        shown[held.name] = {"VerificationStatus": identities.status(ctx, held)}
        if not identities.is_address(held.name):
            shown[held.name]["VerificationToken"] = held.token
    return {"VerificationAttributes": shown}


@op("GetIdentityDkimAttributes")
def get_identity_dkim_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """DKIM of the identities that are known."""
    shown = {
        held.name: {
            "DkimEnabled": held.dkim,
            "DkimVerificationStatus": identities.dkim_status(ctx, held),
            "DkimTokens": list(held.dkim_tokens) or None,
        }
        for held in _known(ctx, req)
    }
    return {"DkimAttributes": shown}


@op("SetIdentityDkimEnabled")
def set_identity_dkim_enabled(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether letters from an identity are to be signed; that needs records that were found."""
    held = ctx.db[Identity].get(req["Identity"])
    if held is None:
        raise errors.invalid(f"Identity {req['Identity']} does not exist.")
    if req["DkimEnabled"] and identities.dkim_status(ctx, held) != "Success":
        raise errors.invalid(f"Identity {held.name} is not verified for DKIM signing.")
    ctx.db[Identity].put(replace(held, dkim=bool(req["DkimEnabled"])))
    return {}
