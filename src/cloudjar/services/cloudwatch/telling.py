"""What is said of a change: history, events, notifications.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.cloudwatch.queries import Query
from cloudjar.services.cloudwatch.records import Alarm, History

KEPT = timedelta(days=30)
STALE = "history"
"""Purpose of the wake-up that drops old history."""


def stamp(at: datetime) -> str:
    """``2026-01-15T12:00:00.000+0000``: how CloudWatch writes instants in JSON."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}+0000"


def remember(ctx: Ctx, alarm: Alarm, type_: str, summary: str, data: dict[str, Any]) -> None:
    """Add to an alarm's history."""
    at = ctx.world.clock.now()
    ctx.db.at(alarm.account, alarm.region)[History].add(
        History(
            id=f"{at.timestamp():020.6f}-{_order(ctx):012}-{ids.uuid4()}",
            alarm=alarm.name,
            kind=alarm.kind,
            at=at,
            type=type_,
            summary=summary,
            data=json.dumps(data),
        )
    )
    ctx.world.state.wakes.wake(
        "cloudwatch/alarm", alarm.account, alarm.region, alarm.name, purpose=STALE, due=at + KEPT
    )


def _order(ctx: Ctx) -> int:
    """Grows with every change that is told: what happens at one instant of AWS time has an order all the same."""
    row = ctx.world.state.database.query("SELECT max(seq) FROM event")
    return int(row[0][0] or 0)


def forget(ctx: Ctx, name: str) -> datetime | None:
    """Drop what is older than thirty days; when the next of it will be."""
    now = ctx.world.clock.now()
    left = []
    for item in ctx.db[History].all(alarm=name):
        if item.at + KEPT <= now:
            ctx.db[History].drop(item)
        else:
            left.append(item.at)
    return min(left) + KEPT if left else None


def state_of(alarm: Alarm) -> dict[str, Any]:
    """A state in an event."""
    shown = {"value": alarm.state, "reason": alarm.reason, "timestamp": stamp(alarm.state_at)}
    return {**shown, "reasonData": alarm.data} if alarm.data else shown


def changed(ctx: Ctx, before: Alarm, after: Alarm) -> None:
    """A change of state: history and event."""
    remember(
        ctx,
        after,
        "StateUpdate",
        f"Alarm updated from {before.state} to {after.state}",
        {"version": "1.0", "oldState": _state(before), "newState": _state(after)},
    )
    detail: dict[str, Any] = {
        "alarmName": after.name,
        "state": state_of(after),
        "previousState": state_of(before),
        "configuration": configuration(after),
    }
    ctx.world.events.emit(
        after.account, after.region, "aws.cloudwatch", "CloudWatch Alarm State Change", detail, (arn_of(after),)
    )


def _state(alarm: Alarm) -> dict[str, Any]:
    shown: dict[str, Any] = {"stateValue": alarm.state, "stateReason": alarm.reason}
    return {**shown, "stateReasonData": json.loads(alarm.data)} if alarm.data else shown


def configured(ctx: Ctx, alarm: Alarm, operation: str) -> None:
    """A new, changed or deleted alarm: history and event."""
    words = {"create": "created", "update": "updated", "delete": "deleted"}
    shown = {"alarmName": alarm.name, "alarmArn": arn_of(alarm), "actionsEnabled": alarm.enabled,
             "oKActions": list(alarm.ok), "alarmActions": list(alarm.alarm),
             "insufficientDataActions": list(alarm.insufficient), **configuration(alarm)}  # fmt: skip
    remember(
        ctx,
        alarm,
        "ConfigurationUpdate",
        f'Alarm "{alarm.name}" {words[operation]}',
        {"version": "1.0", "type": operation.capitalize(), f"{words[operation]}Alarm": shown},
    )
    detail = {
        "alarmName": alarm.name,
        "operation": operation,
        "state": state_of(alarm),
        "configuration": {**configuration(alarm), "alarmName": alarm.name, "actionsEnabled": alarm.enabled},
    }
    ctx.world.events.emit(
        alarm.account, alarm.region, "aws.cloudwatch", "CloudWatch Alarm Configuration Change", detail, (arn_of(alarm),)
    )


def configuration(alarm: Alarm) -> dict[str, Any]:
    """What an alarm watches, in an event."""
    shown: dict[str, Any] = {"description": alarm.description} if alarm.description else {}
    if alarm.composite is not None:
        return {**shown, "alarmRule": alarm.composite.rule}
    assert alarm.judged is not None
    return {**shown, "metrics": [_metric(query) for query in alarm.judged.queries]}


def _metric(query: Query) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": query.id, "returnData": query.shown}
    if query.metric is None:
        return {**shown, "expression": query.expression}
    metric = {"namespace": query.metric.namespace, "name": query.metric.name,
              "dimensions": dict(query.metric.dimensions)}  # fmt: skip
    return {**shown, "metricStat": {"metric": metric, "period": query.period, "stat": query.stat}}
