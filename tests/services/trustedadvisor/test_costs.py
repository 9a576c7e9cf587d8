"""What costs for nothing, with what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import ANYWHERE, launch, make_gateway, make_subnet, make_vpc
from tests.services.trustedadvisor.asking import Support

HOURS = 744  # of the simulated clock's January


@pytest.fixture
def support(jar: TestJar) -> Support:
    return Support(jar)


def savings(support: Support, check: str) -> float:
    result = support.result(check)
    return float(result["categorySpecificSummary"]["costOptimizing"]["estimatedMonthlySavings"])


def test_an_address_that_nothing_uses(support: Support, ec2: Any) -> None:
    made = ec2.allocate_address()
    assert savings(support, "Z4AUBRNSmz") == pytest.approx(0.005 * HOURS)
    assert support.rows("Z4AUBRNSmz") == [("warning", ["eu-west-3", made["PublicIp"]])]
    ec2.release_address(AllocationId=made["AllocationId"])
    assert support.rows("Z4AUBRNSmz") == []


def test_a_volume_that_is_attached_to_nothing(support: Support, ec2: Any) -> None:
    volume = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=100, VolumeType="gp3")["VolumeId"]
    support.jar.settle()
    (status, row), cost = support.rows("DAvU99Dc4C")[0], savings(support, "DAvU99Dc4C")
    assert (status, row[:2], row[3:5]) == ("warning", ["eu-west-3", volume], ["gp3", "100 GB"])
    assert cost == pytest.approx(9.28, abs=0.01)
    ec2.delete_volume(VolumeId=volume)
    support.jar.settle()
    assert support.status("DAvU99Dc4C") == "ok"


def test_an_instance_that_was_left_running(jar: TestJar, support: Support, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    assert support.rows("cloudjar-forgotten-instance") == []
    jar.advance(days=8)
    status, row = support.rows("cloudjar-forgotten-instance")[0]
    assert (status, row[1], row[3]) == ("warning", vm, "t3.micro")
    assert savings(support, "Qch7DwouX1") == pytest.approx((0.0118 + 0.005) * HOURS, abs=0.01)
    low = support.rows("Qch7DwouX1")[0][1]
    assert (low[1], low[-1]) in ((vm, "8 days"), (vm, "9 days"))  # a begun day counts
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    assert support.status("cloudjar-forgotten-instance") == "ok"
    assert support.rows("c18d2gz150")[0][0] == "ok"
    jar.advance(days=31)
    assert support.rows("c18d2gz150")[0][1][:3] == ["Yellow", "eu-west-3", vm]


def test_a_gateway_to_which_no_route_leads(jar: TestJar, support: Support, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    make_gateway(ec2, vpc)
    address = ec2.allocate_address()["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=make_subnet(ec2, vpc), AllocationId=address)["NatGateway"]["NatGatewayId"]
    jar.settle()
    assert support.rows("cloudjar-forgotten-nat")[0][1][:3] == ["eu-west-3", nat, vpc]
    assert savings(support, "cloudjar-forgotten-nat") == pytest.approx(0.05 * HOURS, abs=1)
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, NatGatewayId=nat)
    assert support.rows("cloudjar-forgotten-nat") == []
    assert support.rows("c2vlfg022t")[0][0] == "ok"
    jar.advance(days=31)
    assert support.rows("c2vlfg022t")[0][0] == "warning"


def test_snapshots_tags_and_regions(jar: TestJar, support: Support, ec2: Any) -> None:
    volume = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=1)["VolumeId"]
    jar.settle()
    assert support.rows("H7IgTzjTYb")[0][1][-2:] == ["Red", "No snapshot"]
    ec2.create_snapshot(VolumeId=volume)
    jar.settle()
    assert support.status("H7IgTzjTYb") == "ok"
    jar.advance(days=8)
    assert support.status("H7IgTzjTYb") == "warning"
    ec2.create_tags(Resources=[volume], Tags=[{"Key": "Name", "Value": "data"}])
    assert support.rows("cloudjar-untagged") == [("warning", ["eu-west-3", volume, "Environment, Project"])]
    tags = [{"Key": key, "Value": "x"} for key in ("Environment", "Project")]
    ec2.create_tags(Resources=[volume], Tags=tags)
    assert support.status("cloudjar-untagged") == "ok"
    assert support.status("cloudjar-many-regions") == "ok"
    jar.client("ec2", "us-west-2").allocate_address()
    ec2.create_volume(AvailabilityZone="eu-west-3a", Size=1)
    jar.settle()
    found = {row[0]: status for status, row in support.rows("cloudjar-many-regions")}
    assert found == {"eu-west-3": "ok", "us-west-2": "warning"}


def test_service_limits(jar: TestJar, support: Support, ec2: Any) -> None:
    row = {"eu-west-3": ["eu-west-3", "VPC", "EC2-VPC Elastic IPs", "5"]}
    for number, status in ((3, "ok"), (4, "warning"), (5, "error")):
        while len(ec2.describe_addresses()["Addresses"]) < number:
            ec2.allocate_address()
        found = {one[0]: (state, one) for state, one in support.rows("lN7RR0l7J9")}
        assert found["eu-west-3"][0] == status
        assert found["eu-west-3"][1][:5] == [*row["eu-west-3"], str(number)]


def test_zones_in_balance(jar: TestJar, support: Support, ec2: Any) -> None:
    def found() -> list[tuple[str, str]]:
        return [(state, row[-1]) for state, row in support.rows("wuy7G1zxql")]

    launch(ec2, Placement={"AvailabilityZone": "eu-west-3a"})
    jar.settle()
    assert found() == []
    second = launch(ec2, Placement={"AvailabilityZone": "eu-west-3a"})
    jar.settle()
    assert found() == [("error", "All instances are in one zone")]
    ec2.terminate_instances(InstanceIds=[second])
    jar.settle()
    launch(ec2, Placement={"AvailabilityZone": "eu-west-3b"})
    jar.settle()
    assert found() == [("ok", "")]


def test_a_budget_is_there_from_the_first_day(jar: TestJar, support: Support) -> None:
    assert support.rows("cloudjar-no-budget") == [("warning", ["0"])]
    limit = {"Amount": "5", "Unit": "USD"}
    budget = {"BudgetName": "monthly", "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"}
    jar.client("budgets", "us-east-1").create_budget(AccountId=ACCOUNT, Budget=budget)
    assert support.rows("cloudjar-no-budget") == [("ok", ["1"])]
