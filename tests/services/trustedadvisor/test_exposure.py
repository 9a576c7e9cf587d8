"""What the world reaches, graded by port; buckets; what it should reach and does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import ANYWHERE, launch, make_gateway, make_group, make_subnet, make_vpc
from tests.services.trustedadvisor.asking import Support

BUCKET = "advised-bucket"


@pytest.fixture
def support(jar: TestJar) -> Support:
    return Support(jar)


def let_in(ec2: Any, group: str, *ports: int, cidr: str = ANYWHERE, protocol: str = "tcp") -> None:
    for port in ports:
        rule = {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def test_the_world_is_graded_by_port(support: Support, ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    let_in(ec2, group, 80, 443, 22, 5432)
    let_in(ec2, group, 3306, cidr="10.0.0.0/8")
    found = {row[5]: row[4] for _, row in support.rows("HCP4007jGY")}
    assert found == {"80": "Green", "443": "Green", "22": "Yellow", "5432": "Red"}
    assert {row[4] for _, row in support.rows("1iG5NDGVre")} == {"22", "5432"}


def test_everything_open_is_red(support: Support, ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    every = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[every])
    assert support.rows("HCP4007jGY") == [
        ("error", ["eu-west-3", "web", group, "all", "Red", "0-65535"])
    ]


def test_a_range_is_as_bad_as_its_worst_port(support: Support, ec2: Any) -> None:
    group = make_group(ec2, make_vpc(ec2))
    for low, high in ((8000, 8010), (3000, 3400)):
        rule = {"IpProtocol": "tcp", "FromPort": low, "ToPort": high, "IpRanges": [{"CidrIp": ANYWHERE}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    assert {row[5]: row[4] for _, row in support.rows("HCP4007jGY")} == {"8000-8010": "Yellow", "3000-3400": "Red"}


def test_buckets_that_everybody_reads(jar: TestJar, support: Support) -> None:
    s3 = jar.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    assert support.rows("Pfx0RwqBli") == [
        ("ok", ["eu-west-3", "eu-west-3", BUCKET, "No", "No", "Green", "No", ""])
    ]
    s3.delete_public_access_block(Bucket=BUCKET)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert support.rows("Pfx0RwqBli")[0][1][3:7] == ["No", "No", "Yellow", "Yes"]
    s3.delete_bucket_policy(Bucket=BUCKET)
    s3.put_bucket_ownership_controls(
        Bucket=BUCKET, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read-write")
    assert support.rows("Pfx0RwqBli")[0][1][3:7] == ["Yes", "Yes", "Red", "No"]


def test_versions_of_buckets(jar: TestJar, support: Support) -> None:
    s3 = jar.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    assert support.rows("R365s2Qddf") == [("warning", ["eu-west-3", BUCKET, "Not Enabled", "Disabled", "Yellow"])]
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert support.status("R365s2Qddf") == "ok"


def test_an_instance_nobody_reaches_though_the_way_is_there(jar: TestJar, support: Support, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet = make_subnet(ec2, vpc)
    vm = launch(ec2, SubnetId=subnet)
    jar.settle()
    assert support.rows("cloudjar-no-public-ip") == []  # a private subnet: so it shall be
    gateway = make_gateway(ec2, vpc)
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, GatewayId=gateway)
    assert support.rows("cloudjar-no-public-ip") == [("warning", ["eu-west-3", vm, "", subnet])]
    address = ec2.allocate_address()["AllocationId"]
    ec2.associate_address(AllocationId=address, InstanceId=vm)
    assert support.status("cloudjar-no-public-ip") == "ok"
