"""One message at a time: send, receive, delete, hold.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.apart import Apart
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.waiting import Held
from cloudjar.services.sqs import checks, errors, finding, holding, minutes, rates, receiving, sending, stored, taking
from cloudjar.services.sqs.access import on_queue
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import key

_LONGEST_POLL = 20
_MOST = 10


def millis(ctx: Ctx) -> int:
    """AWS time in milliseconds."""
    return int(ctx.now.timestamp() * 1000)


@op("SendMessage", data=True, joins=True, own=True, access=on_queue("sqs:SendMessage"))
def send_message(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep one message."""
    queue, now = finding.queue(ctx, req), millis(ctx)
    letter = sending.read(queue, req)
    if queue.fifo:
        rates.draw(ctx, queue, "SendMessage", now, (letter.group,))
    told = taking.post(ctx, queue, letter, now)
    if told is not None:
        return told
    size = letter.size
    with ctx.world.state.database.within():
        minutes.turn(ctx, queue, now)
        told = sending.send(ctx, queue, letter, now)
        minutes.count(ctx, queue, now, sent=1, size=size, low=size, high=size)
        receiving.notify(ctx, queue, 1)
    return told


@op("ReceiveMessage", writes=False, data=True, joins=True, access=on_queue("sqs:ReceiveMessage"))
def receive_message(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take messages; without any, wait for the first. It writes only when there is something to write."""
    queue, now = finding.queue(ctx, req), millis(ctx)
    most, wait, visibility = _asked(queue, req)
    attempt = checks.attempt(req.get("ReceiveRequestAttemptId"))
    if queue.fifo:
        rates.draw(ctx, queue, "ReceiveMessage", now)
    asked = receiving.Asked(most, wait, visibility, now)
    seen = ctx.world.waits.count
    with ctx.world.state.database.lock:
        found = taking.take(ctx, queue, asked)
        if found:
            return Apart(_told(ctx, queue, req, found, now))
        there = receiving.there(ctx, queue, now, most)
        if not there and not attempt:
            return _nothing(ctx, queue, wait, seen, now)
        found = _take(ctx, queue, attempt, asked, there)
    if not found:
        return _nothing(ctx, queue, wait, seen, now)
    return _told(ctx, queue, req, found, now)


def _told(
    ctx: Ctx, queue: Queue, req: dict[str, Any], found: list[receiving.Received], now: int
) -> dict[str, Any]:
    if ctx.world.waits.waits(key(queue.number)) and receiving.there(ctx, queue, now, 1):
        receiving.notify(ctx, queue, 1)  # one who waits may have the next
    system = [*(req.get("AttributeNames") or ()), *(req.get("MessageSystemAttributeNames") or ())]
    wanted = req.get("MessageAttributeNames") or ()
    return {"Messages": [receiving.shown(one, system, wanted) for one in found]}


def _take(
    ctx: Ctx, queue: Queue, attempt: str, asked: receiving.Asked, there: receiving.There
) -> list[receiving.Received]:
    now = asked.now
    with ctx.world.state.database.transaction():
        if receiving.full(ctx, queue, now):
            if asked.wait or queue.fifo:
                return []
            raise errors.over_limit()
        minutes.turn(ctx, queue, now)
        found = receiving.receive(ctx, queue, asked, there, attempt)
        if found:
            size = sum([stored.size(one.message.body, one.message.attributes) for one in found])
            minutes.count(ctx, queue, now, size=size, received=len(found))
    return found


def _asked(queue: Queue, req: dict[str, Any]) -> tuple[int, int, int]:
    """(how many, seconds to wait, seconds to hold)."""
    most, wait, visibility = req.get("MaxNumberOfMessages"), req.get("WaitTimeSeconds"), req.get("VisibilityTimeout")
    if most is None:
        most = 1
    elif not 1 <= most <= _MOST:
        raise errors.bad_value(most, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
    if wait is None:
        wait = queue.wait
    elif not 0 <= wait <= _LONGEST_POLL:
        raise errors.bad_value(wait, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
    if visibility is None:
        visibility = queue.visibility
    elif not 0 <= visibility <= holding.LONGEST:
        raise errors.bad_value(visibility, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided.")
    return most, wait, visibility


def _nothing(ctx: Ctx, queue: Queue, wait: int, seen: int, now: int) -> dict[str, Any]:
    if wait and not ctx.final:
        due = receiving.next_there(ctx, queue, now)
        return Held(key(queue.number), wait, seen, None if due is None else max(due - now, 1) / 1000)
    with ctx.world.state.database.transaction():
        minutes.turn(ctx, queue, now)
        minutes.count(ctx, queue, now, empty=1)
    return {}


@op("DeleteMessage", data=True, joins=True, own=True, access=on_queue("sqs:DeleteMessage"))
def delete_message(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a received message."""
    queue, now = finding.queue(ctx, req), millis(ctx)
    if queue.fifo:
        rates.draw(ctx, queue, "DeleteMessage", now)
    elif taking.delete(ctx, queue, req["ReceiptHandle"], now):
        return {}
    with ctx.world.state.database.transaction():
        minutes.turn(ctx, queue, now)
        holding.delete(ctx, queue, req["ReceiptHandle"], now)
        minutes.count(ctx, queue, now, deleted=1)
    return {}


@op("ChangeMessageVisibility", data=True, joins=True, access=on_queue("sqs:ChangeMessageVisibility"))
def change_message_visibility(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Hold a received message for so long from now on."""
    queue, now = finding.queue(ctx, req), millis(ctx)
    if queue.fifo:
        rates.draw(ctx, queue, "ChangeMessageVisibility", now)
    minutes.turn(ctx, queue, now)
    holding.hold(ctx, queue, req["ReceiptHandle"], req["VisibilityTimeout"], now)
    minutes.count(ctx, queue, now)
    return {}
