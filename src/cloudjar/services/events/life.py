"""What rules do by themselves: give events to their targets until each has them or never will, and keep schedules.

A slow target holds up no other rule.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import target_calls
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import meta
from cloudjar.kit.wakes import Alone
from cloudjar.services.events import arriving, calling, concluding, hearing, schedules, sending, targets
from cloudjar.services.events.outbox import Delivery, Kept, outbox
from cloudjar.services.events.records import DISABLED, Rule
from cloudjar.services.events.sending import Sent

_AT_ONCE = 20


@reconciler(Rule, together=True)
def work(step: Step, rule: Rule | None) -> None:
    """Make the attempts that are due, in order; put an event when the schedule says so."""
    if rule is None:
        wake = step.wake
        with step.world.state.database.transaction():
            outbox(step.world).forget(f"{wake.account}/{wake.region}/{wake.key}")
        return
    ctx = Ctx(step.world, rule.account, rule.region, step.ctx.caller)
    _keep_schedule(ctx, rule)
    while _batch(ctx, rule):
        pass
    later = outbox(step.world).next_due(rule.place)
    if later is not None:
        now = step.world.clock.now()
        step.again(arriving.DELIVER, max(datetime.fromtimestamp(later, UTC), now + timedelta(milliseconds=1)))


def _keep_schedule(ctx: Ctx, rule: Rule) -> None:
    alone = not ctx.world.state.database.in_transaction  # else what follows fails with this, and all of it comes again
    with ctx.world.state.database.transaction():
        now = ctx.db[Rule].get(rule.path)
        if now is None or not now.next or now.next > ctx.now.timestamp() or now.state == DISABLED:
            return
        made = arriving.event(
            account=rule.account,
            region=rule.region,
            source="aws.events",
            detail_type="Scheduled Event",
            detail={},
            time=datetime.fromtimestamp(now.next, UTC),
            resources=[rule.arn],
        )
        with ctx.world.state.wakes.looking(meta(Rule), now):
            after = schedules.follow(ctx, now)
        arriving.hand_out(ctx.world, [after], made, ((rule.account, rule.region),), wake=alone)


def _batch(ctx: Ctx, rule: Rule) -> bool:
    """Some attempts, each with what becomes of it; whether there may be more."""
    box = outbox(ctx.world)
    due = box.due(rule.place, ctx.now.timestamp(), _AT_ONCE)
    for delivery in due:
        target = next((one for one in rule.targets if one["Id"] == delivery.target), None)
        kept = box.event(delivery.event)
        if target is None or kept is None:
            with ctx.world.state.database.transaction():
                box.done(delivery)
            continue
        _attempt(ctx, rule, target, kept, delivery)
    return len(due) == _AT_ONCE


def _attempt(ctx: Ctx, rule: Rule, target: dict[str, Any], kept: Kept, delivery: Delivery) -> None:
    arn = arns.parse(target["Arn"])
    assert arn is not None  # PutTargets takes no other
    event: dict[str, Any] = json.loads(kept.event)
    sent = Sent(rule, target, arn, kept, event, targets.input_of(rule, target, event, kept.received))
    if sending.kind_of(arn) == "api-destination":
        if ctx.world.state.database.in_transaction:
            raise Alone
        _call(ctx, sent, delivery)
        return
    target_calls.attempt(
        ctx.world,
        lambda: sending.send(ctx, sent),
        lambda: concluding.succeeded(ctx, rule, delivery),
        lambda error: concluding.failed(ctx, rule, target, kept, delivery, concluding.failure(error)),
        together=sending.kind_of(arn) in sending.TOGETHER,
    )


def _call(ctx: Ctx, sent: Sent, delivery: Delivery) -> None:
    """Have a call made; how it ended is heard later, and looked for should that never come."""
    try:
        waits = calling.start(ctx, sent, delivery)
    except AwsError as error:
        with ctx.world.state.database.transaction():
            concluding.failed(ctx, sent.rule, sent.target, sent.kept, delivery, concluding.failure(error))
        return
    due = ctx.now + (calling.SOON if waits else calling.LOOK_AGAIN)
    with ctx.world.state.database.transaction():
        outbox(ctx.world).postpone(delivery, due.timestamp())


@on_boot("events")
def resume(world: World) -> None:
    """Hear what happens, and wake every rule with something on its way."""
    hearing.listen(world)
    ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    box = outbox(world)
    with world.state.database.transaction():
        for rule in ctx.db.everywhere(Rule):
            if box.next_due(rule.place) is not None:
                ctx.wake(rule, purpose=arriving.DELIVER)
