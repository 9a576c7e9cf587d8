"""What load balancers tell CloudWatch: what their nodes counted, and how their targets are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloudjar.planes.proxy.port import Counted, TargetHealth
from cloudjar.services.elbv2.metering.counting import mean_between, since
from cloudjar.services.elbv2.metering.records import Reading
from tests.jar import TestJar
from tests.services.elbv2.site import Site


class Told:
    """CloudWatch's view of a load balancer and its target group."""

    def __init__(self, jar: TestJar, balancer: str, group: str) -> None:
        self.jar = jar
        self.watch: Any = jar.client("cloudwatch")
        self.kind = "NetworkELB" if "/net/" in balancer else "ApplicationELB"
        self.balancer = {"Name": "LoadBalancer", "Value": balancer.rpartition(":loadbalancer/")[2]}
        self.group = {"Name": "TargetGroup", "Value": group.rpartition(":")[2]}

    def read(self, name: str, *dimensions: dict[str, str], stat: str = "Sum", minutes: int = 5) -> list[float]:
        """Minute by minute, oldest first, of the last ones."""
        now = self.jar.clock.now()
        query = {"Namespace": f"AWS/{self.kind}", "MetricName": name, "Dimensions": list(dimensions)}
        found = self.watch.get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": query, "Period": 60, "Stat": stat}}],
            StartTime=now - timedelta(minutes=minutes), EndTime=now, ScanBy="TimestampAscending",
        )["MetricDataResults"][0]  # fmt: skip
        return [float(value) for value in found["Values"]]


def zone(name: str) -> dict[str, str]:
    return {"Name": "AvailabilityZone", "Value": name}


def served(group: str, requests: int, *, failed: int = 0, mean: int = 0, born: str = "1") -> Counted:
    """What a node's proxy has counted in all, when targets answered so many requests and failed some of them."""
    name = "-".join(group.rpartition("targetgroup/")[2].split("/"))
    amounts = {
        "connections": requests + 3, "bytes": 1000 * requests, "1xx": 0, "2xx": requests - failed, "3xx": 1,
        "4xx": 2, "5xx": failed, f"requests {name}": requests, f"connections {name}": 1, f"errors {name}": 0,
        f"1xx {name}": 0, f"2xx {name}": requests - failed, f"3xx {name}": 0, f"4xx {name}": 0, f"5xx {name}": failed,
    }  # fmt: skip
    return Counted(born=born, amounts=amounts, means={name: mean}, active=2)


def begun(jar: TestJar, **more: Any) -> tuple[Site, Told, str]:
    """A load balancer with two targets in a group."""
    site = Site(jar)
    net = more.get("Type") == "network"
    arn = site.balancer(**more)["LoadBalancerArn"]
    group = site.group(Protocol="TCP") if net else site.group()
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": f"172.31.0.{n}"} for n in (20, 21)])
    site.elb.create_listener(
        LoadBalancerArn=arn, Protocol="TCP" if net else "HTTP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )  # fmt: skip
    jar.settle()
    return site, Told(jar, arn, group), group


def test_requests_and_answers_of_each_minute(jar: TestJar) -> None:
    site, told, group = begun(jar)
    one, two = site.nodes()
    jar.proxy.count(one, served(group, 30, failed=3, mean=50))
    jar.proxy.count(two, served(group, 10, mean=250))
    jar.advance(minutes=1)
    whole, of = told.balancer, told.group
    assert told.read("RequestCount", whole) == [40]
    assert told.read("RequestCount", whole, of) == [40]
    assert told.read("RequestCount", zone("eu-west-3a"), whole) == [30]
    assert told.read("RequestCount", zone("eu-west-3b"), whole, of) == [10]
    assert told.read("RequestCountPerTarget", whole, of) == [20]
    assert told.read("RequestCountPerTarget", of) == [20]
    assert told.read("HTTPCode_Target_2XX_Count", whole) == [37]
    assert told.read("HTTPCode_Target_5XX_Count", whole, of) == [3]
    assert told.read("HTTPCode_ELB_4XX_Count", whole) == [4]
    assert told.read("HTTP_Redirect_Count", zone("eu-west-3a"), whole) == [1]
    assert told.read("HTTPCode_ELB_5XX_Count", whole) == []
    assert told.read("TargetResponseTime", whole, stat="Average") == [pytest.approx(0.1)]
    assert told.read("NewConnectionCount", whole) == [48]
    assert told.read("ActiveConnectionCount", whole) == [4]
    assert told.read("ProcessedBytes", whole) == [40_000]
    jar.proxy.count(one, served(group, 50, failed=3, mean=50))
    jar.advance(minutes=2)
    assert told.read("RequestCount", whole) == [40, 20]  # a minute in which nothing happens says nothing
    assert told.read("HTTPCode_Target_5XX_Count", whole) == [3]


def test_a_process_that_took_over_begins_anew(jar: TestJar) -> None:
    site, told, group = begun(jar)
    one, _ = site.nodes()
    jar.proxy.count(one, served(group, 30))
    jar.advance(minutes=1)
    jar.proxy.count(one, served(group, 4, born="2"))
    jar.advance(minutes=1)
    assert told.read("RequestCount", told.balancer) == [30, 4]


def test_how_many_targets_are_well_is_told_every_minute(jar: TestJar) -> None:
    site, told, group = begun(jar)
    both = told.balancer, told.group
    jar.advance(minutes=3)
    assert told.read("HealthyHostCount", *both, stat="Maximum")[-2:] == [2, 2]
    jar.proxy.found("172.31.0.20:80", TargetHealth(state="unhealthy", why="timeout"))
    jar.settle()
    jar.advance(minutes=15)
    assert told.read("HealthyHostCount", *both, stat="Minimum")[-2:] == [1, 1]
    assert told.read("UnHealthyHostCount", *both, stat="Maximum")[-2:] == [1, 1]
    listed = told.watch.list_metrics(Namespace="AWS/ApplicationELB")["Metrics"]
    assert {m["MetricName"] for m in listed} == {"HealthyHostCount", "UnHealthyHostCount"}
    site.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "172.31.0.20"}])
    jar.settle()
    jar.advance(minutes=2)
    assert told.read("UnHealthyHostCount", *both, stat="Maximum")[-1] == 0


def test_flows_of_a_network_load_balancer(jar: TestJar) -> None:
    site, told, _ = begun(jar, Type="network", Scheme="internal")
    one, _ = site.nodes()
    amounts = {"tcp": 7, "tls": 0, "udp": 2, "bytes": 9000, "packets": 90}
    jar.proxy.count(one, Counted(born="1", amounts=amounts, active=3))
    jar.advance(minutes=1)
    assert told.read("NewFlowCount", told.balancer) == [9]
    assert told.read("NewFlowCount_UDP", told.balancer) == [2]
    assert told.read("ActiveFlowCount", told.balancer, stat="Average") == [3]
    assert told.read("ProcessedBytes", told.balancer) == [9000]
    assert told.read("ProcessedPackets", zone("eu-west-3a"), told.balancer) == [90]
    assert told.read("HealthyHostCount", told.balancer, told.group, stat="Maximum")[-1] == 2


def test_a_mean_that_runs_over_the_last_requests_tells_of_those_between() -> None:
    assert mean_between(10, 20, 10, 20) == 30
    assert mean_between(0, 5, 0, 512) == 5
    assert mean_between(100, 100, 600, 700) == pytest.approx(100)
    assert mean_between(1, 2, 5000, 5001) == pytest.approx(513)
    before = {"1": Reading(amounts={"requests g": 5}, means={"g": 10})}
    now = Counted(born="1", amounts={"requests g": 10}, means={"g": 20})
    assert since(before, (now,)).seconds == {"g": 0.03}
