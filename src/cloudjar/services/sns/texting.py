"""Texts to telephones: settings, numbers that want none, numbers of the sandbox. Texts land in the mailbox.

https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-phone-number-as-subscriber.html
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit import mailbox, metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.services.sns import errors, finding, status_logs
from cloudjar.services.sns.records import OptedOut, SmsSettings

_PHONE = re.compile(r"\+?[1-9]\d{4,14}")
_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")
_STOP = "sns-stop"
_LIMIT = 1
"""US dollars a month that AWS lets a new account spend on texts."""


def number(text: str) -> str:
    """A telephone number in the form E.164. Raises InvalidParameter."""
    if not _PHONE.fullmatch(text):
        raise errors.invalid(f"PhoneNumber Reason: {text} is not valid")
    return text if text.startswith("+") else f"+{text}"


def checked(name: str, value: str) -> None:
    """Whether a setting may have a value. Raises InvalidParameter."""
    good = True
    match name:
        case "MonthlySpendLimit":
            good = value.isdecimal() and int(value) <= _LIMIT
        case "DeliveryStatusSuccessSamplingRate":
            good = value.isdecimal() and int(value) <= 100
        case "DefaultSMSType":
            good = value in ("Promotional", "Transactional")
        case "DefaultSenderID":
            good = not value or _SENDER.fullmatch(value) is not None
        case "DeliveryStatusIAMRole":
            arn = arns.parse(value) if value else None
            good = not value or (arn is not None and arn.service == "iam" and arn.resource.startswith("role/"))
        case "UsageReportS3Bucket":
            if value:
                raise errors.not_built("The SMS attribute UsageReportS3Bucket")
        case _:
            raise errors.invalid(f"attributes Reason: {name} is not a valid SMS attribute")
    if not good:
        raise errors.invalid(f"attributes Reason: {value} is not a valid value of {name}")


def settings(ctx: Ctx, account: str = "", region: str = "") -> SmsSettings:
    """What was set in an account and Region, the caller's by default."""
    found = ctx.db.at(account or ctx.account, region or ctx.region)[SmsSettings].get("sms")
    return found or SmsSettings(id="sms", values={})


def stop_url(ctx: Ctx, base: str, account: str, region: str, to: str) -> str:
    """The link that stands for the answer STOP: the telephone wants no more texts from an account."""
    token = ctx.world.sealer.seal(f"{account} {region} {to}".encode(), _STOP).hex()
    return f"{base}/?{urlencode({'Action': 'Unsubscribe', 'PhoneNumber': to, 'Token': token})}"


def stop(ctx: Ctx, to: str, token: str) -> None:
    """Somebody has followed that link. Raises InvalidParameter."""
    try:
        told = ctx.world.sealer.open(bytes.fromhex(token), _STOP)
    except ValueError:
        told = None
    account, region, number = (told.decode().split(" ") if told else ("", "", ""))
    if not number or number != to:
        raise errors.invalid("Token")
    table = ctx.db.at(account, region)[OptedOut]
    if table.get(number) is None:
        table.add(OptedOut(number=number, account=account, region=region))


def wants(ctx: Ctx, account: str, region: str, to: str) -> bool:
    """Whether whoever has a number takes texts from an account."""
    return ctx.db.at(account, region)[OptedOut].get(to) is None


def send(ctx: Ctx, to: str, text: str, sender: str = "") -> str:
    """Put a text into the mailbox, unless whoever has the number wants none from this account; its id."""
    message_id, held = ids.uuid4(), settings(ctx).values
    well = wants(ctx, ctx.account, ctx.region, to)
    if well:
        name = sender or held.get("DefaultSenderID", "") or "SNS"
        link = stop_url(ctx, finding.base(ctx), ctx.account, ctx.region, to)
        mailbox.deliver(ctx.world, mailbox.Mail(ctx.account, ctx.region, "sms", name, to, "", text, link))
    _measure(ctx, well)
    rate = int(held.get("DeliveryStatusSuccessSamplingRate") or 0)
    role = held.get("DeliveryStatusIAMRole", "")
    status_logs.tell_text(ctx, role, rate, to, text, message_id, well=well)
    return message_id


def _measure(ctx: Ctx, well: bool) -> None:
    where = (("PhoneNumber", "PhoneNumber"),)
    name = "NumberOfNotificationsDelivered" if well else "NumberOfNotificationsFailed"
    for metric, amount in ((Metric("AWS/SNS", name, where), 1.0), (Metric("AWS/SNS", "SMSSuccessRate"), float(well))):
        metrics.put(ctx.world, ctx.account, ctx.region, metric, [metrics.value(ctx.now, amount, "Count")])


def one_time_password() -> str:
    """Six digits."""
    return f"{ids.below(1_000_000):06d}"
