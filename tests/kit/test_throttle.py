"""Calls that come faster than AWS admits them are refused, each operation by its own bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.app import SERVICES
from cloudjar.base.caller import root
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Services
from cloudjar.kit.quota import AppliedQuota, Quotas
from cloudjar.kit.record import meta
from cloudjar.kit.throttle import Throttle
from cloudjar.spec import models, quotas, rates
from cloudjar.store.database import Database
from cloudjar.store.tables import Tables
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


RATE, PLACE = ("kms", "L-32B67F4A"), ("000000000000", "eu-west-3")


def drawn(throttle: Throttle) -> int:
    for count in range(1000):
        try:
            throttle.draw(*PLACE, "kms", RATE)
        except AwsError as refused:
            return count if (refused.code, refused.status) == ("ThrottlingException", 400) else -1
    return 1000


def test_a_rate_is_the_quota_in_force(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", durable=False)
    tables = Tables(database)
    throttle = Throttle(Quotas(tables))
    assert 5 <= drawn(throttle) <= 8
    with database.transaction():
        raised = AppliedQuota(code="/".join(RATE), value=200.0, account=PLACE[0], region=PLACE[1])
        tables.put(meta(AppliedQuota).spec, raised)
    throttle.forget_rates()
    found = drawn(Throttle(Quotas(tables)))
    assert 200 <= found <= 260
    database.close()


def test_calls_are_admitted_faster_or_more_slowly() -> None:
    req = {"CidrBlock": "10.0.0.0/16"}
    assert 500 <= admitted(Throttle(speed=10), "CreateVpc", req) < 1000
    slow = Throttle(speed=0.001)  # one in five minutes of those that AWS lets in each second
    assert [admitted(slow, "CreateVpc", req) for _ in range(3)] == [50, 0, 0]


def test_every_rate_is_a_quota_of_an_operation_that_there_is() -> None:
    services = Services(SERVICES)
    for name in SERVICES:
        for operation in models.service(name).operations:
            code = rates.quota(name, operation)
            if code is not None:
                assert quotas.default(*code), code
                assert services.operation(name, operation) is not None, operation


def test_a_client_sees_a_rate_and_a_service_is_not_held_up_by_it(tmp_path: Path) -> None:
    with running(tmp_path, throttle=True) as jar:
        kms = jar.client("kms")

        def create() -> str:
            try:
                kms.create_key()
            except ClientError as refused:
                return str(refused.response["Error"]["Message"])
            return ""

        said = next(filter(None, (create() for _ in range(200))))
        assert said.startswith("You have exceeded the rate at which you may call KMS.")
        ctx = Ctx(jar.jar.world, *PLACE, root(PLACE[0]))
        assert len({ctx.call("kms", "CreateKey", {})["KeyMetadata"]["KeyId"] for _ in range(20)}) == 20


def test_a_client_sees_it(tmp_path: Path) -> None:
    with running(tmp_path, throttle=True) as jar:
        ec2 = jar.client("ec2")
        with pytest.raises(ClientError, match="InvalidAMIID"):
            ec2.run_instances(ImageId="ami-none", MinCount=1, MaxCount=990)
        with pytest.raises(ClientError) as refused:  # two tokens come back in a second: not so many meanwhile
            ec2.run_instances(ImageId="ami-none", MinCount=1, MaxCount=400)
        assert refused.value.response["Error"]["Code"] == "RequestLimitExceeded"
        assert jar.client("sts").get_caller_identity()["Account"] == "000000000000"
