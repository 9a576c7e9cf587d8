"""Queues: made, found, set, purged, deleted.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sqs import attributes, errors, finding, groups, minutes, receiving, sealing
from cloudjar.services.sqs.ops.messages import millis
from cloudjar.services.sqs.ops.tagging import checked
from cloudjar.services.sqs.records import DeletedQueue, Queue
from cloudjar.services.sqs.rows import rows

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_AGAIN = 60
_AT_ONCE = 5_000
_MOST_LISTED = 1000


def _check_name(name: str, fifo: bool) -> None:
    stem = name.removesuffix(".fifo")
    if fifo:
        if not name.endswith(".fifo") or not _NAME.fullmatch(stem) or len(name) > 80:
            raise errors.invalid(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end "
                "with .fifo suffix and be 1 to 80 in length."
            )
    elif not _NAME.fullmatch(name):
        raise errors.invalid(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def _most(ctx: Ctx) -> int:
    """The greatest number that a queue has, or had of which there is anything left."""
    numbers = [queue.number for queue in ctx.db.everywhere(Queue)]
    return max([0, *numbers, *(gone.number for gone in ctx.db.everywhere(DeletedQueue))])


@op("CreateQueue")
def create_queue(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A queue; the one that is there when it is as asked for."""
    name, given = req["QueueName"], dict(req.get("Attributes") or {})
    fifo = given.get("FifoQueue") == "true"
    _check_name(name, fifo)
    now = ctx.now.timestamp()
    queue = Queue(
        name=name, number=0, created=int(now), modified=int(now), fifo=fifo, account=ctx.account, region=ctx.region
    )
    fields = attributes.changes(ctx, queue, given)
    known = ctx.db[Queue].get(name)
    if known is not None:
        different = attributes.same(known, given)
        if different:
            said = f"A queue already exists with the same name and a different value for attribute {different}"
            raise AwsError("QueueNameExists", said, 400)
        return {"QueueUrl": finding.url(ctx, known)}
    gone = ctx.db[DeletedQueue].get(name)
    if gone is not None and now < gone.at + _AGAIN:
        raise AwsError(
            "QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            400,
        )
    tags = checked(req.get("tags") or {})
    made = replace(queue, number=rows(ctx.world).queue_number(lambda: _most(ctx)), tags=tags, **fields)
    return {"QueueUrl": finding.url(ctx, ctx.db[Queue].add(made))}


@op("GetQueueUrl")
def get_queue_url(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The URL of a queue by its name."""
    account = req.get("QueueOwnerAWSAccountId") or ctx.account
    return {"QueueUrl": finding.url(ctx, ctx.db.at(account, ctx.region)[Queue].need(req["QueueName"]))}


@op("ListQueues")
def list_queues(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The queues whose names begin so; at most a thousand when no page is asked for."""
    most = req.get("MaxResults")
    if most is not None and not 1 <= most <= _MOST_LISTED:
        raise errors.bad_value(most, "MaxResults", "MaxResults must be an integer between 1 and 1000.")
    prefix = req.get("QueueNamePrefix") or ""
    found = [queue for queue in ctx.db[Queue].all() if queue.name.startswith(prefix)]
    urls = [finding.url(ctx, queue) for queue in (found if most else found[:_MOST_LISTED])]
    return {"QueueUrls": urls} if urls else {}


@op("GetQueueAttributes")
def get_queue_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The attributes asked for."""
    queue, now = finding.queue(ctx, req), millis(ctx)

    def counts() -> tuple[int, int, int]:
        store = rows(ctx.world)
        oldest = store.oldest(queue.number)
        if oldest and oldest[0].sent <= now - queue.retention * 1000:
            with ctx.world.state.database.transaction():
                minutes.turn(ctx, queue, now)
                receiving.expire(ctx, queue, now)
        return store.counts(queue.number, now)

    found = attributes.shown(queue, req.get("AttributeNames") or [], counts)
    return {"Attributes": found} if found else {}


@op("SetQueueAttributes")
def set_queue_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change attributes."""
    queue, now = finding.queue(ctx, req), millis(ctx)
    fields = attributes.changes(ctx, queue, req["Attributes"])
    changed = replace(queue, modified=int(ctx.now.timestamp()), **fields)
    minutes.turn(ctx, queue, now)
    ctx.db.at(queue.account, queue.region)[Queue].put(changed)
    if queue.fifo and changed.delay != queue.delay:
        groups.delayed(rows(ctx.world), queue.number, changed.delay * 1000)
        receiving.notify(ctx, queue, 1)
    sealing.forget(ctx)
    return {}


@op("PurgeQueue")
def purge_queue(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove every message; once a minute."""
    queue, now = finding.queue(ctx, req), ctx.now.timestamp()
    if queue.purged and now < queue.purged + _AGAIN:
        said = f"Only one PurgeQueue operation on {queue.name} is allowed every {_AGAIN} seconds."
        raise AwsError("PurgeQueueInProgress", said, 403)
    minutes.turn(ctx, queue, millis(ctx))
    rows(ctx.world).purge(queue.number)
    ctx.db.at(queue.account, queue.region)[Queue].put(replace(queue, purged=now))
    return {}


@op("DeleteQueue")
def delete_queue(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a queue with all that is in it."""
    queue = finding.queue(ctx, req)
    minutes.turn(ctx, queue, millis(ctx))
    db = ctx.db.at(queue.account, queue.region)
    db[Queue].drop(queue)
    gone = db[DeletedQueue].get(queue.name)
    tombstone = DeletedQueue(name=queue.name, number=queue.number, at=ctx.now.timestamp())
    if gone is None:
        db[DeletedQueue].add(tombstone)
    else:
        while gone.number and not rows(ctx.world).erase(gone.number, _AT_ONCE):
            pass
        db[DeletedQueue].put(replace(gone, number=queue.number, at=tombstone.at))
    from cloudjar.services.sqs import bill

    bill.settle(ctx.world, queue)
    receiving.notify(ctx, queue, 1 << 20)  # whoever waits learns that there is nothing to wait for
    return {}


@op("ListDeadLetterSourceQueues")
def list_dead_letter_source_queues(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The queues whose dead letters come here."""
    queue = finding.queue(ctx, req)
    most = req.get("MaxResults")
    if most is not None and not 1 <= most <= _MOST_LISTED:
        raise errors.bad_value(most, "MaxResults", "MaxResults must be an integer between 1 and 1000.")
    sources = ctx.db.at(queue.account, queue.region)[Queue].all(dlq_arn=ctx.arn(queue))
    return {"queueUrls": [finding.url(ctx, source) for source in sources]}
