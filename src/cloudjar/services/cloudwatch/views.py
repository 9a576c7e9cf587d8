"""Records as AWS shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import arn_of
from cloudjar.services.cloudwatch.queries import Query
from cloudjar.services.cloudwatch.records import Alarm


def dimensions(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    """AWS's list of Dimension."""
    return [{"Name": name, "Value": value} for name, value in pairs]


def metric(item: Metric) -> dict[str, Any]:
    """AWS's Metric."""
    return {"Namespace": item.namespace, "MetricName": item.name, "Dimensions": dimensions(item.dimensions)}


def query(item: Query) -> dict[str, Any]:
    """AWS's MetricDataQuery."""
    shown: dict[str, Any] = {"Id": item.id, "Label": item.label, "ReturnData": item.shown}
    if item.metric is None:
        return {**shown, "Expression": item.expression, "Period": item.period or None}
    asked = {"Metric": metric(item.metric), "Period": item.period, "Stat": item.stat, "Unit": item.unit or None}
    return {**shown, "MetricStat": asked}


def _alarm(item: Alarm) -> dict[str, Any]:
    return {
        "AlarmName": item.name,
        "AlarmArn": arn_of(item),
        "AlarmDescription": item.description,
        "AlarmConfigurationUpdatedTimestamp": item.configured,
        "ActionsEnabled": item.enabled,
        "OKActions": list(item.ok),
        "AlarmActions": list(item.alarm),
        "InsufficientDataActions": list(item.insufficient),
        "StateValue": item.state,
        "StateReason": item.reason,
        "StateReasonData": item.data or None,
        "StateUpdatedTimestamp": item.state_at,
        "StateTransitionedTimestamp": item.moved_at,
    }


def metric_alarm(item: Alarm) -> dict[str, Any]:
    """AWS's MetricAlarm."""
    judged = item.judged
    assert judged is not None
    shown: dict[str, Any] = {
        **_alarm(item),
        "EvaluationPeriods": judged.periods,
        "DatapointsToAlarm": judged.to_alarm if judged.given_to_alarm else None,
        "Threshold": judged.threshold,
        "ComparisonOperator": judged.comparison,
        "TreatMissingData": judged.missing or None,
        "EvaluateLowSampleCountPercentile": judged.low_samples or None,
        "EvaluationWindow": {"WallClockWindow": {}} if judged.wall_clock else None,
    }
    first = judged.queries[0]
    if not judged.plain or first.metric is None:
        return {**shown, "Metrics": [query(one) for one in judged.queries]}
    return {
        **shown,
        "MetricName": first.metric.name,
        "Namespace": first.metric.namespace,
        "ExtendedStatistic" if judged.extended else "Statistic": first.stat,
        "Dimensions": dimensions(first.metric.dimensions),
        "Period": first.period,
        "Unit": first.unit or None,
    }


def composite_alarm(item: Alarm) -> dict[str, Any]:
    """AWS's CompositeAlarm."""
    held = item.composite
    assert held is not None
    shown = {**_alarm(item), "AlarmRule": held.rule}
    if held.suppressor:
        shown |= {
            "ActionsSuppressor": held.suppressor,
            "ActionsSuppressorWaitPeriod": held.wait,
            "ActionsSuppressorExtensionPeriod": held.extension,
            "ActionsSuppressedBy": held.suppressed_by or None,
            "ActionsSuppressedReason": held.suppressed_reason or None,
        }
    return shown


def related(item: Alarm) -> dict[str, Any]:
    """An alarm as a parent or child of another."""
    return metric_alarm(item) if item.kind == "MetricAlarm" else composite_alarm(item)
