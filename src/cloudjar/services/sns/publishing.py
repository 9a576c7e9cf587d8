"""A message for everybody who subscribes: kept, and the topic woken."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.services.sns import checks, errors, finding, sealing
from cloudjar.services.sns.outbox import Message, outbox
from cloudjar.services.sns.records import Topic


def read(topic: Topic, req: dict[str, Any]) -> tuple[Message, int]:
    """The message of a request (or of a batch's entry) and its size; raises what is wrong with it."""
    text = req.get("Message") or ""
    bodies = checks.bodies(text, req.get("MessageStructure"))
    subject = checks.subject(req.get("Subject"))
    attributes = checks.attributes(req.get("MessageAttributes") or {})
    group, dedup = req.get("MessageGroupId"), req.get("MessageDeduplicationId")
    checks.order(topic, group, dedup)
    size = checks.size(text, attributes)
    if size > checks.LIMIT:
        raise errors.invalid("Message too long")
    token = dedup or (sha256(text.encode()).hexdigest() if topic.fifo else "")
    return Message("", 0.0, bodies, subject, attributes, group or "", token, size=size), size


def publish(ctx: Ctx, topic: Topic, message: Message) -> dict[str, str]:
    """Keep a message; what its sender is told."""
    box, now = outbox(ctx.world), ctx.now.timestamp()
    scope = message.group if topic.settings.get("FifoThroughputScope") == "MessageGroup" else ""
    if topic.fifo:
        before = box.answered(topic.number, scope, message.dedup, now)
        if before is not None:
            return before
    number = box.number()
    message.id, message.at = ids.uuid4(), now
    message.base = topic.base or finding.base(ctx)
    told = {"MessageId": message.id}
    if topic.fifo:
        message.sequence = told["SequenceNumber"] = f"{10_000_000_000_000_000_000 + number * 1000}"
        box.remember(topic.number, scope, message.dedup, now, told)
    send(ctx, topic, number, message)
    return told


def send(ctx: Ctx, topic: Topic, number: int, message: Message) -> None:
    """Keep a message, sealed, and wake whoever hands it out."""
    box = outbox(ctx.world)
    sealed = sealing.seal(ctx, topic, box.encode(message))
    box.publish(topic.number, number, sealed)
    ctx.wake(topic, purpose="publish")


def unsealed(ctx: Ctx, data: bytes) -> Message:
    """A kept message."""
    return outbox(ctx.world).decode(sealing.unseal(ctx, data))
