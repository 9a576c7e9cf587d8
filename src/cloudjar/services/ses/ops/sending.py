"""Letters, and what the account may send.

https://docs.aws.amazon.com/ses/latest/APIReference/API_SendEmail.html
https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import accounts, errors, letters, rendering, sending, templates
from cloudjar.kit.operation import Grant, op


def _refuse_others(req: dict[str, Any]) -> None:
    for member in ("ReturnPathArn", "FromArn"):
        if req.get(member):
            raise errors.not_built("ses", member)


def _set(req: dict[str, Any]) -> str:
    return req.get("ConfigurationSetName") or ""


def _pairs(entry: dict[str, Any]) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in entry.get("ReplacementTags") or ()}


def _everybody(destination: dict[str, Any]) -> list[str]:
    return [one for kind in ("To", "Cc", "Bcc") for one in destination.get(f"{kind}Addresses") or ()]


def _may_send(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    to = _everybody(req["Destination"])
    return sending.grants(ctx, "ses:SendEmail", req["Source"], req.get("SourceArn") or "", to, _set(req))


def _may_send_raw(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    source, to = req.get("Source") or "", req.get("Destinations") or []
    with suppress(AwsError):  # it is refused for that once it is known that its sender may ask at all
        letter = letters.parse(req["RawMessage"]["Data"], recipients=to)
        source, to = letter.source, list(letter.recipients)
    return sending.grants(ctx, "ses:SendRawEmail", source, req.get("SourceArn") or "", to, _set(req))


@op("SendEmail", access=_may_send)
def send_email(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A letter of its parts."""
    _refuse_others(req)
    subject, body = req["Message"]["Subject"], req["Message"]["Body"]
    text, html = ((body.get(kind) or {}).get("Data") for kind in ("Text", "Html"))
    letter = letters.compose(
        ctx, req["Source"], req["Destination"], subject["Data"], text, html, reply=req.get("ReplyToAddresses") or ()
    )
    return {"MessageId": sending.send(ctx, letter, sending.how(req, "SourceArn", "Tags"))}


@op("SendRawEmail", access=_may_send_raw)
def send_raw_email(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A letter as it is. Who signs it sends it; the source, when it is another, hears of what comes back."""
    _refuse_others(req)
    back = req.get("Source") or ""
    letter = letters.parse(req["RawMessage"]["Data"], recipients=req.get("Destinations"), back=back)
    return {"MessageId": sending.send(ctx, letter, sending.how(req, "SourceArn", "Tags"))}


@op("GetSendQuota")
def get_send_quota(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What may be sent in a day and in a second, and what was."""
    return dict(accounts.quota(ctx))


@op("GetSendStatistics")
def get_send_statistics(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Two weeks by quarters of an hour."""
    return {"SendDataPoints": accounts.statistics(ctx)}


@op("GetAccountSendingEnabled")
def get_account_sending_enabled(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether anything may be sent here."""
    return {"Enabled": accounts.of(ctx).sending}


@op("UpdateAccountSendingEnabled")
def update_account_sending_enabled(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Stop everything that is sent here, or let it go on."""
    accounts.put(ctx, replace(accounts.of(ctx), sending=bool(req.get("Enabled"))))
    return {}


def _may_send_template(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    to = _everybody(req["Destination"])
    return sending.grants(ctx, "ses:SendTemplatedEmail", req["Source"], req.get("SourceArn") or "", to, _set(req))


@op("SendTemplatedEmail", access=_may_send_template)
def send_templated_email(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A letter of a template. Data that lacks something is found out after the answer: nothing is sent then."""
    _refuse_others(req)
    template = templates.named(ctx, req["Template"], req.get("TemplateArn") or "")
    data = rendering.data_of(req["TemplateData"])
    sent = sending.send_template(
        ctx, template, data, req["Source"], req["Destination"],
        told=sending.how(req, "SourceArn", "Tags"),
        reply=req.get("ReplyToAddresses") or (),
    )  # fmt: skip
    return {"MessageId": sent}


def _may_send_bulk(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    to = [one for entry in req["Destinations"] for one in _everybody(entry["Destination"])]
    return sending.grants(ctx, "ses:SendBulkTemplatedEmail", req["Source"], req.get("SourceArn") or "", to, _set(req))


_STATUS = {
    "MessageRejected": "MessageRejected", "Throttling": "AccountThrottled",
    "AccountSendingPausedException": "AccountSendingPaused", "InvalidParameterValue": "InvalidParameterValue",
    "InvalidRenderingParameter": "InvalidParameterValue",
}  # fmt: skip


@op("SendBulkTemplatedEmail", access=_may_send_bulk)
def send_bulk_templated_email(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Letters of one template, each with what is its own; each with its own fate."""
    _refuse_others(req)
    template = templates.named(ctx, req["Template"], req.get("TemplateArn") or "")
    common = rendering.data_of(req["DefaultTemplateData"])
    how, shown = sending.how(req, "SourceArn", "DefaultTags"), list[dict[str, Any]]()
    for entry in req["Destinations"]:
        try:
            data = {**common, **rendering.data_of(entry.get("ReplacementTemplateData") or "{}")}
            sent = sending.send_template(
                ctx, template, data, req["Source"], entry["Destination"],
                told=replace(how, tags={**how.tags, **_pairs(entry)}), reply=req.get("ReplyToAddresses") or (),
            )  # fmt: skip
            shown.append({"Status": "Success", "MessageId": sent})
        except AwsError as error:
            shown.append({"Status": _STATUS.get(error.code, "Failed"), "Error": error.message})
    return {"Status": shown}
