"""What the receiver of a message does with it: delete it, or hold it for longer or shorter."""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.services.sqs import errors, groups, handles, receiving
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import rows
from cloudjar.services.sqs.standing import queue_of

LONGEST = 43_200
"""Seconds for which a message may be held, from its receive on."""


def delete(ctx: Ctx, queue: Queue, handle: str, now: int) -> None:
    """Delete a received message; nothing happens when it is gone, or was received again since."""
    receipt = handles.read(handle)
    if queue_of(receipt.id) != queue.number:
        raise errors.bad_handle(handle)
    store = rows(ctx.world)
    if not queue.fifo:
        if store.leases.delete(queue.number, receipt.id, receipt.nonce) is not None:
            return
        if store.drop(queue.number, receipt.id, receipt.nonce):
            tenants = store.known(queue.number).tenants
            if tenants is not None:
                tenants.left(receipt.id)
        return
    row = store.get(receipt.id)
    if row is None:
        return
    if row.receipt != receipt.nonce or row.visible <= now:
        raise errors.expired_handle(handle)
    store.drop(queue.number, receipt.id)
    groups.regroup(store, queue.number, row.group or "", now)
    receiving.notify(ctx, queue, 1)


def hold(ctx: Ctx, queue: Queue, handle: str, seconds: int, now: int) -> None:
    """Hold a message for so many seconds from now on; 0 gives it back."""
    if not 0 <= seconds <= LONGEST:
        reason = f"Must be between 0 and {LONGEST}."
        raise errors.bad_value(seconds, "VisibilityTimeout", reason)
    receipt = handles.read(handle)
    if queue_of(receipt.id) != queue.number:
        raise errors.bad_handle(handle)
    store = rows(ctx.world)
    row = store.get(receipt.id)
    if row is None:
        raise errors.unavailable(handle)
    if row.receipt != receipt.nonce or row.visible <= now:
        if queue.fifo:
            raise errors.expired_handle(handle)
        raise errors.not_in_flight()
    if now + seconds * 1000 > row.first + LONGEST * 1000:
        reason = f"Total VisibilityTimeout for the message is beyond the limit [{LONGEST} seconds]"
        raise errors.bad_value(seconds, "VisibilityTimeout", reason)
    until = now + seconds * 1000
    store.show(row.id, until)
    if queue.fifo:
        groups.regroup(store, queue.number, row.group or "", now)
    tenants = store.known(queue.number).tenants
    if tenants is not None:
        tenants.took(row.id, until, row.group)
    receiving.notify(ctx, queue, 1)
