"""A web server of a group dies: the others go on serving, and another one takes its place. Too many requests: another
one joins them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest

from cloudjar.base.clock import monotonic
from cloudjar.gateway.admin import TOKEN_HEADER
from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.scaled import GROUP, Scaled, Visitor, scaled
from tests.host.jar.served import RealJar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def group() -> Iterator[Scaled]:
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with scaled() as made:
        yield made


def test_a_dead_member_is_replaced_and_nobody_notices_for_long(group: Scaled) -> None:
    first, second = sorted(group.members())
    visitor = Visitor(group.address)
    visitor.start()
    both = {group.name(first), group.name(second)}
    until(lambda: both <= {a.body for a in visitor.asked}, "both to serve")
    group.replaced(first)
    well = monotonic()
    (successor,) = set(group.members()) - {first, second}
    now = {group.name(second), group.name(successor)}
    until(lambda: now <= {a.body for a in visitor.asked if a.sent > well}, "the one that was left and the new one")
    asked = visitor.close()
    assert {a.status for a in asked if a.sent > well} == {200}
    assert {a.status for a in asked} <= {200, 502, 504}
    until(lambda: first not in group.members(), "the dead one to be forgotten")
    assert group.account.state(first) == "terminated"


def test_requests_that_are_too_many_for_each_target_make_the_group_grow(group: Scaled) -> None:
    (balancer,) = group.elb.describe_load_balancers()["LoadBalancers"]
    front = balancer["LoadBalancerArn"].rpartition(":loadbalancer/")[2]
    behind = group.target_group.rpartition(":")[2]
    until(lambda: set(group.members().values()) == {"InService"} and len(group.healthy()) == 2, "two members")
    _advance(group.jar, 600)  # nobody warms up any more
    predefined = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": f"{front}/{behind}"}
    group.scaling.put_scaling_policy(
        AutoScalingGroupName=GROUP, PolicyName="requests", PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={"TargetValue": 2, "PredefinedMetricSpecification": predefined},
    )  # fmt: skip
    visitor = Visitor(group.address)
    visitor.start()

    def grown() -> bool:
        """One more minute in which the visitor asks at least forty times."""
        if len(group.members()) == 2:
            already = len(visitor.asked)
            until(lambda: len(visitor.asked) >= already + 40, "the visitor to ask")
            _advance(group.jar, 60)
        return len(group.members()) == 3

    until(grown, "a third member", 180)
    asked = visitor.close()
    until(lambda: len(group.healthy()) == 3, "it to be well", 120)

    few = 5  # that were under way when the node changed

    def told() -> bool:
        """Requests are told once, when their minute is over."""
        _advance(group.jar, 60)
        return len(asked) - few <= _told(group, "RequestCount", front)

    until(told, "the requests to be told", 60, 1)
    assert _told(group, "RequestCount", front) <= len(asked)
    assert 0 < _told(group, "HTTPCode_Target_2XX_Count", front) <= sum(a.status == 200 for a in asked)


def _told(group: Scaled, name: str, balancer: str) -> float:
    """What CloudWatch says since the policy was made, in all."""
    watch: Any = group.jar.client("cloudwatch")
    made = min(alarm["AlarmConfigurationUpdatedTimestamp"] for alarm in watch.describe_alarms()["MetricAlarms"])
    since = made.replace(second=0, microsecond=0)
    found = watch.get_metric_statistics(
        Namespace="AWS/ApplicationELB", MetricName=name, Dimensions=[{"Name": "LoadBalancer", "Value": balancer}],
        StartTime=since, EndTime=since + timedelta(hours=3), Period=60, Statistics=["Sum"],
    )  # fmt: skip
    return float(sum(point["Sum"] for point in found["Datapoints"]))


def _advance(jar: RealJar, seconds: int) -> None:
    token = (jar.home / "admin-token").read_text()
    asked = Request(f"{jar.endpoint}/_cloudjar/clock?seconds={seconds}", b"", {TOKEN_HEADER: token}, method="POST")
    with urlopen(asked, timeout=30) as answer:
        assert answer.status == 200
