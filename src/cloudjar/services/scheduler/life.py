"""What schedules do by themselves: call their targets when they are due, until each is called or never will be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import target_calls
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.target_calls import Retries
from cloudjar.services.scheduler import bill, sending, times
from cloudjar.services.scheduler.invocations import Invocation, invocations
from cloudjar.services.scheduler.records import DELETING, DISABLED, Group, Schedule

INVOKE = "invoke"
_AT_ONCE, _GONE_AT_ONCE = 20, 500


@reconciler(Schedule, together=True)
def work(step: Step, schedule: Schedule | None) -> None:
    """Begin what is due, and make the calls that are to be made."""
    if schedule is None:
        wake = step.wake
        with step.world.state.database.transaction():
            invocations(step.world).forget(f"{wake.account}/{wake.region}/{wake.key}")
        return
    ctx = step.ctx
    if step.wake.purpose == times.PURPOSE and _at_once(ctx, schedule):
        return
    schedule = _begin(ctx, schedule)
    while _batch(ctx, schedule):
        pass
    later = invocations(step.world).next_due(schedule.place)
    if later is not None:
        now = step.world.clock.now()
        step.again(INVOKE, max(datetime.fromtimestamp(later, UTC), now + timedelta(milliseconds=1)))
    else:
        _complete(ctx, schedule)


def _at_once(ctx: Ctx, schedule: Schedule) -> bool:
    """What is due begins and ends in one transaction: most calls succeed, and are never on their way. Whether there is
    nothing else to do."""
    with ctx.world.state.database.within():
        found = _due(ctx, schedule)
        if found is None or found[0].window:
            return False
        now, due = found
        one = Invocation(now.place, due, ids.uuid4(), due, due, 0)
        try:
            made = sending.same(ctx.world, now, one)
        except AwsError:
            return False
        if made[0] not in sending.TOGETHER:
            return False
        following = _follow(ctx, now, due)
        try:
            with ctx.world.state.database.transaction():
                sending.call(ctx, now, made)
        except AwsError as error:
            invocations(ctx.world).keep(one)
            _failed(ctx, now, one, error, sending.body(now, one))
            return False
        bill.measured(ctx.world, now, InvocationAttemptCount=1)
        return bool(following)


def _due(ctx: Ctx, schedule: Schedule) -> tuple[Schedule, float] | None:
    """The schedule as it is, and since when it is due; None when it is not."""
    now = ctx.db[Schedule].get(schedule.path)
    if now is None or not now.next or now.state == DISABLED:
        return None
    due = times.reached(ctx, now)
    return None if due > ctx.now.timestamp() else (now, due)


def _follow(ctx: Ctx, schedule: Schedule, due: float) -> float:
    """An invocation begins; when the schedule is due next, 0 for never."""
    bill.invoked(ctx.world, schedule)
    return times.follow(ctx, schedule, due)


def _begin(ctx: Ctx, schedule: Schedule) -> Schedule:
    with ctx.world.state.database.transaction():
        found = _due(ctx, schedule)
        if found is not None:
            now, due = found
            begun = due + (ids.below(now.window * 60) if now.window else 0)
            invocations(ctx.world).keep(Invocation(now.place, due, ids.uuid4(), begun, begun, 0))
            _follow(ctx, now, due)
        return ctx.db[Schedule].get(schedule.path) or schedule


def _batch(ctx: Ctx, schedule: Schedule) -> bool:
    due = invocations(ctx.world).due(schedule.place, ctx.now.timestamp(), _AT_ONCE)
    for one in due:
        _attempt(ctx, schedule, one)
    return len(due) == _AT_ONCE


def _attempt(ctx: Ctx, schedule: Schedule, one: Invocation) -> None:
    text = sending.body(schedule, one)
    try:
        made = sending.made(schedule, one)
    except AwsError as error:
        with ctx.world.state.database.transaction():
            _failed(ctx, schedule, one, error, text)
        return
    target_calls.attempt(
        ctx.world,
        lambda: sending.call(ctx, schedule, made),
        lambda: _succeeded(ctx, schedule, one),
        lambda error: _failed(ctx, schedule, one, error, text),
        together=made[0] in sending.TOGETHER,
    )


def _succeeded(ctx: Ctx, schedule: Schedule, one: Invocation) -> None:
    invocations(ctx.world).done(one)
    bill.measured(ctx.world, schedule, InvocationAttemptCount=1)


def _failed(ctx: Ctx, schedule: Schedule, one: Invocation, error: AwsError, text: str) -> None:
    """Try again when it may succeed another time, or put it among the dead letters; in a transaction."""
    throttled = target_calls.is_throttled(error)
    bill.measured(
        ctx.world,
        schedule,
        InvocationAttemptCount=1,
        TargetErrorCount=1,
        TargetErrorThrottledCount=int(throttled),
    )
    tries, exhausted = one.tries + 1, ""
    if throttled or (error.is_server_fault and error.code != "NotImplemented"):
        due = ctx.now.timestamp() + target_calls.pause(tries)
        over = Retries.of(schedule.target["RetryPolicy"]).exhausted(tries, due - one.begun)
        if not over:
            invocations(ctx.world).later(one, due)
            return
        exhausted = over[-1]
    invocations(ctx.world).done(one)
    _bury(ctx, schedule, one, error, text, exhausted)


def _bury(ctx: Ctx, schedule: Schedule, one: Invocation, error: AwsError, text: str, exhausted: str) -> None:
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html"""
    arn = arns.parse((schedule.target.get("DeadLetterConfig") or {}).get("Arn") or "")
    if arn is None:
        bill.measured(ctx.world, schedule, InvocationDroppedCount=1)
        return
    told = {
        "SCHEDULE_ARN": schedule.arn,
        "TARGET_ARN": schedule.target["Arn"],
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": error.message,
        "EXECUTION_ID": one.id,
        "SCHEDULED_TIME": sending.scheduled_time(one),
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": str(one.tries),
    }
    if exhausted:
        told["EXHAUSTED_RETRY_CONDITION"] = exhausted
    try:
        target_calls.bury(ctx, arn, text or "{}", caller=sending.acting(ctx, schedule), told=told)
    except AwsError:
        bill.measured(ctx.world, schedule, InvocationsFailedToBeSentToDeadLetterCount=1)
    else:
        bill.measured(ctx.world, schedule, InvocationsSentToDeadLetterCount=1)


def _complete(ctx: Ctx, schedule: Schedule) -> None:
    """A schedule that is never due again goes, if it was made to."""
    if schedule.next or not schedule.delete_after or schedule.state == DISABLED:
        return
    with ctx.world.state.database.transaction():
        now = ctx.db[Schedule].get(schedule.path)
        if now is not None and not now.next and now.delete_after and now.state != DISABLED:
            ctx.db[Schedule].drop(now)


@reconciler(Group)
def empty(step: Step, group: Group | None) -> None:
    """Delete the schedules of a group that goes, then the group."""
    if group is None or group.state != DELETING:
        return
    while True:
        with step.world.state.database.transaction():
            found = step.db[Schedule].all(group=group.name)[:_GONE_AT_ONCE]
            for schedule in found:
                step.db[Schedule].drop(schedule)
            if len(found) < _GONE_AT_ONCE:
                now = step.db[Group].get(group.name)
                if now is not None:
                    step.db[Group].drop(now)
                return
