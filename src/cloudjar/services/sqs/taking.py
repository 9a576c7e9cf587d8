"""Standard queues at their quickest: what is sent and deleted in a turn of the loop goes to the tables at its end, what
is received comes out of what is at hand and is noted in a journal (`leases`).

Whatever is more than that (tenants, dead letters, keys of KMS, readers inside the house, minutes to close, messages to
expire, too many in flight) goes the long way (`sending`, `receiving`, `holding`), which asks the tables.
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import ids
from cloudjar.kit import arrivals
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.sqs import handles, receiving, sealing, sending, stored
from cloudjar.services.sqs.receiving import Asked, Received
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import Rows, rows
from cloudjar.services.sqs.sending import Letter
from cloudjar.services.sqs.standing import Row, queue_of, requests


def take(ctx: Ctx, queue: Queue, asked: Asked) -> list[Received]:
    """Messages that are received with this; none when there are none, or this is not the way. What it gives out is
    committed already. The caller holds the database's lock."""
    store = rows(ctx.world)
    if not _is_plain(store, queue, asked):
        return []
    now, number, leases = asked.now, queue.number, store.leases
    there = leases.heads(number, asked.most, now)
    if not there or (queue.max_receives and any(row.times >= queue.max_receives for row in there)):
        return []
    found = [_received(ctx, queue, store, row, asked) for row in there]
    if None in found:
        return []
    size = 0
    for one in found:
        size += stored.size(one.message.body, one.message.attributes)  # type: ignore[union-attr] # none is None
    minute = now // 60_000
    leases.hold(number, [one.row for one in found], minute, size)  # type: ignore[union-attr] # none is None
    leases.count(number, minute, len(found), requests(size))
    flying = store.known(number).flying
    store.known(number).flying = (flying or 0) + len(found)
    if leases.is_long(number):
        leases.shorten()
    return found  # type: ignore[return-value] # none is None


def post(ctx: Ctx, queue: Queue, letter: Letter, now: int) -> dict[str, Any] | None:
    """Keep a message in the turn's transaction, and count the call; what its sender is told, or None when this is not
    the way."""
    store = rows(ctx.world)
    known = store.known(queue.number)
    if queue.fifo or queue.kms_key or letter.group is not None or known.minute != now // 60_000:
        return None
    if not known.arn:
        known.arn = arn_of(queue)
    database = store.database
    if database.in_transaction or arrivals.watchers(ctx.world, known.arn):
        return None
    told, data = sending.sealed(ctx, queue, letter)
    if not database.join():
        return None
    delay = queue.delay if letter.delay is None else letter.delay
    store.post(queue.number, now + delay * 1000, now, data, letter.size)
    return told


def delete(ctx: Ctx, queue: Queue, handle: str, now: int) -> bool:
    """Delete a received message, and count the call; False when this is not the way."""
    store, minute = rows(ctx.world), now // 60_000
    if store.known(queue.number).minute != minute:
        return False
    receipt = handles.read(handle)
    if queue_of(receipt.id) != queue.number or not store.leases.has(queue.number, receipt.id, receipt.nonce):
        return False
    if store.database.in_transaction or not store.database.join():
        return False
    store.leases.delete(queue.number, receipt.id, receipt.nonce, minute)
    return True


def _is_plain(store: Rows, queue: Queue, asked: Asked) -> bool:
    known, now = store.known(queue.number), asked.now
    return (
        store.leases.journal is not None
        and not store.database.in_transaction
        and asked.visibility > 0
        and not queue.fifo
        and not queue.kms_key
        and known.lanes is False
        and known.minute == now // 60_000
        and known.oldest is not None
        and known.oldest > now - queue.retention * 1000
        and known.flying is not None
        and known.flying + asked.most <= receiving.FLYING
    )


def _received(ctx: Ctx, queue: Queue, store: Rows, row: Row, asked: Asked) -> Received | None:
    """A message as it is once it was received; None when KMS must be asked for it."""
    data = store.data(row) if row.data is None else row.data
    if sealing.under_kms(data):
        return None
    id_, _, times, _, first, sent, group, source, _ = row
    now = asked.now
    held = Row(
        id_, now + asked.visibility * 1000, times + 1, ids.number(), first or now, sent, group, source, row.data
    )
    return Received(held, held.receipt, sealing.unseal(ctx, queue, data))
