"""What a request for an alarm may say. Raises AWS's refusals.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.services.cloudwatch import (
    acting,
    composing,
    datums,
    errors,
    judging,
    periods,
    queries,
    rules,
    selecting,
    statistics,
)
from cloudjar.services.cloudwatch.queries import Query
from cloudjar.services.cloudwatch.records import Alarm, Composite, Judged

_DAY, _WEEK = 86400, 604800
_NOT_BUILT = ("EvaluationCriteria", "EvaluationInterval", "WarmUpConfiguration", "ActionConfiguration")
_PLAIN = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_MOST_CHILDREN = 100
_MOST_METRICS = 10
_NOTIFYING = frozenset(("sns", "lambda", "ssm", "ssm-incidents", "aiops"))


def judged(req: Mapping[str, Any], account: str) -> Judged:
    """By what a metric alarm is to be judged."""
    for name in _NOT_BUILT:
        if req.get(name) is not None:
            raise errors.not_built(f"{name} of alarms")
    if req.get("ThresholdMetricId") is not None:
        raise errors.not_built("Anomaly detection")
    held, plain, extended = _queries(req, account)
    for name in ("Threshold", "EvaluationPeriods", "ComparisonOperator"):
        if req.get(name) is None:
            raise errors.invalid(f"The parameter {name} is required for alarms with a static threshold.")
    if req["ComparisonOperator"] not in judging.COMPARISONS:
        raise errors.not_built("Anomaly detection")
    length = max((query.period for query in held), default=60)
    to_alarm = req.get("DatapointsToAlarm") or req["EvaluationPeriods"]
    if to_alarm > req["EvaluationPeriods"]:
        raise errors.invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    _check_span(length, req["EvaluationPeriods"])
    missing, low = req.get("TreatMissingData") or "", req.get("EvaluateLowSampleCountPercentile") or ""
    if missing and missing not in judging.MISSING:
        raise errors.invalid(f"Option for TreatMissingData must be one of {', '.join(judging.MISSING)}, not {missing}.")
    if low and low not in ("evaluate", "ignore"):
        raise errors.invalid(f"Option for EvaluateLowSampleCountPercentile must be evaluate or ignore, not {low}.")
    return Judged(
        queries=tuple(held),
        plain=plain,
        watched=next(query.id for query in held if query.shown),
        period=length,
        extended=extended,
        periods=req["EvaluationPeriods"],
        to_alarm=to_alarm,
        given_to_alarm=bool(req.get("DatapointsToAlarm")),
        threshold=req["Threshold"],
        comparison=req["ComparisonOperator"],
        missing=missing,
        low_samples=low,
        wall_clock=_window(req),
    )


def _window(req: Mapping[str, Any]) -> bool:
    window = req.get("EvaluationWindow") or {}
    if "WallClockWindow" not in window:
        return False
    if window["WallClockWindow"].get("Timezone") not in (None, "UTC"):
        raise errors.not_built("A wall clock window in another time zone than UTC")
    return True


def _check_span(length: int, count: int) -> None:
    if length < 3600 and length * count > _DAY:
        raise errors.invalid(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."
        )
    if length * count > _WEEK:
        raise errors.invalid(
            "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800)."
        )


def _queries(req: Mapping[str, Any], account: str) -> tuple[list[Query], bool, bool]:
    """(queries, whether it is a plain metric, whether its statistic is an extended one)."""
    if req.get("Metrics"):
        given = [name for name in _PLAIN if req.get(name)]
        if given:
            raise errors.invalid(f"The parameters Metrics and {given[0]} cannot be specified together.")
        held = queries.read(req["Metrics"], "Metrics", account)
        if any(selecting.is_select(query.expression) and selecting.parse(query.expression).by for query in held):
            raise errors.not_built("An alarm on several series (GROUP BY)")
        shown = [query for query in held if query.shown]
        if len(shown) != 1:
            raise errors.invalid("Exactly one element of the metrics list should return data.")
        if sum(query.metric is not None for query in held) > _MOST_METRICS:
            raise errors.invalid(f"The metrics list of an alarm may hold {_MOST_METRICS} metrics at most.")
        return held, False, False
    for name in ("MetricName", "Namespace"):
        if not req.get(name):
            raise errors.invalid(f"The parameter {name} is required: an alarm is on a metric or on a Metrics list.")
    if req.get("Period") is None:
        raise errors.invalid("Period must not be null")
    plain, extended = req.get("Statistic"), req.get("ExtendedStatistic")
    if bool(plain) == bool(extended):
        raise errors.invalid("Exactly one of Statistic and ExtendedStatistic must be specified.")
    stat = plain or extended or ""
    if extended and (stat in statistics.PLAIN or statistics.parse(stat) is None):
        raise errors.invalid(f"The value {stat} for parameter ExtendedStatistic is not supported.")
    metric = Metric(req["Namespace"], req["MetricName"], datums.dimensions(req.get("Dimensions") or ()))
    period = periods.checked(req["Period"])
    return [Query(id="m1", metric=metric, stat=stat, unit=req.get("Unit") or "", period=period)], True, bool(extended)


def actions(ctx: Ctx, req: Mapping[str, Any], *, composite: bool = False) -> dict[str, tuple[str, ...]]:
    """The actions of a request's alarm, by the record's fields."""
    found = {}
    for field, member in (("ok", "OKActions"), ("alarm", "AlarmActions"), ("insufficient", "InsufficientDataActions")):
        given = tuple(req.get(member) or ())
        for arn in given:
            _check_action(ctx, arn, composite=composite)
        found[field] = given
    if any(acting.ec2_action(arn) for given in found.values() for arn in given):
        _linked_role(ctx)
    return found


def _check_action(ctx: Ctx, arn: str, *, composite: bool) -> None:
    parsed = arns.parse(arn)
    if parsed is None:
        raise errors.invalid(f"Invalid arn syntax: {arn}")
    if parsed.region not in ("", ctx.region):
        raise errors.invalid(f"Invalid region {parsed.region} specified. Only {ctx.region} is supported.")
    machine = bool(acting.ec2_action(arn)) or parsed.service == "autoscaling"
    if composite and machine:
        raise errors.invalid(f"Composite alarms cannot have EC2 or Auto Scaling actions: {arn}")
    if not machine and parsed.service not in _NOTIFYING:
        raise errors.invalid(f"Unsupported action: {arn}")


def check_instance(alarm: Alarm) -> None:
    """EC2 actions need a metric of one instance."""
    acted = [a for state in ("OK", "ALARM", "INSUFFICIENT_DATA") for a in alarm.actions(state) if acting.ec2_action(a)]
    held = alarm.judged.queries if alarm.judged is not None else ()
    named = any("InstanceId" in dict(query.metric.dimensions) for query in held if query.metric is not None)
    if acted and not named:
        raise errors.invalid("EC2 actions need a metric with the dimension InstanceId.")
    recovering = any(acting.ec2_action(arn) == "recover" for arn in acted)
    names = {query.metric.name for query in held if query.metric is not None}
    if recovering and not any(name.startswith("StatusCheckFailed") for name in names):
        raise errors.invalid("The recover action is for the metric StatusCheckFailed_System.")


def _linked_role(ctx: Ctx) -> None:
    """The role in whose name machines are stopped; made, with the caller's rights, when it is not there."""
    if ctx.find("iam", "role", acting.ROLE) is not None:
        return
    try:
        ctx.call("iam", "CreateServiceLinkedRole", {"AWSServiceName": acting.LINKED}, via=acting.PRINCIPAL)
    except AwsError as error:
        raise AwsError("AccessDenied", error.message, 403) from None


def composite(ctx: Ctx, req: Mapping[str, Any]) -> Composite:
    """What a composite alarm is to be, with all its children there."""
    if req.get("ActionConfiguration") is not None:
        raise errors.not_built("ActionConfiguration of alarms")
    try:
        read = rules.parse(req["AlarmRule"])
    except rules.Wrong as why:
        raise errors.invalid(f"AlarmRule must not contain syntax errors: {why}") from None
    if len(read.alarms) > _MOST_CHILDREN:
        raise errors.invalid(f"AlarmRule may name {_MOST_CHILDREN} alarms at most.")
    suppressor = req.get("ActionsSuppressor") or ""
    wait, extension = req.get("ActionsSuppressorWaitPeriod"), req.get("ActionsSuppressorExtensionPeriod")
    if suppressor and (wait is None or extension is None):
        raise errors.invalid(
            "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod are required with ActionsSuppressor."
        )
    if not suppressor and (wait is not None or extension is not None):
        raise errors.invalid("ActionsSuppressor is required with its wait and extension periods.")
    for alarm in (*read.alarms, *((suppressor,) if suppressor else ())):
        name = composing.named(alarm)
        if name == req["AlarmName"]:
            raise errors.invalid("A composite alarm cannot refer to itself.")
        if ctx.db[Alarm].get(name) is None:
            raise errors.invalid(f"The alarm {alarm} in the composite alarm's rule, or its suppressor, does not exist.")
    return Composite(rule=req["AlarmRule"], suppressor=suppressor, wait=wait or 0, extension=extension or 0)
