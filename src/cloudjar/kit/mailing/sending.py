"""How a letter leaves: who may send it to whom, what is counted, where it lands.

https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from email.utils import parseaddr
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import mailbox, metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import accounts, errors, identities, letters, templates
from cloudjar.kit.mailing.letters import Letter
from cloudjar.kit.mailing.records import Identity, Template
from cloudjar.kit.metrics import Metric
from cloudjar.kit.operation import Grant
from cloudjar.kit.quantities import Owner, Quantities, Tally

MOST = 50
SIMULATOR = "simulator.amazonses.com"
_RECIPIENTS = Tally("AmazonSES", "Recipients", "", "Recipients", 1)


def grants(
    ctx: Ctx, action: str, source: str, identity_arn: str, recipients: Iterable[str]
) -> list[Grant]:
    """What a sender must be allowed: the action on the identity that it sends as, perhaps another account's."""
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
    return [Grant(action, where, keys, policy, "" if owner == ctx.account else owner)]


def _named(text: str) -> tuple[str, str]:
    return parseaddr(text)


def send(ctx: Ctx, letter: Letter, *, identity_arn: str = "") -> str:
    """Check, count and deliver a letter; its id. Raises what SES answers (codes of v1)."""
    account, recipients = accounts.of(ctx), letter.recipients
    if not account.sending:
        raise AwsError(
            "AccountSendingPausedException", "Email sending is disabled for your account.", 400
        )
    if not recipients:
        raise errors.invalid("Empty required header 'To'." if not letter.bcc else "No recipients.")
    if len(recipients) > MOST:
        raise errors.invalid(f"Recipient count exceeds {MOST}.")
    _refuse_unverified(ctx, letter, identity_arn)
    accounts.admit(ctx, len(recipients))
    message_id = new_id(ctx)
    del letter.message["Message-ID"]
    letter.message["Message-ID"] = f"<{message_id}@{ctx.region}.amazonses.com>"
    accounts.count(ctx, sent=len(recipients), attempts=len(recipients))
    _bill(ctx, len(recipients))
    body = letters.shown(letter.message)
    for recipient in recipients:
        mailbox.deliver(
            ctx.world,
            mailbox.Mail(ctx.account, ctx.region, "email", letter.source, recipient, letter.subject, body),
        )
    measure(ctx, {"Send": 1, "Delivery": len(recipients)})
    return message_id


def new_id(ctx: Ctx) -> str:
    """A message's id: sixteen digits of the time, a UUID, six zeros."""
    return f"01{int(ctx.now.timestamp() * 1000):014x}-{ids.uuid4()}-000000"


def _refuse_unverified(ctx: Ctx, letter: Letter, identity_arn: str) -> None:
    """The sender must be verified, and in the sandbox everybody else too. Raises MessageRejected."""
    sender = letter.sender
    failed = [] if _may_be_from(ctx, sender, identity_arn) else [sender]
    if not accounts.in_production(ctx):
        failed += [
            one for one in letter.recipients
            if one not in failed and not one.lower().endswith(f"@{SIMULATOR}") and not identities.verified(ctx, one)
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


def measure(ctx: Ctx, counted: Mapping[str, int]) -> None:
    """Tell CloudWatch."""
    for name, amount in counted.items():
        point = metrics.value(ctx.now, amount, "Count")
        metrics.put(ctx.world, ctx.account, ctx.region, Metric("AWS/SES", name), [point])


def send_template(
    ctx: Ctx, template: Template, data: Mapping[str, Any], source: str, destination: Mapping[str, Any], *,
    identity_arn: str = "", reply: Sequence[str] = (), headers: Sequence[Mapping[str, str]] = (),
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
        measure(ctx, {"RenderingFailure": 1})
        return new_id(ctx)
    return send(ctx, letter, identity_arn=identity_arn)
