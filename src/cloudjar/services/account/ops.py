"""What an account says of itself.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit import accounts
from cloudjar.kit.context import Ctx
from cloudjar.services.account import errors
from cloudjar.services.account.access import operation
from cloudjar.services.account.records import AlternateContact, ContactInformation


@operation("GetAccountInformation")
def get_account_information(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Number, name, age and state."""
    account = accounts.described(ctx.db, number)
    return {
        "AccountId": account.id,
        "AccountName": account.name,
        "AccountCreatedDate": account.opened,
        "AccountState": "ACTIVE" if account.state == "PENDING_CLOSURE" else account.state,
    }


@operation("PutAccountName")
def put_account_name(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Another name."""
    accounts.rename(ctx.db, number, req["AccountName"])
    return {}


@operation("GetPrimaryEmail")
def get_primary_email(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Root's address, of a member account."""
    return {"PrimaryEmail": accounts.described(ctx.db, number).email}


@operation("GetAlternateContact")
def get_alternate_contact(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Whom else to tell about one kind of thing."""
    return {"AlternateContact": _show(_need(ctx, number, req["AlternateContactType"]))}


@operation("PutAlternateContact")
def put_alternate_contact(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Name somebody, in place of whoever was named."""
    contact = AlternateContact(
        account=number,
        kind=req["AlternateContactType"],
        name=req["Name"],
        title=req["Title"],
        email=req["EmailAddress"].strip(),
        phone=req["PhoneNumber"].strip(),
    )
    table = ctx.db.at(number, "")[AlternateContact]
    if table.get(contact.kind) is None:
        table.add(contact)
    else:
        table.put(contact)
    return {}


@operation("DeleteAlternateContact")
def delete_alternate_contact(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Name nobody."""
    ctx.db.at(number, "")[AlternateContact].drop(_need(ctx, number, req["AlternateContactType"]))
    return {}


def _need(ctx: Ctx, number: str, kind: str) -> AlternateContact:
    found = ctx.db.at(number, "")[AlternateContact].get(kind)
    if found is None:
        raise errors.no_alternate_contact()
    return found


def _show(contact: AlternateContact) -> dict[str, Any]:
    return {
        "Name": contact.name,
        "Title": contact.title,
        "EmailAddress": contact.email,
        "PhoneNumber": contact.phone,
        "AlternateContactType": contact.kind,
    }


@operation("GetContactInformation")
def get_contact_information(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """The account holder's address."""
    found = ctx.db.at(number, "")[ContactInformation].get(number)
    if found is None:
        raise errors.no_contact_information()
    return {"ContactInformation": found.fields}


@operation("PutContactInformation")
def put_contact_information(ctx: Ctx, number: str, req: dict[str, Any]) -> dict[str, Any]:
    """Another address; what is not given is gone."""
    contact = ContactInformation(account=number, id=number, fields=dict(req["ContactInformation"]))
    table = ctx.db.at(number, "")[ContactInformation]
    if table.get(number) is None:
        table.add(contact)
    else:
        table.put(contact)
    return {}
