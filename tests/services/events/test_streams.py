"""Targets that are streams: Kinesis and Firehose, under a role."""

from __future__ import annotations

import json

from tests.jar import ACCOUNT, TestJar
from tests.services.events.conftest import Bus, role_for
from tests.services.firehose import streams as firehose
from tests.services.kinesis import streams as kinesis

MINE = {"source": ["my.app"]}


def test_a_stream_of_kinesis(jar: TestJar, bus: Bus) -> None:
    client = kinesis.made(jar)
    bus.rule(pattern=MINE)
    role = role_for(jar, "kinesis:PutRecord")
    bus.target(kinesis.arn("s"), RoleArn=role, KinesisParameters={"PartitionKeyPath": "$.detail.who"})
    event_id = bus.put({"who": "ada"})
    asked = {"StreamName": "s", "ShardId": kinesis.shard(0), "ShardIteratorType": "TRIM_HORIZON"}
    iterator = client.get_shard_iterator(**asked)["ShardIterator"]
    [record] = client.get_records(ShardIterator=iterator)["Records"]
    assert record["PartitionKey"] == "ada"
    assert json.loads(record["Data"])["id"] == event_id


def test_a_delivery_stream(jar: TestJar, bus: Bus) -> None:
    s3 = firehose.bucket(jar)
    firehose.role(jar)
    client = firehose.made(jar)
    name = client.list_delivery_streams()["DeliveryStreamNames"][0]
    bus.rule(pattern=MINE)
    role = role_for(jar, "firehose:PutRecord")
    bus.target(f"arn:aws:firehose:eu-west-3:{ACCOUNT}:deliverystream/{name}", RoleArn=role, Input='{"n": 1}')
    bus.put()
    jar.advance(minutes=20)
    [item] = s3.list_objects_v2(Bucket=firehose.BUCKET)["Contents"]
    with s3.get_object(Bucket=firehose.BUCKET, Key=item["Key"])["Body"] as body:
        assert body.read() == b'{"n": 1}'
