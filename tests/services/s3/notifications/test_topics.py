"""Events reach topics, and by them their queues."""

from __future__ import annotations

import json

from tests.jar import ACCOUNT
from tests.services.s3.conftest import REGION, Bucket
from tests.services.s3.notifications.test_delivery import Queue

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:told"


def test_a_topic_hands_events_on(bucket: Bucket) -> None:
    jar = bucket.jar
    sns = jar.client("sns")
    sns.create_topic(Name="told")
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::jam"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=policy)
    queue = Queue(bucket, allows=False)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:told",
    }
    let_in = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": let_in})
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:told")
    bucket.s3.put_bucket_notification_configuration(
        Bucket="jam",
        NotificationConfiguration={"TopicConfigurations": [{"TopicArn": TOPIC, "Events": ["s3:ObjectCreated:*"]}]},
    )
    bucket.put("k", b"123")
    jar.settle()
    told = queue.take()
    assert {message["Subject"] for message in told} == {"Amazon S3 Notification"}
    inner = [json.loads(message["Message"]) for message in told]
    events = [message.get("Event") or message["Records"][0]["eventName"] for message in inner]
    assert sorted(events) == ["ObjectCreated:Put", "s3:TestEvent"]
