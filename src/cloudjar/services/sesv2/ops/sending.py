"""Letters: simple, or as they are.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors, letters, rendering, sending, templates
from cloudjar.kit.mailing.letters import Letter
from cloudjar.kit.mailing.records import Template
from cloudjar.kit.operation import Grant, op

_ABSENT = (
    "EndpointId", "TenantName", "ListManagementOptions", "ConfigurationOverrides",
    "FeedbackForwardingEmailAddressIdentityArn",
)  # fmt: skip
_ARN = "FromEmailAddressIdentityArn"
_NO_BODY = "Exactly one of Simple, Raw or Template content is needed."


def _set(req: dict[str, Any]) -> str:
    return req.get("ConfigurationSetName") or ""


def _everybody(destination: dict[str, Any]) -> list[str]:
    return [one for kind in ("To", "Cc", "Bcc") for one in destination.get(f"{kind}Addresses") or ()]


def _may_send(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    content, source = req["Content"], req.get("FromEmailAddress") or ""
    to = _everybody(req.get("Destination") or {})
    action = "ses:SendRawEmail" if content.get("Raw") else "ses:SendEmail"
    if content.get("Template"):
        action = "ses:SendTemplatedEmail"
    if content.get("Raw") and not source:
        with suppress(AwsError):  # it is refused for that once it is known that its sender may ask at all
            source = letters.parse(content["Raw"]["Data"]).source
    return sending.grants(ctx, action, source, req.get("FromEmailAddressIdentityArn") or "", to, _set(req))


@op("SendEmail", access=_may_send)
@errors.in_v2
def send_email(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Send one letter."""
    for member in _ABSENT:
        if req.get(member):
            raise errors.not_built("sesv2", f"{member} of SendEmail")
    told, given = sending.how(req, _ARN, "EmailTags"), req["Content"].get("Template")
    if given and not req["Content"].get("Simple") and not req["Content"].get("Raw"):
        if not req.get("FromEmailAddress"):
            raise errors.invalid("FromEmailAddress is required.")
        sent = sending.send_template(
            ctx, _template(ctx, given), rendering.data_of(given.get("TemplateData") or "{}"),
            req["FromEmailAddress"], req.get("Destination") or {}, told=told,
            reply=req.get("ReplyToAddresses") or (), headers=given.get("Headers") or (),
            attachments=given.get("Attachments") or (),
        )  # fmt: skip
        return {"MessageId": sent}
    return {"MessageId": sending.send(ctx, _letter(ctx, req), told)}


def _letter(ctx: Ctx, req: dict[str, Any]) -> Letter:
    content, source = req["Content"], req.get("FromEmailAddress") or ""
    given = [kind for kind in ("Simple", "Raw", "Template") if content.get(kind)]
    if len(given) != 1:
        raise errors.invalid(_NO_BODY)
    if given == ["Raw"]:
        return letters.parse(content["Raw"]["Data"], source, _everybody(req.get("Destination") or {}))
    if not source:
        raise errors.invalid("FromEmailAddress is required.")
    simple = content["Simple"]
    text, html = ((simple["Body"].get(kind) or {}).get("Data") for kind in ("Text", "Html"))
    return letters.compose(
        ctx, source, req.get("Destination") or {}, simple["Subject"]["Data"], text, html,
        reply=req.get("ReplyToAddresses") or (), headers=simple.get("Headers") or (),
        attachments=simple.get("Attachments") or (),
    )  # fmt: skip


def _may_send_bulk(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    to = [one for entry in req["BulkEmailEntries"] for one in _everybody(entry["Destination"])]
    arn = req.get("FromEmailAddressIdentityArn") or ""
    return sending.grants(ctx, "ses:SendBulkEmail", req.get("FromEmailAddress") or "", arn, to, _set(req))


_STATUS = {
    "MessageRejected": "MESSAGE_REJECTED", "Throttling": "ACCOUNT_THROTTLED",
    "AccountSendingPausedException": "ACCOUNT_SENDING_PAUSED", "InvalidParameterValue": "INVALID_PARAMETER",
    "InvalidRenderingParameter": "INVALID_PARAMETER",
}  # fmt: skip


@op("SendBulkEmail", access=_may_send_bulk)
@errors.in_v2
def send_bulk_email(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Letters of one template, each with what is its own; each with its own fate."""
    for member in _ABSENT:
        if req.get(member):
            raise errors.not_built("sesv2", f"{member} of SendBulkEmail")
    given = req["DefaultContent"].get("Template")
    if not given or not req.get("FromEmailAddress"):
        raise errors.invalid("DefaultContent.Template and FromEmailAddress are required.")
    template, common = _template(ctx, given), rendering.data_of(given.get("TemplateData") or "{}")
    shown = [_one(ctx, req, template, common, given, entry) for entry in req["BulkEmailEntries"]]
    return {"BulkEmailEntryResults": shown}


def _one(
    ctx: Ctx, req: dict[str, Any], template: Template, common: dict[str, Any], given: dict[str, Any],
    entry: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    own = (entry.get("ReplacementEmailContent") or {}).get("ReplacementTemplate") or {}
    both = (*(given.get("Headers") or ()), *(entry.get("ReplacementHeaders") or ()))
    headers = {one["Name"].lower(): one for one in both}
    how = sending.how(req, _ARN, "DefaultEmailTags")
    tags = {one["Name"]: one["Value"] for one in entry.get("ReplacementTags") or ()}
    try:
        data = {**common, **rendering.data_of(own.get("ReplacementTemplateData") or "{}")}
        sent = sending.send_template(
            ctx, template, data, req["FromEmailAddress"], entry["Destination"],
            told=replace(how, tags={**how.tags, **tags}), reply=req.get("ReplyToAddresses") or (),
            headers=list(headers.values()), attachments=given.get("Attachments") or (),
        )  # fmt: skip
    except AwsError as error:
        return {"Status": _STATUS.get(error.code, "FAILED"), "Error": error.message}
    return {"Status": "SUCCESS", "MessageId": sent}


def _template(ctx: Ctx, given: dict[str, Any]) -> Template:
    if given.get("TemplateContent"):
        return templates.of_content(given["TemplateContent"])
    return templates.named(ctx, given.get("TemplateName") or "", given.get("TemplateArn") or "")
