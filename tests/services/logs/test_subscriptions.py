"""Subscription filters: what matches goes on, compressed, to a stream of this account or of another."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code, refused
from tests.services.firehose import streams
from tests.services.logs.conftest import Log

STREAM = "arn:aws:kinesis:eu-west-3:000000000000:stream/events"
OTHER = "111111111111"
ROLE = "arn:aws:iam::000000000000:role/to-kinesis"


def trusted(by: str = "logs.amazonaws.com") -> str:
    """A trust policy."""
    statement = {"Effect": "Allow", "Principal": {"Service": by}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_stream(jar: TestJar, key: str = "test", by: str = "logs.amazonaws.com") -> None:
    """A stream, and a role that may write to it."""
    jar.client("kinesis", key=key).create_stream(StreamName="events", ShardCount=1)
    iam = jar.client("iam", key=key)
    iam.create_role(RoleName="to-kinesis", AssumeRolePolicyDocument=trusted(by))
    statement = {"Effect": "Allow", "Action": "kinesis:PutRecord", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="to-kinesis", PolicyName="write", PolicyDocument=policy)
    jar.advance(minutes=1)


@pytest.fixture
def stream(jar: TestJar) -> str:
    """A stream that CloudWatch Logs may write to."""
    make_stream(jar)
    return STREAM


def received(jar: TestJar, key: str = "test") -> list[dict[str, Any]]:
    """What is in the stream, oldest first, with the keys of its records."""
    kinesis = jar.client("kinesis", key=key)
    (shard,) = kinesis.list_shards(StreamName="events")["Shards"]
    place = kinesis.get_shard_iterator(
        StreamName="events", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")  # fmt: skip
    found = kinesis.get_records(ShardIterator=place["ShardIterator"])["Records"]
    return [{**json.loads(gzip.decompress(one["Data"])), "key": one["PartitionKey"]} for one in found]


def subscribe(log: Log, pattern: str = "", name: str = "all", **more: Any) -> None:
    """Send the group's events to the stream."""
    asked = {"destinationArn": STREAM, "roleArn": ROLE, **more}
    log.client.put_subscription_filter(logGroupName=log.group, filterName=name, filterPattern=pattern, **asked)


def test_what_matches_goes_to_the_stream(jar: TestJar, log: Log, stream: str) -> None:
    subscribe(log, "ERROR")
    log.put("all well", "ERROR one", "ERROR two")
    jar.settle()
    control, data = received(jar)
    assert (control["messageType"], control["owner"]) == ("CONTROL_MESSAGE", "CloudwatchLogs")
    assert control["logEvents"][0]["message"] == "CWL CONTROL MESSAGE: Checking health of destination Kinesis."
    key = data.pop("key")
    events = data.pop("logEvents")
    assert data == {"messageType": "DATA_MESSAGE", "owner": "000000000000", "logGroup": "/app", "logStream": "one",
                    "subscriptionFilters": ["all"]}  # fmt: skip
    assert [event["message"] for event in events] == ["ERROR one", "ERROR two"]
    found = log.client.filter_log_events(logGroupName=log.group, filterPattern="ERROR")["events"]
    assert [(event["id"], event["timestamp"]) for event in events] == [(e["eventId"], e["timestamp"]) for e in found]
    log.put("ERROR three")
    jar.settle()
    assert received(jar)[2]["key"] == key  # one stream, one shard
    assert jar.jar.database.query("SELECT count(*) FROM logs_outbox") == [(0,)]


def test_what_is_forwarded_is_measured(jar: TestJar, log: Log, stream: str) -> None:
    subscribe(log)
    log.put("a", "b")
    jar.settle()
    now = jar.clock.now()
    (point,) = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Logs", MetricName="ForwardedLogEvents", Period=60, Statistics=["Sum"],
        StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=5),
        Dimensions=[{"Name": "LogGroupName", "Value": "/app"}, {"Name": "DestinationType", "Value": "Kinesis"},
                    {"Name": "FilterName", "Value": "all"}])["Datapoints"]  # fmt: skip
    assert point["Sum"] == 2


def test_what_cannot_be_sent_is_tried_again(jar: TestJar, log: Log, stream: str) -> None:
    subscribe(log)
    iam = jar.client("iam")
    policy = iam.get_role_policy(RoleName="to-kinesis", PolicyName="write")["PolicyDocument"]
    iam.delete_role_policy(RoleName="to-kinesis", PolicyName="write")
    jar.settle()
    log.put("kept")
    jar.settle()
    assert len(received(jar)) == 1
    iam.put_role_policy(RoleName="to-kinesis", PolicyName="write", PolicyDocument=json.dumps(policy))
    jar.advance(minutes=10)
    assert [event["message"] for event in received(jar)[1]["logEvents"]] == ["kept"]


def test_who_is_not_let_in_cannot_be_subscribed(jar: TestJar, log: Log, stream: str) -> None:
    said = refused(subscribe, log=log, destinationArn=STREAM + "-gone")
    assert said[0] == "InvalidParameterException"
    assert said[1].startswith("Could not deliver test message to specified Kinesis stream.")
    jar.client("iam").update_assume_role_policy(RoleName="to-kinesis", PolicyDocument=trusted("ec2.amazonaws.com"))
    jar.settle()
    assert "Could not deliver test message" in refused(subscribe, log=log)[1]
    queue = STREAM.replace("kinesis", "sqs")
    assert code(subscribe, log=log, destinationArn=queue) == "InvalidParameterException"
    assert log.client.describe_subscription_filters(logGroupName=log.group)["subscriptionFilters"] == []


def test_an_older_trust_policy_names_the_region(jar: TestJar, log: Log) -> None:
    make_stream(jar, by="logs.eu-west-3.amazonaws.com")
    subscribe(log)
    assert [one["messageType"] for one in received(jar)] == ["CONTROL_MESSAGE"]


def test_subscriptions_are_kept_changed_and_removed(jar: TestJar, log: Log, stream: str) -> None:
    subscribe(log, "one", distribution="Random")
    subscribe(log, "two", name="second")
    assert code(subscribe, log=log, name="third") == "LimitExceededException"
    subscribe(log, "three", name="second")
    found = log.client.describe_subscription_filters(logGroupName=log.group)["subscriptionFilters"]
    assert [(one["filterName"], one["filterPattern"], one["distribution"]) for one in found] == [
        ("all", "one", "Random"), ("second", "three", "ByLogStream")]  # fmt: skip
    log.client.delete_subscription_filter(logGroupName=log.group, filterName="all")
    found = log.client.describe_subscription_filters(logGroupName=log.group, filterNamePrefix="a")
    assert found["subscriptionFilters"] == []
    again = {"logGroupName": log.group, "filterName": "all"}
    assert code(log.client.delete_subscription_filter, **again) == "ResourceNotFoundException"
    log.client.delete_log_group(logGroupName=log.group)
    log.client.create_log_group(logGroupName=log.group)
    assert log.client.describe_subscription_filters(logGroupName=log.group)["subscriptionFilters"] == []


def test_another_account_sends_through_a_destination(jar: TestJar, log: Log) -> None:
    make_stream(jar, OTHER)
    theirs = jar.client("logs", key=OTHER)
    role = f"arn:aws:iam::{OTHER}:role/to-kinesis"
    made = theirs.put_destination(
        destinationName="central", targetArn=STREAM.replace("000000000000", OTHER), roleArn=role)  # fmt: skip
    arn = made["destination"]["arn"]
    assert arn == f"arn:aws:logs:eu-west-3:{OTHER}:destination:central"
    asked = {"logGroupName": log.group, "filterName": "all", "filterPattern": "", "destinationArn": arn}
    assert code(log.client.put_subscription_filter, **asked) == "AccessDeniedException"
    statement = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "logs:PutSubscriptionFilter",
                 "Resource": arn}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    theirs.put_destination_policy(destinationName="central", accessPolicy=policy)
    jar.settle()
    log.client.put_subscription_filter(**asked)
    log.put("hello")
    jar.settle()
    data = received(jar, OTHER)[1]
    assert (data["owner"], data["logEvents"][0]["message"]) == ("000000000000", "hello")
    assert [one["accessPolicy"] for one in theirs.describe_destinations()["destinations"]] == [policy]
    theirs.tag_resource(resourceArn=arn, tags={"team": "a"})
    assert theirs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a"}
    theirs.delete_destination(destinationName="central")
    assert theirs.describe_destinations()["destinations"] == []


def test_events_go_through_firehose_into_a_bucket(jar: TestJar, log: Log) -> None:
    streams.role(jar)
    lake = streams.bucket(jar)
    streams.made(jar)
    iam = jar.client("iam")
    iam.create_role(RoleName="to-firehose", AssumeRolePolicyDocument=trusted())
    statement = {"Effect": "Allow", "Action": "firehose:PutRecord", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="to-firehose", PolicyName="write", PolicyDocument=policy)
    jar.settle()
    arn = "arn:aws:firehose:eu-west-3:000000000000:deliverystream/d"
    subscribe(log, destinationArn=arn, roleArn=ROLE.replace("kinesis", "firehose"))
    log.put("hello", "again")
    jar.settle()
    jar.advance(minutes=15)
    (body,) = streams.files(lake).values()
    decoder, text = json.JSONDecoder(), gzip.decompress(body).decode()
    control, end = decoder.raw_decode(text)
    data, _ = decoder.raw_decode(text[end:])
    assert [one["messageType"] for one in (control, data)] == ["CONTROL_MESSAGE", "DATA_MESSAGE"]
    assert [event["message"] for event in data["logEvents"]] == ["hello", "again"]
