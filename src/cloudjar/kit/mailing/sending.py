"""How a letter leaves: who may send it to whom, what is counted, where it lands.

https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from email.utils import parseaddr
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import mailbox
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import accounts, errors, feedback, identities, letters, templates
from cloudjar.kit.mailing.letters import Letter
from cloudjar.kit.mailing.records import ConfigurationSet, Identity, Template
from cloudjar.kit.operation import Grant
from cloudjar.kit.quantities import Owner, Quantities, Tally

MOST = 50
_RECIPIENTS = Tally("AmazonSES", "Recipients", "", "Recipients", 1)


def grants(
    ctx: Ctx, action: str, source: str, identity_arn: str, recipients: Iterable[str], set_name: str = ""
) -> list[Grant]:
    """What a sender must be allowed: the action on the identity that it sends as, perhaps another account's, and on
    the configuration set that it names."""
    name, sender = _named(source)
    arn = arns.parse(identity_arn) if identity_arn else None
    if arn is not None and arn.service == "ses" and arn.account:
        held = ctx.at(arn.account, arn.region).db[Identity].get(arn.resource.removeprefix("identity/"))
        where, owner = identity_arn, arn.account
    else:
        held = identities.of_sender(ctx, sender) if "@" in sender else None
        known = held.name if held is not None else sender
        where = f"arn:{arns.PARTITION}:ses:{ctx.region}:{ctx.account}:identity/{known}"
        owner = ctx.account
    keys: dict[str, Any] = {"ses:fromaddress": sender, "ses:recipients": [_named(one)[1] for one in recipients]}
    if name:
        keys["ses:fromdisplayname"] = name
    policy = identities.policy(held) if held is not None else ""
    asked = [Grant(action, where, keys, policy, "" if owner == ctx.account else owner)]
    if set_name:
        named = f"arn:{arns.PARTITION}:ses:{ctx.region}:{ctx.account}:configuration-set/{set_name}"
        asked.append(Grant(action, named, keys))
    return asked


def _named(text: str) -> tuple[str, str]:
    return parseaddr(text)


class How(msgspec.Struct, frozen=True, kw_only=True):
    """In whose name a letter is sent (the ARN of another account's identity), with which set and tags."""

    identity_arn: str = ""
    set_name: str = ""
    tags: Mapping[str, str] = {}
    back: str = ""
    """Who gets bounces and complaints by mail, when not the sender."""


def how(req: Mapping[str, Any], arn: str, tags: str) -> How:
    """The same out of a request of either version, whose members are called `arn` and `tags`."""
    pairs = {one["Name"]: one["Value"] for one in req.get(tags) or ()}
    back = req.get("ReturnPath") or req.get("FeedbackForwardingEmailAddress") or ""
    return How(
        identity_arn=req.get(arn) or "", set_name=req.get("ConfigurationSetName") or "", tags=pairs,
        back=letters.address(back) if back else "",
    )  # fmt: skip


def send(ctx: Ctx, letter: Letter, told: How) -> str:
    """Check, count and deliver a letter; its id. Raises what SES answers (codes of v1)."""
    account, recipients = accounts.of(ctx), letter.recipients
    told = _with_headers(letter, replace(told, back=told.back or letter.back))
    held = _set(ctx, told.set_name)
    if not account.sending:
        raise AwsError(
            "AccountSendingPausedException", "Email sending is disabled for your account.", 400
        )
    if not recipients:
        raise errors.invalid("Empty required header 'To'." if not letter.bcc else "No recipients.")
    if len(recipients) > MOST:
        raise errors.invalid(f"Recipient count exceeds {MOST}.")
    _refuse_unverified(ctx, letter, told.identity_arn, told.back)
    accounts.admit(ctx, len(recipients))
    message_id = new_id(ctx)
    del letter.message["Message-ID"]
    letter.message["Message-ID"] = f"<{message_id}@{ctx.region}.amazonses.com>"
    fates = {one: feedback.outcome(ctx, account, held, one) for one in recipients}
    accounts.count(
        ctx, sent=len(recipients), attempts=len(recipients),
        bounces=sum(1 for one in fates.values() if one.bounce and one.bounce[0] == "Permanent"),
        complaints=sum(1 for one in fates.values() if one.complaint),
    )  # fmt: skip
    _bill(ctx, len(recipients))
    body, text = letters.shown(letter.message), letters.whole(letter) if mailbox.goes_out(ctx.world) else b""
    for recipient in (one for one in recipients if fates[one].arrives):
        mailbox.deliver(
            ctx.world,
            mailbox.Mail(ctx.account, ctx.region, "email", letter.source, recipient, letter.subject, body),
            text,
        )
    identity = _identity(ctx, letter.sender, told.identity_arn)
    sent = feedback.Sent(
        letter=letter, message_id=message_id, identity=identity, set=held, tags=told.tags, back=told.back
    )
    feedback.tell_all(ctx, sent, fates)
    return message_id


def _set(ctx: Ctx, name: str) -> ConfigurationSet | None:
    if not name:
        return None
    held = ctx.db[ConfigurationSet].need(name)
    if not held.sending:
        message = f"Email sending is disabled for configuration set <{name}>."
        raise AwsError("ConfigurationSetSendingPausedException", message, 400)
    return held


def _with_headers(letter: Letter, told: How) -> How:
    """Raw letters may name their set and tags in headers, which do not go out."""
    named, tags = letter.message["X-SES-CONFIGURATION-SET"], letter.message["X-SES-MESSAGE-TAGS"]
    del letter.message["X-SES-CONFIGURATION-SET"]
    del letter.message["X-SES-MESSAGE-TAGS"]
    pairs = [one.partition("=") for one in str(tags or "").split(",") if "=" in one]
    more = {name.strip(): value.strip() for name, _, value in pairs}
    return replace(told, set_name=told.set_name or str(named or "").strip(), tags={**more, **told.tags})


def _identity(ctx: Ctx, sender: str, identity_arn: str) -> Identity | None:
    arn = arns.parse(identity_arn) if identity_arn else None
    if arn is None:
        return identities.of_sender(ctx, sender)
    return ctx.at(arn.account, arn.region).db[Identity].get(arn.resource.removeprefix("identity/"))


def new_id(ctx: Ctx) -> str:
    """A message's id: sixteen digits of the time, a UUID, six zeros."""
    return f"01{int(ctx.now.timestamp() * 1000):014x}-{ids.uuid4()}-000000"


def _refuse_unverified(ctx: Ctx, letter: Letter, identity_arn: str, back: str) -> None:
    """The sender (and who gets bounces) must be verified; in the sandbox everybody else too. Raises MessageRejected."""
    failed = [one for one in letters.signers(letter) if not _may_be_from(ctx, one, identity_arn)]
    if back and back not in failed and not identities.verified(ctx, back):
        failed.append(back)
    if not accounts.in_production(ctx):
        failed += [
            one for one in letter.recipients
            if one not in failed and not identities.verified(ctx, one)
            and not one.lower().endswith(f"@{feedback.SIMULATOR}")
        ]  # fmt: skip
    if failed:
        raise errors.rejected(
            "Email address is not verified. The following identities failed the check in region "
            f"{ctx.region.upper()}: {', '.join(failed)}"
        )


def _may_be_from(ctx: Ctx, sender: str, identity_arn: str) -> bool:
    arn = arns.parse(identity_arn) if identity_arn else None
    if arn is None:
        return identities.verified(ctx, sender)
    name = arn.resource.removeprefix("identity/")
    held = ctx.at(arn.account, arn.region).db[Identity].get(name)
    domain = sender.rpartition("@")[2].lower()
    covers = sender == name or domain == name or domain.endswith(f".{name}")
    return held is not None and held.verified and covers


def _bill(ctx: Ctx, recipients: int) -> None:
    quantities: Quantities = ctx.world.ports["quantities"]
    quantities.add(Owner(ctx.account, ctx.region, "ses"), _RECIPIENTS, recipients)


def send_template(
    ctx: Ctx, template: Template, data: Mapping[str, Any], source: str, destination: Mapping[str, Any], *,
    told: How, reply: Sequence[str] = (), headers: Sequence[Mapping[str, str]] = (),
    attachments: Sequence[Mapping[str, Any]] = (),
) -> str:  # fmt: skip
    """Send the letter of a template; its id. Where the data lacks something nothing is sent, which only CloudWatch
    is told (AWS answers before it fills the gaps)."""
    try:
        letter = templates.letter(
            ctx, template, data, source, destination, reply=reply, headers=headers, attachments=attachments
        )
    except AwsError as error:
        if error.code != "MissingRenderingAttribute":
            raise
        return _not_rendered(ctx, template, error.message, source, destination, told)
    return send(ctx, letter, told)


def _not_rendered(
    ctx: Ctx, template: Template, message: str, source: str, destination: Mapping[str, Any], told: How
) -> str:
    """Tell of a letter that could not be made."""
    letter = letters.compose(ctx, source, destination, "", "", None)
    number, identity = new_id(ctx), _identity(ctx, letter.sender, told.identity_arn)
    held = _set(ctx, told.set_name)
    sent = feedback.Sent(letter=letter, message_id=number, identity=identity, set=held, tags=told.tags)
    feedback.tell(ctx, sent, "Rendering Failure", {"errorMessage": message, "templateName": template.name})
    return number
