"""Letters: simple, or as they are.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors, letters, sending
from cloudjar.kit.mailing.letters import Letter
from cloudjar.kit.operation import Grant, op

_ABSENT = (
    "ConfigurationSetName", "EndpointId", "TenantName", "ListManagementOptions", "ConfigurationOverrides",
    "FeedbackForwardingEmailAddress", "FeedbackForwardingEmailAddressIdentityArn",
)  # fmt: skip
_NO_BODY = "Exactly one of Simple, Raw or Template content is needed."


def _everybody(destination: dict[str, Any]) -> list[str]:
    return [one for kind in ("To", "Cc", "Bcc") for one in destination.get(f"{kind}Addresses") or ()]


def _may_send(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    content, source = req["Content"], req.get("FromEmailAddress") or ""
    to = _everybody(req.get("Destination") or {})
    action = "ses:SendRawEmail" if content.get("Raw") else "ses:SendEmail"
    if content.get("Raw") and not source:
        with suppress(AwsError):  # it is refused for that once it is known that its sender may ask at all
            source = letters.parse(content["Raw"]["Data"]).source
    return sending.grants(ctx, action, source, req.get("FromEmailAddressIdentityArn") or "", to)


@op("SendEmail", access=_may_send)
@errors.in_v2
def send_email(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Send one letter."""
    for member in _ABSENT:
        if req.get(member):
            raise errors.not_built("sesv2", f"{member} of SendEmail")
    arn = req.get("FromEmailAddressIdentityArn") or ""
    return {"MessageId": sending.send(ctx, _letter(ctx, req), identity_arn=arn)}


def _letter(ctx: Ctx, req: dict[str, Any]) -> Letter:
    content, source = req["Content"], req.get("FromEmailAddress") or ""
    given = [kind for kind in ("Simple", "Raw", "Template") if content.get(kind)]
    if len(given) != 1:
        raise errors.invalid(_NO_BODY)
    if given == ["Template"]:
        raise errors.not_built("sesv2", "Template of SendEmail")
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
