"""Cost Anomaly Detection: what is found by a plain statistic, on which day, and who is told."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from cloudjar.kit import mailbox
from tests.jar import ACCOUNT, TestJar

ABSOLUTE = {"Key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "Values": ["1"], "MatchOptions": ["GREATER_THAN_OR_EQUAL"]}
SERVICES = {"MonitorName": "services", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}


def volume(jar: TestJar, size: int) -> str:
    """A disk that costs the same every day."""
    made = jar.client("ec2").create_volume(AvailabilityZone="eu-west-3a", Size=size, VolumeType="gp3")
    jar.settle()
    return str(made["VolumeId"])


def subscribed(monitor: str, frequency: str, kind: str, to: str, least: str = "1") -> dict[str, Any]:
    return {
        "SubscriptionName": f"to {kind}", "MonitorArnList": [monitor], "Frequency": frequency,
        "Subscribers": [{"Type": kind, "Address": to}],
        "ThresholdExpression": {"Dimensions": {**ABSOLUTE, "Values": [least]}},
    }  # fmt: skip


def found(jar: TestJar, **more: Any) -> list[dict[str, Any]]:
    start = jar.clock.now() - timedelta(days=60)
    asked = {"StartDate": f"{start:%Y-%m-%d}", "EndDate": f"{jar.clock.now():%Y-%m-%d}"}
    return list(jar.client("ce", "us-east-1").get_anomalies(DateInterval=asked, **more)["Anomalies"])


def topic_and_queue(jar: TestJar) -> tuple[str, str]:
    """A topic that the service may publish to, and a queue that hears it."""
    sns, sqs = jar.client("sns"), jar.client("sqs")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    allowed = {
        "Effect": "Allow", "Principal": {"Service": "costalerts.amazonaws.com"}, "Action": "sns:Publish",
        "Resource": topic, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    url = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    heard = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    attributes = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [heard]})}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return topic, url


def test_a_day_that_costs_far_more_is_found_and_told(steady_jar: TestJar) -> None:
    jar = steady_jar
    ce = jar.client("ce", "us-east-1")
    monitor = ce.create_anomaly_monitor(AnomalyMonitor=SERVICES)["MonitorArn"]
    topic, url = topic_and_queue(jar)
    ce.create_anomaly_subscription(AnomalySubscription=subscribed(monitor, "IMMEDIATE", "SNS", topic))
    ce.create_anomaly_subscription(AnomalySubscription=subscribed(monitor, "DAILY", "EMAIL", "me@example.com"))
    few = subscribed(monitor, "DAILY", "EMAIL", "no@example.com", "1000")
    ce.create_anomaly_subscription(AnomalySubscription=few)
    volume(jar, 100)
    jar.advance(days=14)
    assert found(jar) == []
    second = volume(jar, 1000)
    jar.advance(days=2)
    (one,) = found(jar)
    assert one["DimensionValue"] == "EC2 - Other"
    assert one["MonitorArn"] == monitor
    impact = one["Impact"]
    # The day on which it came, from noon on, and the whole day after it.
    daily = 1000 * 0.0928 / 31
    assert impact["TotalImpact"] == pytest.approx(1.5 * daily, rel=0.05)
    assert impact["TotalActualSpend"] - impact["TotalExpectedSpend"] == pytest.approx(impact["TotalImpact"])
    assert one["RootCauses"][0]["UsageType"] == "EUW3-EBS:VolumeUsage.gp3"
    assert one["RootCauses"][0]["Region"] == "eu-west-3"
    assert 0.5 < one["AnomalyScore"]["CurrentScore"] <= one["AnomalyScore"]["MaxScore"] <= 1
    (message,) = jar.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    told = json.loads(message["Body"])
    assert (told["anomalyId"], told["monitorName"], told["dimensionalValue"]) == (
        one["AnomalyId"], "services", "EC2 - Other",
    )  # fmt: skip
    letters = mailbox.letters(jar.jar.world, recipient="me@example.com")
    assert len(letters) == 2, "each day"
    assert "EC2 - Other" in letters[0].mail.body
    assert mailbox.letters(jar.jar.world, recipient="no@example.com") == []
    jar.client("ec2").delete_volume(VolumeId=second)
    jar.settle()
    jar.advance(days=5)
    assert len(found(jar)) == 1, "it ended"
    assert found(jar, TotalImpact={"NumericOperator": "GREATER_THAN", "StartValue": 1000.0}) == []
    ce.provide_anomaly_feedback(AnomalyId=one["AnomalyId"], Feedback="YES")
    assert found(jar, Feedback="YES")[0]["AnomalyId"] == one["AnomalyId"]
    assert found(jar, Feedback="NO") == []
    ce.delete_anomaly_monitor(MonitorArn=monitor)
    assert found(jar) == []


def test_monitors_and_subscriptions_are_kept_changed_and_tagged(jar: TestJar) -> None:
    ce = jar.client("ce", "us-east-1")
    tag = [{"Key": "a", "Value": "b"}]
    monitor = ce.create_anomaly_monitor(AnomalyMonitor=SERVICES, ResourceTags=tag)["MonitorArn"]
    with pytest.raises(ce.exceptions.LimitExceededException):
        ce.create_anomaly_monitor(AnomalyMonitor=SERVICES)
    custom = ce.create_anomaly_monitor(AnomalyMonitor={
        "MonitorName": "team", "MonitorType": "CUSTOM",
        "MonitorSpecification": {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [ACCOUNT]}},
    })["MonitorArn"]  # fmt: skip
    ce.update_anomaly_monitor(MonitorArn=custom, MonitorName="crew")
    names = {one["MonitorArn"]: one["MonitorName"] for one in ce.get_anomaly_monitors()["AnomalyMonitors"]}
    assert names == {monitor: "services", custom: "crew"}
    made = ce.create_anomaly_subscription(AnomalySubscription=subscribed(monitor, "WEEKLY", "EMAIL", "a@example.com"))
    arn = made["SubscriptionArn"]
    ce.update_anomaly_subscription(SubscriptionArn=arn, MonitorArnList=[monitor, custom], Threshold=5.0)
    (held,) = ce.get_anomaly_subscriptions(MonitorArn=custom)["AnomalySubscriptions"]
    assert (held["Threshold"], held["MonitorArnList"], held["Frequency"]) == (5.0, [monitor, custom], "WEEKLY")
    assert ce.list_tags_for_resource(ResourceArn=monitor)["ResourceTags"] == [{"Key": "a", "Value": "b"}]
    ce.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": "c", "Value": "d"}])
    assert ce.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == [{"Key": "c", "Value": "d"}]
    ce.untag_resource(ResourceArn=arn, ResourceTagKeys=["c"])
    assert ce.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == []
    ce.delete_anomaly_subscription(SubscriptionArn=arn)
    with pytest.raises(ce.exceptions.UnknownSubscriptionException):
        ce.get_anomaly_subscriptions(SubscriptionArnList=[arn])
    with pytest.raises(ce.exceptions.UnknownMonitorException):
        ce.get_anomaly_monitors(MonitorArnList=[monitor + "x"])


@pytest.mark.parametrize(
    ("frequency", "kind", "to"),
    [("IMMEDIATE", "EMAIL", "a@example.com"), ("DAILY", "SNS", "arn:aws:sns:eu-west-3:000000000000:t"),
     ("DAILY", "EMAIL", "nobody"), ("IMMEDIATE", "SNS", "arn:aws:sqs:eu-west-3:000000000000:t")],
)  # fmt: skip
def test_who_cannot_be_told(steady_jar: TestJar, frequency: str, kind: str, to: str) -> None:
    ce = steady_jar.client("ce", "us-east-1")
    monitor = ce.create_anomaly_monitor(AnomalyMonitor=SERVICES)["MonitorArn"]
    with pytest.raises(ce.exceptions.ClientError) as refused:
        ce.create_anomaly_subscription(AnomalySubscription=subscribed(monitor, frequency, kind, to))
    assert refused.value.response["Error"]["Code"] == "ValidationException"
