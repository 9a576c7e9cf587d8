"""What traffic costs: gigabytes through NAT gateways, endpoints and internet gateways, each byte once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from cloudjar.kit import quantities
from cloudjar.planes.network.port import between_zones
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import launch, make_gateway, make_subnet, make_vpc

GB = quantities.GB


def counted(jar: TestJar, usage_type: str) -> Decimal:
    """The units of a usage type up to now."""
    now = jar.clock.now()
    found = jar.jar.quantities.rows(now - timedelta(days=3650), now + timedelta(seconds=1), ACCOUNT)
    return sum((one.units for one in found if one.tally.usage_type == usage_type), Decimal(0))


class Site:
    """A VPC with a machine, a NAT gateway and an endpoint to KMS."""

    def __init__(self, jar: TestJar, ec2: Any) -> None:
        self.vpc = make_vpc(ec2)
        subnet = make_subnet(ec2, self.vpc)
        make_gateway(ec2, self.vpc)
        self.machine = launch(ec2, SubnetId=subnet)
        allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
        self.nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
        asked = {"VpcId": self.vpc, "ServiceName": "com.amazonaws.eu-west-3.kms", "PrivateDnsEnabled": False}
        made = ec2.create_vpc_endpoint(VpcEndpointType="Interface", SubnetIds=[subnet], **asked)["VpcEndpoint"]
        self.endpoint, [self.door] = made["VpcEndpointId"], made["NetworkInterfaceIds"]
        jar.settle()


def test_gigabytes_are_counted_once_when_asked_for_in_time_and_before_they_go(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    jar.network.carry(site.nat, out=GB, back=GB // 2)
    jar.network.carry(site.door, processed=3 * GB)
    jar.network.carry(site.vpc, internet=GB, regional=GB // 4)
    assert counted(jar, "NatGateway-Bytes") == 0
    quantities.collect(jar.jar.world)
    quantities.collect(jar.jar.world)
    assert counted(jar, "NatGateway-Bytes") == Decimal("1.5")
    assert counted(jar, "VpcEndpoint-Bytes") == 3
    assert counted(jar, "DataTransfer-Out-Bytes") == 1
    assert counted(jar, "DataTransfer-Regional-Bytes") == Decimal("0.25")
    jar.network.carry(site.nat, out=GB)
    jar.advance(hours=7)
    assert counted(jar, "NatGateway-Bytes") == Decimal("2.5")
    jar.network.carry(site.nat, back=GB)
    jar.network.carry(site.door, processed=GB)
    ec2.delete_nat_gateway(NatGatewayId=site.nat)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[site.endpoint])
    jar.settle()
    assert counted(jar, "NatGateway-Bytes") == Decimal("3.5")
    assert counted(jar, "VpcEndpoint-Bytes") == 4
    jar.network.carry(site.vpc, internet=GB)
    ec2.terminate_instances(InstanceIds=[site.machine])
    jar.settle()
    assert jar.network.vpcs() == []
    assert counted(jar, "DataTransfer-Out-Bytes") == 2


def test_counters_that_begin_anew_are_not_taken_for_old_ones(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    jar.network.carry(site.nat, out=GB)
    quantities.collect(jar.jar.world)
    jar.network.forget_counters()
    jar.network.carry(site.nat, out=2 * GB)
    jar.crash()
    quantities.collect(jar.jar.world)
    assert counted(jar, "NatGateway-Bytes") == 3


def test_between_zones_each_direction_costs_at_each_end(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    for n, zone in enumerate("ab"):
        launch(ec2, SubnetId=make_subnet(ec2, vpc, f"10.0.{n}.0/24", AvailabilityZone=f"eu-west-3{zone}"))
    jar.settle()
    rules = jar.network.plan(vpc).crossing
    assert len(rules) == 2  # from each zone into the other
    jar.network.carry(between_zones(vpc), sent=GB, got=GB)
    jar.crash()
    quantities.collect(jar.jar.world)
    quantities.collect(jar.jar.world)
    assert counted(jar, "DataTransfer-Regional-Bytes") == 2


def test_between_regions_what_is_sent_costs(jar: TestJar, ec2: Any) -> None:
    mine, other = make_vpc(ec2), jar.client("ec2", "us-east-1")
    theirs = other.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    launch(ec2, SubnetId=make_subnet(ec2, mine, "10.0.0.0/24"))
    asked = ec2.create_vpc_peering_connection(VpcId=mine, PeerVpcId=theirs, PeerRegion="us-east-1")
    peering = asked["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    jar.settle()
    other.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    jar.settle()
    (rule,) = jar.network.plan(mine).crossing
    assert rule.endswith("counter name abroad")
    jar.network.carry(between_zones(mine), abroad=3 * GB)
    quantities.collect(jar.jar.world)
    assert counted(jar, "<from>-<to>-AWS-Out-Bytes") == 3
    assert counted(jar, "DataTransfer-Regional-Bytes") == 0


def test_load_balancers_and_endpoints_cross_zones_for_nothing(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    first, second = (
        make_subnet(ec2, vpc, f"10.0.{n}.0/24", AvailabilityZone=f"eu-west-3{zone}") for n, zone in enumerate("ab")
    )
    launch(ec2, SubnetId=first)
    asked = {"VpcId": vpc, "ServiceName": "com.amazonaws.eu-west-3.kms", "PrivateDnsEnabled": False}
    ec2.create_vpc_endpoint(VpcEndpointType="Interface", SubnetIds=[second], **asked)
    jar.settle()
    assert jar.network.plan(vpc).crossing == ()
    launch(ec2, SubnetId=second)
    jar.settle()
    assert len(jar.network.plan(vpc).crossing) == 2
