"""A group of two web servers behind a load balancer, in two zones; and somebody who asks them all the time."""

from __future__ import annotations

import base64
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from cloudjar.base.clock import monotonic
from cloudjar.planes.compute import cgroups
from cloudjar.planes.proxy import processes
from tests.host.jar.account import Account
from tests.host.jar.served import REGION, RealJar, real_jar, until

SERVER = """#cloud-boothook
#!/bin/sh
mkdir -p /srv/web && cd /srv/web && hostname > index.html
pgrep -f 'http.server 80' || setsid python3 -m http.server 80 >/dev/null 2>&1 </dev/null &
"""
GROUP = "web"


class Asked(NamedTuple):
    """One request: when it was sent, what was answered (0: nothing), and by whom."""

    sent: float
    status: int
    body: str


class Visitor(threading.Thread):
    """Asks over and over until `close`; each request is a connection of its own."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.asked: list[Asked] = []
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.02):
            self.asked.append(ask(self.address))

    def close(self) -> list[Asked]:
        """Everything that was asked."""
        self._over.set()
        self.join(30)
        return self.asked


def ask(address: str) -> Asked:
    """One GET."""
    sent = monotonic()
    connection = http.client.HTTPConnection(address, 80, timeout=15)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return Asked(sent, answer.status, answer.read().decode(errors="replace").strip())
    except OSError:
        return Asked(sent, 0, "")
    finally:
        connection.close()


def proxies(jar: RealJar) -> list[int]:
    """The processes of a jar's load balancers."""
    return processes.below(jar.home / "proxy")


@contextmanager
def scaled() -> Iterator[Scaled]:
    """The group in a jar of its own; however the block ends, nothing of it is on the host."""
    with real_jar() as jar:
        try:
            made = Scaled(jar)
            yield made
            made.close()
        finally:
            processes.end(proxies(jar))


class Scaled:
    """The group, made and serving."""

    def __init__(self, jar: RealJar) -> None:
        self.jar = jar
        self.account = Account(jar)
        self.elb, self.scaling = jar.client("elbv2"), jar.client("autoscaling")
        vpc = self.account.vpc()
        self.account.gateway(vpc)
        self.subnets = [self._subnet(vpc, zone, n) for n, zone in enumerate("ab", 1)]
        self.security = self.account.group(vpc, "web", 80)
        self.target_group = self._target_group(vpc)
        self.address = self._balancer()
        self._group()
        until(lambda: len(self.healthy()) == 2, "two targets to be well", 180, 0.1)

    def _subnet(self, vpc: str, zone: str, n: int) -> str:
        made = self.account.ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )
        return str(made["Subnet"]["SubnetId"])

    def _target_group(self, vpc: str) -> str:
        made = self.elb.create_target_group(
            Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="instance", HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, UnhealthyThresholdCount=2,
        )  # fmt: skip
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        self._wait_for_leavers(arn, 20)
        return arn

    def _wait_for_leavers(self, target_group: str, seconds: int) -> None:
        delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}]
        self.elb.modify_target_group_attributes(TargetGroupArn=target_group, Attributes=delay)

    def _balancer(self) -> str:
        made = self.elb.create_load_balancer(
            Name="web", Subnets=self.subnets, SecurityGroups=[self.security]
        )["LoadBalancers"][0]
        self.elb.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.target_group}],
        )  # fmt: skip
        self.elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[made["LoadBalancerArn"]])
        wanted = [{"Name": "requester-id", "Values": ["amazon-elb"]}]
        enis = self.account.ec2.describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]
        return str(enis[0]["Association"]["PublicIp"])

    def _group(self) -> None:
        data: dict[str, Any] = {
            "ImageId": self.account.image, "InstanceType": "t3.micro", "SecurityGroupIds": [self.security],
            "UserData": base64.b64encode(SERVER.encode()).decode(),
        }  # fmt: skip
        self.account.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName=GROUP, MinSize=2, MaxSize=3, LaunchTemplate={"LaunchTemplateName": "web"},
            VPCZoneIdentifier=",".join(self.subnets), TargetGroupARNs=[self.target_group], HealthCheckType="ELB",
            HealthCheckGracePeriod=60,
        )  # fmt: skip

    def close(self) -> None:
        """Take everything off the host that outlives the jar's server."""
        self._wait_for_leavers(self.target_group, 0)  # nobody asks any more
        self.scaling.delete_auto_scaling_group(AutoScalingGroupName=GROUP, ForceDelete=True)
        found = self.elb.describe_load_balancers()["LoadBalancers"]
        for balancer in found:
            self.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        until(lambda: not self.jar.compute.machines(), "the machines to go", 120, 0.1)
        until(lambda: not proxies(self.jar), "the proxies to go", 60, 0.1)

    # -- what is there
    def healthy(self) -> set[str]:
        """Instances that get requests."""
        found = self.elb.describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return {d["Target"]["Id"] for d in found if d["TargetHealth"]["State"] == "healthy"}

    def members(self) -> dict[str, str]:
        """Lifecycle states."""
        found = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"][0]
        return {i["InstanceId"]: i["LifecycleState"] for i in found["Instances"]}

    def name(self, machine: str) -> str:
        """What its server says: its host name."""
        return str(self.account.show(machine)["PrivateDnsName"]).partition(".")[0]

    def cut_power(self, machine: str) -> None:
        """Kill every process of a guest at once."""
        groups = cgroups.Groups(self.jar.settings.tag, machine)
        until(lambda: not groups.kill(), f"the processes of {machine} to die")

    def replaced(self, machine: str) -> dict[str, float]:
        """Seconds from a power cut of one member to what follows; the names are told in the order of a replacement."""
        before = self.members()
        began = monotonic()
        self.cut_power(machine)
        times: dict[str, float] = {}

        def say(what: str) -> None:
            times[what] = monotonic() - began

        until(lambda: machine not in self.healthy(), "the dead one to be noticed", 120, 0.05)
        say("out of the target group")
        until(lambda: set(self.members()) - set(before), "a successor", 120, 0.05)
        say("successor launched")
        (successor,) = set(self.members()) - set(before)
        until(lambda: self.members().get(successor) == "InService", "it to be in service", 120, 0.05)
        say("successor in service")
        until(lambda: successor in self.healthy(), "it to be well", 120, 0.05)
        say("successor healthy")
        name = self.name(successor)
        until(lambda: ask(self.address).body == name, "it to serve", 120, 0.05)
        say("successor serves")
        return times
