"""Composite alarms: their rule held against other alarms' states, their actions held back by a suppressor."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import arn_of
from cloudjar.services.cloudwatch import rules, telling
from cloudjar.services.cloudwatch.records import Alarm, Composite, Due

if TYPE_CHECKING:
    from cloudjar.kit.machine import Step

STATES = ":alarm-states"
"""Not a namespace that anybody can have: under it composite alarms watch their children's states."""
SUPPRESSOR = "suppressor"


def named(alarm: str) -> str:
    """An alarm's name by its name or ARN."""
    parsed = arns.parse(alarm)
    return parsed.name if parsed is not None and parsed.service == "cloudwatch" else alarm


def children(composite: Composite) -> tuple[str, ...]:
    """Names of the alarms in a rule."""
    return tuple(dict.fromkeys(named(alarm) for alarm in rules.parse(composite.rule).alarms))


def watch(ctx: Ctx, alarm: Alarm) -> None:
    """Have a composite alarm woken when one of its children, or its suppressor, changes."""
    assert alarm.composite is not None
    followed = [*children(alarm.composite)]
    if alarm.composite.suppressor:
        followed.append(named(alarm.composite.suppressor))
    metrics.watch(
        ctx.world, alarm.account, alarm.region, "cloudwatch/alarm", alarm.name, [Metric(STATES, n) for n in followed]
    )


def look(step: Step, alarm: Alarm) -> None:
    """Hold the rule against the children as they are, and suppression against the suppressor."""
    from cloudjar.services.cloudwatch.life import moved

    def decide(now: Alarm) -> Alarm:
        assert now.composite is not None
        ctx = step.ctx
        holds = rules.parse(now.composite.rule).holds(lambda name: _state(ctx, name))
        state = "ALARM" if holds else "OK"
        after = now if now.seen is not None else replace(now, seen=ctx.world.clock.now())
        if state != now.state and step.wake.purpose in ("data", "") and not (step.wake.purpose == "" and now.seen):
            after = moved(ctx, after, state, *_why(ctx, now, state))
        return _released(ctx, after)

    after = step.change(Alarm, decide)
    if after is not None and after.due:
        step.again("actions", max(step.world.clock.now(), min(due.at for due in after.due)))


def _state(ctx: Ctx, name: str) -> str | None:
    found = ctx.db[Alarm].get(named(name))
    return None if found is None else found.state


def _why(ctx: Ctx, alarm: Alarm, state: str) -> tuple[str, str]:
    """The reason in words and as JSON: which child changed last."""
    assert alarm.composite is not None
    held = [child for name in children(alarm.composite) if (child := ctx.db[Alarm].get(name)) is not None]
    if not held:
        return f"The rule evaluated to {state}", ""
    newest = max(held, key=lambda child: child.moved_at)
    when = newest.moved_at.strftime("%A %d %B, %Y %H:%M:%S UTC")
    data: dict[str, Any] = {
        "triggeringAlarms": [
            {"arn": arn_of(newest), "state": {"value": newest.state, "timestamp": telling.stamp(newest.moved_at)}}
        ]
    }
    return f"{arn_of(newest)} transitioned to {newest.state} at {when}", json.dumps(data)


# -- suppression ---------------------------------------------------------------------------------------------------


def held_back(ctx: Ctx, alarm: Alarm) -> Alarm:
    """A change of state with a suppressor: its actions wait, for the suppressor to go off or to be over."""
    held = alarm.composite
    if held is None or not held.suppressor:
        return alarm
    now = ctx.world.clock.now()
    if _state(ctx, held.suppressor) == "ALARM":
        return replace(alarm, composite=_suppressed(held, "Alarm"), due=_until(alarm, None))
    return replace(
        alarm,
        composite=_suppressed(held, "WaitPeriod"),
        due=_until(alarm, now + timedelta(seconds=held.wait)),
    )


_NEVER = timedelta(days=36500)


def _until(alarm: Alarm, at: datetime | None) -> tuple[Due, ...]:
    """Only the newest change's actions are still wanted, at an instant or when the suppressor is over."""
    newest = alarm.due[-1]
    return (replace(newest, at=at if at is not None else newest.changed + _NEVER),)


def _suppressed(held: Composite, by: str) -> Composite:
    words = {
        "Alarm": f"{held.suppressor} was in ALARM",
        "WaitPeriod": f"Waiting for {held.suppressor} to go into ALARM",
        "ExtensionPeriod": f"Waiting after {held.suppressor} went out of ALARM",
        "": "",
    }
    return replace(held, suppressed_by=by, suppressed_reason=words[by])


def _released(ctx: Ctx, alarm: Alarm) -> Alarm:
    """What the suppressor's present state means for actions that wait."""
    held = alarm.composite
    assert held is not None
    if not held.suppressed_by:
        return alarm
    now = ctx.world.clock.now()
    if _state(ctx, held.suppressor) == "ALARM":
        if held.suppressed_by == "Alarm":
            return alarm
        due = _until(alarm, None) if alarm.due else ()
        return replace(alarm, composite=_suppressed(held, "Alarm"), due=due)
    if held.suppressed_by == "Alarm":
        over = now + timedelta(seconds=held.extension)
        due = _until(alarm, over) if alarm.due else ()
        return replace(alarm, composite=_suppressed(held, "ExtensionPeriod"), due=due)
    waiting = any(due.at > now for due in alarm.due)
    return alarm if waiting else replace(alarm, composite=_suppressed(held, ""))
