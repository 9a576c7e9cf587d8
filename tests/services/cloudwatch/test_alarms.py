"""Alarms follow their metrics by the clock, tell of it, and act."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.cloudwatch.test_metrics import refusal

ARN = "arn:aws:cloudwatch:eu-west-3:000000000000:alarm:high"
TOPIC = "arn:aws:sns:eu-west-3:000000000000:people"
PLAIN = {"AlarmName": "high", "Namespace": "Shop", "MetricName": "Load", "Statistic": "Average", "Period": 60,
         "EvaluationPeriods": 1, "Threshold": 50.0, "ComparisonOperator": "GreaterThanThreshold"}  # fmt: skip


def put(client: Any, value: float, name: str = "Load") -> None:
    """One value, now."""
    client.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": name, "Value": value}])


def state(client: Any, name: str = "high", kind: str = "MetricAlarm") -> str:
    """The state of an alarm."""
    found = client.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
    return str((found["MetricAlarms"] or found["CompositeAlarms"])[0]["StateValue"])


def history(client: Any, type_: str, name: str = "high") -> list[str]:
    """Summaries, oldest first."""
    found = client.describe_alarm_history(AlarmName=name, HistoryItemType=type_, ScanBy="TimestampAscending")
    return [item["HistorySummary"] for item in found["AlarmHistoryItems"]]


def test_an_alarm_goes_off_and_calms_down(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN, AlarmDescription="too much")
    jar.settle()
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    put(cloudwatch, 93)
    jar.settle()
    assert state(cloudwatch) == "INSUFFICIENT_DATA"  # the minute is not over
    jar.advance(minutes=1)
    found = cloudwatch.describe_alarms(AlarmNames=["high"])["MetricAlarms"][0]
    assert found["StateValue"] == "ALARM"
    assert found["StateReason"].startswith("Threshold Crossed: 1 datapoint [93.0 (15/01/26 12:00:00)] was greater than")
    assert json.loads(found["StateReasonData"])["recentDatapoints"] == [93.0]
    put(cloudwatch, 3)
    jar.advance(minutes=1)
    assert state(cloudwatch) == "OK"
    jar.advance(minutes=5)
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    assert history(cloudwatch, "StateUpdate") == [
        "Alarm updated from INSUFFICIENT_DATA to ALARM", "Alarm updated from ALARM to OK",
        "Alarm updated from OK to INSUFFICIENT_DATA"]  # fmt: skip


def test_a_silent_alarm_sleeps(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN)
    put(cloudwatch, 1)
    jar.advance(hours=1)
    waiting = jar.jar.database.query("SELECT purpose FROM wake WHERE tbl='cloudwatch/alarm' AND purpose!='history'")
    assert waiting == []
    put(cloudwatch, 93)
    jar.advance(minutes=1)
    assert state(cloudwatch) == "ALARM"


def test_two_of_three(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**{**PLAIN, "EvaluationPeriods": 3, "DatapointsToAlarm": 2})
    seen = []
    for value in (90, 10, 10, 90, 10, 90, 10, 10):
        put(cloudwatch, value)
        jar.advance(minutes=1)
        seen.append(state(cloudwatch))
    assert seen[2:] == ["OK", "OK", "OK", "ALARM", "OK", "OK"]


def test_missing_data_can_be_an_alarm(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN, TreatMissingData="breaching")
    jar.settle()
    assert state(cloudwatch) == "ALARM"
    put(cloudwatch, 1)
    jar.advance(minutes=1)
    assert state(cloudwatch) == "OK"
    jar.advance(minutes=10)
    assert state(cloudwatch) == "ALARM"


def test_a_high_resolution_alarm_looks_every_ten_seconds(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**{**PLAIN, "Period": 10, "Statistic": "Maximum"})
    datum = {"MetricName": "Load", "Value": 93, "StorageResolution": 1}
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    jar.advance(seconds=10)
    assert state(cloudwatch) == "ALARM"
    jar.advance(seconds=40)
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    assert jar.usage("CW:HighResAlarmMonitorUsage") == timedelta(seconds=50)


def test_a_long_period_slides_minute_by_minute_unless_it_is_the_wall_clocks(jar: TestJar, cloudwatch: Any) -> None:
    whole = {**PLAIN, "Period": 300, "Statistic": "Sum"}
    cloudwatch.put_metric_alarm(**whole)
    cloudwatch.put_metric_alarm(**{**whole, "AlarmName": "wall"}, EvaluationWindow={"WallClockWindow": {}})
    jar.advance(minutes=1)
    put(cloudwatch, 93)
    jar.advance(minutes=1)
    assert [state(cloudwatch, name) for name in ("high", "wall")] == ["ALARM", "INSUFFICIENT_DATA"]
    jar.advance(minutes=3)
    assert [state(cloudwatch, name) for name in ("high", "wall")] == ["ALARM", "ALARM"]


def test_percentiles_of_few_samples_can_be_left_alone(jar: TestJar, cloudwatch: Any) -> None:
    judged = {name: value for name, value in PLAIN.items() if name != "Statistic"}
    for name, low in (("bold", "evaluate"), ("careful", "ignore")):
        cloudwatch.put_metric_alarm(
            **{**judged, "AlarmName": name}, ExtendedStatistic="p99", EvaluateLowSampleCountPercentile=low)  # fmt: skip
    put(cloudwatch, 93)
    jar.advance(minutes=1)
    assert [state(cloudwatch, name) for name in ("bold", "careful")] == ["ALARM", "INSUFFICIENT_DATA"]
    datum = {"MetricName": "Load", "Values": [93.0], "Counts": [1000.0]}
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    jar.advance(minutes=1)
    assert state(cloudwatch, "careful") == "ALARM"


def test_an_alarm_on_mathematics(jar: TestJar, cloudwatch: Any) -> None:
    def metric(name: str) -> dict[str, Any]:
        asked = {"Metric": {"Namespace": "Shop", "MetricName": name}, "Period": 60, "Stat": "Sum"}
        return {"Id": name, "MetricStat": asked, "ReturnData": False}

    share = {"Id": "share", "Expression": "100*bad/all", "ReturnData": True}
    judged = {name: PLAIN[name] for name in ("AlarmName", "EvaluationPeriods", "Threshold", "ComparisonOperator")}
    cloudwatch.put_metric_alarm(**judged, Metrics=[metric("bad"), metric("all"), share])
    put(cloudwatch, 10, "all")
    put(cloudwatch, 6, "bad")
    jar.advance(minutes=1)
    assert state(cloudwatch) == "ALARM"
    shown = cloudwatch.describe_alarms()["MetricAlarms"][0]["Metrics"]
    assert [query["Id"] for query in shown] == ["bad", "all", "share"]
    assert jar.usage("CW:AlarmMonitorUsage") == timedelta(minutes=1)


def test_changes_are_told_to_eventbridge(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN)
    put(cloudwatch, 93)
    jar.advance(minutes=1)
    events = [e for e in jar.jar.events.since(0) if e.source == "aws.cloudwatch"]
    assert [event.detail_type for event in events] == [
        "CloudWatch Alarm Configuration Change", "CloudWatch Alarm State Change"]  # fmt: skip
    told = events[1]
    assert told.resources == (ARN,)
    assert told.detail["state"]["value"] == "ALARM"
    assert told.detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    metric = told.detail["configuration"]["metrics"][0]["metricStat"]
    assert metric["metric"] == {"namespace": "Shop", "name": "Load", "dimensions": {}}


def test_actions_that_cannot_run_are_failures_in_the_history(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN, AlarmActions=[TOPIC.replace("sns", "aiops")])
    cloudwatch.set_alarm_state(AlarmName="high", StateValue="ALARM", StateReason="by hand")
    jar.settle()
    (item,) = cloudwatch.describe_alarm_history(AlarmName="high", HistoryItemType="Action")["AlarmHistoryItems"]
    assert item["HistorySummary"].startswith("Failed to execute action arn:aws:aiops:")
    assert json.loads(item["HistoryData"])["actionState"] == "Failed"


def test_a_state_set_by_hand_lasts_until_the_next_evaluation(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN)
    jar.settle()
    cloudwatch.set_alarm_state(AlarmName="high", StateValue="OK", StateReason="by hand", StateReasonData='{"a": 1}')
    jar.settle()
    assert state(cloudwatch) == "OK"
    jar.advance(minutes=1)
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    said = refusal(cloudwatch.set_alarm_state, AlarmName="high", StateValue="OK", StateReason="x", StateReasonData="{")
    assert said[0].startswith("InvalidFormat")
    said = refusal(cloudwatch.set_alarm_state, AlarmName="none", StateValue="OK", StateReason="x")
    assert said[0] == "ResourceNotFound"


def test_disabled_actions_do_not_run(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN, AlarmActions=[TOPIC])
    cloudwatch.disable_alarm_actions(AlarmNames=["high", "none"])
    cloudwatch.set_alarm_state(AlarmName="high", StateValue="ALARM", StateReason="x")
    jar.settle()
    assert history(cloudwatch, "Action") == []
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"] is False
    cloudwatch.enable_alarm_actions(AlarmNames=["high"])
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"] is True


def test_history_is_kept_for_thirty_days_beyond_the_alarm(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN)
    cloudwatch.delete_alarms(AlarmNames=["high"])
    jar.advance(days=29)
    assert history(cloudwatch, "ConfigurationUpdate") == ['Alarm "high" created', 'Alarm "high" deleted']
    jar.advance(days=2)
    assert history(cloudwatch, "ConfigurationUpdate") == []
    assert jar.jar.database.query('SELECT count(*) FROM "cloudwatch/alarm-history"') == [(0,)]


def test_alarms_are_found(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN, AlarmActions=[TOPIC], Dimensions=[{"Name": "a", "Value": "1"}])
    cloudwatch.put_metric_alarm(**{**PLAIN, "AlarmName": "other"})

    def names(**asked: Any) -> list[str]:
        return [a["AlarmName"] for a in cloudwatch.describe_alarms(**asked)["MetricAlarms"]]

    assert names() == ["high", "other"]
    assert names(AlarmNamePrefix="o") == ["other"]
    assert names(ActionPrefix="arn:aws:sns") == ["high"]
    assert names(StateValue="OK") == []
    assert names(AlarmNames=["none"]) == []
    pages = cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 1})
    assert [len(page["MetricAlarms"]) for page in pages] == [1, 1]
    on = cloudwatch.describe_alarms_for_metric(
        Namespace="Shop", MetricName="Load", Dimensions=[{"Name": "a", "Value": "1"}])  # fmt: skip
    assert [a["AlarmName"] for a in on["MetricAlarms"]] == ["high"]


def test_tags(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**PLAIN, Tags=[{"Key": "team", "Value": "a"}])
    cloudwatch.tag_resource(ResourceARN=ARN, Tags=[{"Key": "stage", "Value": "test"}])
    cloudwatch.untag_resource(ResourceARN=ARN, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=ARN)["Tags"] == [{"Key": "stage", "Value": "test"}]
    assert refusal(cloudwatch.list_tags_for_resource, ResourceARN=ARN + "er")[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Period": 60, "EvaluationPeriods": 1441}, "Metrics cannot be checked across more than a day"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "more than a week"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be less than or equal to EvaluationPeriods"),
        ({"TreatMissingData": "sometimes"}, "Option for TreatMissingData"),
        ({"ExtendedStatistic": "p90"}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"AlarmActions": ["nonsense"]}, "Invalid arn syntax: nonsense"),
        ({"AlarmActions": [TOPIC.replace("eu-west-3", "us-east-1")]}, "Invalid region us-east-1 specified."),
        ({"AlarmActions": ["arn:aws:automate:eu-west-3:ec2:stop"]}, "EC2 actions need a metric"),
    ],
)  # fmt: skip
def test_alarms_that_cannot_be(steady_jar: TestJar, change: dict[str, Any], words: str) -> None:
    client = steady_jar.client("cloudwatch")
    code, said = refusal(client.put_metric_alarm, **{**PLAIN, **change})
    assert code == "ValidationError"
    assert words in said
    assert client.describe_alarms()["MetricAlarms"] == []


def test_what_is_not_built_says_so(steady_jar: TestJar) -> None:
    client = steady_jar.client("cloudwatch")
    band = {**PLAIN, "ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "ad"}
    assert refusal(client.put_metric_alarm, **band)[0] == "NotImplemented"
    assert refusal(client.put_anomaly_detector, Namespace="a", MetricName="b", Stat="Sum")[0] == "NotImplemented"


# -- composite alarms ----------------------------------------------------------------------------------------------


def three(client: Any) -> None:
    """Metric alarms a, b and c."""
    for name in "abc":
        client.put_metric_alarm(**{**PLAIN, "AlarmName": name, "MetricName": name})


def test_a_composite_alarm_follows_its_children(jar: TestJar, cloudwatch: Any) -> None:
    three(cloudwatch)
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule='ALARM("a") AND (ALARM(b) OR NOT OK(c))')
    jar.settle()
    assert state(cloudwatch, "all", "CompositeAlarm") == "OK"
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="x")
    jar.settle()
    found = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
    assert found["StateValue"] == "ALARM"
    assert found["StateReason"] == (
        "arn:aws:cloudwatch:eu-west-3:000000000000:alarm:a transitioned to ALARM at Thursday 15 January, 2026 "
        "12:00:00 UTC"
    )
    cloudwatch.set_alarm_state(AlarmName="c", StateValue="OK", StateReason="x")
    jar.settle()
    assert state(cloudwatch, "all", "CompositeAlarm") == "OK"
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName="all")["MetricAlarms"]
    assert [a["AlarmName"] for a in children] == ["a", "b", "c"]
    assert [a["AlarmName"] for a in cloudwatch.describe_alarms(ParentsOfAlarmName="b")["CompositeAlarms"]] == ["all"]
    assert jar.usage("CW:CompositeAlarmMonitorUsage") == timedelta(0)


def test_at_least(jar: TestJar, cloudwatch: Any) -> None:
    three(cloudwatch)
    cloudwatch.put_composite_alarm(AlarmName="most", AlarmRule="AT_LEAST(2, ALARM, (a, b, c))")
    seen = []
    for name in "ab":
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="x")
        jar.settle()
        seen.append(state(cloudwatch, "most", "CompositeAlarm"))
    assert seen == ["OK", "ALARM"]


def test_a_suppressor_holds_actions_back(jar: TestJar, cloudwatch: Any) -> None:
    three(cloudwatch)
    cloudwatch.put_composite_alarm(
        AlarmName="all", AlarmRule="ALARM(a)", AlarmActions=[TOPIC], ActionsSuppressor="c",
        ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=120)  # fmt: skip
    jar.settle()
    cloudwatch.set_alarm_state(AlarmName="c", StateValue="ALARM", StateReason="maintenance")
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="x")
    jar.settle()
    shown = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
    assert (shown["StateValue"], shown["ActionsSuppressedBy"]) == ("ALARM", "Alarm")
    assert history(cloudwatch, "Action", "all") == []
    cloudwatch.disable_alarm_actions(AlarmNames=["a"])
    jar.advance(minutes=1)  # c, without data, is over
    jar.advance(minutes=3)
    assert len(history(cloudwatch, "Action", "all")) == 1


@pytest.mark.parametrize(
    "rule", ["ALARM(a", "ALARM()", "ALARM(a) ALARM(b)", "MAYBE(a)", "ALARM(a) AND", "AT_LEAST(4, ALARM, (a, b, c))"]
)
def test_rules_that_cannot_be_read(steady_jar: TestJar, rule: str) -> None:
    client = steady_jar.client("cloudwatch")
    three(client)
    code, said = refusal(client.put_composite_alarm, AlarmName="all", AlarmRule=rule)
    assert code == "ValidationError"
    assert said.startswith("AlarmRule must not contain syntax errors")


def test_children_must_be_there(steady_jar: TestJar) -> None:
    client = steady_jar.client("cloudwatch")
    assert refusal(client.put_composite_alarm, AlarmName="all", AlarmRule="ALARM(none)")[0] == "ValidationError"
    assert refusal(client.delete_alarms, AlarmNames=["none"])[0] == "ResourceNotFound"


# -- dashboards ----------------------------------------------------------------------------------------------------


def test_dashboards(jar: TestJar, cloudwatch: Any) -> None:
    body = json.dumps({"widgets": [{"type": "text", "width": 6, "properties": {"markdown": "hello"}}]})
    cloudwatch.put_dashboard(DashboardName="one", DashboardBody=body)
    found = jar.client("cloudwatch", region="us-east-1").get_dashboard(DashboardName="one")
    assert found["DashboardBody"] == body
    assert found["DashboardArn"] == "arn:aws:cloudwatch::000000000000:dashboard/one"
    listed = cloudwatch.list_dashboards(DashboardNamePrefix="o")["DashboardEntries"]
    assert [entry["DashboardName"] for entry in listed] == ["one"]
    jar.advance(hours=1)
    assert jar.usage("DashboardsUsageHour") == timedelta(hours=1)
    cloudwatch.delete_dashboards(DashboardNames=["one"])
    assert refusal(cloudwatch.get_dashboard, DashboardName="one")[0] in ("ResourceNotFound", "DashboardNotFoundError")


def test_a_body_that_is_no_dashboard(steady_jar: TestJar) -> None:
    client = steady_jar.client("cloudwatch")
    for body in ("{", "[]", "{}", '{"widgets": [{"type": "song", "properties": {}}]}'):
        code, said = refusal(client.put_dashboard, DashboardName="one", DashboardBody=body)
        assert code in ("InvalidParameterInput", "DashboardInvalidInputError")
        assert said.startswith("The dashboard body is invalid")
    assert client.list_dashboards()["DashboardEntries"] == []


def test_tags_at_creation_need_their_own_permission(jar: TestJar, iam: Any) -> None:
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    allowed = {"Effect": "Allow", "Action": "cloudwatch:PutMetricAlarm", "Resource": ARN}
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document)
    client = jar.client("cloudwatch", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    client.put_metric_alarm(**PLAIN)
    code, said = refusal(client.put_metric_alarm, **PLAIN, Tags=[{"Key": "a", "Value": "b"}])
    assert code.startswith("AccessDenied")
    assert "cloudwatch:TagResource" in said
