"""The account: sandbox and production, quota, what it tells about itself.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_PutAccountDetails.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import accounts, errors
from cloudjar.kit.operation import op

_TEXTS = ("MailType", "WebsiteURL", "ContactLanguage", "UseCaseDescription")


@op("GetAccount")
def get_account(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Everything about the account in this Region."""
    held = accounts.of(ctx)
    production = accounts.in_production(ctx, held)
    shown: dict[str, Any] = {
        "DedicatedIpAutoWarmupEnabled": False,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": production,
        "SendQuota": accounts.quota(ctx),
        "SendingEnabled": held.sending,
        "SuppressionAttributes": {"SuppressedReasons": list(held.suppresses)},
        "VdmAttributes": {"VdmEnabled": "DISABLED"},
    }
    if held.details:
        shown["Details"] = {**held.details, "AdditionalContactEmailAddresses": list(held.contacts) or None}
        if held.asked:
            shown["Details"]["ReviewDetails"] = {"Status": "GRANTED" if production else "PENDING"}
    return shown


@op("PutAccountDetails")
@errors.in_v2
def put_account_details(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the account is for, and perhaps that it wants to leave the sandbox."""
    details = {name: req[name] for name in _TEXTS if req.get(name)}
    contacts = tuple(req.get("AdditionalContactEmailAddresses") or ())
    accounts.request_production(ctx, details, contacts, wanted=bool(req.get("ProductionAccessEnabled")))
    return {}


@op("PutAccountSendingAttributes")
def put_account_sending_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Stop everything that is sent here, or let it go on."""
    accounts.put(ctx, replace(accounts.of(ctx), sending=bool(req.get("SendingEnabled"))))
    return {}
