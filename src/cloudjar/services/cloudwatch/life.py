"""The life of alarms: evaluated by the clock, their actions run, their history forgotten.

A metric alarm is woken when its next evaluation is due, as long as what it watches has data; one whose metric is
silent sleeps until the metric gets data again. A composite alarm is woken when a child changes.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.metrics import Metric
from cloudjar.services.cloudwatch import acting, composing, telling
from cloudjar.services.cloudwatch.evaluating import Evaluation, evaluate
from cloudjar.services.cloudwatch.records import Alarm, Due

EVALUATE = "evaluate"
TABLE = "cloudwatch/alarm"


@reconciler(Alarm)
def converge(step: Step, alarm: Alarm | None) -> None:
    """One look at an alarm."""
    if step.wake.purpose == telling.STALE:
        with step.world.state.database.transaction():
            later = telling.forget(step.ctx, step.key)
        if later is not None:
            step.again(telling.STALE, later)
        return
    if alarm is None:
        return
    if alarm.due:
        acting.run(step, alarm)
    if alarm.kind == "CompositeAlarm":
        composing.look(step, alarm)
    elif step.wake.purpose == "data":
        _soon(step, alarm)
    elif step.wake.purpose == EVALUATE or alarm.seen is None:
        _look(step, alarm)


def _soon(step: Step, alarm: Alarm) -> None:
    """New data: they are evaluated when their period is over."""
    if step.world.state.wakes.expects(step.wake, EVALUATE) or alarm.judged is None:
        return
    step.again(EVALUATE, next_look(step.ctx, alarm))


def next_look(ctx: Ctx, alarm: Alarm) -> datetime:
    """The next boundary at which an alarm is evaluated."""
    assert alarm.judged is not None
    length = 60 if alarm.judged.period >= 60 else 10
    now = ctx.world.clock.now().timestamp()
    return metrics.instant(now - now % length + length)


def _look(step: Step, alarm: Alarm) -> None:
    found = evaluate(step.world, alarm)

    def decide(now: Alarm) -> Alarm | None:
        if now.configured != alarm.configured or now.state_at != alarm.state_at:
            return None  # changed under our hands: its own wake-up is waiting
        return judged(step.ctx, now, found)

    after = step.change(Alarm, decide)
    if after is not None and found.again is not None:
        step.again(EVALUATE, found.again)
    if after is not None and after.state == alarm.state == "ALARM":
        acting.repeat(step, after)


def judged(ctx: Ctx, alarm: Alarm, found: Evaluation) -> Alarm:
    """The alarm after an evaluation; a change of state is told and sets actions off."""
    now = ctx.world.clock.now()
    seen = alarm if alarm.seen is not None else replace(alarm, seen=now)
    state = found.verdict.state
    if state is None or state == alarm.state:
        return replace(seen, value=found.value) if seen.value != found.value else seen
    return moved(ctx, replace(seen, value=found.value), state, found.verdict.reason, found.data)


def moved(ctx: Ctx, alarm: Alarm, state: str, reason: str, data: str) -> Alarm:
    """The alarm in another state (not stored yet), with what that sets off."""
    now = ctx.world.clock.now()
    after = replace(alarm, state=state, reason=reason, data=data, state_at=now)
    if state == alarm.state:
        return after
    after = replace(after, moved_at=now)
    if after.enabled and after.actions(state):
        due = Due(state=state, changed=now, at=now, arns=after.actions(state), before=alarm.state)
        after = composing.held_back(ctx, replace(after, due=(*alarm.due, due)))
    telling.changed(ctx, alarm, after)
    metrics.moved(ctx.world, alarm.account, alarm.region, Metric(composing.STATES, alarm.name))
    return after
