"""Several types and ways to buy in one group."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest

from cloudjar.services.autoscaling import mixing
from tests.services.autoscaling.groups import ZONES, Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}


@pytest.fixture
def template(scaling: Scaling) -> dict[str, str]:
    """A launch template ``web``, and room on the spot market."""
    scaling.jar.client("service-quotas").request_service_quota_increase(
        ServiceCode="ec2", QuotaCode="L-34B43A08", DesiredValue=64
    )
    scaling.jar.advance(minutes=10)
    data = {"ImageId": scaling.image(), "InstanceType": "t3.micro"}
    scaling.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    return {"LaunchTemplateName": "web"}


def make(scaling: Scaling, template: dict[str, str], overrides: list[dict[str, Any]], **more: Any) -> None:
    policy: dict[str, Any] = {"LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": overrides}}
    if "distribution" in more:
        policy["InstancesDistribution"] = more.pop("distribution")
    given = {"MinSize": 0, "MaxSize": 20, "AvailabilityZones": [ZONES[0]], **more}
    scaling.api.create_auto_scaling_group(**GROUP, MixedInstancesPolicy=policy, **given)
    scaling.jar.settle()


def bought(scaling: Scaling) -> Counter[tuple[str, str]]:
    found = scaling.ec2.describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    )["Reservations"]
    return Counter((i["InstanceType"], i.get("InstanceLifecycle", "")) for r in found for i in r["Instances"])


def test_the_first_type_is_taken_while_there_is_any(scaling: Scaling, template: dict[str, str]) -> None:
    make(scaling, template, [{"InstanceType": "t3.small"}, {"InstanceType": "t3.nano"}], DesiredCapacity=2)
    assert bought(scaling) == {("t3.small", ""): 2}
    shown = scaling.show()["MixedInstancesPolicy"]
    assert shown["InstancesDistribution"] == {
        "OnDemandAllocationStrategy": "prioritized", "OnDemandBaseCapacity": 0,
        "OnDemandPercentageAboveBaseCapacity": 100, "SpotAllocationStrategy": "lowest-price", "SpotInstancePools": 2,
    }  # fmt: skip
    assert [o["InstanceType"] for o in shown["LaunchTemplate"]["Overrides"]] == ["t3.small", "t3.nano"]
    assert shown["LaunchTemplate"]["LaunchTemplateSpecification"]["LaunchTemplateName"] == "web"
    change = {"InstancesDistribution": {"OnDemandAllocationStrategy": "lowest-price"}}
    scaling.api.update_auto_scaling_group(**GROUP, MixedInstancesPolicy=change, DesiredCapacity=3)
    scaling.jar.settle()
    assert bought(scaling) == {("t3.small", ""): 2, ("t3.nano", ""): 1}


def test_a_part_is_bought_on_the_spot_market(scaling: Scaling, template: dict[str, str]) -> None:
    wanted = {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 25, "SpotInstancePools": 1}
    overrides = [{"InstanceType": "t3.micro"}, {"InstanceType": "t3.nano"}]
    make(scaling, template, overrides, DesiredCapacity=5, distribution=wanted)
    assert bought(scaling) == {("t3.micro", ""): 2, ("t3.nano", "spot"): 3}
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=3)
    scaling.jar.settle()
    assert bought(scaling) == {("t3.micro", ""): 2, ("t3.nano", "spot"): 1}


def test_types_may_count_differently(scaling: Scaling, template: dict[str, str]) -> None:
    overrides = [
        {"InstanceType": "t3.small", "WeightedCapacity": "4"}, {"InstanceType": "t3.nano", "WeightedCapacity": "1"},
    ]  # fmt: skip
    make(scaling, template, overrides, DesiredCapacity=6)
    assert bought(scaling) == {("t3.small", ""): 2}
    assert {i["WeightedCapacity"] for i in scaling.show()["Instances"]} == {"4"}
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=5)
    scaling.jar.settle()
    assert bought(scaling) == {("t3.small", ""): 2}
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=4)
    scaling.jar.settle()
    assert bought(scaling) == {("t3.small", ""): 1}


def test_a_spot_instance_at_risk_goes_when_its_successor_is_there(
    scaling: Scaling, template: dict[str, str]
) -> None:
    wanted = {"OnDemandPercentageAboveBaseCapacity": 0}
    make(scaling, template, [], DesiredCapacity=1, distribution=wanted, CapacityRebalance=True)
    (first,) = scaling.instances()
    scaling.jar.jar.world.events.emit(
        "000000000000", "eu-west-3", "aws.ec2", "EC2 Instance Rebalance Recommendation", {"instance-id": first}
    )
    scaling.jar.settle()
    (second,) = scaling.instances()
    assert second != first
    order = [a["Description"] for a in reversed(scaling.activities())][1:]
    assert order == [f"Launching a new EC2 instance: {second}", f"Terminating EC2 instance: {first}"]


def test_what_cannot_be_mixed_is_refused(scaling: Scaling, template: dict[str, str]) -> None:
    def why(overrides: list[dict[str, Any]], **distribution: Any) -> str:
        return refused(partial(make, scaling, template, overrides), distribution=distribution)[1]

    assert "OnDemandPercentageAboveBaseCapacity" in why([], OnDemandPercentageAboveBaseCapacity=101)
    assert "SpotAllocationStrategy" in why([], SpotAllocationStrategy="cheapest")
    assert "SpotInstancePools" in why([], SpotAllocationStrategy="capacity-optimized", SpotInstancePools=2)
    one = {"InstanceType": "t3.nano", "WeightedCapacity": "1"}
    assert "WeightedCapacity" in why([one, {"InstanceType": "t3.micro"}])
    assert "Duplicate" in why([{"InstanceType": "t3.nano"}, {"InstanceType": "t3.nano"}])
    both = {"LaunchConfigurationName": "web", "LaunchTemplate": template}
    given: dict[str, Any] = {"MinSize": 0, "MaxSize": 0, "AvailabilityZones": [ZONES[0]]}
    assert refused(scaling.api.create_auto_scaling_group, **GROUP, **both, **given)[0] == "ValidationError"


@pytest.mark.parametrize(
    ("base", "percent", "capacity", "wanted"),
    [(0, 100, 7, 7), (2, 0, 1, 1), (2, 50, 5, 4), (1, 25, 5, 2), (0, 0, 9, 0)],
)
def test_fractions_go_in_favour_of_on_demand(base: int, percent: int, capacity: int, wanted: int) -> None:
    policy = mixing.checked(
        {
            "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateName": "web"}},
            "InstancesDistribution": {
                "OnDemandBaseCapacity": base, "OnDemandPercentageAboveBaseCapacity": percent,
            },
        },
        None,
    )  # fmt: skip
    assert mixing.on_demand(policy, capacity) == wanted
