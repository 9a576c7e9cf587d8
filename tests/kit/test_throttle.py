"""Calls that come faster than AWS admits them are refused, each operation by its own bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.base.errors import AwsError
from cloudjar.kit.throttle import Throttle
from tests.jar import running


def admitted(throttle: Throttle, operation: str, req: dict[str, Any], region: str = "eu-west-3") -> int:
    for count in range(1000):
        try:
            throttle.admit("000000000000", region, "ec2", operation, req)
        except AwsError as refused:
            return count if (refused.code, refused.status) == ("RequestLimitExceeded", 503) else -1
    return 1000


@pytest.mark.parametrize(
    ("operation", "req", "capacity"),
    [
        ("DescribeVpcs", {}, 100),
        ("DescribeInstances", {}, 50),
        ("DescribeInstances", {"InstanceIds": ["i-1"]}, 100),
        ("CreateVpc", {"CidrBlock": "10.0.0.0/16"}, 50),
        ("RunInstances", {"MinCount": 1, "MaxCount": 1}, 5),
    ],
)
def test_the_capacity_of_a_bucket(operation: str, req: dict[str, Any], capacity: int) -> None:
    # A token or two may come back while the bucket is being emptied.
    assert capacity <= admitted(Throttle(), operation, req) <= capacity + capacity // 5 + 1


def test_buckets_are_apart() -> None:
    throttle = Throttle()
    admitted(throttle, "RunInstances", {"MinCount": 1, "MaxCount": 1})
    assert admitted(throttle, "RunInstances", {"MinCount": 1, "MaxCount": 1}, "us-east-1") >= 5
    assert admitted(throttle, "StartInstances", {"InstanceIds": ["i-1"]}) >= 5


def test_instances_count_one_by_one() -> None:
    throttle = Throttle()
    throttle.admit("1", "eu-west-3", "ec2", "RunInstances", {"MinCount": 1, "MaxCount": 990})
    with pytest.raises(AwsError, match="RequestLimitExceeded"):
        throttle.admit("1", "eu-west-3", "ec2", "RunInstances", {"MinCount": 1, "MaxCount": 100})


def test_a_client_sees_it(tmp_path: Path) -> None:
    with running(tmp_path, throttle=True) as jar:
        ec2 = jar.client("ec2")
        with pytest.raises(ClientError, match="InvalidAMIID"):
            ec2.run_instances(ImageId="ami-none", MinCount=1, MaxCount=990)
        with pytest.raises(ClientError) as refused:  # two tokens come back in a second: not so many meanwhile
            ec2.run_instances(ImageId="ami-none", MinCount=1, MaxCount=400)
        assert refused.value.response["Error"]["Code"] == "RequestLimitExceeded"
        assert jar.client("sts").get_caller_identity()["Account"] == "000000000000"
