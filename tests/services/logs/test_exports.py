"""Exports: a group's events in files of a bucket whose policy lets CloudWatch Logs write."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code, refused
from tests.services.logs.conftest import Log

BUCKET = "archive-of-logs"


def policy(*actions: str) -> str:
    """What the service may do with the bucket."""
    statements = [
        {"Effect": "Allow", "Principal": {"Service": "logs.eu-west-3.amazonaws.com"}, "Action": action,
         "Resource": f"arn:aws:s3:::{BUCKET}" + ("/*" if action.endswith("Object") else ""),
         "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}}}
        for action in actions
    ]  # fmt: skip
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def s3(jar: TestJar) -> Any:
    """S3 with the bucket."""
    client = jar.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    return client


def export(log: Log, **more: Any) -> str:
    """A task for all of the group."""
    asked = {"logGroupName": log.group, "fromTime": 0, "to": log.now + 1, "destination": BUCKET, **more}
    return str(log.client.create_export_task(**asked)["taskId"])


def test_events_come_as_compressed_lines(jar: TestJar, log: Log, s3: Any) -> None:
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy("s3:GetBucketAcl", "s3:PutObject"))
    log.client.create_log_stream(logGroupName=log.group, logStreamName="web/two")
    log.put("first", "second")
    log.put("other", stream="web/two")
    log.put("too old", ago=5000)
    task = export(log, taskName="mine", fromTime=log.now - 1000, destinationPrefix="out/logs")
    jar.settle()
    (shown,) = log.client.describe_export_tasks(taskId=task)["exportTasks"]
    assert shown["status"] == {"code": "COMPLETED", "message": "Completed successfully"}
    assert (shown["taskName"], shown["destination"], shown["destinationPrefix"]) == ("mine", BUCKET, "out/logs")
    assert shown["executionInfo"]["completionTime"] >= shown["executionInfo"]["creationTime"]
    keys = {one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    files = [f"out/logs/{task}/{stream}/000000.gz" for stream in ("one", "web-two")]
    assert keys == {*files, "out/logs/aws-logs-write-test"}
    body = s3.get_object(Bucket=BUCKET, Key=files[0])["Body"].read()
    assert gzip.decompress(body).decode().splitlines() == [
        "2026-01-15T11:59:59.999Z first", "2026-01-15T12:00:00.000Z second"]  # fmt: skip


def test_a_bucket_that_does_not_let_it_in(log: Log, s3: Any) -> None:
    said = refused(export, log=log)
    assert said[0] == "InvalidParameterException"
    assert said[1].startswith("GetBucketAcl call on the given bucket failed.")
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy("s3:GetBucketAcl"))
    assert refused(export, log=log)[1].startswith("PutObject call on the given bucket failed.")
    assert code(export, log=log, destination="none-such") == "InvalidParameterException"
    assert log.client.describe_export_tasks()["exportTasks"] == []


def test_one_at_a_time_and_cancelled(jar: TestJar, log: Log, s3: Any) -> None:
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy("s3:GetBucketAcl", "s3:PutObject"))
    task = export(log)
    jar.settle()
    assert code(log.client.cancel_export_task, taskId=task) == "InvalidOperationException"
    assert code(log.client.cancel_export_task, taskId="none") == "ResourceNotFoundException"
    assert code(export, log=log, fromTime=5, to=5) == "InvalidParameterException"
    assert log.client.describe_export_tasks(statusCode="RUNNING")["exportTasks"] == []
