"""From a queue to a target: filters, templates, batches, what is lost (nothing) and what it costs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.jar import ACCOUNT
from tests.services.pipes.conftest import Pipes
from tests.services.sqs.conftest import Box


def _filters(*patterns: dict[str, Any]) -> dict[str, Any]:
    return {"FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]}}


def test_a_message_goes_through_as_it_is(pipes: Pipes) -> None:
    pipes.make()
    sent = pipes.source.send("hello", MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}})
    (event,) = pipes.told()
    assert (event["messageId"], event["body"], event["eventSource"]) == (sent["MessageId"], "hello", "aws:sqs")
    assert (event["eventSourceARN"], event["awsRegion"]) == (pipes.source.arn, "eu-west-3")
    assert event["md5OfBody"] == sent["MD5OfMessageBody"]
    assert event["attributes"]["ApproximateReceiveCount"] == "1"
    assert event["messageAttributes"]["colour"] == {
        "stringValue": "red", "stringListValues": [], "binaryListValues": [], "dataType": "String"}  # fmt: skip
    assert pipes.source.depth() == (0, 0, 0)


def test_filters_are_alternatives_and_others_are_deleted(pipes: Pipes) -> None:
    pipes.make(SourceParameters=_filters({"body": {"kind": ["order"]}}, {"body": ["plain"]}),
               TargetParameters={"InputTemplate": "<$.body>"})  # fmt: skip
    for body in ('{"kind": "order", "n": 1}', '{"kind": "other"}', "plain", "else"):
        pipes.source.send(body)
    assert sorted(pipes.told(), key=str) == ["plain", {"kind": "order", "n": 1}]
    pipes.jar.advance(hours=1)
    assert pipes.source.depth() == (0, 0, 0)
    assert pipes.told() == []


def test_a_template(pipes: Pipes) -> None:
    template = '{"n": <$.body.n>, "text": "of <$.body.who>", "pipe": "<aws.pipes.pipe-name>", ' \
               '"from": "<aws.pipes.source-arn>", "all": <aws.pipes.event.json>}'  # fmt: skip
    pipes.make(TargetParameters={"InputTemplate": template})
    pipes.source.send('{"n": {"m": [1]}, "who": "me"}')
    (event,) = pipes.told()
    assert (event["n"], event["text"], event["pipe"]) == ({"m": [1]}, "of me", "p")
    assert (event["from"], event["all"]["body"]["who"]) == (pipes.source.arn, "me")


def test_what_the_target_does_not_take_comes_back(pipes: Pipes) -> None:
    sqs = pipes.jar.client("sqs")
    pipes.make()
    sqs.delete_queue(QueueUrl=pipes.target.url)
    pipes.source.send("kept")
    pipes.jar.settle()
    assert pipes.source.depth() == (0, 1, 0)
    pipes.jar.advance(minutes=2)
    pipes.target = Box(pipes.jar, sqs, "target")
    pipes.jar.advance(minutes=1)
    (event,) = pipes.told()
    assert event["body"] == "kept"
    assert int(event["attributes"]["ApproximateReceiveCount"]) > 2
    assert pipes.source.depth() == (0, 0, 0)


def test_what_fails_too_often_goes_where_the_queue_says(pipes: Pipes) -> None:
    dead = Box(pipes.jar, pipes.jar.client("sqs"), "dead")
    pipes.source.set(RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2}))
    pipes.make(Target=f"arn:aws:sqs:eu-west-3:{ACCOUNT}:gone")
    pipes.source.send("bad")
    pipes.jar.advance(minutes=5)
    assert dead.bodies() == ["bad"]


def test_delayed_messages_and_those_that_others_held(pipes: Pipes) -> None:
    pipes.source.send("held")
    (message,) = pipes.source.receive()
    pipes.source.hold(message, 600)
    pipes.make()
    pipes.source.send("late", DelaySeconds=300)
    pipes.jar.advance(minutes=4)
    assert pipes.told() == []
    pipes.jar.advance(minutes=2)
    assert [event["body"] for event in pipes.told()] == ["late"]
    pipes.jar.advance(minutes=6)
    assert [event["body"] for event in pipes.told()] == ["held"]


def test_a_window_gathers_a_batch(pipes: Pipes) -> None:
    own = {"SqsQueueParameters": {"BatchSize": 3, "MaximumBatchingWindowInSeconds": 60}}
    pipes.make(SourceParameters=own)
    pipes.source.send("1")
    pipes.jar.advance(seconds=50)
    assert pipes.told() == []
    pipes.jar.advance(seconds=20)
    assert len(pipes.told()) == 1
    for n in range(3):
        pipes.source.send(str(n))
    assert len(pipes.told()) == 3


def test_the_role_is_asked_for_every_right(pipes: Pipes) -> None:
    iam = pipes.jar.client("iam")
    pipes.make()

    def may(*actions: str) -> None:
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_role_policy(RoleName="target", PolicyName="p", PolicyDocument=document)
        pipes.jar.advance(minutes=3)

    may("sqs:ReceiveMessage", "sqs:DeleteMessage")
    pipes.source.send("hello")
    pipes.jar.advance(minutes=3)
    assert pipes.target.depth() == (0, 0, 0)
    may("sqs:ReceiveMessage", "sqs:SendMessage")
    assert pipes.target.depth() == (0, 0, 0)
    may("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage")
    assert [event["body"] for event in pipes.told()] == ["hello"]


def test_fifo_queues_keep_their_order(pipes: Pipes) -> None:
    sqs = pipes.jar.client("sqs")
    source = Box(pipes.jar, sqs, "a.fifo", ContentBasedDeduplication="true")
    target = Box(pipes.jar, sqs, "b.fifo", ContentBasedDeduplication="true")
    own = {"MessageGroupId": "$.attributes.MessageGroupId", "MessageDeduplicationId": "$.messageId"}
    given = {"SqsQueueParameters": own, "InputTemplate": "<$.body>"}
    pipes.make(Source=source.arn, Target=target.arn, TargetParameters=given)
    for n in range(12):
        source.send(json.dumps(n), MessageGroupId="g")
    pipes.jar.settle()
    assert pipes.told(target) == [str(n) for n in range(12)]


def test_the_bill_and_the_metrics(pipes: Pipes) -> None:
    pipes.make(SourceParameters=_filters({"body": [{"prefix": "x"}]}))
    pipes.source.send("x" * 100_000)
    pipes.source.send("not meant")
    assert len(pipes.told()) == 1
    now = pipes.jar.clock.now()
    cloudwatch = pipes.jar.client("cloudwatch")

    def total(name: str) -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/EventBridge/Pipes", MetricName=name, Dimensions=[{"Name": "PipeName", "Value": "p"}],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1), Period=3600, Statistics=["Sum"],
        )["Datapoints"]  # fmt: skip
        return float(sum(point["Sum"] for point in found))

    assert (total("EventCount"), total("Invocations"), total("ExecutionFailed")) == (1, 1, 0)
    assert total("EventSize") > 100_000
    rows = pipes.jar.jar.world.ports["quantities"].rows(now - timedelta(hours=1), now + timedelta(hours=1))
    assert [row.amount for row in rows if row.tally.usage_type == "Pipes-Request"] == [2]
