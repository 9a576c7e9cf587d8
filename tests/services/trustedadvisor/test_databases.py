"""Databases: open to the world, forgotten, without backups, in one zone, without tags."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloudjar.kit import metrics
from cloudjar.kit.metrics import Metric
from tests.jar import ACCOUNT, TestJar
from tests.services.rds.site import Site
from tests.services.trustedadvisor.asking import Support

HOURS = 744  # of the simulated clock's January


@pytest.fixture
def support(jar: TestJar) -> Support:
    return Support(jar)


@pytest.fixture
def site(jar: TestJar) -> Site:
    return Site(jar)


def connections(jar: TestJar, name: str, days: int, count: float) -> None:
    """So many were connected in each hour of the last days."""
    metric = Metric("AWS/RDS", "DatabaseConnections", (("DBInstanceIdentifier", name),))
    now = jar.jar.clock.now()
    points = [metrics.value(now - timedelta(hours=hour), count, "Count") for hour in range(days * 24, 0, -1)]
    with jar.jar.database.transaction():
        metrics.put(jar.jar.world, ACCOUNT, "eu-west-3", metric, points)


def test_a_database_that_the_world_may_come_to(jar: TestJar, support: Support, site: Site) -> None:
    gateway = site.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    site.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=site.vpc)
    site.ec2.modify_vpc_attribute(VpcId=site.vpc, EnableDnsHostnames={"Value": True})
    group = site.ec2.create_security_group(GroupName="db", Description="databases", VpcId=site.vpc)["GroupId"]
    site.available(VpcSecurityGroupIds=[group], PubliclyAccessible=False)
    assert support.status("cloudjar-public-database") == "ok"
    opened = {"IpProtocol": "tcp", "FromPort": 5000, "ToPort": 6000, "CidrIp": "0.0.0.0/0"}
    site.ec2.authorize_security_group_ingress(GroupId=group, **opened)
    assert support.rows("cloudjar-public-database")[0][0] == "warning"
    site.available("web", VpcSecurityGroupIds=[group], PubliclyAccessible=True)
    found = {row[1]: (status, row) for status, row in support.rows("cloudjar-public-database")}
    assert (found["shop"][0], found["web"][0]) == ("warning", "error")
    assert (found["web"][1][2], found["web"][1][4]) == ("postgres", group)
    site.ec2.revoke_security_group_ingress(GroupId=group, **opened)
    site.ec2.authorize_security_group_ingress(GroupId=group, **{**opened, "FromPort": 22, "ToPort": 22})
    found = {row[1]: (status, row) for status, row in support.rows("cloudjar-public-database")}
    assert (found["shop"][0], found["web"][0]) == ("ok", "warning")  # another port
    site.rds.modify_db_instance(DBInstanceIdentifier="web", PubliclyAccessible=False, ApplyImmediately=True)
    jar.settle()
    assert support.status("cloudjar-public-database") == "ok"


def test_a_forgotten_database(jar: TestJar, support: Support, site: Site) -> None:
    site.available(BackupRetentionPeriod=0)
    jar.advance(days=3)
    assert support.rows("Ti39halfu8") == []
    jar.advance(days=6)
    connections(jar, "shop", 9, 0)
    status, row = support.rows("Ti39halfu8")[0]
    assert (status, row[:6]) == ("warning", ["eu-west-3", "shop", "No", "db.t3.micro", "20", "9"])
    summary: Any = support.result("Ti39halfu8")["categorySpecificSummary"]["costOptimizing"]
    assert summary["estimatedMonthlySavings"] == pytest.approx(0.021 * HOURS + 20 * 0.133, abs=0.02)
    connections(jar, "shop", 2, 3)
    assert support.rows("Ti39halfu8") == []
    jar.advance(days=8)
    assert support.rows("Ti39halfu8")[0][0] == "warning"
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    assert support.rows("Ti39halfu8") == []


def test_backups_zones_and_tags(jar: TestJar, support: Support, site: Site) -> None:
    site.available(BackupRetentionPeriod=0)
    status, row = support.rows("opQPADkZvH")[0]
    assert (status, row[1:]) == ("error", ["shop", site.vpc, "0", "Red"])
    status, row = support.rows("f2iK5R6Dep")[0]
    assert (status, row[1:]) == ("warning", ["shop", site.vpc, "No", "Yellow"])
    site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", BackupRetentionPeriod=7, MultiAZ=True, ApplyImmediately=True)  # fmt: skip
    jar.settle()
    jar.advance(hours=1)
    assert support.status("opQPADkZvH") == "ok"
    assert support.status("f2iK5R6Dep") == "ok"
    jar.client("s3").create_bucket(
        Bucket="papers", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})  # fmt: skip
    untagged = {row[1]: row[2] for status, row in support.rows("cloudjar-untagged") if status == "warning"}
    assert untagged["shop"] == untagged["papers"] == "Name, Environment, Project"
    named = [{"Key": key, "Value": "x"} for key in ("Name", "Environment", "Project")]
    site.rds.add_tags_to_resource(ResourceName=site.show()["DBInstanceArn"], Tags=named)
    jar.client("s3").put_bucket_tagging(Bucket="papers", Tagging={"TagSet": named[:1]})
    untagged = {row[1]: row[2] for status, row in support.rows("cloudjar-untagged") if status == "warning"}
    assert "shop" not in untagged
    assert untagged["papers"] == "Environment, Project"


def test_how_many_databases_there_may_be(jar: TestJar, support: Support, site: Site) -> None:
    site.available()
    found = {row[0]: (status, row[3:5]) for status, row in support.rows("XG0aXHpIEt")}
    assert found["eu-west-3"] == ("ok", ["40", "1"])
    found = {row[0]: (status, row[3:5]) for status, row in support.rows("P1jhKWEmLa")}
    assert found["eu-west-3"] == ("ok", ["100000", "20"])
