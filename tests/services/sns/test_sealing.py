"""Topics that are encrypted with a key of KMS: who may publish, what is on disk, what SNS does without asking."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import TestJar
from tests.services.sns.conftest import News


def code(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def person(jar: TestJar, *actions: str) -> Any:
    iam = jar.client("iam")
    iam.create_user(UserName="writer")
    grant(jar, *actions)
    key = iam.create_access_key(UserName="writer")["AccessKey"]
    return jar.client("sns", key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def grant(jar: TestJar, *actions: str) -> None:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    jar.client("iam").put_user_policy(UserName="writer", PolicyName="may", PolicyDocument=policy)


def test_publishing_needs_the_key_and_delivering_does_not(news: News, jar: TestJar) -> None:
    kms, box = jar.client("kms"), news.queue()
    key = kms.create_key()["KeyMetadata"]["Arn"]
    news.client.set_topic_attributes(TopicArn=news.arn, AttributeName="KmsMasterKeyId", AttributeValue=key)
    assert news.client.get_topic_attributes(TopicArn=news.arn)["Attributes"]["KmsMasterKeyId"] == key
    news.client.publish(TopicArn=news.arn, Message="secret")
    database = jar.jar.world.state.database
    kept = [row[0] for row in database.query("SELECT data FROM sns_message")]
    assert all(data.startswith(b"sns-kms") and b"secret" not in data for data in kept)
    kms.disable_key(KeyId=key)
    jar.settle()  # on its way already: SNS has its data key
    assert [json.loads(body)["Message"] for body in box.bodies()] == ["secret"]
    jar.advance(minutes=6)
    assert code(news.client.publish, TopicArn=news.arn, Message="no") == "KMSDisabled"
    kms.enable_key(KeyId=key)
    writer = person(jar, "sns:Publish", "kms:GenerateDataKey")
    assert code(writer.publish, TopicArn=news.arn, Message="no") == "KMSAccessDenied"
    grant(jar, "sns:Publish", "kms:GenerateDataKey*", "kms:Decrypt")
    writer.publish(TopicArn=news.arn, Message="mine")
    jar.settle()
    assert [json.loads(body)["Message"] for body in box.bodies()][-1] == "mine"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    jar.advance(minutes=6)
    assert code(news.client.publish, TopicArn=news.arn, Message="no") == "KMSInvalidState"
    missing = "arn:aws:kms:eu-west-3:000000000000:key/12345678-1234-1234-1234-123456789012"
    news.client.set_topic_attributes(TopicArn=news.arn, AttributeName="KmsMasterKeyId", AttributeValue=missing)
    assert code(news.client.publish, TopicArn=news.arn, Message="no") in ("KMSNotFound", "KMSAccessDenied")


def test_awss_own_key_is_made_when_it_is_first_needed(news: News, jar: TestJar) -> None:
    box = news.queue()
    news.client.set_topic_attributes(TopicArn=news.arn, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    news.publish("secret")
    assert [json.loads(body)["Message"] for body in box.bodies()] == ["secret"]
    assert jar.client("kms").describe_key(KeyId="alias/aws/sns")["KeyMetadata"]["KeyManager"] == "AWS"


def test_a_hundred_subscribers_are_served_behind_the_answer(news: News, jar: TestJar) -> None:
    boxes = [news.queue(f"q{n}", RawMessageDelivery="true") for n in range(100)]
    told = [news.client.publish(TopicArn=news.arn, Message=f"m{n}")["MessageId"] for n in range(3)]
    assert len(set(told)) == 3
    database = jar.jar.world.state.database
    assert database.query("SELECT COUNT(*) FROM sns_message WHERE fresh=1") == [(3,)]  # nobody has them yet
    jar.crash()  # acknowledged, and handed out by whoever comes next
    jar.settle()
    for box in boxes:
        assert sorted(box.bodies()) == ["m0", "m1", "m2"]
