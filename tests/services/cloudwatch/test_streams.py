"""Metric streams: what is measured arrives in a bucket, each minute's by itself, as the role that was passed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.answers import document, refused, statement
from tests.services.firehose import streams as delivery

PRINCIPAL = "streams.metrics.cloudwatch.amazonaws.com"
FIREHOSE = f"arn:aws:firehose:eu-west-3:{ACCOUNT}:deliverystream/d"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/streams"
ARN = f"arn:aws:cloudwatch:eu-west-3:{ACCOUNT}:metric-stream/s"
PLAIN = {"Name": "s", "FirehoseArn": FIREHOSE, "RoleArn": ROLE, "OutputFormat": "json"}
OURS = {**PLAIN, "IncludeFilters": [{"Namespace": "Shop"}]}


@pytest.fixture
def lake(jar: TestJar) -> Any:
    """A delivery stream into a bucket and a role that may put into it; the client of the bucket."""
    delivery.role(jar)
    s3 = delivery.bucket(jar)
    delivery.made(jar)
    iam = jar.client("iam")
    trust = statement("sts:AssumeRole", Principal={"Service": PRINCIPAL},
                      Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})  # fmt: skip
    del trust["Resource"]
    iam.create_role(RoleName="streams", AssumeRolePolicyDocument=document(trust))
    _may(jar)
    return s3


def _may(jar: TestJar) -> None:
    may = document(statement("firehose:PutRecordBatch", FIREHOSE))
    jar.client("iam").put_role_policy(RoleName="streams", PolicyName="may", PolicyDocument=may)


def _put(jar: TestJar, name: str, *values: float, namespace: str = "Shop", **more: Any) -> None:
    for value in values:
        jar.client("cloudwatch").put_metric_data(
            Namespace=namespace, MetricData=[{"MetricName": name, "Value": value, **more}]
        )


def _arrived(jar: TestJar, s3: Any) -> list[dict[str, Any]]:
    """What was delivered, after as long as it takes."""
    jar.advance(minutes=7)
    lines = b"".join(body for _, body in sorted(delivery.files(s3).items())).splitlines()
    return [json.loads(line) for line in lines]


def test_what_is_put_arrives_by_the_minute(jar: TestJar, cloudwatch: Any, lake: Any) -> None:
    assert cloudwatch.put_metric_stream(**OURS)["Arn"] == ARN
    minute = int(jar.clock.now().timestamp()) // 60 * 60_000
    _put(jar, "Sold", 2, 5, Dimensions=[{"Name": "Shelf", "Value": "a"}], Unit="Count")
    _put(jar, "Other", 1, namespace="Else")
    jar.advance(minutes=1)
    _put(jar, "Sold", 1)
    first, second = _arrived(jar, lake)
    assert first == {
        "metric_stream_name": "s", "account_id": ACCOUNT, "region": "eu-west-3", "namespace": "Shop",
        "metric_name": "Sold", "dimensions": {"Shelf": "a"}, "timestamp": minute,
        "value": {"count": 2.0, "sum": 7.0, "max": 5.0, "min": 2.0}, "unit": "Count",
    }  # fmt: skip
    assert (second["timestamp"], second["value"]["sum"], second["unit"]) == (minute + 60_000, 1.0, "None")
    assert second["dimensions"] == {}
    now = jar.clock.now()
    sums = {
        name: sum(point["Sum"] for point in cloudwatch.get_metric_statistics(
            Namespace="AWS/CloudWatch/MetricStreams", MetricName=name, Statistics=["Sum"], Period=60,
            Dimensions=[{"Name": "MetricStreamName", "Value": "s"}], StartTime=now - timedelta(hours=1), EndTime=now,
        )["Datapoints"])
        for name in ("MetricUpdate", "TotalMetricUpdate", "PublishErrorRate")
    }  # fmt: skip
    assert sums == {"MetricUpdate": 2, "TotalMetricUpdate": 2, "PublishErrorRate": 0}


def test_filters_by_name_and_what_is_too_old(jar: TestJar, cloudwatch: Any, lake: Any) -> None:
    kept = {**PLAIN, "IncludeFilters": [{"Namespace": "Shop", "MetricNames": ["a", "b"]}, {"Namespace": "Else"}]}
    cloudwatch.put_metric_stream(**kept)
    not_those = [{"Namespace": "Shop", "MetricNames": ["a"]}, {"Namespace": "Else"}, {"Namespace": "AWS/Firehose"},
                 {"Namespace": "AWS/CloudWatch/MetricStreams"}]  # fmt: skip
    cloudwatch.put_metric_stream(**{**PLAIN, "Name": "t", "ExcludeFilters": not_those})
    for name in ("a", "b", "c"):
        _put(jar, name, 1)
    _put(jar, "d", 1, namespace="Else")
    _put(jar, "b", 9, Timestamp=jar.clock.now() - timedelta(days=2, minutes=1))
    found = {(one["metric_stream_name"], one["metric_name"]) for one in _arrived(jar, lake)
             if one["namespace"] in ("Shop", "Else")}  # fmt: skip
    assert found == {("s", "a"), ("s", "b"), ("s", "d"), ("t", "b"), ("t", "c")}


def test_additional_statistics(jar: TestJar, cloudwatch: Any, lake: Any) -> None:
    asked = ["p50", "tm90", "PR(:2)", "TC(1:2)", "IQM", "p99"]
    more = [{"IncludeMetrics": [{"Namespace": "Shop", "MetricName": "Sold"}], "AdditionalStatistics": asked}]
    cloudwatch.put_metric_stream(**OURS, StatisticsConfigurations=more)
    assert cloudwatch.get_metric_stream(Name="s")["StatisticsConfigurations"] == more
    _put(jar, "Sold", 1, 2, 3)
    _put(jar, "Left", 1)
    left, sold = _arrived(jar, lake)
    assert set(left["value"]) == {"count", "sum", "max", "min"}
    assert sold["value"]["p50"] == 2.0
    assert sold["value"]["TC(1:2)"] == 1.0
    assert set(sold["value"]) == {"count", "sum", "max", "min", *asked}


def test_derived_metrics_are_streamed(jar: TestJar, cloudwatch: Any, lake: Any) -> None:
    sqs = jar.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    names = ["NumberOfMessagesSent"]
    cloudwatch.put_metric_stream(**PLAIN, IncludeFilters=[{"Namespace": "AWS/SQS", "MetricNames": names}])
    sqs.send_message(QueueUrl=url, MessageBody="x")
    found = _arrived(jar, lake)
    assert sum(one["value"]["sum"] for one in found) == 1
    assert {tuple(one["dimensions"].items()) for one in found} == {(("QueueName", "q"),)}
    stamps = [one["timestamp"] for one in found]
    assert len(set(stamps)) == len(stamps) >= 1


def test_a_stream_is_stopped_and_started(jar: TestJar, cloudwatch: Any, lake: Any) -> None:
    cloudwatch.put_metric_stream(**OURS)
    _put(jar, "Sold", 1)
    jar.advance(minutes=1)
    cloudwatch.stop_metric_streams(Names=["s"])
    assert cloudwatch.get_metric_stream(Name="s")["State"] == "stopped"
    _put(jar, "Sold", 2)
    jar.advance(minutes=1)
    cloudwatch.put_metric_stream(**OURS)
    assert [one["State"] for one in cloudwatch.list_metric_streams()["Entries"]] == ["stopped"]
    cloudwatch.start_metric_streams(Names=["s"])
    _put(jar, "Sold", 4)
    assert [one["value"]["sum"] for one in _arrived(jar, lake)] == [1.0, 4.0]
    cloudwatch.delete_metric_stream(Name="s")
    cloudwatch.delete_metric_stream(Name="s")
    _put(jar, "Sold", 8)
    assert len(_arrived(jar, lake)) == 2
    with refused("ResourceNotFoundException", status=404):
        cloudwatch.get_metric_stream(Name="s")
    with refused("InvalidParameterValue", "s"):
        cloudwatch.start_metric_streams(Names=["s"])


def test_what_may_not_be_sent_waits(jar: TestJar, cloudwatch: Any, lake: Any) -> None:
    cloudwatch.put_metric_stream(**OURS)
    jar.client("iam").delete_role_policy(RoleName="streams", PolicyName="may")
    _put(jar, "Sold", 3)
    assert _arrived(jar, lake) == []
    now = jar.clock.now()
    errors = cloudwatch.get_metric_statistics(
        Namespace="AWS/CloudWatch/MetricStreams", MetricName="PublishErrorRate", Statistics=["Average"], Period=60,
        Dimensions=[{"Name": "MetricStreamName", "Value": "s"}], StartTime=now - timedelta(hours=1), EndTime=now,
    )["Datapoints"]  # fmt: skip
    assert {point["Average"] for point in errors} == {1.0}
    _may(jar)
    assert [one["value"]["sum"] for one in _arrived(jar, lake)] == [3.0]


def test_settings_and_tags(jar: TestJar, cloudwatch: Any) -> None:
    cloudwatch.put_metric_stream(**OURS, Tags=[{"Key": "a", "Value": "1"}])
    made = cloudwatch.get_metric_stream(Name="s")
    assert {key: made[key] for key in ("Arn", "State", "OutputFormat", "IncludeFilters", "RoleArn")} == {
        "Arn": ARN, "State": "running", "OutputFormat": "json", "IncludeFilters": [{"Namespace": "Shop"}],
        "RoleArn": ROLE,
    }  # fmt: skip
    jar.advance(minutes=1)
    cloudwatch.put_metric_stream(**PLAIN, ExcludeFilters=[{"Namespace": "Shop", "MetricNames": ["a"]}])
    changed = cloudwatch.get_metric_stream(Name="s")
    assert changed["ExcludeFilters"] == [{"Namespace": "Shop", "MetricNames": ["a"]}]
    assert "IncludeFilters" not in changed
    assert changed["CreationDate"] == made["CreationDate"] < changed["LastUpdateDate"]
    cloudwatch.tag_resource(ResourceARN=ARN, Tags=[{"Key": "b", "Value": "2"}])
    cloudwatch.untag_resource(ResourceARN=ARN, TagKeys=["a"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=ARN)["Tags"] == [{"Key": "b", "Value": "2"}]


@pytest.mark.parametrize(
    ("asked", "code", "status"),
    [
        ({"OutputFormat": "opentelemetry1.0",
          "StatisticsConfigurations": [{"IncludeMetrics": [{"Namespace": "A", "MetricName": "b"}],
                                        "AdditionalStatistics": ["tm90"]}]}, "InvalidParameterValue", 400),
        ({"IncludeLinkedAccountsMetrics": True}, "NotImplemented", 501),
        ({"Name": "a b"}, "InvalidParameterValue", 400),
        ({"RoleArn": FIREHOSE}, "InvalidParameterValue", 400),
        ({"FirehoseArn": FIREHOSE.replace("eu-west-3", "us-east-1")}, "InvalidParameterValue", 400),
        ({"ExcludeFilters": [{"Namespace": "Else"}]}, "InvalidParameterCombination", 400),
        ({"StatisticsConfigurations": [{"IncludeMetrics": [{"Namespace": "A", "MetricName": "b"}],
                                        "AdditionalStatistics": ["best"]}]}, "InvalidParameterValue", 400),
    ],
)  # fmt: skip
def test_refusals(cloudwatch: Any, asked: dict[str, Any], code: str, status: int) -> None:
    with refused(code, status=status):
        cloudwatch.put_metric_stream(**{**OURS, **asked})
    assert cloudwatch.list_metric_streams()["Entries"] == []


def test_the_role_is_passed_to_metric_streams_alone(jar: TestJar, cloudwatch: Any) -> None:
    iam = jar.client("iam")
    iam.create_user(UserName="eva")
    key = iam.create_access_key(UserName="eva")["AccessKey"]
    eva = jar.client("cloudwatch", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    for service, allowed in (("cloudwatch.amazonaws.com", False), (PRINCIPAL, True)):
        passing = statement("iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": service}})
        may = document(statement("cloudwatch:PutMetricStream"), passing)
        iam.put_user_policy(UserName="eva", PolicyName="may", PolicyDocument=may)
        if allowed:
            eva.put_metric_stream(**OURS)
        else:
            with refused("AccessDeniedException", "iam:PassRole"):
                eva.put_metric_stream(**OURS)
    assert [one["Name"] for one in cloudwatch.list_metric_streams()["Entries"]] == ["s"]
