"""A message into a queue."""

from __future__ import annotations

from hashlib import md5, sha256
from typing import Any, NamedTuple

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.services.sqs import checks, dedup, groups, sealing, stored
from cloudjar.services.sqs.records import PER_GROUP, Queue
from cloudjar.services.sqs.rows import Rows, rows, sequence


class Letter(NamedTuple):
    """A message that may be sent: checked, measured."""

    body: str
    attributes: tuple[stored.Attribute, ...]
    trace: str
    delay: int | None
    group: str | None
    dedup: str | None
    size: int


def read(queue: Queue, req: dict[str, Any]) -> Letter:
    """The message of a request (or of a batch's entry); raises what is wrong with it."""
    text = req["MessageBody"]
    given, system = req.get("MessageAttributes"), req.get("MessageSystemAttributes")
    delay, group, token = req.get("DelaySeconds"), req.get("MessageGroupId"), req.get("MessageDeduplicationId")
    checks.body(text)
    if given:
        checks.attributes(given)
    trace = checks.system_attributes(system) if system else ""
    checks.delay(queue, delay)
    if queue.fifo or group is not None or token is not None:
        checks.order(queue, group, token)
    attributes = stored.given(given) if given else ()
    length = stored.size(text, attributes)
    checks.size(queue, length)
    return Letter(text, attributes, trace, delay, group, token, length)


def sender(ctx: Ctx) -> str:
    """SenderId: a user's or a role session's unique id, an account's number for its root user."""
    caller = ctx.caller
    return caller.unique_id or caller.account


def send(ctx: Ctx, queue: Queue, letter: Letter, now: int) -> dict[str, Any]:
    """Keep a message in the running transaction; what the sender is told. `now` is in milliseconds."""
    store = rows(ctx.world)
    if queue.fifo:
        return _send_in_order(ctx, store, queue, letter, now, _told(letter))
    told, data = sealed(ctx, queue, letter)
    delay = queue.delay if letter.delay is None else letter.delay
    lane = 0
    if letter.group is not None:
        lane = _lane(store, queue, letter.group, now)
    store.add(queue.number, now + delay * 1000, now, letter.group, data, lane=lane)
    return told


def sealed(ctx: Ctx, queue: Queue, letter: Letter) -> tuple[dict[str, Any], bytes]:
    """What the sender of a message to a standard queue is told, and the message as it is stored there."""
    told = _told(letter)
    message = stored.Message(
        ids.uuid4(), letter.body, told["MD5OfMessageBody"], sender(ctx), letter.group or "", "", letter.attributes,
        letter.trace,
    )  # fmt: skip
    told["MessageId"] = message.id
    return told, sealing.seal(ctx, queue, message)


def _told(letter: Letter) -> dict[str, Any]:
    told: dict[str, Any] = {"MD5OfMessageBody": md5(letter.body.encode(), usedforsecurity=False).hexdigest()}
    if letter.attributes:
        told["MD5OfMessageAttributes"] = stored.attributes_digest(letter.attributes)
    if letter.trace:
        trace = (("AWSTraceHeader", "String", letter.trace),)
        told["MD5OfMessageSystemAttributes"] = stored.attributes_digest(trace)
    return told


def _lane(store: Rows, queue: Queue, group: str, now: int) -> int:
    """What a noisy tenant sends waits behind the others."""
    tenants = store.known(queue.number).tenants
    if tenants is None:
        return 0
    tenants.sends(group, now)
    return 1 if group in tenants.noisy else 0


def _send_in_order(
    ctx: Ctx, store: Rows, queue: Queue, letter: Letter, now: int, told: dict[str, Any]
) -> dict[str, Any]:
    group = letter.group or ""
    token = letter.dedup or sha256(letter.body.encode()).hexdigest()
    scope = group if queue.dedup_scope == PER_GROUP else ""
    before = dedup.answered(store, queue.number, scope, token, now)
    if before is not None:
        return {**told, **before}
    message = stored.Message(
        ids.uuid4(), letter.body, told["MD5OfMessageBody"], sender(ctx), group, token, letter.attributes, letter.trace
    )
    visible = now + queue.delay * 1000
    id_ = store.add(queue.number, visible, now, group, sealing.seal(ctx, queue, message))
    groups.joined(store, queue.number, group, id_, visible)
    answer = {"MessageId": message.id, "SequenceNumber": sequence(id_)}
    dedup.remember(store, queue.number, scope, token, now, answer)
    return {**told, **answer}
