"""What becomes of letters, and who is told: topics of identities, destinations of configuration sets, the sender.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cloudjar.base import ids
from cloudjar.kit import mailbox, metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing.letters import Letter
from cloudjar.kit.mailing.records import Account, ConfigurationSet, Identity, Suppressed, Told
from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import arn_of

SIMULATOR = "simulator.amazonses.com"
BRIDGED = {
    "Send": "Email Sent", "Delivery": "Email Delivered", "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received", "Rendering Failure": "Email Rendering Failed",
}  # fmt: skip
_TYPES = {"Rendering Failure": "RENDERING_FAILURE"}
_NOT_PUBLISHED = {"Rendering Failure": "RenderingFailure"}
_ANSWERED = "smtp; 550 5.1.1 user unknown"
_DAEMON = "MAILER-DAEMON@amazonses.com"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that was taken, by whom it was sent and what holds for it."""

    letter: Letter
    message_id: str
    identity: Identity | None
    set: ConfigurationSet | None
    tags: Mapping[str, str]
    back: str = ""
    """Where bounces and complaints go by mail, when not to the sender."""


class Outcome(msgspec.Struct, frozen=True):
    """What becomes of a letter at one recipient: whether he gets it, and what comes back."""

    arrives: bool
    bounce: tuple[str, str] | None = None
    """Type and subtype."""
    complaint: bool = False


def outcome(ctx: Ctx, account: Account, held: ConfigurationSet | None, recipient: str) -> Outcome:
    """The simulator does what the name says; the suppression list holds back; everybody else gets his letter."""
    local, _, domain = recipient.rpartition("@")
    if domain.lower() == SIMULATOR:
        match local.partition("+")[0].lower():
            case "bounce":
                return Outcome(arrives=False, bounce=("Permanent", "General"))
            case "suppressionlist":
                return Outcome(arrives=False, bounce=("Permanent", "Suppressed"))
            case "ooto":
                return Outcome(arrives=True, bounce=("Transient", "General"))
            case "complaint":
                return Outcome(arrives=True, complaint=True)
        return Outcome(arrives=True)
    reasons = account.suppresses if held is None or held.suppresses is None else held.suppresses
    known = ctx.db[Suppressed].get(recipient.lower())
    if known is not None and known.reason in reasons:
        return Outcome(arrives=False, bounce=("Permanent", "OnAccountSuppressionList"))
    return Outcome(arrives=True)


def tell_all(ctx: Ctx, sent: Sent, fates: Mapping[str, Outcome]) -> None:
    """Tell everybody what became of a letter, in the running transaction."""
    tell(ctx, sent, "Send", {})
    arrived = [one for one, fate in fates.items() if fate.arrives]
    now = _text(ctx)
    if arrived:
        detail = {
            "timestamp": now, "processingTimeMillis": 0, "recipients": arrived, "smtpResponse": "250 2.0.0 OK",
            "reportingMTA": f"a1-1.smtp-out.{ctx.region}.amazonses.com",
        }  # fmt: skip
        tell(ctx, sent, "Delivery", detail)
    for kind in dict.fromkeys(fate.bounce for fate in fates.values() if fate.bounce):
        back = [one for one, fate in fates.items() if fate.bounce == kind]
        tell(ctx, sent, "Bounce", _bounce(ctx, kind, back))
    cross = [one for one, fate in fates.items() if fate.complaint]
    if cross:
        detail = {
            "complainedRecipients": [{"emailAddress": one} for one in cross], "timestamp": now,
            "feedbackId": _feedback_id(ctx), "complaintSubType": None, "complaintFeedbackType": "abuse",
            "userAgent": "Amazon SES Mailbox Simulator", "arrivalDate": now,
        }  # fmt: skip
        tell(ctx, sent, "Complaint", detail)


def _bounce(ctx: Ctx, kind: tuple[str, str], recipients: Iterable[str]) -> dict[str, Any]:
    status = {"action": "failed", "status": "5.1.1", "diagnosticCode": _ANSWERED}
    return {
        "feedbackId": _feedback_id(ctx), "bounceType": kind[0], "bounceSubType": kind[1],
        "bouncedRecipients": [
            {"emailAddress": one, **(status if kind == ("Permanent", "General") else {})} for one in recipients
        ],
        "timestamp": _text(ctx), "reportingMTA": f"dns; a1-1.smtp-out.{ctx.region}.amazonses.com",
    }  # fmt: skip


def _feedback_id(ctx: Ctx) -> str:
    return f"01{int(ctx.now.timestamp() * 1000):014x}-{ids.uuid4()}-000000"


def _text(ctx: Ctx) -> str:
    return f"{ctx.now:%Y-%m-%dT%H:%M:%S}.{ctx.now.microsecond // 1000:03d}Z"


def tell(ctx: Ctx, sent: Sent, event: str, detail: dict[str, Any]) -> None:
    """Tell of one event: metrics, the set's destinations, the identity's topics, and the sender by mail."""
    _measure(ctx, event, (), len(detail.get("recipients") or [1]))
    body = {"mail": _mail(ctx, sent), _member(event): detail}
    if sent.set is not None:
        for place in sent.set.destinations.values():
            if place.get("Enabled") and _TYPES.get(event, event.upper()) in place.get("MatchingEventTypes", ()):
                _publish(ctx, sent, sent.set, place, event, {"eventType": event, **body})
    if sent.identity is not None and event in ("Bounce", "Complaint", "Delivery"):
        _notify(ctx, sent, sent.identity, event, {"notificationType": event, **body})


def _member(event: str) -> str:
    return "failure" if event == "Rendering Failure" else event.lower()


def _mail(ctx: Ctx, sent: Sent) -> dict[str, Any]:
    letter = sent.letter
    headers = [{"name": name, "value": str(value)} for name, value in letter.message.items()]
    common: dict[str, Any] = {"from": [letter.source], "subject": letter.subject, "messageId": sent.message_id}
    for name in ("to", "cc"):
        if getattr(letter, name):
            common[name] = list(getattr(letter, name))
    return {
        "timestamp": _text(ctx), "source": letter.source, "sendingAccountId": ctx.account,
        "messageId": sent.message_id, "destination": list(letter.recipients), "headersTruncated": False,
        "headers": headers, "commonHeaders": common,
        "tags": {name: [value] for name, value in _tags(sent).items()},
        **({"sourceArn": arn_of(sent.identity)} if sent.identity is not None else {}),
    }  # fmt: skip


def _tags(sent: Sent) -> dict[str, str]:
    own = {"ses:from-domain": sent.letter.sender.rpartition("@")[2]}
    if sent.set is not None:
        own["ses:configuration-set"] = sent.set.name
    return {**own, **sent.tags}


def _publish(
    ctx: Ctx, sent: Sent, held: ConfigurationSet, place: Mapping[str, Any], event: str, body: dict[str, Any]
) -> None:
    about = arn_of(held)
    if place.get("SnsDestination"):
        _later(ctx, place["SnsDestination"]["TopicArn"], body, about)
    if place.get("KinesisFirehoseDestination"):
        there = place["KinesisFirehoseDestination"]
        _later(ctx, there["DeliveryStreamArn"], body, about, there["IamRoleArn"])
    if place.get("EventBridgeDestination"):
        ctx.emit("aws.ses", BRIDGED[event], body, (about,))
    if place.get("CloudWatchDestination"):
        given = place["CloudWatchDestination"]["DimensionConfigurations"]
        dimensions = tuple(sorted((one["DimensionName"], _dimension(sent, one)) for one in given))
        _measure(ctx, event, dimensions)


def _dimension(sent: Sent, one: Mapping[str, str]) -> str:
    value: str | None = None
    if one["DimensionValueSource"] == "MESSAGE_TAG":
        value = _tags(sent).get(one["DimensionName"])
    elif one["DimensionValueSource"] == "EMAIL_HEADER":
        found = sent.letter.message[one["DimensionName"]]
        value = None if found is None else str(found)
    return value or one["DefaultDimensionValue"]


def _measure(ctx: Ctx, event: str, dimensions: tuple[tuple[str, str], ...], amount: int = 1) -> None:
    metric = Metric("AWS/SES", _NOT_PUBLISHED.get(event, event), dimensions)
    metrics.put(ctx.world, ctx.account, ctx.region, metric, [metrics.value(ctx.now, amount, "Count")])


def _later(ctx: Ctx, target: str, body: Mapping[str, Any], about: str, role: str = "") -> None:
    text = json.dumps(body, ensure_ascii=False)
    ctx.db[Told].add(Told(id=ids.uuid4(), target=target, body=text, about=about, role=role))


def _notify(ctx: Ctx, sent: Sent, held: Identity, event: str, body: dict[str, Any]) -> None:
    """The identity's own topic, and its own mail."""
    topic = held.topics.get(event)
    if topic:
        mail = dict(body["mail"])
        if event not in held.with_headers:
            mail = {name: value for name, value in mail.items() if "eaders" not in name}
        mail.pop("tags", None)
        _later(ctx, topic, {**body, "mail": mail}, arn_of(held))
    if held.forwarding and event != "Delivery":
        said = body[_member(event)]
        who = ", ".join(one["emailAddress"] for one in said.get("bouncedRecipients") or said["complainedRecipients"])
        text = f"A letter of yours ({sent.message_id}) met with a {event.lower()} at: {who}\n"
        subject = f"{event} notification: {sent.letter.subject}"
        letter = mailbox.Mail(ctx.account, ctx.region, "email", _DAEMON, sent.back or sent.letter.sender, subject, text)
        mailbox.deliver(ctx.world, letter)
