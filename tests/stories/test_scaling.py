"""Terraform and a service that scales behind a load balancer, with what stands around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.served import Served
from tests.stories.terraform import Terraform, why_not

pytestmark = [
    pytest.mark.story,
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "it is there"),
]
HCL = Path(__file__).with_name("hcl")


def test_a_service_that_scales(served: Served) -> None:
    terraform = Terraform(served, HCL / "scaled", *served.user("admin-dev"))
    terraform.apply()
    assert terraform.changes() == ""
    scaling, elb = served.client("autoscaling"), served.client("elbv2")
    name = terraform.output("group")
    [group] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    assert [len(group["Instances"]), group["MaxSize"]] == [1, 4]
    alarms = [one["AlarmName"] for one in served.client("cloudwatch").describe_alarms()["MetricAlarms"]]
    assert sorted(name.rpartition("-Alarm")[0] or name for name in alarms) == [
        "TargetTracking-web", "TargetTracking-web", "many"
    ]  # fmt: skip
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    assert (balancer["DNSName"], balancer["State"]["Code"]) == (terraform.output("balancer"), "active")

    assert "0 added, 1 changed, 0 destroyed" in terraform.apply(most="3")
    assert terraform.changes(most="3") == ""

    terraform.destroy()
    ec2 = served.client("ec2")
    assert [vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"]] == [True]
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_volumes()["Volumes"] == []
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert served.client("fis").list_experiment_templates()["experimentTemplates"] == []
