"""``AWS/NATGateway``: what the network counts at a gateway is told by the minute, each byte once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx
from cloudjar.planes.network.port import NatTraffic
from cloudjar.services.ec2.nat_gateways.counting import NatCount
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import launch, make_gateway, make_subnet, make_vpc


class Site:
    """A VPC with a machine and a NAT gateway."""

    def __init__(self, jar: TestJar, ec2: Any) -> None:
        self.jar = jar
        vpc = make_vpc(ec2)
        subnet = make_subnet(ec2, vpc)
        make_gateway(ec2, vpc)
        self.machine = launch(ec2, SubnetId=subnet)
        allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
        self.nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
        jar.settle()

    def carried(self, **counters: int) -> None:
        """The gateway has carried so much in all, and it is read."""
        self.jar.network.translated(self.nat, NatTraffic(**counters))
        self.jar.host.drive(self.machine, cpus=0.1)
        self.jar.settle()

    def told(self, name: str, statistic: str = "Sum") -> list[float]:
        """A metric by the minute, oldest first; minutes without anything are left out."""
        now = self.jar.clock.now()
        found = self.jar.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/NATGateway", MetricName=name, Dimensions=[{"Name": "NatGatewayId", "Value": self.nat}],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1), Period=60, Statistics=[statistic],
        )["Datapoints"]  # fmt: skip
        ordered = sorted(found, key=lambda point: point["Timestamp"])
        return [point[statistic] for point in ordered if point[statistic]]


def test_what_passes_is_told_once_from_both_sides(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    site.carried(bytes_out=1000, packets_out=10, bytes_in=5000, packets_in=20, connections=3)
    jar.advance(minutes=1)
    site.carried(bytes_out=1500, packets_out=12, bytes_in=5000, packets_in=20, connections=1)
    jar.advance(minutes=1)
    assert site.told("BytesInFromSource") == site.told("BytesOutToDestination") == [1000, 500]
    assert site.told("BytesInFromDestination") == site.told("BytesOutToSource") == [5000]
    assert site.told("PacketsInFromSource") == site.told("PacketsOutToDestination") == [10, 2]
    assert site.told("PacketsInFromDestination") == site.told("PacketsOutToSource") == [20]
    assert site.told("ActiveConnectionCount", "Maximum") == [3, 1]
    listed = jar.client("cloudwatch").list_metrics(Namespace="AWS/NATGateway")["Metrics"]
    assert {tuple(d.values()) for m in listed for d in m["Dimensions"]} == {("NatGatewayId", site.nat)}
    assert len(listed) == 9


def test_counters_that_began_anew_are_told_whole(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    site.carried(bytes_out=1000)
    jar.advance(minutes=1)
    site.carried(bytes_out=300)
    assert site.told("BytesInFromSource") == [1000, 300]


def test_the_last_bytes_are_told_before_a_gateway_goes(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    jar.network.translated(site.nat, NatTraffic(bytes_in=700))
    ec2.delete_nat_gateway(NatGatewayId=site.nat)
    jar.settle()
    assert site.told("BytesOutToSource") == [700]
    jar.host.drive(site.machine, cpus=0.2)
    jar.settle()
    assert jar.jar.database.query("SELECT count(*) FROM wake WHERE purpose='sample'") == [(0,)]
    assert site.told("BytesOutToSource") == [700]
    left = Ctx(jar.jar.world, ACCOUNT, "eu-west-3", service_caller("cloudjar.internal", ACCOUNT)).db[NatCount]
    assert left.all() == []
