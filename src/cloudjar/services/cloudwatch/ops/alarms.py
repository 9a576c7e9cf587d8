"""Putting, finding and deleting alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op
from cloudjar.services.cloudwatch import alarming, composing, datums, errors, telling, views
from cloudjar.services.cloudwatch.life import EVALUATE, TABLE, moved, next_look
from cloudjar.services.cloudwatch.records import MOST_ALARMS, Alarm

_MOST_NAMES = 100


def _keys(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    acted = [*(req.get("AlarmActions") or ()), *(req.get("OKActions") or ())]
    return {"cloudwatch:AlarmActions": [*acted, *(req.get("InsufficientDataActions") or ())]}


@op("PutMetricAlarm", keys=_keys)
def put_metric_alarm(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make an alarm, or give the one of that name another configuration; its state stays."""
    judged = alarming.judged(req, ctx.account)
    alarm = _stored(ctx, req, "MetricAlarm", alarming.actions(ctx, req), judged=judged)
    alarming.check_instance(alarm)
    watched = [query.metric for query in judged.queries if query.metric is not None]
    metrics.watch(ctx.world, alarm.account, alarm.region, TABLE, alarm.name, watched)
    return {}


@op("PutCompositeAlarm", keys=_keys)
def put_composite_alarm(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make an alarm of other alarms, or change it."""
    made = alarming.composite(ctx, req)
    alarm = _stored(ctx, req, "CompositeAlarm", alarming.actions(ctx, req, composite=True), composite=made)
    composing.watch(ctx, alarm)
    return {}


def _stored(ctx: Ctx, req: dict[str, Any], kind: str, acted: dict[str, tuple[str, ...]], **held: Any) -> Alarm:
    known = ctx.db[Alarm].get(req["AlarmName"])
    if known is not None and known.kind != kind:
        raise errors.invalid(f"An alarm of another type with the name {req['AlarmName']} exists.")
    shared = {"description": req.get("AlarmDescription"), "enabled": req.get("ActionsEnabled") is not False,
              "configured": ctx.now, **acted, **held}  # fmt: skip
    if known is None:
        if ctx.db[Alarm].count() >= MOST_ALARMS:
            raise AwsError("LimitExceeded", "The maximum limit of alarms has been reached for this account.", 400)
        made = ctx.db[Alarm].add(
            Alarm(name=req["AlarmName"], kind=kind, state_at=ctx.now, moved_at=ctx.now,
                  tags=_given_tags(req), **shared)
        )  # fmt: skip
        telling.configured(ctx, made, "create")
        return made
    changed = ctx.db[Alarm].put(replace(known, seen=None, **shared))
    telling.configured(ctx, changed, "update")
    return changed


def _given_tags(req: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in req.get("Tags") or ()}


@op("DeleteAlarms")
def delete_alarms(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete alarms, all or none; one composite alarm at most."""
    names = list(dict.fromkeys(req["AlarmNames"]))
    found = [ctx.db[Alarm].get(name) for name in names]
    if None in found:
        lacking = next(name for name, alarm in zip(names, found, strict=True) if alarm is None)
        raise errors.no_alarm(lacking)
    held = [alarm for alarm in found if alarm is not None]
    if sum(alarm.kind == "CompositeAlarm" for alarm in held) > 1:
        raise errors.invalid("At most one composite alarm can be deleted in one request.")
    for alarm in held:
        metrics.watch(ctx.world, alarm.account, alarm.region, TABLE, alarm.name, ())
        telling.configured(ctx, alarm, "delete")
        ctx.db[Alarm].drop(alarm)
        metrics.moved(ctx.world, alarm.account, alarm.region, metrics.Metric(composing.STATES, alarm.name))
    return {}


def _described(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """One alarm by name; several, or all, as all."""
    names = req.get("AlarmNames") or ["*"]
    return [
        Grant("cloudwatch:DescribeAlarms", arns.make("cloudwatch", ctx.region, ctx.account, f"alarm:{name}"))
        for name in names
    ]


@op("DescribeAlarms", access=_described)
def describe_alarms(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Alarms by name, kind, state, action or kinship; metric alarms alone when no kind is asked for."""
    names, prefix = req.get("AlarmNames"), req.get("AlarmNamePrefix")
    if names and prefix:
        raise errors.invalid("AlarmNamePrefix and AlarmNames cannot be specified together.")
    if names and len(names) > _MOST_NAMES:
        raise errors.invalid(f"The collection AlarmNames must not have a size greater than {_MOST_NAMES}.")
    related = req.get("ChildrenOfAlarmName"), req.get("ParentsOfAlarmName")
    if any(related):
        held = _related(ctx, *related)
        return {"MetricAlarms": [a for a in held if "MetricName" in a or "Metrics" in a],
                "CompositeAlarms": [a for a in held if "AlarmRule" in a]}  # fmt: skip
    kinds = req.get("AlarmTypes") or ["MetricAlarm"]
    if names:
        found = [alarm for name in dict.fromkeys(names) if (alarm := ctx.db[Alarm].get(name)) is not None]
    else:
        found = [alarm for kind in dict.fromkeys(kinds) for alarm in ctx.db[Alarm].all(kind=kind)]
    state, action = req.get("StateValue"), req.get("ActionPrefix")
    kept = [
        alarm
        for alarm in sorted(found, key=lambda alarm: alarm.name)
        if alarm.kind in kinds
        and (not prefix or alarm.name.startswith(prefix))
        and (not state or alarm.state == state)
        and (not action or any(a.startswith(action) for a in (*alarm.ok, *alarm.alarm, *alarm.insufficient)))
    ]
    return {
        "MetricAlarms": [views.metric_alarm(alarm) for alarm in kept if alarm.kind == "MetricAlarm"],
        "CompositeAlarms": [views.composite_alarm(alarm) for alarm in kept if alarm.kind == "CompositeAlarm"],
    }


def _related(ctx: Ctx, children_of: str | None, parents_of: str | None) -> list[dict[str, Any]]:
    """The children of a composite alarm, or the composite alarms that have an alarm in their rule."""
    if children_of and parents_of:
        raise errors.invalid("ChildrenOfAlarmName and ParentsOfAlarmName cannot be specified together.")
    if children_of:
        parent = ctx.db[Alarm].get(composing.named(children_of))
        if parent is None or parent.composite is None:
            raise errors.no_alarm(children_of)
        named = [ctx.db[Alarm].get(name) for name in composing.children(parent.composite)]
        return [views.related(alarm) for alarm in named if alarm is not None]
    name = composing.named(parents_of or "")
    composites = ctx.db[Alarm].all(kind="CompositeAlarm")
    return [
        views.related(alarm) for alarm in composites if alarm.composite and name in composing.children(alarm.composite)
    ]


@op("DescribeAlarmsForMetric")
def describe_alarms_for_metric(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The alarms on exactly this metric."""
    wanted = metrics.Metric(req["Namespace"], req["MetricName"], datums.dimensions(req.get("Dimensions") or ()))
    stat = req.get("Statistic") or req.get("ExtendedStatistic")
    found = []
    for alarm in ctx.db[Alarm].all(kind="MetricAlarm"):
        assert alarm.judged is not None
        for query in alarm.judged.queries:
            fits = query.metric == wanted and stat in (None, query.stat)
            if fits and req.get("Period") in (None, query.period) and req.get("Unit") in (None, query.unit):
                found.append(views.metric_alarm(alarm))
                break
    return {"MetricAlarms": found}


@op("SetAlarmState")
def set_alarm_state(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put an alarm into a state, with all that the change sets off, until its next evaluation."""
    alarm = ctx.db[Alarm].need(req["AlarmName"])
    data = req.get("StateReasonData") or ""
    if data:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            raise AwsError("InvalidFormat", "StateReasonData is not valid JSON", 400) from None
    after = moved(ctx, alarm, req["StateValue"], req["StateReason"], data)
    ctx.db[Alarm].put(replace(after, seen=after.seen or ctx.now))
    if alarm.judged is not None:
        ctx.wake(alarm, purpose=EVALUATE, at=next_look(ctx, alarm))
    return {}


@op("EnableAlarmActions")
def enable_alarm_actions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let actions run again; names that are no alarm's are passed over."""
    return _enabled(ctx, req, on=True)


@op("DisableAlarmActions")
def disable_alarm_actions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let no actions run; states change all the same."""
    return _enabled(ctx, req, on=False)


def _enabled(ctx: Ctx, req: dict[str, Any], *, on: bool) -> dict[str, Any]:
    for name in req["AlarmNames"]:
        alarm = ctx.db[Alarm].get(name)
        if alarm is not None and alarm.enabled != on:
            changed = ctx.db[Alarm].put(replace(alarm, enabled=on, configured=ctx.now))
            telling.configured(ctx, changed, "update")
    return {}


