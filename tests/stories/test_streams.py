"""A stream in the hands of somebody at a shell, and of consumers that work as the Kinesis Client Library does: leases,
checkpoints, parents before children."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.answers import document, statement
from tests.services.kinesis.streams import made, ready
from tests.stories.aws_cli import Cli, installed
from tests.stories.served import Served

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]


def version(major: int) -> object:
    """A parameter of `aws`, skipped aloud when the machine lacks that version."""
    lacking = pytest.mark.skipif(installed(major) is None, reason=f"the AWS CLI v{major} is not on this machine")
    return pytest.param(major, id=f"v{major}", marks=lacking)


@pytest.fixture(params=[version(1), version(2)])
def aws(request: pytest.FixtureRequest, served: Served) -> Cli:
    """The CLI in the hands of an administrator who is not root."""
    tool = installed(request.param)
    assert tool is not None
    return Cli(served, tool, *served.user("admin-dev"))


def test_a_record_goes_through_a_stream_into_a_bucket(aws: Cli, tmp_path: Path) -> None:
    aws.must("kinesis", "create-stream", "--stream-name", "clicks", "--shard-count", "1")
    aws.must("kinesis", "wait", "stream-exists", "--stream-name", "clicks")
    trust = statement("sts:AssumeRole", Principal={"Service": "firehose.amazonaws.com"})
    del trust["Resource"]
    may = document(statement(["s3:*", "kinesis:*"]))
    aws.must("iam", "create-role", "--role-name", "lake", "--assume-role-policy-document", document(trust))
    aws.must("iam", "put-role-policy", "--role-name", "lake", "--policy-name", "may", "--policy-document", may)
    aws.must("s3", "mb", "s3://lake-of-clicks")
    role = f"arn:aws:iam::{ACCOUNT}:role/lake"
    summary = ("kinesis", "describe-stream-summary", "--stream-name", "clicks")
    arn = aws.text("StreamDescriptionSummary.StreamARN", *summary)
    there = {"RoleARN": role, "BucketARN": "arn:aws:s3:::lake-of-clicks",
             "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60}}  # fmt: skip
    aws.must(
        "firehose", "create-delivery-stream", "--delivery-stream-name", "to-lake", "--delivery-stream-type",
        "KinesisStreamAsSource", "--kinesis-stream-source-configuration", f"KinesisStreamARN={arn},RoleARN={role}",
        "--extended-s3-destination-configuration", json.dumps(there),
    )  # fmt: skip
    data, click = tmp_path / "click", b"click " * 100_000
    data.write_bytes(click)
    asked = ("--stream-name", "clicks", "--partition-key", "me", "--data", f"fileb://{data}")
    put, _ = (aws.json("kinesis", "put-record", *asked) for _ in range(2))  # more than a megabyte
    at = aws.text("ShardIterator", "kinesis", "get-shard-iterator", "--stream-name", "clicks", "--shard-id",
                  put["ShardId"], "--shard-iterator-type", "TRIM_HORIZON")  # fmt: skip
    record, _ = aws.json("kinesis", "get-records", "--shard-iterator", at)["Records"]
    assert record["SequenceNumber"] == put["SequenceNumber"]
    assert base64.b64decode(record["Data"]) == click
    for _ in range(60):
        listed = aws.run("s3", "ls", "--recursive", "s3://lake-of-clicks").out.split()
        if listed:
            break
    aws.must("s3", "cp", f"s3://lake-of-clicks/{listed[-1]}", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == click * 2


class Worker:
    """One that takes leases of shards and keeps checkpoints in a table that all workers share."""

    def __init__(self, kinesis: Any, leases: dict[str, dict[str, str]]) -> None:
        self.kinesis, self.leases = kinesis, leases
        self.seen: list[bytes] = []

    def discover(self) -> None:
        """A lease for every shard that is listed."""
        for shard in self.kinesis.list_shards(StreamName="s")["Shards"]:
            parents = [shard[name] for name in ("ParentShardId", "AdjacentParentShardId") if name in shard]
            self.leases.setdefault(shard["ShardId"], {"at": "TRIM_HORIZON", "parents": ",".join(parents)})

    def work(self, shard: str, limit: int) -> None:
        """One read of a shard, from its checkpoint, which is moved."""
        lease = self.leases[shard]
        if any(parent and self.leases[parent]["at"] != "SHARD_END" for parent in lease["parents"].split(",")):
            return
        asked: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if lease["at"] != "TRIM_HORIZON":
            asked = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": lease["at"]}
        at = self.kinesis.get_shard_iterator(StreamName="s", ShardId=shard, **asked)["ShardIterator"]
        told = self.kinesis.get_records(ShardIterator=at, Limit=limit)
        self.seen += [one["Data"] for one in told["Records"]]
        if told["Records"]:
            lease["at"] = told["Records"][-1]["SequenceNumber"]
        if "NextShardIterator" not in told:
            lease["at"] = "SHARD_END"


def test_workers_with_leases_see_everything_once_and_in_order(jar: TestJar) -> None:
    kinesis = made(jar, ShardCount=2)
    leases: dict[str, dict[str, str]] = {}
    workers = [Worker(jar.client("kinesis"), leases) for _ in range(2)]
    put = 0
    for turn in range(12):
        for _ in range(3):
            kinesis.put_record(StreamName="s", Data=b"%d" % put, PartitionKey=str(put % 5))
            put += 1
        if turn == 4:
            kinesis.update_shard_count(StreamName="s", TargetShardCount=3, ScalingType="UNIFORM_SCALING")
            ready(jar)
        workers[turn % 2].discover()
        for n, shard in enumerate(sorted(leases)):
            if leases[shard]["at"] != "SHARD_END":
                workers[n % 2].work(shard, 2)
    for _ in range(20):
        for shard in sorted(leases):
            if leases[shard]["at"] != "SHARD_END":
                workers[0].work(shard, 10)
    seen = workers[0].seen + workers[1].seen
    assert sorted(map(int, seen)) == list(range(put))
    assert sum(1 for one in leases.values() if one["at"] == "SHARD_END") >= 2
