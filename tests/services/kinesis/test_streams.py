"""Streams: made and ended, listed, tagged, shared, measured, billed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.answers import document, statement
from tests.services.kinesis.streams import arn, everything, iterator, made, ready, refused, shard

OTHER = "111111111111"


def status(kinesis: Any, name: str = "s") -> str:
    return str(kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"])


def test_a_stream_is_made_described_and_ended(jar: TestJar, kinesis: Any) -> None:
    kinesis.create_stream(StreamName="s", ShardCount=2, Tags={"a": "b"})
    assert status(kinesis) == "CREATING"
    refused("ResourceNotFoundException", kinesis.put_record, StreamName="s", Data=b"x", PartitionKey="k")
    message = refused("ResourceInUseException", kinesis.create_stream, StreamName="s", ShardCount=1)
    assert message == f"Stream s under account {ACCOUNT} already exists."
    begun = jar.clock.now()
    ready(jar)
    told = kinesis.describe_stream(StreamName="s")["StreamDescription"]
    assert (told["StreamStatus"], told["StreamARN"], told["RetentionPeriodHours"]) == ("ACTIVE", arn("s"), 24)
    assert told["StreamCreationTimestamp"] == begun
    assert [one["ShardId"] for one in told["Shards"]] == [shard(0), shard(1)]
    assert kinesis.list_tags_for_stream(StreamName="s")["Tags"] == [{"Key": "a", "Value": "b"}]
    kinesis.put_record(StreamName="s", Data=b"x", PartitionKey="k")
    kinesis.delete_stream(StreamName="s")
    assert status(kinesis) == "DELETING"
    ready(jar)
    message = refused("ResourceNotFoundException", kinesis.describe_stream, StreamName="s")
    assert message == f"Stream s under account {ACCOUNT} not found."
    assert jar.jar.database.query("SELECT count(*) FROM kinesis_record") == [(0,)]
    kinesis.create_stream(StreamName="s")
    ready(jar)
    assert [one for n in range(1) for one in everything(kinesis, n)] == []


def test_streams_are_listed_by_name_and_page(jar: TestJar, kinesis: Any) -> None:
    for name in "cba":
        kinesis.create_stream(StreamName=name, ShardCount=1)
    first = kinesis.list_streams(Limit=2)
    assert (first["StreamNames"], first["HasMoreStreams"]) == (["a", "b"], True)
    assert first["StreamSummaries"][0]["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    rest = kinesis.list_streams(NextToken=first["NextToken"])
    assert (rest["StreamNames"], rest["HasMoreStreams"]) == (["c"], False)
    assert kinesis.list_streams(ExclusiveStartStreamName="b")["StreamNames"] == ["c"]
    pages = kinesis.get_paginator("describe_stream").paginate(StreamName="a")
    assert sum(len(page["StreamDescription"]["Shards"]) for page in pages) == 1


def test_limits_of_an_account(jar: TestJar, kinesis: Any) -> None:
    message = refused("LimitExceededException", kinesis.create_stream, StreamName="s", ShardCount=501)
    assert message.startswith(
        f"This request would exceed the shard limit for the account {ACCOUNT} in eu-west-3. Current shard count for "
        "the account: 0. Limit: 500. Number of additional shards that would have resulted from this request: 501."
    )
    for n in range(5):
        kinesis.create_stream(StreamName=f"s{n}", ShardCount=2)
    refused("LimitExceededException", kinesis.create_stream, StreamName="s5", ShardCount=1)
    ready(jar)
    kinesis.create_stream(StreamName="s5", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    told = kinesis.describe_limits()
    assert (told["ShardLimit"], told["OpenShardCount"], told["OnDemandStreamCount"]) == (500, 10, 1)


def test_tags_by_both_interfaces(jar: TestJar) -> None:
    kinesis = made(jar)
    kinesis.add_tags_to_stream(StreamName="s", Tags={"a": "1", "b": "2"})
    kinesis.tag_resource(ResourceARN=arn("s"), Tags={"b": "3"})
    assert kinesis.list_tags_for_resource(ResourceARN=arn("s"))["Tags"] == [
        {"Key": "a", "Value": "1"}, {"Key": "b", "Value": "3"},
    ]  # fmt: skip
    page = kinesis.list_tags_for_stream(StreamName="s", Limit=1)
    assert page["HasMoreTags"]
    assert kinesis.list_tags_for_stream(StreamName="s", ExclusiveStartTagKey="a")["Tags"][0]["Key"] == "b"
    kinesis.remove_tags_from_stream(StreamName="s", TagKeys=["a"])
    kinesis.untag_resource(ResourceARN=arn("s"), TagKeys=["b"])
    assert kinesis.list_tags_for_stream(StreamName="s")["Tags"] == []
    refused("InvalidArgumentException", kinesis.add_tags_to_stream, StreamName="s", Tags={"aws:x": "y"})


def test_another_account_uses_a_stream_by_its_policy(jar: TestJar) -> None:
    kinesis, iam = made(jar), jar.client("iam", key=OTHER)
    iam.create_user(UserName="stranger")
    iam.put_user_policy(UserName="stranger", PolicyName="may", PolicyDocument=document(statement("*")))
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    theirs = jar.client("kinesis", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    asked = {"StreamARN": arn("s"), "Data": b"x", "PartitionKey": "k"}
    refused("AccessDeniedException", theirs.put_record, **asked)
    actions = ["kinesis:PutRecord", "kinesis:GetShardIterator", "kinesis:GetRecords"]
    policy = document(statement(actions, arn("s"), Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}))
    refused("InvalidArgumentException", kinesis.put_resource_policy, ResourceARN=arn("s"), Policy="{}")
    refused("ResourceNotFoundException", kinesis.get_resource_policy, ResourceARN=arn("s"))
    kinesis.put_resource_policy(ResourceARN=arn("s"), Policy=policy)
    assert kinesis.get_resource_policy(ResourceARN=arn("s"))["Policy"] == policy
    theirs.put_record(**asked)
    at = theirs.get_shard_iterator(StreamARN=arn("s"), ShardId=shard(0), ShardIteratorType="TRIM_HORIZON")
    told = theirs.get_records(ShardIterator=at["ShardIterator"], StreamARN=arn("s"))
    assert [one["Data"] for one in told["Records"]] == [b"x"]
    kinesis.delete_resource_policy(ResourceARN=arn("s"))
    refused("AccessDeniedException", theirs.put_record, **asked)


def test_a_user_is_asked_for_the_stream_of_his_iterator(jar: TestJar) -> None:
    root = made(jar)
    made(jar, "t")
    iam = jar.client("iam")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    may = document(statement("kinesis:Get*", arn("s")))
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=may)
    user = jar.client("kinesis", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert user.get_records(ShardIterator=iterator(user))["Records"] == []
    refused("AccessDeniedException", user.get_records, ShardIterator=iterator(root, name="t"))
    refused("AccessDeniedException", user.get_shard_iterator, StreamName="t", ShardId=shard(0),
            ShardIteratorType="LATEST")  # fmt: skip


def measured(jar: TestJar, name: str, statistic: str = "Sum", **more: str) -> list[float]:
    """A metric's values by the minute, of the last ten."""
    now = jar.clock.now()
    dimensions = [{"Name": key, "Value": value} for key, value in {"StreamName": "s", **more}.items()]
    told = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Kinesis", MetricName=name, Dimensions=dimensions, StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1), Period=60, Statistics=[statistic],
    )  # fmt: skip
    return [point[statistic] for point in sorted(told["Datapoints"], key=lambda one: one["Timestamp"])]


def test_what_is_put_and_read_is_measured(steady_jar: TestJar) -> None:
    jar = steady_jar
    kinesis = made(jar)
    kinesis.enable_enhanced_monitoring(StreamName="s", ShardLevelMetrics=["ALL"])
    ready(jar)
    jar.advance(minutes=1)
    kinesis.put_records(StreamName="s", Records=[{"Data": b"x" * 100, "PartitionKey": "kk"}] * 3)
    jar.advance(seconds=20)
    kinesis.get_records(ShardIterator=iterator(kinesis))
    jar.advance(minutes=1)
    assert measured(jar, "IncomingRecords") == [3.0]
    assert measured(jar, "IncomingBytes") == [306.0]
    assert measured(jar, "PutRecords.SuccessfulRecords") == [3.0]
    assert measured(jar, "GetRecords.Records") == [3.0]
    assert measured(jar, "GetRecords.IteratorAgeMilliseconds", "Maximum") == [20_000.0]
    assert measured(jar, "PutRecords.Success", "Average") == [1.0]
    assert measured(jar, "OutgoingRecords", ShardId=shard(0)) == [3.0]
    told = kinesis.describe_stream(StreamName="s")["StreamDescription"]["EnhancedMonitoring"]
    assert len(told[0]["ShardLevelMetrics"]) == 7
    told = kinesis.disable_enhanced_monitoring(StreamName="s", ShardLevelMetrics=["ALL"])
    assert told["DesiredShardLevelMetrics"] == []


def test_what_was_measured_is_seen_after_a_crash(jar: TestJar) -> None:
    kinesis = made(jar)
    jar.advance(minutes=1)
    kinesis.put_record(StreamName="s", Data=b"x", PartitionKey="k")
    jar.advance(minutes=2)
    assert measured(jar, "IncomingRecords") == [1.0]


@pytest.mark.parametrize("mode", ["PROVISIONED", "ON_DEMAND"])
def test_the_bill(jar: TestJar, mode: str) -> None:
    shape: dict[str, Any] = {"ShardCount": 2} if mode == "PROVISIONED" else {}
    kinesis = made(jar, StreamModeDetails={"StreamMode": mode}, **shape)
    kinesis.put_records(StreamName="s", Records=[{"Data": b"x" * 26_000, "PartitionKey": "k"},
                                                 {"Data": b"x", "PartitionKey": "k"}])  # fmt: skip
    kinesis.delete_stream(StreamName="s")
    now = jar.clock.now()
    found = {(one.tally.usage_type, one.amount) for one in
             jar.jar.world.ports["quantities"].rows(now - timedelta(hours=2), now + timedelta(hours=1))}  # fmt: skip
    seconds = timedelta(seconds=1)
    if mode == "PROVISIONED":
        assert ("PutRequestPayloadUnits", 3) in found
        assert seconds <= jar.usage("Storage-ShardHour") <= 2 * seconds
    else:
        assert ("OnDemand-BilledIncomingBytes", 26 * 1024 + 1024) in found
        assert seconds <= jar.usage("OnDemand-StreamHour") <= 2 * seconds
