"""Groups behind target groups: who is registered, who drains, who is replaced."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.planes.proxy.port import TargetHealth
from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused
from tests.services.elbv2.site import Site

GROUP = {"AutoScalingGroupName": "asg"}
ILL = TargetHealth(state="unhealthy", why="code", code=500)


@pytest.fixture
def site(scaling: Scaling) -> Site:
    """A load balancer ``web`` whose listener forwards to a target group ``web`` of instances."""
    found = Site(scaling.jar)
    found.listener(found.balancer()["LoadBalancerArn"], found.group(TargetType="instance"))
    scaling.jar.settle()
    return found


def target_group(site: Site) -> str:
    return str(site.elb.describe_target_groups(Names=["web"])["TargetGroups"][0]["TargetGroupArn"])


def states(site: Site) -> dict[str, str]:
    return {target: state for target, (state, _) in site.health(target_group(site)).items()}


def of_group(scaling: Scaling) -> list[str]:
    found = scaling.api.describe_load_balancer_target_groups(**GROUP)["LoadBalancerTargetGroups"]
    return [source["State"] for source in found]


def place(scaling: Scaling, instance: str) -> str:
    found = scaling.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return f"{found['PrivateIpAddress']}:80"


def test_members_are_registered_while_they_serve(scaling: Scaling, site: Site) -> None:
    scaling.make(desired=2, TargetGroupARNs=[target_group(site)])
    assert states(site) == dict.fromkeys(scaling.instances(), "healthy")
    assert of_group(scaling) == ["InService"]
    shown = scaling.show()
    assert shown["TargetGroupARNs"] == [target_group(site)]
    assert shown["TrafficSources"] == [{"Identifier": target_group(site), "Type": "elbv2"}]
    before = set(scaling.instances())
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.settle()
    (leaving,) = [i for i, state in scaling.instances().items() if state == "Terminating"]
    assert states(site)[leaving] == "draining"
    assert scaling.state(leaving) == "running"
    assert scaling.activities()[0]["StatusCode"] == "WaitingForELBConnectionDraining"
    scaling.jar.advance(seconds=301)
    assert scaling.state(leaving) == "terminated"
    assert states(site) == dict.fromkeys(before - {leaving}, "healthy")


def test_an_ill_target_is_replaced_after_its_grace(scaling: Scaling, site: Site) -> None:
    scaling.make(
        desired=2, TargetGroupARNs=[target_group(site)], HealthCheckType="ELB", HealthCheckGracePeriod=300
    )
    assert scaling.show()["HealthCheckType"] == "ELB"
    first, second = scaling.instances()
    scaling.jar.proxy.found(place(scaling, first), ILL)
    scaling.jar.settle()
    assert scaling.instances() == {first: "InService", second: "InService"}
    scaling.jar.advance(seconds=301)
    scaling.jar.advance(seconds=301)
    now = scaling.instances()
    assert first not in now
    assert second in now
    assert list(now.values()) == ["InService"] * 2
    assert scaling.state(first) == "terminated"
    assert states(site) == dict.fromkeys(now, "healthy")
    causes = [a["Cause"] for a in scaling.activities()]
    assert "At T an instance was taken out of service in response to an ELB system health check failure." in causes


def test_probes_decide_nothing_unless_the_group_heeds_them(scaling: Scaling, site: Site) -> None:
    scaling.make(desired=1, TargetGroupARNs=[target_group(site)])
    (only,) = scaling.instances()
    scaling.jar.proxy.found(place(scaling, only), ILL)
    scaling.jar.advance(hours=1)
    assert scaling.instances() == {only: "InService"}
    scaling.api.update_auto_scaling_group(**GROUP, HealthCheckType="ELB", HealthCheckGracePeriod=0)
    scaling.jar.advance(hours=1)
    assert only not in scaling.instances()


def test_a_dead_member_is_not_waited_for(scaling: Scaling, site: Site) -> None:
    scaling.make(desired=1, TargetGroupARNs=[target_group(site)])
    (first,) = scaling.instances()
    scaling.ec2.terminate_instances(InstanceIds=[first])
    scaling.jar.settle()
    (second,) = scaling.instances()
    assert second != first
    assert states(site)[second] == "healthy"


def test_standby_and_detached_members_get_no_requests(scaling: Scaling, site: Site) -> None:
    scaling.make(desired=2, TargetGroupARNs=[target_group(site)])
    first, second = scaling.instances()
    activity = scaling.api.enter_standby(**GROUP, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    assert activity["Activities"][0]["StatusCode"] == "WaitingForELBConnectionDraining"
    assert scaling.instances()[first] == "EnteringStandby"
    scaling.jar.advance(seconds=301)
    assert scaling.instances()[first] == "Standby"
    assert set(states(site)) == {second}
    scaling.api.exit_standby(**GROUP, InstanceIds=[first])
    scaling.jar.settle()
    assert states(site)[first] == "healthy"
    scaling.api.detach_instances(**GROUP, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    assert scaling.instances()[first] == "Detaching"
    scaling.jar.advance(seconds=301)
    assert set(scaling.instances()) == {second}
    assert scaling.state(first) == "running"
    assert set(states(site)) == {second}


def test_a_target_group_comes_and_goes(scaling: Scaling, site: Site) -> None:
    scaling.make(desired=1)
    (only,) = scaling.instances()
    source = {"Identifier": target_group(site), "Type": "elbv2"}
    scaling.api.attach_traffic_sources(**GROUP, TrafficSources=[source])
    assert of_group(scaling) == ["Adding"]
    scaling.jar.settle()
    (shown,) = scaling.api.describe_traffic_sources(**GROUP, TrafficSourceType="elbv2")["TrafficSources"]
    assert (shown["Identifier"], shown["State"]) == (target_group(site), "InService")
    assert states(site) == {only: "healthy"}
    scaling.api.detach_load_balancer_target_groups(**GROUP, TargetGroupARNs=[target_group(site)])
    scaling.jar.settle()
    assert states(site) == {only: "draining"}
    assert of_group(scaling) == ["Removing"]
    assert scaling.show()["TargetGroupARNs"] == []
    scaling.jar.advance(seconds=301)
    assert of_group(scaling) == []
    assert scaling.instances() == {only: "InService"}


def test_what_was_launched_while_nobody_was_to_be_added_is_not(scaling: Scaling, site: Site) -> None:
    scaling.make(desired=0, TargetGroupARNs=[target_group(site)])
    assert of_group(scaling) == ["Added"]
    scaling.api.suspend_processes(**GROUP, ScalingProcesses=["AddToLoadBalancer"])
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.settle()
    scaling.api.resume_processes(**GROUP)
    scaling.jar.settle()
    assert states(site) == {}
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=2)
    scaling.jar.settle()
    assert list(states(site).values()) == ["healthy"]


def test_what_cannot_send_requests_is_refused(scaling: Scaling, site: Site) -> None:
    scaling.make(desired=0)
    attach = scaling.api.attach_load_balancer_target_groups
    wrong = target_group(site)[:-1] + "x"
    message = "Provided Target Groups may not be valid. Please ensure they exist and try again."
    assert refused(attach, **GROUP, TargetGroupARNs=[wrong]) == ("ValidationError", message)
    assert refused(attach, **GROUP, TargetGroupARNs=[site.group("ip")])[0] == "ValidationError"
    detach: Any = scaling.api.detach_load_balancer_target_groups
    assert refused(detach, **GROUP, TargetGroupARNs=[wrong])[0] == "ValidationError"
    assert refused(scaling.api.update_auto_scaling_group, **GROUP, HealthCheckType="NONE")[0] == "ValidationError"
    classic = [{"Identifier": "classic"}]
    assert refused(scaling.api.attach_traffic_sources, **GROUP, TrafficSources=classic)[0] == "NotImplemented"


def test_it_does_so_as_its_own_role(scaling: Scaling, site: Site) -> None:
    scaling.make(desired=1, TargetGroupARNs=[target_group(site)])
    trail = scaling.jar.client("cloudtrail")
    asked = [{"AttributeKey": "EventName", "AttributeValue": "RegisterTargets"}]
    event = trail.lookup_events(LookupAttributes=asked)["Events"][0]["CloudTrailEvent"]
    assert "AWSServiceRoleForAutoScaling" in event
