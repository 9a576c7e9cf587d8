"""One attempt to deliver a message to one subscription, and what becomes of it.

What a queue or the mailbox gets is kept in the caller's transaction; what goes over the wire is handed to a thread.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import mailbox, queues, target_calls
from cloudjar.kit.context import Ctx
from cloudjar.services.sns import bill, confirming, envelopes, retrying, status_logs, texting
from cloudjar.services.sns.outbox import Delivery, Message, outbox
from cloudjar.services.sns.records import Subscription, Topic

Outcome = Literal["done", "never", "again"]
"""Delivered; refused for good; to be tried again."""
_PRINCIPAL = "sns.amazonaws.com"
_BUSY = 429


def to_queue(ctx: Ctx, topic: Topic, held: Subscription, message: Message) -> tuple[Outcome, str]:
    """A message into a queue, as SNS for the topic; the queue's policy decides. The second is what it answered."""
    if held.raw and message.kind == "Notification":
        body, attributes = message.body("sqs"), envelopes.queue_attributes(message)
    else:
        body, attributes = envelopes.wrapped(ctx, topic, held, message), {}
    return _send(ctx, topic, held.endpoint, message, body, attributes)


def _send(
    ctx: Ctx, topic: Topic, queue_arn: str, message: Message, body: str, attributes: dict[str, Any]
) -> tuple[Outcome, str]:
    arn = arns.parse(queue_arn)
    if arn is None:
        return "never", ""
    params: dict[str, Any] = {
        "QueueUrl": queues.url_of(arn),
        "MessageBody": body,
    }
    if attributes:
        params["MessageAttributes"] = attributes
    if message.group:
        params["MessageGroupId"] = message.group
    if arn.resource.endswith(".fifo"):
        params["MessageDeduplicationId"] = message.dedup
    who = callers.service(_PRINCIPAL, topic.account, ctx.arn(topic))
    try:
        sent = ctx.at(topic.account, arn.region).call("sqs", "SendMessage", params, caller=who)
    except AwsError as error:
        code = error.code.removesuffix("Exception")
        said = {"ErrorCode": code, "ErrorMessage": error.message, "sqsRequestId": "Unrecoverable"}
        return "again" if error.is_server_fault or target_calls.is_throttled(error) else "never", json.dumps(said)
    return "done", json.dumps({"sqsRequestId": ids.uuid4(), "sqsMessageId": sent["MessageId"]})


def to_mailbox(ctx: Ctx, topic: Topic, held: Subscription, message: Message) -> tuple[Outcome, str]:
    """A message into the local mailbox: what AWS would send by e-mail, or as a text."""
    kind = "sms" if held.protocol == "sms" else "email"
    name = topic.settings.get("DisplayName", "")
    sender = f"{name or 'AWS Notifications'} <no-reply@sns.amazonaws.com>"
    link = ""
    if message.kind != "Notification":
        arn = ctx.arn(topic)
        link = confirming.subscribe_url(held.base, arn, message.token)
        subject = "AWS Notification - Subscription Confirmation"
        body = f"You have chosen to subscribe to the topic:\n{arn}\n\nTo confirm this subscription, visit:\n{link}\n"
    elif kind == "sms":
        if not texting.wants(ctx, topic.account, topic.region, held.endpoint):
            return "never", ""
        link = texting.stop_url(ctx, held.base, topic.account, topic.region, held.endpoint)
        subject, body = "", f"{name}> {message.body('sms')}" if name else message.body("sms")
    elif held.protocol == "email-json":
        subject, body = message.subject or "AWS Notification Message", envelopes.wrapped(ctx, topic, held, message)
    else:
        end = confirming.unsubscribe_url(held.base, held.arn)
        subject = message.subject or "AWS Notification Message"
        body = f"{message.body('email')}\n\n--\nTo stop receiving notifications from this topic, visit:\n{end}\n"
    mail = mailbox.Mail(topic.account, topic.region, kind, sender, held.endpoint, subject, body, link)
    mailbox.deliver(ctx.world, mail)
    bill.delivered(ctx, topic, held.protocol)
    return "done", ""


def posted(ctx: Ctx, topic: Topic, held: Subscription, message: Message) -> tuple[dict[str, str], bytes]:
    """(headers, body) of the POST that brings a message."""
    raw = held.raw and message.kind == "Notification"
    text = message.body(held.protocol) if raw else envelopes.wrapped(ctx, topic, held, message)
    headers = {
        "x-amz-sns-message-type": message.kind,
        "x-amz-sns-message-id": message.id,
        "x-amz-sns-topic-arn": ctx.arn(topic),
        "Content-Type": _content_type(topic, held),
        "User-Agent": "Amazon Simple Notification Service Agent",
    }
    if message.kind == "Notification":
        headers["x-amz-sns-subscription-arn"] = held.arn
    if raw:
        headers["x-amz-sns-rawdelivery"] = "true"
    return headers, text.encode()


def _content_type(topic: Topic, held: Subscription) -> str:
    own = retrying.checked(held.delivery_policy, "subscription").get("requestPolicy") or {}
    http = retrying.checked(topic.settings.get("DeliveryPolicy", ""), "http").get("http", {})
    default = http.get("defaultRequestPolicy") or {}
    found = own.get("headerContentType") or default.get("headerContentType") or "text/plain; charset=UTF-8"
    return str(found)


def judged(status: int) -> Outcome:
    """What an HTTP endpoint's answer means; 0 is none."""
    if 200 <= status < 300:
        return "done"
    return "never" if 400 <= status < 500 and status != _BUSY else "again"


def conclude(
    ctx: Ctx, topic: Topic, held: Subscription, message: Message, delivery: Delivery, outcome: Outcome,
    answer: int | str = "",
) -> None:
    """Write down what became of an attempt; in a transaction. What cannot be delivered goes to the dead letters."""
    box, wait = outbox(ctx.world), None
    if outcome == "again":
        policy = retrying.retries(topic.settings.get("DeliveryPolicy", ""), held.delivery_policy)
        wait = retrying.delay(policy, delivery.tries + 1)
    if wait is not None:
        box.later(delivery, ctx.now.timestamp() + wait)
        return
    box.done(delivery)
    failed = outcome != "done"
    bill.measured(ctx, topic, delivered=int(not failed), failed=int(failed))
    status_logs.tell(ctx, topic, held, message, well=not failed, tries=delivery.tries + 1, answer=answer)
    if failed and held.dead_letters and message.kind == "Notification":
        attributes = envelopes.queue_attributes(message) if held.raw else {}
        body = message.body(held.protocol) if held.raw else envelopes.wrapped(ctx, topic, held, message)
        saved = _send(ctx, topic, held.dead_letters, message, body, attributes)[0] == "done"
        bill.measured(ctx, topic, redriven=int(saved), lost=int(not saved))
