"""What topics and subscriptions do by themselves: hand out what was published, until everybody has it or never will.

A publish wakes its topic, which works out whom a message is for; that wakes the subscriptions, each of which has its
own messages in order. A slow endpoint holds up nobody but itself.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.services.sns import bill, confirming, delivering, filtering, finding, publishing
from cloudjar.services.sns.outbox import Delivery, Message, outbox
from cloudjar.services.sns.records import Subscription, Topic

_AT_ONCE = 20
_LOOK_AGAIN = timedelta(seconds=60)
_FLYING = "sns.flying"


@reconciler(Topic)
def hand_out(step: Step, topic: Topic | None) -> None:
    """Work out whom each new message is for."""
    if topic is None:
        return
    box = outbox(step.world)
    while True:
        with step.world.state.database.transaction():
            ctx = step.ctx
            found = box.fresh(topic.number)
            if found is None:
                return
            number, data = found
            message = publishing.unsealed(ctx, data)
            wanting = [one for one in finding.of_topic(ctx, topic) if one.confirmed]
            chosen = [one for one in wanting if _is_for(one, message)]
            box.spread(number, [one.id for one in chosen], ctx.now.timestamp())
            for one in chosen:
                ctx.wake(one, purpose="deliver")
            bill.measured(ctx, topic, published=1, size=message.size or None)
            bill.filtered(ctx, topic, message, [one for one in wanting if one not in chosen])


def _is_for(held: Subscription, message: Message) -> bool:
    if not held.filter_policy:
        return True
    policy = _parsed(held.filter_policy)
    body = message.body(held.protocol)
    return filtering.passes(policy, held.filter_scope, body, message.attributes)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Any:
    return json.loads(text)


@reconciler(Subscription)
def deliver(step: Step, held: Subscription | None) -> None:
    """Make the attempts that are due, in order; a subscription that nobody confirms ends after two days."""
    if held is None:
        return
    ctx = Ctx(step.world, held.account, held.region, step.ctx.caller)
    if not held.confirmed and ctx.now.timestamp() >= held.asked + confirming.DAYS.total_seconds():
        with step.world.state.database.transaction():
            confirming.end(ctx, held)
        return
    topic = ctx.db[Topic].get(held.topic)
    if topic is None:
        return
    if held.protocol in ("http", "https"):
        _post(step, topic, held)
    else:
        while _batch(ctx, topic, held):
            pass
    later = outbox(step.world).next_due(held.id)
    if later is not None:
        step.again("deliver", max(datetime.fromtimestamp(later, UTC), ctx.now + timedelta(milliseconds=1)))


def _batch(ctx: Ctx, topic: Topic, held: Subscription) -> bool:
    """Some attempts, and what becomes of them, in one transaction; whether there may be more."""
    box = outbox(ctx.world)
    with ctx.world.state.database.transaction():
        due = box.due(held.id, ctx.now.timestamp(), _AT_ONCE)
        for delivery in due:
            message = _message(ctx, delivery)
            if message is None:
                box.done(delivery)
                continue
            attempt = delivering.to_queue if held.protocol == "sqs" else delivering.to_mailbox
            outcome, answer = attempt(ctx, topic, held, message)
            delivering.conclude(ctx, topic, held, message, delivery, outcome, answer)
            if outcome == "again":
                return False
    return len(due) == _AT_ONCE


def _message(ctx: Ctx, delivery: Delivery) -> Message | None:
    data = outbox(ctx.world).data(delivery.message)
    return None if data is None else publishing.unsealed(ctx, data)


# -- over the wire


def _post(step: Step, topic: Topic, held: Subscription) -> None:
    """Hand the oldest attempt that is due to a thread; it wakes the subscription when it knows."""
    world = step.world
    ctx = Ctx(world, held.account, held.region, step.ctx.caller)
    flying: set[str] = world.ports.setdefault(_FLYING, set())
    due = outbox(world).due(held.id, ctx.now.timestamp(), 1)
    if not due:
        return
    if held.id not in flying:
        message = _message(ctx, due[0])
        if message is None:
            with world.state.database.transaction():
                outbox(world).done(due[0])
            return
        headers, body = delivering.posted(ctx, topic, held, message)
        flying.add(held.id)
        world.ports["post"](held.endpoint, headers, body, partial(_heard, world, held, message, due[0]))
    step.again("look", ctx.now + _LOOK_AGAIN)  # should the answer never come


def _heard(world: World, held: Subscription, message: Message, delivery: Delivery, status: int) -> None:
    """The endpoint has answered (0: it has not); on the thread that asked."""
    ctx = Ctx(world, held.account, held.region, service_caller("sns.amazonaws.com", held.account))
    with world.state.database.transaction():
        world.ports[_FLYING].discard(held.id)
        now, topic = ctx.db[Subscription].get(held.id), ctx.db[Topic].get(held.topic)
        if now is None or topic is None:
            return
        bill.delivered(ctx, topic, held.protocol)
        delivering.conclude(ctx, topic, now, message, delivery, delivering.judged(status), status)
        ctx.wake(now, purpose="deliver")


@on_boot("sns")
def resume(world: World) -> None:
    """Wake whoever has something on its way."""
    ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    box = outbox(world)
    with world.state.database.transaction():
        for topic in ctx.db.everywhere(Topic):
            if box.fresh(topic.number) is not None:
                ctx.wake(topic, purpose="publish")
        for held in ctx.db.everywhere(Subscription):
            if box.next_due(held.id) is not None:
                ctx.wake(held, purpose="deliver")
