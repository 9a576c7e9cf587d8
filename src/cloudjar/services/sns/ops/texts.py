"""Texts to telephones: settings, opted-out numbers, the sandbox's numbers.

https://docs.aws.amazon.com/sns/latest/dg/sns-sms-sandbox.html
https://docs.aws.amazon.com/sns/latest/dg/sms_manage.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sns import errors, texting
from cloudjar.services.sns.records import OptedIn, OptedOut, SandboxNumber, SmsSettings

_MOST_NUMBERS = 10
_VALID = timedelta(hours=24)
_AGAIN = timedelta(days=30)


@op("SetSMSAttributes")
def set_sms_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change settings of texts."""
    given = {name: value or "" for name, value in req["attributes"].items()}
    for name, value in given.items():
        texting.checked(name, value)
    held = texting.settings(ctx)
    values = {name: value for name, value in {**held.values, **given}.items() if value}
    table = ctx.db[SmsSettings]
    (table.put if table.get(held.id) else table.add)(replace(held, values=values))
    return {}


@op("GetSMSAttributes")
def get_sms_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Settings of texts: all, or those named."""
    shown = {"MonthlySpendLimit": "1", **texting.settings(ctx).values}
    wanted = req.get("attributes")
    return {"attributes": {name: value for name, value in shown.items() if not wanted or name in wanted}}


@op("CheckIfPhoneNumberIsOptedOut")
def check_if_phone_number_is_opted_out(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a telephone wants no texts from this account."""
    return {"isOptedOut": ctx.db[OptedOut].get(texting.number(req["phoneNumber"])) is not None}


@op("ListPhoneNumbersOptedOut")
def list_phone_numbers_opted_out(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The telephones that want none."""
    return {"phoneNumbers": [held.number for held in ctx.db[OptedOut].all()]}


@op("OptInPhoneNumber")
def opt_in_phone_number(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Write to a telephone again; once in thirty days."""
    number = texting.number(req["phoneNumber"])
    held = ctx.db[OptedOut].get(number)
    if held is None:
        return {}
    last = ctx.db[OptedIn].get(number)
    if last is not None and ctx.now.timestamp() < last.at + _AGAIN.total_seconds():
        raise errors.invalid("phoneNumber Reason: The phone number can be opted in only once every 30 days")
    if last is None:
        ctx.db[OptedIn].add(OptedIn(number=number, at=ctx.now.timestamp()))
    else:
        ctx.db[OptedIn].put(replace(last, at=ctx.now.timestamp()))
    ctx.db[OptedOut].drop(held)
    return {}


@op("GetSMSSandboxAccountStatus")
def get_sms_sandbox_account_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Accounts here are out of the sandbox: every number may be written to."""
    return {"IsInSandbox": False}


@op("CreateSMSSandboxPhoneNumber")
def create_sms_sandbox_phone_number(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A number, which is sent a password; once more, and it is sent another."""
    number, table = texting.number(req["PhoneNumber"]), ctx.db[SandboxNumber]
    if ctx.db[OptedOut].get(number) is not None:
        raise AwsError("OptedOut", f"{number} has opted out of receiving messages", 400)
    known = table.get(number)
    if known is not None and known.verified:
        return {}
    if known is None and table.count() >= _MOST_NUMBERS:
        raise AwsError("UserError", f"You may have only {_MOST_NUMBERS} destination phone numbers", 400)
    password, now = texting.one_time_password(), ctx.now.timestamp()
    if known is None:
        table.add(SandboxNumber(number=number, created=now, password=password, sent=now))
    else:
        table.put(replace(known, password=password, sent=now))
    texting.send(ctx, number, f"Your one-time password for the Amazon SNS sandbox is {password}.")
    return {}


@op("VerifySMSSandboxPhoneNumber")
def verify_sms_sandbox_phone_number(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whoever has the telephone has told the password, which can be done for a day."""
    number, table = texting.number(req["PhoneNumber"]), ctx.db[SandboxNumber]
    held = table.need(number)
    if held.verified:
        return {}
    over = held.sent + _VALID.total_seconds() < ctx.now.timestamp()
    if over or held.password != req["OneTimePassword"]:
        raise AwsError("VerificationException", "The one-time password is not valid, or no longer", 400)
    table.put(replace(held, verified=True, password=""))
    return {}


@op("DeleteSMSSandboxPhoneNumber")
def delete_sms_sandbox_phone_number(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget a number: a verified one after a day."""
    held = ctx.db[SandboxNumber].need(texting.number(req["PhoneNumber"]))
    if held.verified and ctx.now.timestamp() < held.created + _VALID.total_seconds():
        raise AwsError("UserError", "A verified number can be deleted 24 hours after it was added", 400)
    ctx.db[SandboxNumber].drop(held)
    return {}


@op("ListSMSSandboxPhoneNumbers")
def list_sms_sandbox_phone_numbers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The numbers, and whether their owners have told the password."""
    shown = [
        {"PhoneNumber": held.number, "Status": "Verified" if held.verified else "Pending"}
        for held in ctx.db[SandboxNumber].all()
    ]
    return {"PhoneNumbers": shown}


@op("ListOriginationNumbers")
def list_origination_numbers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Numbers that texts are sent from: none can be had here."""
    return {"PhoneNumbers": []}
