"""Events reach queues and the event bus, through a client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT
from tests.services.s3.conftest import REGION, Bucket

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:told"


class Queue:
    """A queue that S3 may send to from the bucket ``jam``."""

    def __init__(self, bucket: Bucket, *, allows: bool = True) -> None:
        self.sqs = bucket.jar.client("sqs")
        self.url = self.sqs.create_queue(QueueName="told")["QueueUrl"]
        if allows:
            self.allow()

    def allow(self) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": QUEUE,
            "Condition": {
                "ArnLike": {"aws:SourceArn": "arn:aws:s3:::jam"},
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
            },
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})

    def take(self) -> list[dict[str, Any]]:
        """Every message, oldest first; they are deleted."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return found


def listen(bucket: Bucket, *events: str, **more: Any) -> None:
    bucket.s3.put_bucket_notification_configuration(
        Bucket=bucket.name,
        NotificationConfiguration={
            "QueueConfigurations": [{"Id": "mine", "QueueArn": QUEUE, "Events": list(events), **more}]
        },
    )


def names(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted(
        (message["Records"][0]["eventName"], message["Records"][0]["s3"]["object"]["key"]) for message in messages
    )


def test_a_queue_is_tested_and_told(bucket: Bucket) -> None:
    queue = Queue(bucket)
    only = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}
    listen(bucket, "s3:ObjectCreated:*", "s3:ObjectRemoved:*", Filter=only)
    (test,) = queue.take()
    assert test["Event"] == "s3:TestEvent"
    assert test["Bucket"] == "jam"
    bucket.put("in/a b", b"123")
    bucket.put("out/c")
    bucket.s3.copy_object(Bucket="jam", Key="in/copy", CopySource={"Bucket": "jam", "Key": "in/a b"})
    bucket.s3.delete_object(Bucket="jam", Key="in/a b")
    bucket.jar.settle()
    told = queue.take()
    assert names(told) == [
        ("ObjectCreated:Copy", "in/copy"),
        ("ObjectCreated:Put", "in/a+b"),
        ("ObjectRemoved:Delete", "in/a+b"),
    ]
    (put,) = [m["Records"][0] for m in told if m["Records"][0]["eventName"] == "ObjectCreated:Put"]
    assert put["s3"]["configurationId"] == "mine"
    assert put["s3"]["object"]["size"] == 3
    assert put["s3"]["object"]["eTag"] == "202cb962ac59075b964b07152d234b70"
    assert put["awsRegion"] == REGION
    assert put["requestParameters"]["sourceIPAddress"] == "127.0.0.1"


def test_a_queue_that_is_not_there_or_does_not_let_s3_in_is_refused(bucket: Bucket) -> None:
    with pytest.raises(ClientError) as caught:
        listen(bucket, "s3:ObjectCreated:*")
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidArgument"
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert error["ArgumentName1"] == QUEUE
    assert error["ArgumentValue1"] == "The destination queue does not exist"
    Queue(bucket, allows=False)
    with pytest.raises(ClientError) as caught:
        listen(bucket, "s3:ObjectCreated:*")
    assert caught.value.response["Error"]["ArgumentValue1"] == (
        "Permissions on the destination queue do not allow S3 to publish notifications from this bucket"
    )
    assert "QueueConfigurations" not in bucket.s3.get_bucket_notification_configuration(Bucket="jam")
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    with pytest.raises(ClientError, match="Unable to validate") as caught:
        bucket.s3.put_bucket_notification_configuration(
            Bucket="jam",
            NotificationConfiguration={
                "LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}]
            },
        )
    assert caught.value.response["Error"]["ArgumentValue1"] == "The destination Lambda function does not exist"


def test_what_a_destination_does_not_take_waits_for_it(bucket: Bucket) -> None:
    queue = Queue(bucket)
    listen(bucket, "s3:ObjectCreated:*")
    queue.take()
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": ""})
    bucket.put("k")
    bucket.jar.settle()
    assert queue.take() == []
    queue.allow()
    bucket.jar.advance(minutes=5)
    assert names(queue.take()) == [("ObjectCreated:Put", "k")]


def test_what_the_clock_does_is_told_too(versioned: Bucket) -> None:
    queue = Queue(versioned)
    listen(versioned, "s3:LifecycleExpiration:*", "s3:ObjectRestore:*", "s3:ObjectTagging:*")
    queue.take()
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "old"}, "Expiration": {"Days": 1}}
    versioned.s3.put_bucket_lifecycle_configuration(Bucket="jam", LifecycleConfiguration={"Rules": [rule]})
    versioned.put("old")
    versioned.put("cold", StorageClass="GLACIER")
    versioned.s3.restore_object(Bucket="jam", Key="cold", RestoreRequest={"Days": 1})
    versioned.s3.put_object_tagging(Bucket="jam", Key="cold", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    versioned.jar.advance(days=3)
    assert names(queue.take()) == [
        ("LifecycleExpiration:DeleteMarkerCreated", "old"),
        ("ObjectRestore:Completed", "cold"),
        ("ObjectRestore:Delete", "cold"),
        ("ObjectRestore:Post", "cold"),
        ("ObjectTagging:Put", "cold"),
    ]


def test_the_event_bus(bucket: Bucket) -> None:
    bucket.s3.put_bucket_notification_configuration(
        Bucket="jam", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    bucket.put("a b", b"123")
    bucket.s3.delete_object(Bucket="jam", Key="a b")
    told = [event for event in bucket.jar.jar.events.since(0) if event.source == "aws.s3"]
    assert [event.detail_type for event in told] == ["Object Created", "Object Deleted"]
    assert told[0].resources == ("arn:aws:s3:::jam",)
    assert told[0].detail["object"]["key"] == "a b"
    assert told[0].detail["reason"] == "PutObject"
    assert told[1].detail["deletion-type"] == "Permanently Deleted"
    assert bucket.s3.get_bucket_notification_configuration(Bucket="jam")["EventBridgeConfiguration"] == {}
