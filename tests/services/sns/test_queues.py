"""Topics that send to queues: envelopes, raw delivery, filters, order, dead letters, policies."""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.iam.people import OTHER
from tests.services.sns.conftest import News, lets_in
from tests.services.sqs.conftest import Box


def envelope(box: Box) -> dict[str, Any]:
    [body] = box.bodies()
    found: dict[str, Any] = json.loads(body)
    return found


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_queue_gets_the_message_in_an_envelope_that_anybody_can_verify(news: News, version: str) -> None:
    news.client.set_topic_attributes(TopicArn=news.arn, AttributeName="SignatureVersion", AttributeValue=version)
    box = news.queue()
    number = {"DataType": "Number", "StringValue": "7"}
    sent = news.publish("hello", Subject="greeting", MessageAttributes={"n": number})
    found = envelope(box)
    assert found["MessageId"] == sent["MessageId"]
    assert (found["Type"], found["Message"], found["Subject"], found["TopicArn"]) == (
        "Notification", "hello", "greeting", news.arn,
    )  # fmt: skip
    assert found["MessageAttributes"] == {"n": {"Type": "Number", "Value": "7"}}
    assert found["Timestamp"].endswith("Z")
    assert found["SignatureVersion"] == version
    with urllib.request.urlopen(found["SigningCertURL"]) as answer:
        key = load_pem_x509_certificate(answer.read()).public_key()
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{found[name]}\n" for name in names).encode()
    kind = hashes.SHA1() if version == "1" else hashes.SHA256()
    assert isinstance(key, RSAPublicKey)
    key.verify(base64.b64decode(found["Signature"]), text, padding.PKCS1v15(), kind)


def test_raw_delivery_brings_the_message_as_it_is(news: News) -> None:
    box = news.queue(RawMessageDelivery="true")
    given = {"a": {"DataType": "String", "StringValue": "b"}, "c": {"DataType": "Binary", "BinaryValue": b"\0"}}
    news.publish("as it is", MessageAttributes=given)
    [message] = box.receive()
    assert (message["Body"], message["MessageAttributes"]) == ("as it is", given)


def test_without_the_queues_consent_nothing_arrives(news: News) -> None:
    box = news.queue(allowed=False)
    news.publish()
    assert box.bodies() == []
    box.set(Policy=lets_in(news.arn, box.arn))
    news.publish("now")
    assert envelope(box)["Message"] == "now"


def test_what_cannot_be_delivered_goes_to_the_dead_letters(news: News) -> None:
    dead = Box(news.jar, news.jar.client("sqs"), "dead")
    dead.set(Policy=lets_in(news.arn, dead.arn))
    news.queue(allowed=False, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}))
    news.publish("lost")
    assert envelope(dead)["Message"] == "lost"


def test_each_protocol_may_get_a_text_of_its_own(news: News) -> None:
    box = news.queue()
    news.publish(json.dumps({"default": "d", "sqs": "for queues"}), MessageStructure="json")
    assert envelope(box)["Message"] == "for queues"
    publish = news.client.publish
    assert refused(publish, TopicArn=news.arn, Message='{"sqs": "x"}', MessageStructure="json") == (
        "InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body",
    )  # fmt: skip
    assert refused(publish, TopicArn=news.arn, Message="x", MessageStructure="json")[1] == (
        "Invalid parameter: Message Structure - JSON message body failed to parse"
    )


def test_filters_choose_who_gets_what(news: News) -> None:
    blue = news.queue("blue", FilterPolicy='{"colour": ["blue"], "size": [{"numeric": [">", 5]}]}')
    body = news.queue("body", FilterPolicy='{"user": {"age": [{"numeric": [">=", 18]}]}}',
                      FilterPolicyScope="MessageBody")  # fmt: skip
    everyone = news.queue("all", RawMessageDelivery="true")

    def publish(text: str, colour: str, size: str) -> None:
        given = {"colour": {"DataType": "String", "StringValue": colour},
                 "size": {"DataType": "Number", "StringValue": size}}  # fmt: skip
        news.publish(text, MessageAttributes=given)

    publish("no", "blue", "5")
    publish("yes", "blue", "6")
    publish('{"user": {"age": 18}}', "red", "9")
    assert [json.loads(text)["Message"] for text in blue.bodies()] == ["yes"]
    assert [json.loads(text)["Message"] for text in body.bodies()] == ['{"user": {"age": 18}}']
    assert len(everyone.bodies()) == 3


def test_fifo_topics_keep_the_order_and_send_nothing_twice(jar: TestJar, sns: Any) -> None:
    news = News(jar, sns, "news.fifo", ContentBasedDeduplication="true")
    box = news.queue("inbox.fifo", RawMessageDelivery="true")
    plain = news.queue("plain", RawMessageDelivery="true")
    first = news.publish("0", MessageGroupId="g")
    again = news.publish("0", MessageGroupId="g")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    for n in range(1, 12):
        news.publish(str(n), MessageGroupId="g")
    messages = box.receive()
    assert [message["Body"] for message in messages] == [str(n) for n in range(10)]
    assert messages[0]["Attributes"]["MessageGroupId"] == "g"
    assert len({*plain.bodies(), *plain.bodies()}) == 12
    assert code(sns.publish, TopicArn=news.arn, Message="x") == "InvalidParameter"
    assert refused(sns.subscribe, TopicArn=news.arn, Protocol="email", Endpoint="a@b.c")[0] == "InvalidParameter"


def test_a_fifo_queue_cannot_join_a_standard_topic(news: News) -> None:
    box = Box(news.jar, news.jar.client("sqs"), "q.fifo")
    assert refused(news.client.subscribe, TopicArn=news.arn, Protocol="sqs", Endpoint=box.arn) == (
        "InvalidParameter",
        "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
    )


def test_batches_fail_entry_by_entry(news: News) -> None:
    box = news.queue(RawMessageDelivery="true")
    entries = [{"Id": "a", "Message": "1"}, {"Id": "b", "Message": "2", "Subject": ""}, {"Id": "c", "Message": "3"}]
    answer = news.client.publish_batch(TopicArn=news.arn, PublishBatchRequestEntries=entries)
    news.jar.settle()
    assert [one["Id"] for one in answer["Successful"]] == ["a", "c"]
    assert [(one["Id"], one["Code"]) for one in answer["Failed"]] == [("b", "InvalidParameter")]
    assert box.bodies() == ["1", "3"]
    same = [{"Id": "a", "Message": "1"}] * 2
    batch = news.client.publish_batch
    assert code(batch, TopicArn=news.arn, PublishBatchRequestEntries=same) == "BatchEntryIdsNotDistinct"
    many = [{"Id": str(n), "Message": "1"} for n in range(11)]
    assert code(batch, TopicArn=news.arn, PublishBatchRequestEntries=many) == "TooManyEntriesInBatchRequest"


def test_another_accounts_queue_is_asked_first(news: News) -> None:
    other = news.jar.client("sqs", key=OTHER)
    box = Box(news.jar, other, "theirs")
    assert f":{OTHER}:" in box.arn
    box.set(Policy=lets_in(news.arn, box.arn))
    arn = news.subscribe("sqs", box.arn)
    assert news.client.list_subscriptions_by_topic(TopicArn=news.arn)["Subscriptions"][0]["SubscriptionArn"] == (
        "PendingConfirmation"
    )
    asked = envelope(box)
    assert (asked["Type"], asked["TopicArn"]) == ("SubscriptionConfirmation", news.arn)
    with urllib.request.urlopen(asked["SubscribeURL"]) as answer:
        assert arn in answer.read().decode()
    news.publish("hello")
    assert envelope(box)["Message"] == "hello"


def test_what_is_published_survives_a_crash_before_it_is_delivered(news: News) -> None:
    boxes = [news.queue(f"q{n}", RawMessageDelivery="true") for n in range(5)]
    news.client.publish(TopicArn=news.arn, Message="kept")
    news.jar.crash()
    news.jar.settle()
    assert [box.bodies() for box in boxes] == [["kept"]] * 5
    left = news.jar.jar.database.query("SELECT (SELECT count(*) FROM sns_message), (SELECT count(*) FROM sns_delivery)")
    assert left[0] == (0, 0)


def test_an_alarm_publishes_to_its_topic(news: News) -> None:
    box = news.queue()
    cloudwatch = news.jar.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="hot", Namespace="Mine", MetricName="Heat", Period=60, EvaluationPeriods=1, Threshold=1,
        Statistic="Maximum", ComparisonOperator="GreaterThanThreshold", AlarmActions=[news.arn],
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName="hot", StateValue="ALARM", StateReason="because")
    news.jar.settle()
    found = envelope(box)
    assert found["Subject"].startswith('ALARM: "hot" in ')
    assert json.loads(found["Message"])["NewStateValue"] == "ALARM"
    assert ACCOUNT in found["TopicArn"]
