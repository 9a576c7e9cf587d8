"""What an alarm tells a topic: the topic's policy decides, people read words and programs JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudjar.kit.mailbox import letters
from tests.jar import TestJar
from tests.services.cloudwatch.test_alarms import ARN, PLAIN, put

ME = "ops@example.com"


@pytest.fixture
def topic(jar: TestJar) -> str:
    """A topic that tells a queue and a person."""
    sns, sqs = jar.client("sns"), jar.client("sqs")
    arn = str(sns.create_topic(Name="people")["TopicArn"])
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    queue = arn.replace(":sns:", ":sqs:").replace("people", "inbox")
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                 "Resource": queue}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=ME)
    jar.settle()
    (asked,) = letters(jar.jar.world, recipient=ME)
    token = asked.mail.link.partition("Token=")[2].partition("&")[0]
    sns.confirm_subscription(TopicArn=arn, Token=token)
    jar.settle()
    return arn


def received(jar: TestJar) -> list[dict[str, Any]]:
    """What the queue was told."""
    sqs = jar.client("sqs")
    url = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


def action(cloudwatch: Any, name: str = "high") -> tuple[str, dict[str, Any]]:
    """The newest entry of the history about actions."""
    found = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"][0]
    return found["HistorySummary"], json.loads(found["HistoryData"])


def test_an_alarm_tells_programs_and_people(jar: TestJar, cloudwatch: Any, topic: str) -> None:
    cloudwatch.put_metric_alarm(**PLAIN, AlarmActions=[topic], AlarmDescription="too much",
                                Dimensions=[{"Name": "Shelf", "Value": "1"}])  # fmt: skip
    jar.settle()
    datum = {"MetricName": "Load", "Value": 93, "Dimensions": [{"Name": "Shelf", "Value": "1"}]}
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
    jar.advance(minutes=1)
    summary, data = action(cloudwatch)
    assert summary == f"Successfully executed action {topic}"
    assert data["actionState"] == "Succeeded"
    (told,) = received(jar)
    reason = told.pop("NewStateReason")
    assert reason.startswith("Threshold Crossed: 1 datapoint [93.0 (15/01/26 12:00:00)] was greater than")
    assert told.pop("StateChangeTime") == "2026-01-15T12:01:00.000+0000"
    assert told.pop("AlarmConfigurationUpdatedTimestamp") == "2026-01-15T12:00:00.000+0000"
    assert told == {
        "AlarmName": "high",
        "AlarmDescription": "too much",
        "AWSAccountId": "000000000000",
        "NewStateValue": "ALARM",
        "Region": "EU (Paris)",
        "AlarmArn": ARN,
        "OldStateValue": "INSUFFICIENT_DATA",
        "OKActions": [],
        "AlarmActions": [topic],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "Load",
            "Namespace": "Shop",
            "StatisticType": "Statistic",
            "Statistic": "AVERAGE",
            "Unit": None,
            "Dimensions": [{"value": "1", "name": "Shelf"}],
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 50.0,
            "TreatMissingData": "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }
    mail = letters(jar.jar.world, recipient=ME)[0].mail
    assert mail.subject == 'ALARM: "high" in EU (Paris)'
    assert "INSUFFICIENT_DATA -> ALARM" in mail.body
    assert reason in mail.body
    assert "[Shelf = 1]" in mail.body


def test_a_topic_that_does_not_let_the_alarm_in_is_told_of_nothing(jar: TestJar, cloudwatch: Any, topic: str) -> None:
    for source, words in ((ARN + "er", "Failed to execute"), (ARN, "Successfully executed")):
        statement = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish",
                     "Resource": topic, "Condition": {"ArnEquals": {"aws:SourceArn": source}}}  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        jar.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        jar.settle()
        cloudwatch.put_metric_alarm(**PLAIN, AlarmActions=[topic])
        put(cloudwatch, 93)
        jar.advance(minutes=1)
        summary, data = action(cloudwatch)
        assert summary == f"{words} action {topic}"
        assert ("not authorized to perform: sns:Publish" in data.get("error", "")) == (source != ARN)
        put(cloudwatch, 1)
        jar.advance(minutes=1)
    assert [told["NewStateValue"] for told in received(jar)] == ["ALARM"]


def test_a_topic_that_is_not_there_is_a_failure(jar: TestJar, cloudwatch: Any) -> None:
    gone = "arn:aws:sns:eu-west-3:000000000000:gone"
    cloudwatch.put_metric_alarm(**PLAIN, AlarmActions=[gone])
    put(cloudwatch, 93)
    jar.advance(minutes=1)
    summary, data = action(cloudwatch)
    assert summary == f"Failed to execute action {gone}"
    assert data["error"].startswith("AuthorizationError")


def test_a_composite_alarm_names_its_rule(jar: TestJar, cloudwatch: Any, topic: str) -> None:
    cloudwatch.put_metric_alarm(**PLAIN)
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule="ALARM(high)", AlarmActions=[topic])
    jar.settle()
    cloudwatch.set_alarm_state(AlarmName="high", StateValue="ALARM", StateReason="by hand")
    jar.settle()
    (told,) = received(jar)
    assert told["AlarmRule"] == "ALARM(high)"
    assert (told["OldStateValue"], told["NewStateValue"]) == ("OK", "ALARM")
    assert "Trigger" not in told
