"""``AWS/PrivateLinkEndpoints``: what the network counts at interface endpoints is told by the minute, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.vpc_endpoints.counting import DoorCount
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import launch, make_vpc

SERVICE = "com.amazonaws.eu-west-3.kms"


class Site:
    """A VPC with a machine and an endpoint in two subnets."""

    def __init__(self, jar: TestJar, ec2: Any) -> None:
        self.jar, self.ec2 = jar, ec2
        self.vpc = make_vpc(ec2)
        blocks = (("10.0.1.0/24", "eu-west-3a"), ("10.0.2.0/24", "eu-west-3b"))
        self.subnets = [
            str(ec2.create_subnet(VpcId=self.vpc, CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"])
            for block, zone in blocks
        ]
        self.machine = launch(ec2, SubnetId=self.subnets[0])
        made = ec2.create_vpc_endpoint(
            VpcId=self.vpc, ServiceName=SERVICE, VpcEndpointType="Interface", SubnetIds=self.subnets,
            PrivateDnsEnabled=False,
        )["VpcEndpoint"]  # fmt: skip
        self.endpoint, found = made["VpcEndpointId"], made["NetworkInterfaceIds"]
        jar.settle()
        shown = ec2.describe_network_interfaces(NetworkInterfaceIds=found)["NetworkInterfaces"]
        self.doors = {one["SubnetId"]: one["NetworkInterfaceId"] for one in shown}

    def read(self) -> None:
        """Have the counters read."""
        self.jar.host.drive(self.machine, cpus=0.1)
        self.jar.settle()

    def told(self, name: str, statistic: str = "Sum", subnet: str = "") -> list[float]:
        """A metric by the minute, oldest first; minutes without anything are left out."""
        now, more = self.jar.clock.now(), {"Subnet Id": subnet} if subnet else {}
        named = {"Endpoint Type": "Interface", "Service Name": SERVICE, "VPC Endpoint Id": self.endpoint,
                 "VPC Id": self.vpc, **more}  # fmt: skip
        found = self.jar.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/PrivateLinkEndpoints", MetricName=name, Period=60, Statistics=[statistic],
            Dimensions=[{"Name": key, "Value": value} for key, value in named.items()],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1),
        )["Datapoints"]  # fmt: skip
        ordered = sorted(found, key=lambda point: point["Timestamp"])
        return [point[statistic] for point in ordered if point[statistic]]


def test_what_passes_is_told_once_by_endpoint_and_subnet(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    one, two = site.subnets
    jar.network.knocked(site.doors[one], bytes=1000, accepted=3, open=2)
    jar.network.knocked(site.doors[two], bytes=50, accepted=1, open=1)
    site.read()
    jar.advance(minutes=1)
    jar.network.knocked(site.doors[one], bytes=1200, accepted=4, open=1)
    site.read()
    assert site.told("BytesProcessed") == [1050, 200]
    assert site.told("BytesProcessed", subnet=one) == [1000, 200]
    assert site.told("BytesProcessed", subnet=two) == [50]
    assert site.told("NewConnections") == [4, 1]
    assert site.told("ActiveConnections", "Maximum") == [3, 2]
    jar.advance(minutes=1)
    jar.network.knocked(site.doors[one], born="two", bytes=7)
    jar.network.knocked(site.doors[two], bytes=50, accepted=1)
    site.read()
    assert site.told("BytesProcessed", subnet=one) == [1000, 200, 7]
    assert site.told("ActiveConnections", "Maximum") == [3, 2]  # nobody can tell how many there are
    listed = jar.client("cloudwatch").list_metrics(Namespace="AWS/PrivateLinkEndpoints")["Metrics"]
    assert len(listed) == 3 * 3


def test_the_last_bytes_are_told_before_an_endpoint_goes(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    jar.network.knocked(site.doors[site.subnets[0]], bytes=700, open=0)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[site.endpoint])
    jar.settle()
    assert site.told("BytesProcessed") == [700]
    site.read()
    left = Ctx(jar.jar.world, ACCOUNT, "eu-west-3", service_caller("cloudjar.internal", ACCOUNT)).db[DoorCount]
    assert left.all() == []
