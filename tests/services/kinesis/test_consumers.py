"""Consumers with enhanced fan-out: registered, subscribed, pushed to over a real connection."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.kinesis.streams import arn, listed, made, ready, refused, shard

HALF = 1 << 127


def consumer(kinesis: Any, jar: TestJar, name: str = "c") -> str:
    told = kinesis.register_stream_consumer(StreamARN=arn("s"), ConsumerName=name)
    ready(jar)
    return str(told["Consumer"]["ConsumerARN"])


def test_consumers_are_registered_described_listed_and_removed(jar: TestJar) -> None:
    kinesis = made(jar)
    told = kinesis.register_stream_consumer(StreamARN=arn("s"), ConsumerName="c", Tags={"a": "b"})["Consumer"]
    assert told["ConsumerStatus"] == "CREATING"
    made_at = int(told["ConsumerCreationTimestamp"].timestamp())
    assert told["ConsumerARN"] == f"{arn('s')}/consumer/c:{made_at}"
    message = refused("ResourceInUseException", kinesis.register_stream_consumer, StreamARN=arn("s"), ConsumerName="c")
    assert message == f"Consumer c under stream s already exists for account {ACCOUNT}."
    consumer(kinesis, jar, "d")
    by_name = kinesis.describe_stream_consumer(StreamARN=arn("s"), ConsumerName="c")["ConsumerDescription"]
    by_arn = kinesis.describe_stream_consumer(ConsumerARN=told["ConsumerARN"])["ConsumerDescription"]
    assert by_name == by_arn
    assert (by_arn["ConsumerStatus"], by_arn["StreamARN"]) == ("ACTIVE", arn("s"))
    assert kinesis.list_tags_for_resource(ResourceARN=told["ConsumerARN"])["Tags"] == [{"Key": "a", "Value": "b"}]
    page = kinesis.list_stream_consumers(StreamARN=arn("s"), MaxResults=1)
    rest = kinesis.list_stream_consumers(StreamARN=arn("s"), NextToken=page["NextToken"])
    assert [one["ConsumerName"] for one in page["Consumers"] + rest["Consumers"]] == ["c", "d"]
    assert kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["ConsumerCount"] == 2
    refused("ResourceInUseException", kinesis.delete_stream, StreamName="s")
    kinesis.deregister_stream_consumer(ConsumerARN=told["ConsumerARN"])
    ready(jar)
    refused("ResourceNotFoundException", kinesis.describe_stream_consumer, ConsumerARN=told["ConsumerARN"])
    kinesis.delete_stream(StreamName="s", EnforceConsumerDeletion=True)
    ready(jar)
    assert kinesis.list_streams()["StreamNames"] == []


def test_a_consumer_costs_by_the_hour_for_every_shard(jar: TestJar) -> None:
    kinesis = made(jar, ShardCount=3)
    consumer(kinesis, jar)
    before = jar.usage("EnhancedFanoutHour")
    jar.advance(hours=1)
    assert (jar.usage("EnhancedFanoutHour") - before).total_seconds() == 3600
    [(rate,)] = jar.jar.database.query("SELECT rate FROM usage_span WHERE usage_type='EnhancedFanoutHour'")
    assert rate == "3"


def events(told: Any) -> Any:
    """The events of a subscription that have records."""
    return (one["SubscribeToShardEvent"] for one in told["EventStream"] if one["SubscribeToShardEvent"]["Records"])


def test_records_are_pushed_as_they_come(steady_jar: TestJar) -> None:
    jar = steady_jar
    kinesis = made(jar)
    kinesis.put_record(StreamName="s", Data=b"before", PartitionKey="k")
    told = kinesis.subscribe_to_shard(
        ConsumerARN=consumer(kinesis, jar), ShardId=shard(0), StartingPosition={"Type": "TRIM_HORIZON"}
    )
    heard = events(told)
    first = next(heard)
    assert [one["Data"] for one in first["Records"]] == [b"before"]
    assert first["ContinuationSequenceNumber"] == first["Records"][0]["SequenceNumber"]
    for n in range(3):
        kinesis.put_record(StreamName="s", Data=b"%d" % n, PartitionKey="k")
        assert [one["Data"] for one in next(heard)["Records"]] == [b"%d" % n]
    told["EventStream"].close()


def test_a_subscription_ends_with_its_shard_and_names_the_children(steady_jar: TestJar) -> None:
    jar = steady_jar
    kinesis = made(jar)
    told = kinesis.subscribe_to_shard(
        ConsumerARN=consumer(kinesis, jar), ShardId=shard(0), StartingPosition={"Type": "LATEST"}
    )
    kinesis.put_record(StreamName="s", Data=b"last", PartitionKey="k")
    kinesis.split_shard(StreamName="s", ShardToSplit=shard(0), NewStartingHashKey=str(HALF))
    ready(jar)
    heard = [one["SubscribeToShardEvent"] for one in told["EventStream"]]
    assert [record["Data"] for one in heard for record in one["Records"]] == [b"last"]
    assert [child["ShardId"] for child in heard[-1]["ChildShards"]] == [shard(1), shard(2)]
    assert all("ChildShards" not in one for one in heard[:-1])


def test_an_idle_subscription_is_told_that_it_lives(steady_jar: TestJar) -> None:
    kinesis = made(steady_jar)
    told = kinesis.subscribe_to_shard(
        ConsumerARN=consumer(kinesis, steady_jar), ShardId=shard(0), StartingPosition={"Type": "LATEST"}
    )
    stream = iter(told["EventStream"])
    for _ in range(2):
        event = next(stream)["SubscribeToShardEvent"]
        assert (event["Records"], event["MillisBehindLatest"]) == ([], 0)
    start = listed(kinesis)[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert event["ContinuationSequenceNumber"] == start
    told["EventStream"].close()


def test_a_consumer_has_a_shard_once(steady_jar: TestJar) -> None:
    kinesis = made(steady_jar, ShardCount=2)
    asked = {"ConsumerARN": consumer(kinesis, steady_jar), "StartingPosition": {"Type": "LATEST"}}
    told = kinesis.subscribe_to_shard(ShardId=shard(0), **asked)
    next(iter(told["EventStream"]))
    message = refused("ResourceInUseException", kinesis.subscribe_to_shard, ShardId=shard(0), **asked)
    assert message.startswith("Another active subscription exists for this consumer")
    other = kinesis.subscribe_to_shard(ShardId=shard(1), **asked)
    other["EventStream"].close()
    told["EventStream"].close()


def test_a_stream_that_goes_ends_its_subscriptions(steady_jar: TestJar) -> None:
    kinesis = made(steady_jar)
    told = kinesis.subscribe_to_shard(
        ConsumerARN=consumer(kinesis, steady_jar), ShardId=shard(0), StartingPosition={"Type": "LATEST"}
    )
    kinesis.delete_stream(StreamName="s", EnforceConsumerDeletion=True)
    with pytest.raises(kinesis.exceptions.ClientError) as error:
        list(told["EventStream"])
    told["EventStream"].close()
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_server_stops_while_somebody_listens(steady_jar: TestJar) -> None:
    kinesis = made(steady_jar)
    told = kinesis.subscribe_to_shard(
        ConsumerARN=consumer(kinesis, steady_jar), ShardId=shard(0), StartingPosition={"Type": "LATEST"}
    )
    next(iter(told["EventStream"]))
    told["EventStream"].close()
    assert listed(kinesis)
