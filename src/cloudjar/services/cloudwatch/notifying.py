"""What a notification of an alarm says: to programs as JSON, to people in words.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html and the notifications
that topics get, whose members are public in many places.
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit import alarm_actions
from cloudjar.kit.record import arn_of
from cloudjar.services.cloudwatch import telling
from cloudjar.services.cloudwatch.records import Alarm, Judged
from cloudjar.spec.regions import region

_SYMBOLS = {
    "GreaterThanOrEqualToThreshold": ">=",
    "GreaterThanThreshold": ">",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}


def dimensions(alarm: Alarm) -> dict[str, str]:
    """The dimensions of every metric that an alarm watches, together."""
    found: dict[str, str] = {}
    for query in alarm.judged.queries if alarm.judged is not None else ():
        if query.metric is not None:
            found.update(query.metric.dimensions)
    return found


def seen(alarm: Alarm, state: str, before: str) -> alarm_actions.Alarm:
    """The alarm, which went from a state into another, as other services' hooks see it."""
    judged = alarm.judged
    where = region(alarm.region).location
    said = message(alarm, state, before)
    return alarm_actions.Alarm(
        alarm.name,
        arn_of(alarm),
        state,
        alarm.reason,
        alarm.value,
        judged.threshold if judged is not None else None,
        dimensions(alarm),
        said,
        f'{state}: "{alarm.name}" in {where}',
        letter(alarm, said),
    )


def message(alarm: Alarm, state: str, before: str) -> dict[str, Any]:
    """What programs are told, in the order in which AWS says it."""
    judged = alarm.judged
    rule = {"AlarmRule": alarm.composite.rule} if alarm.composite is not None else {}
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": alarm.account,
        "AlarmConfigurationUpdatedTimestamp": telling.stamp(alarm.configured),
        **rule,
        "NewStateValue": state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": telling.stamp(alarm.state_at),
        "Region": region(alarm.region).location,
        "AlarmArn": arn_of(alarm),
        "OldStateValue": before or alarm.state,
        "OKActions": list(alarm.ok),
        "AlarmActions": list(alarm.alarm),
        "InsufficientDataActions": list(alarm.insufficient),
        **({"Trigger": _trigger(alarm, judged)} if judged is not None else {}),
    }


def _trigger(alarm: Alarm, judged: Judged) -> dict[str, Any]:
    query = judged.queries[0]
    rule: dict[str, Any] = {
        "Period": judged.period,
        "EvaluationPeriods": judged.periods,
        "DatapointsToAlarm": judged.to_alarm,
        "ComparisonOperator": judged.comparison,
        "Threshold": judged.threshold,
        "TreatMissingData": judged.missing or "missing",
        "EvaluateLowSampleCountPercentile": judged.low_samples,
    }
    if not judged.plain or query.metric is None:
        return {**rule, "Metrics": telling.configuration(alarm)["metrics"]}
    stat: dict[str, Any] = {"StatisticType": "Statistic", "Statistic": _STATISTICS.get(query.stat, query.stat.upper())}
    if judged.extended:
        stat = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": query.stat}
    return {
        "MetricName": query.metric.name,
        "Namespace": query.metric.namespace,
        **stat,
        "Unit": query.unit or None,
        "Dimensions": [{"value": value, "name": name} for name, value in query.metric.dimensions],
        **rule,
    }


_STATISTICS = {"SampleCount": "SAMPLE_COUNT"}


def letter(alarm: Alarm, said: dict[str, Any]) -> str:
    """What people are told in an e-mail."""
    lines = [
        f'The alarm "{alarm.name}" in {said["Region"]} is in the state {said["NewStateValue"]} since '
        f'{alarm.state_at.strftime("%A %d %B, %Y %H:%M:%S UTC")}: {alarm.reason}',
        "",
        "Alarm Details:",
        *_facts(
            ("Name", alarm.name),
            ("Description", alarm.description or ""),
            ("State Change", f'{said["OldStateValue"]} -> {said["NewStateValue"]}'),
            ("Reason for State Change", alarm.reason),
            ("Timestamp", alarm.state_at.strftime("%A %d %B, %Y %H:%M:%S UTC")),
            ("AWS Account", alarm.account),
            ("Alarm Arn", arn_of(alarm)),
        ),
    ]
    if alarm.composite is not None:
        lines += ["", "Alarm Rule:", *_facts(("Rule", alarm.composite.rule))]
    if alarm.judged is not None:
        lines += ["", *_watched(alarm.judged)]
    lines += ["", "State Change Actions:"]
    for state, arns in (("OK", alarm.ok), ("ALARM", alarm.alarm), ("INSUFFICIENT_DATA", alarm.insufficient)):
        lines += _facts((state, " ".join(f"[{arn}]" for arn in arns)))
    return "\n".join(lines) + "\n"


def _watched(judged: Judged) -> list[str]:
    compared = (
        f"{judged.comparison} {judged.threshold} ({_SYMBOLS.get(judged.comparison, judged.comparison)}) for at least "
        f"{judged.to_alarm} of the last {judged.periods} period(s) of {judged.period} seconds"
    )
    lines = ["Threshold:", *_facts(("Rule", compared)), "", "Monitored Metrics:"]
    for query in judged.queries:
        if query.metric is None:
            lines += _facts(("Expression", query.expression))
            continue
        named = " ".join(f"[{name} = {value}]" for name, value in query.metric.dimensions)
        lines += _facts(
            ("MetricNamespace", query.metric.namespace),
            ("MetricName", query.metric.name),
            ("Dimensions", named),
            ("Period", f"{query.period} seconds"),
            ("Statistic", query.stat),
            ("Unit", query.unit or "not specified"),
            ("TreatMissingData", judged.missing or "missing"),
        )
    return lines


def _facts(*facts: tuple[str, str]) -> list[str]:
    return [f"- {name + ':':<35}{value}".rstrip() for name, value in facts]
