"""Queues: made, found, set, purged, deleted, tagged; in both protocols."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlencode

from cloudjar.auth.presign import Credentials, sign
from cloudjar.base.clock import SystemClock
from cloudjar.wire.message import Request
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.sqs.conftest import Box

NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")


def test_a_queue_is_made_once(jar: TestJar, sqs: Any) -> None:
    url = sqs.create_queue(QueueName="a", Attributes={"VisibilityTimeout": "45"})["QueueUrl"]
    assert url == f"{jar.endpoint}/{ACCOUNT}/a"
    assert sqs.create_queue(QueueName="a", Attributes={"VisibilityTimeout": "45"})["QueueUrl"] == url
    assert sqs.create_queue(QueueName="a")["QueueUrl"] == url
    assert refused(sqs.create_queue, QueueName="a", Attributes={"VisibilityTimeout": "46"}) == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute VisibilityTimeout",
    )
    assert sqs.get_queue_url(QueueName="a")["QueueUrl"] == url
    assert refused(sqs.get_queue_url, QueueName="b") == NO_QUEUE
    for name in ("", "a b", "x" * 81, "a.fifo"):
        assert code(sqs.create_queue, QueueName=name) == "InvalidParameterValue", name
    assert code(sqs.create_queue, QueueName="a", Attributes={"FifoQueue": "true"}) == "InvalidParameterValue"
    assert code(sqs.create_queue, QueueName="b", Attributes={"FifoQueue": "false"}) == "InvalidAttributeName"


def test_a_name_is_free_a_minute_after_its_queue(box: Box) -> None:
    box.send()
    box.client.delete_queue(QueueUrl=box.url)
    assert refused(box.send) == NO_QUEUE
    assert refused(box.client.create_queue, QueueName=box.name) == (
        "AWS.SimpleQueueService.QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    )
    box.jar.advance(seconds=60)
    anew = Box(box.jar, box.client)
    assert (anew.bodies(), anew.depth()) == ([], (0, 0, 0))
    box.jar.settle()
    assert box.jar.jar.database.query("SELECT count(*) FROM sqs_message") == [(0,)]
    anew.send("new")
    box.client.delete_queue(QueueUrl=anew.url)
    box.jar.settle()
    assert box.jar.jar.database.query("SELECT count(*) FROM sqs_message") == [(0,)]


def test_purging_is_once_a_minute(box: Box) -> None:
    for n in range(3):
        box.send(str(n))
    box.receive(1)
    box.client.purge_queue(QueueUrl=box.url)
    assert box.depth() == (0, 0, 0)
    assert refused(box.client.purge_queue, QueueUrl=box.url) == (
        "AWS.SimpleQueueService.PurgeQueueInProgress",
        "Only one PurgeQueue operation on orders is allowed every 60 seconds.",
    )
    box.jar.advance(seconds=60)
    box.client.purge_queue(QueueUrl=box.url)


def test_attributes_are_what_they_may_be(box: Box) -> None:
    given = box.client.get_queue_attributes(QueueUrl=box.url, AttributeNames=["All"])["Attributes"]
    assert given.items() >= {
        "DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0", "VisibilityTimeout": "30", "SqsManagedSseEnabled": "true",
        "QueueArn": f"arn:aws:sqs:eu-west-3:{ACCOUNT}:orders",
    }.items()  # fmt: skip
    assert "FifoQueue" not in given
    assert "Policy" not in given
    assert "Attributes" not in box.client.get_queue_attributes(QueueUrl=box.url)
    box.jar.advance(seconds=5)
    box.set(VisibilityTimeout="0")
    assert box.attribute("VisibilityTimeout") == "0"
    assert int(box.attribute("LastModifiedTimestamp")) == int(box.attribute("CreatedTimestamp")) + 5
    assert refused(box.set, VisibilityTimeout="43201") == (
        "InvalidAttributeValue", "Invalid value for the parameter VisibilityTimeout.",
    )  # fmt: skip
    for name, value in (("DelaySeconds", "-1"), ("MaximumMessageSize", "1023"), ("MessageRetentionPeriod", "59"),
                        ("ReceiveMessageWaitTimeSeconds", "x"), ("Policy", "{")):  # fmt: skip
        assert code(box.set, **{name: value}) == "InvalidAttributeValue", name
    assert refused(box.set, Nonsense="1") == ("InvalidAttributeName", "Unknown Attribute Nonsense.")
    assert refused(box.set, ContentBasedDeduplication="true")[0] == "InvalidAttributeName"
    assert code(box.attribute, name="Nonsense") == "InvalidAttributeName"


def test_queues_are_listed_by_prefix_and_page(sqs: Any) -> None:
    for n in range(5):
        sqs.create_queue(QueueName=f"q{n}")
    sqs.create_queue(QueueName="other")
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix="q", PaginationConfig={"PageSize": 2})
    assert [url.rpartition("/")[2] for page in pages for url in page["QueueUrls"]] == [f"q{n}" for n in range(5)]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="none")
    assert code(sqs.list_queues, MaxResults=1001) == "InvalidParameterValue"


def test_tags(box: Box) -> None:
    box.client.tag_queue(QueueUrl=box.url, Tags={"a": "1", "b": "2"})
    box.client.untag_queue(QueueUrl=box.url, TagKeys=["a"])
    assert box.client.list_queue_tags(QueueUrl=box.url)["Tags"] == {"b": "2"}
    assert code(box.client.tag_queue, QueueUrl=box.url, Tags={"aws:x": "1"}) == "InvalidParameterValue"


def query(jar: TestJar, url: str, **members: str) -> tuple[int, str]:
    """A call in the query protocol, to a queue's own URL as older SDKs make it."""
    path = url.removeprefix(jar.endpoint)
    body = urlencode({"Version": "2012-11-05", **members}).encode()
    headers = {"host": jar.endpoint.removeprefix("http://"), "content-type": "application/x-www-form-urlencoded"}
    request = Request("POST", path, "", headers, body)
    sign(request, Credentials("test", "test"), "eu-west-3", "sqs", SystemClock().real())
    asked = urllib.request.Request(jar.endpoint + path, body, request.headers)
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_query_protocol_is_spoken_too(jar: TestJar, box: Box) -> None:
    status, text = query(jar, box.url, Action="SendMessage", QueueUrl=box.url, MessageBody="hi & bye")
    assert status == 200
    assert "<MD5OfMessageBody>" in text
    assert "<SendMessageResult>" in text
    status, text = query(
        jar, box.url, Action="ReceiveMessage", QueueUrl=box.url, **{"AttributeName.1": "All", "VisibilityTimeout": "0"}
    )
    assert "<Body>hi &amp; bye</Body>" in text
    assert "<Name>SentTimestamp</Name>" in text
    status, text = query(jar, f"{box.url}x", Action="ReceiveMessage", QueueUrl=f"{box.url}x")
    assert (status, "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text) == (400, True)


def test_json_errors_carry_the_former_code(jar: TestJar, sqs: Any) -> None:
    found: dict[str, Any] = {}
    sqs.meta.events.register("after-call", lambda http_response, **_: found.update(http_response.headers))
    assert code(sqs.purge_queue, QueueUrl=f"{jar.endpoint}/{ACCOUNT}/none") == NO_QUEUE[0]
    assert found["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"


def test_permissions_are_statements_with_labels(box: Box) -> None:
    add = box.client.add_permission
    asked = {"QueueUrl": box.url, "AWSAccountIds": ["123456789012"]}
    add(Label="share", Actions=["SendMessage", "ReceiveMessage"], **asked)
    policy = json.loads(box.attribute("Policy"))
    assert policy["Id"] == f"{box.arn}/SQSDefaultPolicy"
    assert policy["Statement"] == [
        {
            "Sid": "share",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": ["SQS:SendMessage", "SQS:ReceiveMessage"],
            "Resource": box.arn,
        }
    ]
    assert refused(add, Label="share", Actions=["SendMessage"], **asked) == (
        "InvalidParameterValue", "Value share for parameter Label is invalid. Reason: Already exists.",
    )  # fmt: skip
    assert code(add, Label="b", Actions=["Nonsense"], **asked) == "InvalidParameterValue"
    box.client.remove_permission(QueueUrl=box.url, Label="share")
    assert box.attribute("Policy") == ""
    assert code(box.client.remove_permission, QueueUrl=box.url, Label="share") == "InvalidParameterValue"


def test_a_first_call_that_fails_spoils_nothing(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="a")["QueueUrl"]
    assert code(sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense") == "ReceiptHandleIsInvalid"
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


def test_queues_can_be_made_after_many_lives_and_messages(jar: TestJar, sqs: Any) -> None:
    """Messages' numbers are reserved by the thousand in each life; a queue's has to fit beside them."""
    old = sqs.create_queue(QueueName="old")["QueueUrl"]
    sqs.send_message(QueueUrl=old, MessageBody="first")
    database = jar.jar.world.state.database
    with database.transaction():
        database.execute("UPDATE sqs_counter SET next=? WHERE one=1", (1 << 30,))
    jar.crash()
    new = sqs.create_queue(QueueName="new")["QueueUrl"]
    for url in (old, new):
        sqs.send_message(QueueUrl=url, MessageBody="last")
    [first] = sqs.receive_message(QueueUrl=old)["Messages"]
    [last] = sqs.receive_message(QueueUrl=new)["Messages"]
    assert (first["Body"], last["Body"]) == ("first", "last")
