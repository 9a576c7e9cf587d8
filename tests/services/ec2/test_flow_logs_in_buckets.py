"""Flow logs in buckets: files by the interval, as log delivery, which the bucket must let in."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.test_flow_logs import Scene
from tests.services.iam.people import allow, user


@pytest.fixture
def scene(jar: TestJar) -> Scene:
    return Scene(jar)


def make_bucket(jar: TestJar, key: str = "test") -> Any:
    s3 = jar.client("s3", key=key, s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="flows", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    return s3


def log(scene: Scene, ec2: Any = None, **more: Any) -> dict[str, Any]:
    asked = {
        "ResourceIds": [scene.vpc],
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogDestinationType": "s3",
        "LogDestination": "arn:aws:s3:::flows/net/",
        "MaxAggregationInterval": 60,
        **more,
    }
    made: dict[str, Any] = (ec2 or scene.ec2).create_flow_logs(**asked)
    scene.jar.settle()
    return made


def test_files_come_by_the_interval_into_a_bucket_whose_policy_is_seen_to(jar: TestJar, scene: Scene) -> None:
    s3 = make_bucket(jar)
    made = log(scene)
    assert made["Unsuccessful"] == []
    sids = [one["Sid"] for one in json.loads(s3.get_bucket_policy(Bucket="flows")["Policy"])["Statement"]]
    assert sids == ["AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"]
    scene.passes()
    jar.advance(seconds=60)
    (entry,) = s3.list_objects_v2(Bucket="flows")["Contents"]
    (log_id,) = made["FlowLogIds"]
    folder = f"net/AWSLogs/{ACCOUNT}/vpcflowlogs/eu-west-3/2026/01/15/{ACCOUNT}_vpcflowlogs_eu-west-3_{log_id}_"
    assert entry["Key"].startswith(folder + "20260115T1201Z_")
    assert entry["Key"].endswith(".log.gz")
    text = gzip.decompress(s3.get_object(Bucket="flows", Key=entry["Key"])["Body"].read()).decode()
    head, line = text.splitlines()
    assert head.startswith("version account-id interface-id srcaddr")
    assert line.split()[:6] == ["2", ACCOUNT, scene.eni, "10.0.9.9", "10.0.1.4", "49152"]
    [shown] = scene.ec2.describe_flow_logs(FlowLogIds=[log_id])["FlowLogs"]
    assert shown["LogDestination"] == "arn:aws:s3:::flows/net/"
    assert shown["LogDestinationType"] == "s3"
    assert shown["DeliverLogsStatus"] == "SUCCESS"
    s3.delete_bucket_policy(Bucket="flows")
    jar.advance(seconds=60)
    [shown] = scene.ec2.describe_flow_logs(FlowLogIds=[log_id])["FlowLogs"]
    assert (shown["DeliverLogsStatus"], shown["DeliverLogsErrorMessage"]) == ("FAILED", "Access error")


def test_partitions_for_hive(jar: TestJar, scene: Scene) -> None:
    s3 = make_bucket(jar)
    options = {"FileFormat": "plain-text", "HiveCompatiblePartitions": True, "PerHourPartition": True}
    log(scene, DestinationOptions=options)
    scene.passes()
    jar.advance(seconds=60)
    (entry,) = s3.list_objects_v2(Bucket="flows")["Contents"]
    assert entry["Key"].startswith(
        f"net/AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region=eu-west-3/year=2026/month=01/day=15/"
        "hour=12/"
    )


def test_a_bucket_that_is_not_there_or_does_not_let_it_in(jar: TestJar, scene: Scene) -> None:
    [refused] = log(scene)["Unsuccessful"]
    assert refused["Error"]["Message"] == "LogDestination: arn:aws:s3:::flows/net/ does not exist"
    make_bucket(jar)
    person = user(jar, "ann", allow("ec2:*"))
    [refused] = log(scene, person.client("ec2"))["Unsuccessful"]
    assert refused["Error"]["Message"] == (
        "Access Denied for LogDestination: flows. Please check LogDestination permission"
    )
    assert scene.ec2.describe_flow_logs()["FlowLogs"] == []
