"""An experiment's life: its targets are found, its actions begin in their order, and everything is brought back.

https://docs.aws.amazon.com/fis/latest/userguide/experiments.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.events import hears
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.services.fis import doing, rules, targets
from cloudjar.services.fis.records import Experiment, Run

PRINCIPAL = "fis.amazonaws.com"
_EVENT = "FIS Experiment State Change"
_LATER = "later"


@reconciler(Experiment)
def converge(step: Step, item: Experiment | None) -> None:
    """Every step that is due, one after the other; then the alarm for the next one."""
    while item is not None and not item.over:
        before = item
        item = _advance(step, item)
        if item == before:
            break
    if item is not None and not item.over:
        due = [run.until for run in item.runs.values() if run.status == "running" and run.until is not None]
        if due:
            step.again(_LATER, min(due))


def _advance(step: Step, item: Experiment) -> Experiment | None:
    """One step; the same record when there is nothing to do now."""
    if item.status == "pending":
        return _put(step, lambda now: replace(now, status="initiating", reason="Experiment is initiating."))
    if item.status == "initiating":
        return _initiate(step, item)
    if item.status == "running":
        return _run(step, item)
    return _wind_up(step, item)


def _role(step: Step, item: Experiment) -> Caller:
    return step.ctx.as_role(item.role_arn, service=PRINCIPAL, source_arn=arn_of(item), session_name=item.id)


def _initiate(step: Step, item: Experiment) -> Experiment | None:
    """Find the targets; fail when one comes to nothing, unless that is to be skipped."""
    if item.asked_to_stop:
        return _put(step, _ended("stopped", "Experiment stopped by user."))
    found: dict[str, list[str]] = {}
    empty = (item.said.get("experimentOptions") or {}).get("emptyTargetResolutionMode", "fail")
    try:
        role = _role(step, item)
        for name, target in (item.said.get("targets") or {}).items():
            found[name] = targets.resolve(step.ctx, role, target)
            if not found[name] and empty == "fail":
                raise AwsError("TargetResolutionFailed", f"Target resolution returned empty set for target {name}.")
    except AwsError as error:
        return _put(step, _ended("failed", error.message, {"code": error.code, "accountId": item.account}))
    if item.mode == "skip-all":
        over = Run(status="skipped", reason="Action was skipped.")
        skipped = dict.fromkeys(item.runs, over)
        return _put(
            step, lambda now: _ended("completed", "Experiment completed.")(replace(now, targets=found, runs=skipped))
        )
    reason = "Experiment is running."
    return _put(
        step, lambda now: replace(now, status="running", reason=reason, targets=found, began=step.world.clock.now())
    )


def _run(step: Step, item: Experiment) -> Experiment | None:
    alarm = _alarming(step.ctx, item)
    if item.asked_to_stop or alarm:
        reason = "Experiment halted by stop condition." if alarm else "Experiment stopped by user."
        return _put(step, lambda now: replace(now, status="stopping", reason=reason))
    failed = next((run for run in item.runs.values() if run.status == "failed"), None)
    if failed is not None:
        return _put(step, lambda now: replace(now, status="stopping", reason=f"Action failed. {failed.reason}"))
    now = step.world.clock.now()
    for name, run in item.runs.items():
        if run.status == "running" and run.until is not None and run.until <= now:
            return _finish(step, item, name, "completed", "Action was completed.")
        if run.status == "pending" and _may_begin(item, name):
            return _begin(step, item, name)
    if all(run.over for run in item.runs.values()):
        return _put(step, _ended("completed", "Experiment completed."))
    return item


def _wind_up(step: Step, item: Experiment) -> Experiment | None:
    """Stopping: what runs is brought back, what waits is cancelled; then it is stopped, or failed."""
    for name, run in item.runs.items():
        if run.status == "running":
            return _finish(step, item, name, "stopped", "Action was stopped.")
        if run.status == "pending":
            return _note(step, name, replace(run, status="cancelled", reason="Action was cancelled."))
    failed = item.reason.startswith("Action failed.")
    return _put(step, _ended("failed" if failed else "stopped", item.reason))


def _may_begin(item: Experiment, name: str) -> bool:
    before = item.said["actions"][name].get("startAfter") or []
    return all(item.runs[other].status in ("completed", "skipped") for other in before)


def _doing(step: Step, item: Experiment, name: str) -> doing.Doing:
    action = item.said["actions"][name]
    reached = [arn for target in (action.get("targets") or {}).values() for arn in item.targets[target]]
    return doing.Doing(step.ctx, _role(step, item), item.id, name, action.get("parameters") or {}, reached)


def _begin(step: Step, item: Experiment, name: str) -> Experiment | None:
    action = item.said["actions"][name]
    now = step.world.clock.now()
    if action.get("targets") and not any(item.targets[target] for target in action["targets"].values()):
        run = replace(item.runs[name], status="skipped", reason="Target resolution returned empty set.", ended=now)
        return _note(step, name, run)
    try:
        begun = doing.begin(_doing(step, item, name), action["actionId"])
    except AwsError as error:
        return _note(step, name, _failed(item.runs[name], now, error))
    if not begun.duration:
        done = Run(status="completed", reason="Action was completed.", began=now, ended=now)
        return _note(step, name, done)
    until = now + rules.duration(begun.duration)
    run = Run(status="running", reason="Action is running.", began=now, until=until, undo=begun.undo)
    return _note(step, name, run)


def _finish(step: Step, item: Experiment, name: str, status: str, reason: str) -> Experiment | None:
    run, now = item.runs[name], step.world.clock.now()
    try:
        doing.finish(_doing(step, item, name), item.said["actions"][name]["actionId"], run.undo)
    except AwsError as error:
        return _note(step, name, _failed(run, now, error))
    return _note(step, name, replace(run, status=status, reason=reason, ended=now, until=None))


def _failed(run: Run, now: datetime, error: AwsError) -> Run:
    return replace(run, status="failed", reason=error.message, began=run.began or now, ended=now, until=None)


def _note(step: Step, name: str, run: Run) -> Experiment | None:
    return _put(step, lambda now: replace(now, runs={**now.runs, name: run}))


def _ended(status: str, reason: str, error: dict[str, str] | None = None) -> Callable[[Experiment], Experiment]:
    return lambda now: replace(now, status=status, reason=reason, error=error or {})


def _put(step: Step, change: Callable[[Experiment], Experiment]) -> Experiment | None:
    """Store what `change` makes of the record as it is now; tells of a new state."""
    with step.world.state.database.transaction():
        now = step.db[Experiment].get(step.key)
        if now is None:
            return None
        after = change(now)
        if after.over and not now.over:
            after = replace(after, ended=step.world.clock.now())
        if after.status != now.status:
            announce(step.ctx, now, after)
        return step.db[Experiment].put(after)


def announce(ctx: Ctx, before: Experiment | None, after: Experiment) -> None:
    """The event of a state change."""
    detail: dict[str, Any] = {
        "experiment-id": after.id,
        "experiment-template-id": after.template_id,
        "new-state": {"status": after.status, "reason": after.reason},
    }
    if before is not None:
        detail["old-state"] = {"status": before.status, "reason": before.reason}
    ctx.world.events.emit(after.account, after.region, "aws.fis", _EVENT, detail, (arn_of(after),))


def _alarming(ctx: Ctx, item: Experiment) -> bool:
    """Whether the alarm of a stop condition is in alarm."""
    for condition in item.said.get("stopConditions") or []:
        if condition["source"] == "aws:cloudwatch:alarm":
            alarm = ctx.find("cloudwatch", "alarm", condition["value"].rpartition(":alarm:")[2])
            if alarm is not None and getattr(alarm, "state", "") == "ALARM":
                return True
    return False


@hears("aws.cloudwatch", "CloudWatch Alarm State Change")
def alarm_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """Have the experiments looked at that an alarm may stop."""
    ctx = Ctx(world, account, region, service_caller(PRINCIPAL, account))
    for item in ctx.db[Experiment].all():
        watched = item.said.get("stopConditions") or []
        if not item.over and any(str(one.get("value")).endswith(f":alarm:{detail['alarmName']}") for one in watched):
            ctx.wake(item)


@on_boot("fis")
def at_start(world: World) -> None:
    """Go on with what was under way."""
    for item in Ctx(world, "", "", service_caller(PRINCIPAL, "")).db.everywhere(Experiment):
        if not item.over:
            world.state.wakes.wake("fis/experiment", item.account, item.region, item.id)
