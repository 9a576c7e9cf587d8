"""What queues do by themselves: messages that are moved, and those of queues that are gone, some at a time."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.sqs import groups, minutes, receiving, sealing
from cloudjar.services.sqs.records import DeletedQueue, MoveTask, Queue
from cloudjar.services.sqs.rows import rows
from cloudjar.services.sqs.standing import Row

_AT_ONCE = 200
_CLEARED = 2_000


@reconciler(MoveTask)
def move(step: Step, task: MoveTask | None) -> None:
    """Move some messages in one transaction, and look again while there are more."""
    if task is None or task.status != "RUNNING":
        return
    with step.world.state.database.transaction():
        now = step.db[MoveTask].get(task.id)
        if now is None or now.status != "RUNNING":
            return
        if now.not_before > step.ctx.now.timestamp():
            step.again("move", datetime.fromtimestamp(now.not_before, UTC))
            return
        _some(step.ctx, now)  # what it writes wakes this again


@reconciler(DeletedQueue)
def clear(step: Step, gone: DeletedQueue | None) -> None:
    """Clear away what was in a queue that is gone, some at a time: nobody waits for it."""
    while gone is not None and gone.number:
        with step.world.state.database.transaction():
            minutes.ready(step.world)
            gone = step.db[DeletedQueue].get(gone.name)
            if gone is not None and gone.number and rows(step.world).erase(gone.number, _CLEARED):
                gone = step.db[DeletedQueue].put(replace(gone, number=0))


def _some(ctx: Ctx, task: MoveTask) -> None:
    source = _queue(ctx, task.source)
    if source is None:
        ctx.db[MoveTask].put(replace(task, status="FAILED", failure="AWS.SimpleQueueService.NonExistentQueue"))
        return
    store, now = rows(ctx.world), int(ctx.now.timestamp() * 1000)
    receiving.expire(ctx, source, now)
    most = task.rate or _AT_ONCE
    batch = [row for row in store.oldest(source.number, most, task.cursor) if row.id <= task.upto]
    moved = 0
    for row in batch:
        if row.visible > now:  # somebody has it
            continue
        target = _queue(ctx, task.destination or row.source or "")
        if target is None or target.fifo != source.fifo:
            failure = "CouldNotDetermineMessageSource" if not row.source else "AWS.SimpleQueueService.NonExistentQueue"
            ctx.db[MoveTask].put(replace(task, status="FAILED", moved=task.moved + moved, failure=failure))
            return
        _hand_over(ctx, source, target, row, now)
        moved += 1
    done = len(batch) < most
    status = "COMPLETED" if done else task.status
    cursor = batch[-1].id if batch else task.cursor
    pause = now / 1000 + 1 if task.rate else 0.0
    ctx.db[MoveTask].put(
        replace(task, status=status, moved=task.moved + moved, cursor=cursor, not_before=pause)
    )


def _queue(ctx: Ctx, text: str) -> Queue | None:
    arn = arns.parse(text)
    return None if arn is None else ctx.db.at(arn.account, arn.region)[Queue].get(arn.resource)


def _hand_over(ctx: Ctx, source: Queue, target: Queue, row: Row, now: int) -> None:
    """A message becomes a new one of another queue, with an id of its own when its contents can be written anew."""
    store = rows(ctx.world)
    data = store.data(row)
    if not sealing.under_kms(data):
        message = sealing.unseal(ctx, source, data)
        message.id = ids.uuid4()
        data = sealing.seal(ctx, target, message) if not target.kms_key else sealing.resealed(ctx, message)
    store.drop(source.number, row.id)
    visible = now + target.delay * 1000
    group = row.group if row.group is not None or not target.fifo else ""
    id_ = store.add(target.number, visible, now, group, data)
    if target.fifo:
        groups.joined(store, target.number, group or "", id_, visible)
    if source.fifo:
        groups.regroup(store, source.number, row.group or "", now)
    receiving.notify(ctx, target, 1)
