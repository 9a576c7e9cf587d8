"""Topics and subscriptions: made, set, listed, tagged, shared, deleted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.iam.people import allow, user
from tests.services.sns.conftest import News


def test_a_topic_is_made_once(sns: Any) -> None:
    arn = sns.create_topic(Name="a", Attributes={"DisplayName": "A"}, Tags=[{"Key": "k", "Value": "v"}])["TopicArn"]
    assert arn == f"arn:aws:sns:eu-west-3:{ACCOUNT}:a"
    assert sns.create_topic(Name="a")["TopicArn"] == arn
    assert sns.create_topic(Name="a", Tags=[{"Key": "k", "Value": "v"}])["TopicArn"] == arn
    assert refused(sns.create_topic, Name="a", Tags=[{"Key": "k", "Value": "w"}]) == (
        "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags",
    )  # fmt: skip
    assert refused(sns.create_topic, Name="a", Attributes={"DisplayName": "B"}) == (
        "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
    )  # fmt: skip
    for name in ("", "a b", "x" * 257, "a.fifo"):
        assert refused(sns.create_topic, Name=name)[1].startswith("Invalid parameter: Topic Name"), name
    assert code(sns.create_topic, Name="b", Attributes={"FifoTopic": "true"}) == "InvalidParameter"
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    assert refused(sns.publish, TopicArn=arn, Message="x") == ("NotFound", "Topic does not exist")


def test_attributes_are_what_they_may_be(news: News) -> None:
    def attributes() -> dict[str, str]:
        found: dict[str, str] = news.client.get_topic_attributes(TopicArn=news.arn)["Attributes"]
        return found

    def put(name: str, value: str) -> None:
        news.client.set_topic_attributes(TopicArn=news.arn, AttributeName=name, AttributeValue=value)

    shown = attributes()
    assert (shown["Owner"], shown["SubscriptionsConfirmed"], shown["DisplayName"]) == (ACCOUNT, "0", "")
    assert json.loads(shown["Policy"])["Id"] == "__default_policy_ID"
    put("DisplayName", "News")
    put("SignatureVersion", "2")
    policy = {"http": {"defaultHealthyRetryPolicy": {"numRetries": 5, "minDelayTarget": 1, "maxDelayTarget": 9}}}
    put("DeliveryPolicy", json.dumps(policy))
    shown = attributes()
    assert (shown["DisplayName"], shown["SignatureVersion"]) == ("News", "2")
    assert json.loads(shown["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 5
    assert refused(put, name="Nonsense", value="x") == ("InvalidParameter", "Invalid parameter: AttributeName")
    assert code(put, name="Policy", value="{") == "InvalidParameter"
    assert code(put, name="SignatureVersion", value="3") == "InvalidParameter"
    assert code(put, name="ContentBasedDeduplication", value="true") == "InvalidParameter"
    assert code(put, name="HTTPSuccessFeedbackRoleArn", value="x") == "InvalidParameter"
    assert code(put, name="SQSSuccessFeedbackSampleRate", value="101") == "InvalidParameter"


def test_subscriptions_are_made_once_and_listed(news: News) -> None:
    box = news.queue()
    again = news.subscribe("sqs", box.arn)
    [listed] = news.client.list_subscriptions()["Subscriptions"]
    assert listed == {
        "SubscriptionArn": again, "Owner": ACCOUNT, "Protocol": "sqs", "Endpoint": box.arn, "TopicArn": news.arn,
    }  # fmt: skip
    assert refused(
        news.client.subscribe, TopicArn=news.arn, Protocol="sqs", Endpoint=box.arn,
        Attributes={"RawMessageDelivery": "true"},
    )[1].endswith("Subscription already exists with different attributes")  # fmt: skip
    put = news.client.set_subscription_attributes
    put(SubscriptionArn=again, AttributeName="RawMessageDelivery", AttributeValue="true")
    found = news.client.get_subscription_attributes(SubscriptionArn=again)["Attributes"]
    assert (found["RawMessageDelivery"], found["PendingConfirmation"]) == ("true", "false")
    news.client.unsubscribe(SubscriptionArn=again)
    assert refused(news.client.get_subscription_attributes, SubscriptionArn=again) == (
        "NotFound", "Subscription does not exist",
    )  # fmt: skip
    assert news.client.get_topic_attributes(TopicArn=news.arn)["Attributes"]["SubscriptionsDeleted"] == "1"
    for protocol, endpoint in (("smoke", "x"), ("http", "https://x"), ("email", "me"), ("sms", "x"), ("sqs", "x")):
        asked = {"TopicArn": news.arn, "Protocol": protocol, "Endpoint": endpoint}
        assert code(news.client.subscribe, **asked) == "InvalidParameter", protocol
    lambdas = {"TopicArn": news.arn, "Protocol": "lambda", "Endpoint": "arn:aws:lambda:eu-west-3:0:function:f"}
    assert code(news.client.subscribe, **lambdas) == "NotImplemented"


def test_who_may_publish(jar: TestJar, news: News) -> None:
    nobody, writer = user(jar, "nobody"), user(jar, "writer", allow("sns:Publish", on=news.arn))
    assert code(nobody.client("sns").publish, TopicArn=news.arn, Message="x") == "AuthorizationError"
    writer.client("sns").publish(TopicArn=news.arn, Message="x")
    stranger = jar.client("sns", key="111122223333")
    assert code(stranger.publish, TopicArn=news.arn, Message="x") == "AuthorizationError"
    add = news.client.add_permission
    add(TopicArn=news.arn, Label="friends", AWSAccountId=["111122223333"], ActionName=["Publish"])
    stranger.publish(TopicArn=news.arn, Message="x")
    again = {"TopicArn": news.arn, "Label": "friends", "AWSAccountId": [ACCOUNT], "ActionName": ["Publish"]}
    assert refused(add, **again) == ("InvalidParameter", "Invalid parameter: Statement already exists")
    news.client.remove_permission(TopicArn=news.arn, Label="friends")
    assert code(stranger.publish, TopicArn=news.arn, Message="x") == "AuthorizationError"


def test_what_may_not_be_published(news: News) -> None:
    def why(**more: Any) -> str:
        return refused(news.client.publish, TopicArn=news.arn, **more)[1]

    assert why(Message="") == "Invalid parameter: Empty message"
    assert why(Message="x" * 262_145) == "Invalid parameter: Message too long"
    assert why(Message="x", Subject="") == "Invalid parameter: Subject"
    assert why(Message="x", Subject="a\nb") == "Invalid parameter: Subject"
    assert "not valid for this topic type" in why(Message="x", MessageDeduplicationId="a")
    bad = {"a": {"DataType": "String", "StringValue": ""}}
    assert refused(news.client.publish, TopicArn=news.arn, Message="x", MessageAttributes=bad)[0] == (
        "ParameterValueInvalid"
    )


def test_tags(news: News) -> None:
    news.client.tag_resource(ResourceArn=news.arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    news.client.untag_resource(ResourceArn=news.arn, TagKeys=["a"])
    assert news.client.list_tags_for_resource(ResourceArn=news.arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert refused(news.client.list_tags_for_resource, ResourceArn=f"{news.arn}x") == (
        "ResourceNotFound", "Resource does not exist",
    )  # fmt: skip


def test_it_is_measured_and_billed(news: News) -> None:
    news.queue()
    news.publish("x")
    news.publish("y" * (65 << 10))
    news.jar.advance(minutes=1)
    now = news.jar.clock.now()
    found = news.jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SNS", MetricName="NumberOfNotificationsDelivered", Period=60, Statistics=["Sum"],
        Dimensions=[{"Name": "TopicName", "Value": "news"}], StartTime=now - timedelta(minutes=5), EndTime=now,
    )["Datapoints"]  # fmt: skip
    assert [point["Sum"] for point in found] == [2]
    rows = news.jar.jar.quantities.rows(now - timedelta(days=1), now + timedelta(seconds=1), ACCOUNT)
    assert [(row.tally.service, int(row.units)) for row in rows if row.tally.usage_type == "Requests-Tier1"
            and row.tally.service == "AmazonSNS"] == [("AmazonSNS", 3)]  # fmt: skip
