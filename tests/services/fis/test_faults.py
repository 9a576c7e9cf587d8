"""A zone or a host without power: what stays, what is refused, and that all of it comes back."""

from __future__ import annotations

import pytest

from cloudjar.kit.faults import breaker
from tests.jar import TestJar
from tests.services.ec2.asking import launch, refused


class Estate:
    """A machine in each of two zones of the default VPC."""

    def __init__(self, jar: TestJar) -> None:
        self.jar = jar
        self.ec2 = jar.client("ec2")
        subnets = self.ec2.describe_subnets()["Subnets"]
        self.subnets = {s["AvailabilityZone"]: s["SubnetId"] for s in subnets}
        self.vpc = subnets[0]["VpcId"]
        self.dark, self.lit = (self.run(zone) for zone in ("eu-west-3a", "eu-west-3b"))
        jar.settle()

    def run(self, zone: str) -> str:
        return launch(self.ec2, SubnetId=self.subnets[zone], InstanceType="t2.micro")

    def state(self, instance: str) -> tuple[str, str]:
        """Its state, and what its status check says."""
        shown = self.ec2.describe_instance_status(InstanceIds=[instance], IncludeAllInstances=True)
        status = shown["InstanceStatuses"][0]
        return status["InstanceState"]["Name"], status["InstanceStatus"]["Status"]

    def begin(self, kind: str, target: str, seconds: float = 0) -> str:
        made = breaker(self.jar.jar.world).begin(self.jar.jar.world, kind, target, seconds)
        self.jar.settle()
        return str(made["id"])

    def end(self, fault: str) -> None:
        breaker(self.jar.jar.world).end(self.jar.jar.world, fault)
        self.jar.settle()

    def wired(self) -> set[str]:
        """The instances that have a place in the network."""
        return set(self.jar.network.guests())


@pytest.fixture
def estate(jar: TestJar) -> Estate:
    return Estate(jar)


def test_a_zone_loses_its_power_and_gets_it_back(estate: Estate) -> None:
    assert estate.wired() == {estate.dark, estate.lit}
    fault = estate.begin("zone", "eu-west-3a")
    assert estate.state(estate.dark) == ("running", "impaired")
    assert estate.state(estate.lit) == ("running", "ok")
    assert estate.jar.host.machines()[estate.dark] == "down"
    assert estate.wired() == {estate.lit}
    code, message = refused(estate.run, zone="eu-west-3a")
    assert code == "InsufficientInstanceCapacity"
    assert "(eu-west-3a)" in message
    estate.jar.crash()
    estate.jar.settle()
    assert estate.jar.host.machines()[estate.dark] == "down"
    estate.end(fault)
    assert estate.state(estate.dark) == ("running", "ok")
    assert estate.wired() == {estate.dark, estate.lit}
    assert breaker(estate.jar.jar.world).all(estate.jar.jar.world) == []


def test_what_is_stopped_stays_so_and_starts_when_there_is_power(estate: Estate) -> None:
    zones = estate.ec2.describe_availability_zones(ZoneNames=["eu-west-3a"])["AvailabilityZones"]
    fault = estate.begin("zone", zones[0]["ZoneId"])
    mine = estate.dark
    estate.ec2.stop_instances(InstanceIds=[mine])
    estate.jar.settle()
    assert estate.state(mine)[0] == "stopped"
    assert refused(estate.ec2.start_instances, InstanceIds=[mine])[0] == "InsufficientInstanceCapacity"
    estate.end(fault)
    estate.jar.settle()
    assert estate.state(mine)[0] == "stopped"
    estate.ec2.start_instances(InstanceIds=[mine])
    estate.jar.settle()
    assert estate.state(mine) == ("running", "ok")


def test_it_ends_by_the_clock(estate: Estate) -> None:
    estate.begin("instance", estate.dark, 600)
    assert estate.state(estate.dark) == ("running", "impaired")
    assert estate.wired() == {estate.dark, estate.lit}
    estate.jar.advance(minutes=9)
    estate.jar.settle()
    assert estate.state(estate.dark)[1] == "impaired"
    estate.jar.advance(minutes=2)
    estate.jar.settle()
    assert estate.state(estate.dark) == ("running", "ok")


def test_what_there_is_not_cannot_be_broken(jar: TestJar) -> None:
    world = jar.jar.world
    for kind, target, words in (
        ("zone", "eu-west-3z", "no Availability Zone"),
        ("instance", "i-00000000000000000", "no instance"),
        ("moon", "full", "cannot be broken"),
    ):
        with pytest.raises(ValueError, match=words):
            breaker(world).begin(world, kind, target, 0)
    with pytest.raises(ValueError, match="no fault"):
        breaker(world).end(world, "fault-none")
    assert breaker(world).all(world) == []
