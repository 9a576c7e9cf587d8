"""Streams under kill -9: what was acknowledged is in its shard, in order, and arrives in the bucket."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.client import Client, Crashed
from tests.crash.server import ServerProcess, until
from tests.jar import ACCOUNT
from tests.services.answers import document, statement

RECORDS, KILLS = 40, 3
ROLE = f"arn:aws:iam::{ACCOUNT}:role/delivery"
SHARD = f"shardId-{0:012d}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "home")
    process.start()
    yield process
    process.kill()


def prepared(client: Client) -> None:
    """A stream that is delivered into a bucket, and a delivery stream into another."""
    trust = statement("sts:AssumeRole", Principal={"Service": "firehose.amazonaws.com"})
    del trust["Resource"]
    client.call("iam", "create_role", RoleName="delivery", AssumeRolePolicyDocument=document(trust))
    may = document(statement(["s3:*", "kinesis:*"]))
    client.call("iam", "put_role_policy", RoleName="delivery", PolicyName="may", PolicyDocument=may)
    client.call("kinesis", "create_stream", StreamName="s", ShardCount=1)
    named = {"StreamName": "s"}
    until(
        lambda: client.call("kinesis", "describe_stream", **named)["StreamDescription"]["StreamStatus"] == "ACTIVE",
        "the stream",
    )
    arn = f"arn:aws:kinesis:eu-west-3:{ACCOUNT}:stream/s"
    source = {"DeliveryStreamType": "KinesisStreamAsSource",
              "KinesisStreamSourceConfiguration": {"KinesisStreamARN": arn, "RoleARN": ROLE}}  # fmt: skip
    for name, more in (("direct", {}), ("read", source)):
        client.call("s3", "create_bucket", Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        there = {"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{name}",
                 "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1}}  # fmt: skip
        client.call("firehose", "create_delivery_stream", DeliveryStreamName=name,
                    ExtendedS3DestinationConfiguration=there, **more)  # fmt: skip
        until(
            lambda name=name: client.call("firehose", "describe_delivery_stream", DeliveryStreamName=name)[  # type: ignore[misc] # the loop's own
                "DeliveryStreamDescription"
            ]["DeliveryStreamStatus"] == "ACTIVE",
            "the delivery stream",
        )  # fmt: skip


def delivered(client: Client, bucket: str) -> list[str]:
    """The lines of all files of a bucket, in the order of their names."""
    found: list[str] = []
    for one in client.call("s3", "list_objects_v2", Bucket=bucket).get("Contents", []):
        with client.call("s3", "get_object", Bucket=bucket, Key=one["Key"])["Body"] as body:
            found += body.read().decode().split()
    return found


def test_what_was_acknowledged_is_read_in_order_and_delivered(server: ServerProcess) -> None:
    client, chance = Client(server), random.Random(11)
    prepared(client)
    kills = set(chance.sample(range(RECORDS), KILLS))
    owed: list[str] = []
    uncertain: set[str] = set()
    for n in range(RECORDS):
        line = f"{n}\n".encode()
        try:
            client.call("kinesis", "put_record", StreamName="s", Data=line, PartitionKey="k")
            client.call("firehose", "put_record", DeliveryStreamName="direct", Record={"Data": line})
            owed.append(str(n))
        except Crashed:
            uncertain.add(str(n))
            server.start()
        if n in kills:
            server.kill()
    if server.dead:
        server.start()
    asked = {"StreamName": "s", "ShardId": SHARD, "ShardIteratorType": "TRIM_HORIZON"}
    at = client.call("kinesis", "get_shard_iterator", **asked)["ShardIterator"]
    read = [one["Data"].decode().strip() for one in client.call("kinesis", "get_records", ShardIterator=at)["Records"]]
    assert [one for one in read if one not in uncertain] == owed
    assert len(read) == len(set(read))
    for bucket in ("direct", "read"):
        until(lambda bucket=bucket: set(owed) <= set(delivered(client, bucket)), f"the files in {bucket}")  # type: ignore[misc] # the loop's own
        assert set(delivered(client, bucket)) <= set(owed) | uncertain
