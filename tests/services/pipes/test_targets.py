"""Each kind of target."""

from __future__ import annotations

import json

from tests.jar import ACCOUNT
from tests.services.pipes.conftest import Pipes
from tests.services.sqs.conftest import Box


def _open(box: Box) -> None:
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": box.arn}
    box.set(Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))


def test_a_topic(pipes: Pipes) -> None:
    sns = pipes.jar.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    _open(pipes.target)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=pipes.target.arn,
                  Attributes={"RawMessageDelivery": "true"})  # fmt: skip
    pipes.make(Target=topic, TargetParameters={"InputTemplate": "<$.body>"})
    pipes.source.send('{"by": "topic"}')
    assert pipes.told() == [{"by": "topic"}]


def test_a_bus_takes_objects_only(pipes: Pipes) -> None:
    events = pipes.jar.client("events")
    _open(pipes.target)
    events.put_rule(Name="r", EventPattern='{"source": ["mine", "Pipe q"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": pipes.target.arn}])
    bus = events.describe_event_bus()["Arn"]
    own = {"Source": "mine", "DetailType": "$.body.kind", "Resources": ["$.eventSourceARN"],
           "Time": "$.body.at"}  # fmt: skip
    given = {"EventBridgeEventBusParameters": own, "InputTemplate": "<$.body>"}
    pipes.make(Target=bus, TargetParameters=given)
    pipes.source.send('{"kind": "Order", "at": "2026-02-03T04:05:06Z"}')
    (event,) = pipes.told()
    assert (event["source"], event["detail-type"], event["time"]) == ("mine", "Order", "2026-02-03T04:05:06Z")
    assert (event["resources"], event["detail"]["kind"]) == ([pipes.source.arn], "Order")
    pipes.client.delete_pipe(Name="p")
    pipes.jar.advance(minutes=1)
    pipes.make("q", Target=bus)
    pipes.source.send("plain")
    (event,) = pipes.told()
    assert (event["source"], event["detail-type"], event["detail"]["body"]) == ("Pipe q", "Event from aws:sqs", "plain")


def test_a_batch_that_is_taken_in_part(pipes: Pipes) -> None:
    """A detail that is no object is not taken; the others are, and only once."""
    events = pipes.jar.client("events")
    _open(pipes.target)
    events.put_rule(Name="r", EventPattern='{"source": ["Pipe p"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": pipes.target.arn}])
    dead = Box(pipes.jar, pipes.jar.client("sqs"), "dead")
    pipes.source.set(RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2}))
    for body in ('{"n": 1}', "no object", '{"n": 2}'):
        pipes.source.send(body)
    bus = events.describe_event_bus()["Arn"]
    pipes.make(Target=bus, TargetParameters={"InputTemplate": "<$.body>"})
    pipes.jar.advance(minutes=5)
    assert sorted(event["detail"]["n"] for event in pipes.told()) == [1, 2]
    assert dead.bodies() == ["no object"]


def test_a_log_group(pipes: Pipes) -> None:
    logs = pipes.jar.client("logs")
    logs.create_log_group(logGroupName="g")
    arn = f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:g"
    given = {"CloudWatchLogsParameters": {"LogStreamName": "from-pipe"}, "InputTemplate": '{"line": <$.body>}'}
    pipes.make(Target=arn, TargetParameters=given)
    pipes.source.send("hello")
    pipes.jar.settle()
    found = logs.get_log_events(logGroupName="g", logStreamName="from-pipe", startFromHead=True)["events"]
    assert [event["message"] for event in found] == ['{"line": "hello"}']
    assert pipes.source.depth() == (0, 0, 0)


def test_a_stream(pipes: Pipes) -> None:
    kinesis = pipes.jar.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    pipes.jar.advance(minutes=1)
    arn = f"arn:aws:kinesis:eu-west-3:{ACCOUNT}:stream/s"
    given = {"KinesisStreamParameters": {"PartitionKey": "$.body.key"}, "InputTemplate": "<$.body>"}
    pipes.make(Target=arn, TargetParameters=given)
    pipes.source.send('{"key": "k1"}')
    pipes.jar.settle()
    at = kinesis.get_shard_iterator(StreamARN=arn, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")
    (record,) = kinesis.get_records(ShardIterator=at["ShardIterator"])["Records"]
    assert (record["PartitionKey"], json.loads(record["Data"])) == ("k1", {"key": "k1"})


def test_a_delivery_stream(pipes: Pipes) -> None:
    s3, firehose = pipes.jar.client("s3"), pipes.jar.client("firehose")
    s3.create_bucket(Bucket="pipe-out", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    iam = pipes.jar.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    role = iam.create_role(RoleName="f", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [trust]}))["Role"]["Arn"]  # fmt: skip
    iam.put_role_policy(RoleName="f", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [allowed]}))  # fmt: skip
    config = {"RoleARN": role, "BucketARN": "arn:aws:s3:::pipe-out"}
    arn = firehose.create_delivery_stream(DeliveryStreamName="d", ExtendedS3DestinationConfiguration=config)
    pipes.jar.advance(minutes=1)
    pipes.make(Target=arn["DeliveryStreamARN"], TargetParameters={"InputTemplate": "<$.body>"})
    pipes.source.send('{"n": 1}')
    pipes.jar.advance(minutes=10)
    (key,) = [one["Key"] for one in s3.list_objects_v2(Bucket="pipe-out")["Contents"]]
    with s3.get_object(Bucket="pipe-out", Key=key)["Body"] as body:
        assert json.loads(body.read()) == {"n": 1}
