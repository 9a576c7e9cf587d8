"""Messages out of a queue, for as long as their receiver may hold them; what was received too often goes elsewhere."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit import arrivals
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.sqs import dedup, errors, groups, handles, sealing, stored
from cloudjar.services.sqs.fair import Tenants
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import Rows, key, rows, sequence
from cloudjar.services.sqs.standing import Row, queue_of

FLYING = 120_000
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""
_MOVES = 50
"""Rounds of looking past noisy tenants in one receive."""


class Received(NamedTuple):
    """A message as it was received."""

    row: Row
    receipt: int
    message: stored.Message


class Asked(NamedTuple):
    """Up to `most` messages, for `visibility` seconds; `wait` seconds for the first. `now` is milliseconds."""

    most: int
    wait: int
    visibility: int
    now: int


There = list[Row] | list[str]
"""What a receive begins with: messages that can be seen, a FIFO queue's groups that are open."""


def there(ctx: Ctx, queue: Queue, now: int, most: int) -> There:
    """What a receive would find; only looks. The caller holds the database's lock, or does not rely on it."""
    store = rows(ctx.world)
    with store.database.lock:
        if queue.fifo:
            return groups.ready(store, queue.number, now, most * 4)
        found = store.visible(queue.number, 0, now, most)
        if not found and store.known(queue.number).lanes is not False:
            return store.visible(queue.number, 1, now, most)
        return found


def next_there(ctx: Ctx, queue: Queue, now: int) -> int | None:
    """When the next message can be received without anybody doing anything (milliseconds)."""
    store = rows(ctx.world)
    if queue.fifo:
        return groups.next_ready(store, queue.number, now)
    return store.next_visible(queue.number, now)


@arrivals.foretells("sqs")
def next_of(ctx: Ctx, arn: arns.Arn) -> datetime | None:
    """The same for readers inside the house."""
    queue = ctx.db.at(arn.account, arn.region)[Queue].get(arn.resource)
    due = None if queue is None else next_there(ctx, queue, int(ctx.world.clock.now().timestamp() * 1000))
    return None if due is None else datetime.fromtimestamp(due / 1000, UTC)


def expire(ctx: Ctx, queue: Queue, now: int) -> bool:
    """Remove what has been kept long enough; in a transaction. Whether there was any."""
    store = rows(ctx.world)
    cutoff = now - queue.retention * 1000
    oldest = store.known(queue.number).oldest
    if oldest is not None and oldest > cutoff:
        return False
    gone = False
    touched: set[str] = set()
    while True:
        batch = store.oldest(queue.number, 256)
        over = [row for row in batch if row.sent <= cutoff]
        gone = gone or bool(over)
        for row in over:
            store.drop(queue.number, row.id)
            if queue.fifo and row.group is not None:
                touched.add(row.group)
        if not over or len(over) < len(batch):
            break
    for group in touched:
        groups.regroup(store, queue.number, group, now)
    left = store.oldest(queue.number)
    store.change(queue.number).oldest = left[0].sent if left else now
    return gone


def receive(ctx: Ctx, queue: Queue, asked: Asked, there: There, attempt: str = "") -> list[Received]:
    """Take messages; in a transaction, begun under the lock under which `there` was looked for."""
    store, now = rows(ctx.world), asked.now
    if expire(ctx, queue, now):
        there = []
    until = now + asked.visibility * 1000
    if queue.fifo:
        again = _again(store, queue, attempt, now)
        taken = again or _in_order(ctx, store, queue, asked.most, now)
    else:
        again = []
        taken = _standard(ctx, store, queue, asked, until, there)
    if not taken:
        return []
    held = taken
    if not again:
        held = [_held(row, nonce, until, now) for row, nonce in zip(taken, _nonces(len(taken)), strict=True)]
    found = [
        Received(row, row.receipt, sealing.unseal(ctx, queue, store.data(row) if row.data is None else row.data))
        for row in held
    ]
    if again:
        for row in taken:
            store.show(row.id, until)
    else:
        store.hold(queue.number, [(until, row.receipt, row.first, row.id) for row in held])
        if attempt and queue.fifo:
            dedup.attempt(store, queue.number, attempt, now, [(one.row.id, one.receipt) for one in found])
    if queue.fifo:
        for group in {one.row.group or "" for one in found}:
            groups.regroup(store, queue.number, group, now)
    return found


def _held(row: Row, nonce: int, until: int, now: int) -> Row:
    """A row as it is once it was received."""
    id_, _, times, _, first, sent, group, source, data = row
    return Row(id_, until, times + 1, nonce, first or now, sent, group, source, data)


def _nonces(count: int) -> list[int]:
    return [number >> 1 for number in struct.unpack(f">{count}Q", ids.entropy(8 * count))]


def full(ctx: Ctx, queue: Queue, now: int) -> bool:
    """Whether as many messages are in flight as may be. Counted only when there could be."""
    store = rows(ctx.world)
    flying = store.known(queue.number).flying
    if flying is None or flying >= FLYING:
        flying = store.change(queue.number).flying = store.counts(queue.number, now).flying
    return flying >= FLYING


# -- standard queues


def _standard(ctx: Ctx, store: Rows, queue: Queue, asked: Asked, until: int, begin: There) -> list[Row]:
    """`begin` is what was seen already."""
    most, now = asked.most, asked.now
    tenants = tenants_of(store, queue, now)
    if tenants is None and begin and not queue.max_receives:
        return [row for row in begin if type(row) is Row]
    found: list[Row] = []
    for lane in (0, 1):
        wanted, picked = most - len(found), list[Row]()
        for _ in range(_MOVES if wanted else 0):
            batch = _fewest_first(store, queue, tenants, wanted, now) if lane else []
            batch = batch or store.visible(queue.number, lane, now, wanted if tenants is None else 100)
            alive = _alive(ctx, store, queue, batch, now)
            if tenants is not None and lane == 0:
                alive = _quiet(store, tenants, alive)
            picked = alive[:wanted]  # those of the round before are among them
            if len(picked) == wanted or len(alive) == len(batch):
                break
        found += picked
    if tenants is not None:
        if len(found) < most:
            _hush(store, queue, tenants, now)
        for row in found:
            tenants.took(row.id, until, row.group)
        tenants.judged(now, [row.group for row in found])
    return found


def _alive(ctx: Ctx, store: Rows, queue: Queue, batch: list[Row], now: int) -> list[Row]:
    """Without those that were received too often: they are moved away."""
    if not queue.max_receives:
        return batch
    dead = [row for row in batch if row.times >= queue.max_receives]
    if not dead:
        return batch
    target = _dead_letters(ctx, queue)
    if target is None:
        return batch
    for row in dead:
        bury(ctx, queue, target, row, now)
    return [row for row in batch if row.times < queue.max_receives]


def tenants_of(store: Rows, queue: Queue, now: int) -> Tenants | None:
    """Who has what in flight, in a queue whose messages name groups."""
    known = store.known(queue.number)
    if known.lanes is None:
        known = store.change(queue.number)
        known.lanes = store.has_groups(queue.number)
    if known.lanes and known.tenants is None:
        known.tenants = Tenants(store.flying(queue.number, now), now)
    if known.tenants is not None:
        store.change(queue.number)
    return known.tenants


def _quiet(store: Rows, tenants: Tenants, batch: list[Row]) -> list[Row]:
    """Those of quiet tenants; the others' go to the other lane."""
    if not tenants.noisy:
        return batch
    store.lane([row.id for row in batch if row.group in tenants.noisy], 1)
    return [row for row in batch if row.group not in tenants.noisy]


def _fewest_first(store: Rows, queue: Queue, tenants: Tenants | None, wanted: int, now: int) -> list[Row]:
    """Of several noisy tenants' messages those whose tenant has the fewest in flight; nothing when there is but one."""
    if tenants is None or len(tenants.noisy) < 2:
        return []
    waiting = {group: store.waiting_of(queue.number, group, now, wanted)[::-1] for group in tenants.noisy}
    flying = {group: tenants.flying(group) for group, rows_ in waiting.items() if rows_}
    found: list[Row] = []
    while flying and len(found) < wanted:
        group = min(flying, key=lambda one: (flying[one], one))
        found.append(waiting[group].pop())
        flying[group] += 1
        if not waiting[group]:
            del flying[group]
    return found


def _hush(store: Rows, queue: Queue, tenants: Tenants, now: int) -> None:
    """Whoever has nothing waiting any more, or is silent, is quiet again."""
    silent = set(tenants.silent(now))
    for group in list(tenants.noisy):
        waiting = store.in_lane(queue.number, 1, group) if group in silent or not tenants.loud(group) else [0]
        if group in silent or not waiting:
            store.lane(waiting, 0)
            tenants.noisy.discard(group)


# -- FIFO queues


def _again(store: Rows, queue: Queue, attempt: str, now: int) -> list[Row]:
    """What the same attempt gave out before, if nothing happened to it since."""
    before = dedup.attempted(store, queue.number, attempt, now) if attempt else None
    if not before:
        return []
    found = [store.get(id_) for id_, _ in before]
    kept = [row for row in found if row is not None and row.visible > now]
    same = len(kept) == len(before) and all(row.receipt == told[1] for row, told in zip(kept, before, strict=True))
    return kept if same else []


def _in_order(ctx: Ctx, store: Rows, queue: Queue, most: int, now: int) -> list[Row]:
    found: list[Row] = []
    target = _dead_letters(ctx, queue) if queue.max_receives else None
    for group in groups.ready(store, queue.number, now, most * 4):
        members = groups.members(store, queue.number, group, most - len(found))
        moved = False
        while members and target is not None and members[0].times >= queue.max_receives:
            bury(ctx, queue, target, members[0], now)
            moved = True
            members = groups.members(store, queue.number, group, most - len(found))
        for row in members:
            if row.visible > now or (target is not None and row.times >= queue.max_receives):
                break
            found.append(row)
        if moved:
            groups.regroup(store, queue.number, group, now)
        if len(found) >= most:
            break
    return found


# -- dead letters


def _dead_letters(ctx: Ctx, queue: Queue) -> Queue | None:
    """The queue for what was received in vain; None when there is none any more."""
    arn = arns.parse(queue.dlq_arn)
    return None if arn is None else ctx.db.at(arn.account, arn.region)[Queue].get(arn.resource)


def bury(ctx: Ctx, queue: Queue, target: Queue, row: Row, now: int) -> None:
    """Move a message to a dead-letter queue, encrypted as it is; in a standard one it keeps its age."""
    store = rows(ctx.world)
    data, source = store.data(row), ctx.arn(queue)
    store.drop(queue.number, row.id)
    if target.fifo:
        group = row.group or ""
        id_ = store.add(target.number, now, now, group, data, source=source)
        groups.joined(store, target.number, group, id_, now)
    else:
        store.add(target.number, now, row.sent, row.group, data, old=row.id, source=source)
    notify(ctx, target, 1)


def notify(ctx: Ctx, queue: Queue, count: int) -> None:
    """Wake polls and readers that wait for messages, once this transaction has committed."""
    waits = ctx.world.waits
    name = key(queue.number)
    database = ctx.world.state.database
    if database.in_transaction:
        arrivals.arrived(ctx.world, arn_of(queue))
        database.on_commit(partial(waits.notify, name, count))
    else:
        waits.notify(name, count)


def shown(one: Received, system: Collection[str], wanted: Iterable[str]) -> dict[str, object]:
    """A received message as AWS shows it, with the attributes that were asked for."""
    row, message = one.row, one.message
    told: dict[str, object] = {
        "MessageId": message.id,
        "ReceiptHandle": handles.write(row.id, one.receipt),
        "MD5OfBody": message.md5,
        "Body": message.body,
    }
    if system:
        asked = set(system)
        known = _system(row, message)
        told["Attributes"] = known if "All" in asked else {name: v for name, v in known.items() if name in asked}
    chosen = [a for a in message.attributes if _wanted(a[0], wanted)] if message.attributes else []
    if chosen:
        told["MessageAttributes"] = stored.shown(chosen)
        told["MD5OfMessageAttributes"] = stored.attributes_digest(chosen)
    return told


def _system(row: Row, message: stored.Message) -> dict[str, str]:
    found = {
        "SenderId": message.sender,
        "SentTimestamp": str(row.sent),
        "ApproximateReceiveCount": str(row.times),
        "ApproximateFirstReceiveTimestamp": str(row.first),
    }
    if message.dedup:
        found["SequenceNumber"] = sequence(row.id)
        found["MessageDeduplicationId"] = message.dedup
    if message.group:
        found["MessageGroupId"] = message.group
    if message.trace:
        found["AWSTraceHeader"] = message.trace
    if row.source:
        found["DeadLetterQueueSourceArn"] = row.source
    return found


def _wanted(name: str, patterns: Iterable[str]) -> bool:
    for pattern in patterns:
        if pattern in ("All", ".*", name):
            return True
        if pattern.endswith(".*") and name.startswith(pattern[:-2]):
            return True
    return False


def handle_of(queue: Queue, id_: int, handle: str) -> None:
    """A handle must be of this queue; raises ReceiptHandleIsInvalid."""
    if queue_of(id_) != queue.number:
        raise errors.bad_handle(handle)
