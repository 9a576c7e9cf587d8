"""Delivery status: logs in the name of a role, and what CloudWatch counts beside deliveries."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.sns.conftest import News

GROUP = f"sns/eu-west-3/{ACCOUNT}/news"


def role(jar: TestJar) -> str:
    iam = jar.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    made = iam.create_role(
        RoleName="status", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    iam.put_role_policy(RoleName="status", PolicyName="may",
                        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]}))  # fmt: skip
    return str(made["Role"]["Arn"])


def lines(jar: TestJar, group: str) -> list[dict[str, Any]]:
    logs = jar.client("logs")
    groups = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]
    if group not in groups:
        return []
    return [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=group)["events"]]


def test_what_became_of_deliveries_is_written_down(news: News, jar: TestJar) -> None:
    arn = role(jar)

    def set_(name: str, value: str) -> None:
        news.client.set_topic_attributes(TopicArn=news.arn, AttributeName=name, AttributeValue=value)

    set_("SQSSuccessFeedbackRoleArn", arn)
    set_("SQSFailureFeedbackRoleArn", arn)
    box = news.queue()
    shut = news.queue("shut", allowed=False)
    dead = news.queue("dead")
    (failing,) = [
        one["SubscriptionArn"]
        for one in news.client.list_subscriptions_by_topic(TopicArn=news.arn)["Subscriptions"]
        if one["Endpoint"] == shut.arn
    ]
    redrive = json.dumps({"deadLetterTargetArn": dead.arn})
    news.client.set_subscription_attributes(
        SubscriptionArn=failing, AttributeName="RedrivePolicy", AttributeValue=redrive
    )
    told = news.publish("hello")
    assert lines(jar, GROUP) == []  # of successes none is told of, unless a share is asked for
    (failure,) = lines(jar, f"{GROUP}/Failure")
    assert (failure["status"], failure["delivery"]["destination"]) == ("FAILURE", shut.arn)
    assert json.loads(failure["delivery"]["providerResponse"])["ErrorCode"] == "AccessDenied"
    assert failure["notification"]["messageId"] == told["MessageId"]
    set_("SQSSuccessFeedbackSampleRate", "100")
    news.publish("again")
    good = {one["delivery"]["destination"]: one for one in lines(jar, GROUP)}
    assert sorted(good) == sorted((box.arn, dead.arn))
    assert (good[box.arn]["status"], good[box.arn]["delivery"]["attempts"]) == ("SUCCESS", 1)
    assert json.loads(good[box.arn]["delivery"]["providerResponse"])["sqsMessageId"]
    assert total(jar, "NumberOfNotificationsRedrivenToDlq") == 2
    assert total(jar, "NumberOfNotificationsFailed") == 2
    jar.client("iam").delete_role_policy(RoleName="status", PolicyName="may")
    news.publish("silent")  # nobody may write: delivered all the same
    assert len(box.bodies()) == 3
    assert len(lines(jar, GROUP)) == 2


def total(jar: TestJar, metric: str, stat: str = "Sum") -> float:
    jar.advance(minutes=1)
    now = jar.clock.now()
    found = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SNS", MetricName=metric, Dimensions=[{"Name": "TopicName", "Value": "news"}], Period=86400,
        StartTime=now.replace(hour=0, minute=0), EndTime=now, Statistics=[stat],
    )["Datapoints"]  # fmt: skip
    return float(sum(one[stat] for one in found))


def test_sizes_and_reasons_are_counted(news: News, jar: TestJar) -> None:
    policy = json.dumps({"colour": ["red"]})
    news.queue("one", FilterPolicy=policy)
    news.queue("two", FilterPolicy=policy, FilterPolicyScope="MessageBody")
    news.publish("x" * 100)
    blue = {"colour": {"DataType": "String", "StringValue": "blue"}}
    news.publish("x" * 50, MessageAttributes=blue)
    assert total(jar, "PublishSize", "Maximum") == 100
    assert total(jar, "NumberOfNotificationsFilteredOut") == 4
    assert total(jar, "NumberOfNotificationsFilteredOut-MessageBody") == 2
    assert total(jar, "NumberOfNotificationsFilteredOut-NoMessageAttributes") == 1
    assert total(jar, "NumberOfNotificationsFilteredOut-MessageAttributes") == 1


def test_texts_are_told_of_in_the_name_of_the_accounts_role(jar: TestJar, sns: Any) -> None:
    given = {"DeliveryStatusIAMRole": role(jar), "DeliveryStatusSuccessSamplingRate": "100"}
    sns.set_sms_attributes(attributes=given)
    told = sns.publish(PhoneNumber="+33612345678", Message="hello")["MessageId"]
    (line,) = lines(jar, f"sns/eu-west-3/{ACCOUNT}/DirectPublishToPhoneNumber")
    assert (line["notification"]["messageId"], line["status"]) == (told, "SUCCESS")
    assert line["delivery"]["destination"] == "+33612345678"
