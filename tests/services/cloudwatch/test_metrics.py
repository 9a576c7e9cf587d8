"""Data that is put comes back as statistics, by AWS's rules of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.billing.lines import measure
from cloudjar.billing.rate import REPORT, rate
from tests.jar import TestJar

DIMENSIONS = [{"Name": "Shop", "Value": "a"}]


def put(client: Any, *values: float, at: datetime | None = None, name: str = "Orders", **more: Any) -> None:
    """One datum with values."""
    datum: dict[str, Any] = {"MetricName": name, "Dimensions": DIMENSIONS, "Values": list(values), **more}
    if at is not None:
        datum["Timestamp"] = at
    client.put_metric_data(Namespace="Shop", MetricData=[datum])


def ask(client: Any, start: datetime, end: datetime, period: int = 60, *names: str, **more: Any) -> list[Any]:
    """The data points of the metric, oldest first; `more` may ask for extended statistics."""
    if "ExtendedStatistics" not in more:
        more["Statistics"] = list(names or ("Sum",))
    found = client.get_metric_statistics(
        Namespace="Shop", MetricName="Orders", Dimensions=DIMENSIONS, StartTime=start, EndTime=end, Period=period,
        **more)  # fmt: skip
    return sorted(found["Datapoints"], key=lambda point: point["Timestamp"])


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    """The code and words with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(**params)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def test_values_of_a_minute_are_one_point_with_its_statistics(jar: TestJar, cloudwatch: Any) -> None:
    now = jar.clock.now()
    put(cloudwatch, 1, 2, 3, at=now)
    put(cloudwatch, 10, at=now + timedelta(seconds=20))
    put(cloudwatch, 5, at=now + timedelta(minutes=1))
    every = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
    found = ask(cloudwatch, now, now + timedelta(minutes=5), 60, *every)
    assert [p["Timestamp"] for p in found] == [now, now + timedelta(minutes=1)]
    assert {name: found[0][name] for name in every} == {
        "SampleCount": 4, "Average": 4, "Sum": 16, "Minimum": 1, "Maximum": 10}  # fmt: skip
    assert found[0]["Unit"] == "None"


def test_only_exactly_these_dimensions(jar: TestJar, cloudwatch: Any) -> None:
    now = jar.clock.now()
    put(cloudwatch, 1, at=now)
    nothing = cloudwatch.get_metric_statistics(
        Namespace="Shop", MetricName="Orders", StartTime=now, EndTime=now + timedelta(hours=1), Period=60,
        Statistics=["Sum"])  # fmt: skip
    assert nothing["Datapoints"] == []
    assert nothing["Label"] == "Orders"


def test_percentiles_and_trimmed_means_are_of_the_values(jar: TestJar, cloudwatch: Any) -> None:
    now = jar.clock.now()
    put(cloudwatch, *range(1, 101), at=now)
    wanted = ["p50", "p99", "tm90", "TC(10:20)", "PR(:50)"]
    found = ask(cloudwatch, now, now + timedelta(minutes=1), ExtendedStatistics=wanted)
    assert found[0]["ExtendedStatistics"] == pytest.approx(
        {"p50": 50.5, "p99": 99.01, "tm90": 45.5, "TC(10:20)": 10, "PR(:50)": 50}
    )


def test_a_statistic_set_has_no_percentiles_unless_all_values_are_one(jar: TestJar, cloudwatch: Any) -> None:
    now = jar.clock.now()
    kinds = {"mixed": (2, 10, 4, 6), "same": (2, 10, 5, 5)}
    for name, (count, total, low, high) in kinds.items():
        told = {"SampleCount": count, "Sum": total, "Minimum": low, "Maximum": high}
        datum = {"MetricName": name, "Timestamp": now, "StatisticValues": told}
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    shown = {}
    for name in kinds:
        found = cloudwatch.get_metric_statistics(
            Namespace="Shop", MetricName=name, StartTime=now, EndTime=now + timedelta(minutes=1), Period=60,
            ExtendedStatistics=["p90"])  # fmt: skip
        shown[name] = found["Datapoints"][0].get("ExtendedStatistics", {})
    assert shown == {"mixed": {}, "same": {"p90": 5}}


def test_units_are_kept_apart(jar: TestJar, cloudwatch: Any) -> None:
    now = jar.clock.now()
    put(cloudwatch, 1, at=now, Unit="Count")
    put(cloudwatch, 5, at=now, Unit="Seconds")
    later = now + timedelta(minutes=1)
    assert {p["Unit"]: p["Sum"] for p in ask(cloudwatch, now, later)} == {"Count": 1, "Seconds": 5}
    assert [p["Sum"] for p in ask(cloudwatch, now, later, Unit="Seconds")] == [5]


def test_periods_are_counted_from_the_start_time(jar: TestJar, cloudwatch: Any) -> None:
    now = jar.clock.now()
    for minute in range(10):
        put(cloudwatch, 1, at=now + timedelta(minutes=minute))
    start = now + timedelta(minutes=3, seconds=40)
    found = ask(cloudwatch, start, now + timedelta(minutes=10), 300)
    assert [(p["Timestamp"], p["Sum"]) for p in found] == [
        (now + timedelta(minutes=3), 5), (now + timedelta(minutes=8), 2)]  # fmt: skip


def test_high_resolution_is_kept_for_three_hours(jar: TestJar, cloudwatch: Any) -> None:
    now = jar.clock.now()
    for second in (0, 5, 31):
        put(cloudwatch, 1, at=now + timedelta(seconds=second), StorageResolution=1)
    span = now, now + timedelta(minutes=1)
    assert [p["Sum"] for p in ask(cloudwatch, *span, 10)] == [2, 1]
    jar.advance(hours=4)
    assert ask(cloudwatch, *span, 10) == []
    assert [p["Sum"] for p in ask(cloudwatch, *span, 60)] == [3]


def test_old_data_is_left_in_coarser_periods(jar: TestJar, cloudwatch: Any) -> None:
    start = jar.clock.now()
    for minute in (0, 1, 7):
        put(cloudwatch, 1, at=start + timedelta(minutes=minute))
    ages = {16: (60, 300, 3600), 64: (60, 300, 3600), 456: (60, 300, 3600)}
    seen = {}
    passed = 0
    for days, lengths in ages.items():
        jar.advance(days=days - passed)
        passed = days
        for period in lengths:
            seen[days, period] = [p["Sum"] for p in ask(cloudwatch, start, start + timedelta(hours=1), period)]
    assert seen == {
        (16, 60): [], (16, 300): [2, 1], (16, 3600): [3],
        (64, 60): [], (64, 300): [], (64, 3600): [3],
        (456, 60): [], (456, 300): [], (456, 3600): []}  # fmt: skip


def test_metrics_are_listed_by_what_they_are(jar: TestJar, cloudwatch: Any) -> None:
    put(cloudwatch, 1)
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Plain", "Value": 1}])
    cloudwatch.put_metric_data(Namespace="Other", MetricData=[{"MetricName": "Orders", "Value": 1}])
    listed = cloudwatch.list_metrics
    assert {(m["Namespace"], m["MetricName"]) for m in listed()["Metrics"]} == {
        ("Shop", "Orders"), ("Shop", "Plain"), ("Other", "Orders"), ("AWS/Usage", "CallCount")}  # fmt: skip
    only = listed(Namespace="Shop", Dimensions=[{"Name": "Shop"}])["Metrics"]
    assert only == [{"Namespace": "Shop", "MetricName": "Orders", "Dimensions": DIMENSIONS}]
    assert listed(Dimensions=[{"Name": "Shop", "Value": "b"}])["Metrics"] == []
    jar.advance(hours=4)
    assert listed(RecentlyActive="PT3H")["Metrics"] == []
    assert len(listed(MetricName="Orders")["Metrics"]) == 2
    jar.advance(days=15)
    assert listed()["Metrics"] == []


def test_long_lists_come_in_pages_of_500(steady_jar: TestJar) -> None:
    client = steady_jar.client("cloudwatch")
    data = [{"MetricName": f"m{number:04}", "Value": 1} for number in range(1000)]
    client.put_metric_data(Namespace="Many", MetricData=data)
    pages = [page["Metrics"] for page in client.get_paginator("list_metrics").paginate(Namespace="Many")]
    assert [len(page) for page in pages] == [500, 500]
    assert [m["MetricName"] for page in pages for m in page] == [datum["MetricName"] for datum in data]


@pytest.mark.parametrize(
    ("datum", "code", "words"),
    [
        ({"Value": 1, "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}},
         "InvalidParameterCombination", "mutually exclusive"),
        ({}, "MissingParameter", "At least one of the parameters"),
        ({"Values": [1.0] * 151}, "InvalidParameterValue", "Values must not have a size greater than 150."),
        ({"Values": [1, 2], "Counts": [1]}, "InvalidParameterValue", "same size"),
        ({"Value": float("nan")}, "InvalidParameterValue", "The value NaN for parameter"),
        ({"Value": 1, "StorageResolution": 30}, "InvalidParameterValue", "StorageResolution is invalid"),
        ({"Value": 1, "Timestamp": "past"}, "InvalidParameterValue", "within the past two weeks"),
        ({"Value": 1, "Timestamp": "future"}, "InvalidParameterValue", "no more than two hours in the future"),
    ],
)  # fmt: skip
def test_a_datum_that_cannot_be_is_refused(
    steady_jar: TestJar, datum: dict[str, Any], code: str, words: str
) -> None:
    client = steady_jar.client("cloudwatch")
    away = {"past": timedelta(days=-15), "future": timedelta(hours=3)}
    if "Timestamp" in datum:
        datum = {**datum, "Timestamp": steady_jar.clock.now() + away[datum["Timestamp"]]}
    said = refusal(client.put_metric_data, Namespace="Shop", MetricData=[{"MetricName": "m", **datum}])
    assert said[0] == code
    assert words in said[1]
    assert client.list_metrics(Namespace="Shop")["Metrics"] == []


def test_what_a_request_may_not_ask(jar: TestJar, cloudwatch: Any) -> None:
    now = jar.clock.now()
    data = [{"MetricName": "m", "Value": 1}]
    assert refusal(cloudwatch.put_metric_data, Namespace="AWS/EC2", MetricData=data)[0] == "InvalidParameterValue"
    assert refusal(cloudwatch.put_metric_data, Namespace="x", MetricData=data * 1001)[1] == (
        "The collection MetricData must not have a size greater than 1000."
    )
    ask = {"Namespace": "n", "MetricName": "m", "StartTime": now, "Period": 60, "Statistics": ["Sum"]}
    call = cloudwatch.get_metric_statistics
    assert refusal(call, **ask, EndTime=now)[0] == "InvalidParameterCombination"
    assert refusal(call, **ask, EndTime=now + timedelta(days=2)) == (
        "InvalidParameterCombination",
        "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440. You may reduce the datapoints "
        "requested by increasing Period, or decreasing the time range.",
    )
    assert refusal(call, **{**ask, "Period": 61}, EndTime=now + timedelta(hours=1))[0] == "InvalidParameterValue"
    ask.pop("Statistics")
    assert refusal(call, **ask, EndTime=now + timedelta(hours=1))[0] == "MissingParameter"


def test_a_custom_metric_costs_each_hour_in_which_it_was_put(jar: TestJar, cloudwatch: Any) -> None:
    put(cloudwatch, 1)
    jar.advance(minutes=10)
    put(cloudwatch, 1)
    jar.advance(hours=5)
    put(cloudwatch, 1)
    jar.advance(hours=5)
    assert jar.usage("CW:MetricMonitorUsage") == timedelta(hours=2)


def test_permission_to_put_can_be_of_one_namespace(jar: TestJar, iam: Any) -> None:
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    iam.put_user_policy(
        UserName="u", PolicyName="p",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudwatch:PutMetricData",'
        '"Resource":"*","Condition":{"StringEquals":{"cloudwatch:namespace":"Mine"}}}]}')  # fmt: skip
    client = jar.client("cloudwatch", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    data = [{"MetricName": "m", "Value": 1}]
    client.put_metric_data(Namespace="Mine", MetricData=data)
    assert refusal(client.put_metric_data, Namespace="Other", MetricData=data)[0].startswith("AccessDenied")


def test_what_a_question_costs_does_not_grow_with_what_is_stored(steady_jar: TestJar) -> None:
    """Every way to points and metrics goes by an index: no table is read through, and nothing is sorted."""
    client = steady_jar.client("cloudwatch")
    put(client, 1)
    asked: list[str] = []
    database = steady_jar.jar.database
    whole, query = database.query, database.query

    def noted(sql: str, args: tuple[Any, ...] = ()) -> list[Any]:
        if "metric_" in sql:
            plan = whole(f"EXPLAIN QUERY PLAN {sql}", args)
            asked.extend(row[3] for row in plan)
        return query(sql, args)

    database.query = noted  # type: ignore[method-assign]  # what is asked is looked at, and asked all the same
    now = steady_jar.clock.now()
    ask(client, now - timedelta(hours=1), now + timedelta(hours=1), 300)
    client.list_metrics(Namespace="Shop", MetricName="Orders", RecentlyActive="PT3H")
    client.list_metrics(Namespace="Shop", Dimensions=[{"Name": "Shop", "Value": "a"}])
    assert any("metric_point" in step for step in asked)
    assert [step for step in asked if step.startswith("SCAN")] == []


def test_the_bill_has_a_price_for_all_of_it(jar: TestJar, cloudwatch: Any) -> None:
    start = jar.clock.now()
    put(cloudwatch, 1)
    alarm = {"Namespace": "Shop", "MetricName": "Orders", "Statistic": "Sum", "EvaluationPeriods": 1, "Threshold": 1.0,
             "ComparisonOperator": "GreaterThanThreshold"}  # fmt: skip
    cloudwatch.put_metric_alarm(AlarmName="slow", Period=60, **alarm)
    cloudwatch.put_metric_alarm(AlarmName="quick", Period=10, **alarm)
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(slow) AND ALARM(quick)")
    cloudwatch.put_dashboard(DashboardName="d", DashboardBody='{"widgets": []}')
    jar.advance(hours=24)
    charges = rate(measure(jar.jar.usage.spans(start, jar.clock.now()), start, jar.clock.now()))
    costs = {charge.line.usage_type: charge.cost for charge in charges}
    month = Decimal(31)  # January: a day's part of a month's price
    assert costs == {
        "CW:MetricMonitorUsage": (Decimal("0.3") / month / 24).quantize(REPORT),
        "CW:AlarmMonitorUsage": (Decimal("0.1") / month).quantize(REPORT),
        "CW:HighResAlarmMonitorUsage": (Decimal("0.3") / month).quantize(REPORT),
        "CW:CompositeAlarmMonitorUsage": (Decimal("0.5") / month).quantize(REPORT),
        "DashboardsUsageHour": (Decimal(3) / month).quantize(REPORT),
    }
