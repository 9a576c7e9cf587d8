"""The target capacity of a Spot Fleet, which is real."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import refused

TRUST = {"Effect": "Allow", "Principal": {"Service": "spotfleet.amazonaws.com"}, "Action": "sts:AssumeRole"}
DIMENSION = "ec2:spot-fleet-request:TargetCapacity"


def fleet(jar: TestJar) -> str:
    """A fleet of one."""
    jar.client("service-quotas").request_service_quota_increase(
        ServiceCode="ec2", QuotaCode="L-34B43A08", DesiredValue=64
    )
    jar.advance(minutes=10)
    iam, ec2 = jar.client("iam"), jar.client("ec2")
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = iam.create_role(RoleName="fleet", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.attach_role_policy(
        RoleName="fleet", PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonEC2SpotFleetTaggingRole"
    )
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    made = ec2.request_spot_fleet(
        SpotFleetRequestConfig={
            "IamFleetRole": role, "TargetCapacity": 1,
            "LaunchSpecifications": [{"ImageId": image, "InstanceType": "t3.micro"}],
        }
    )  # fmt: skip
    jar.settle()
    return str(made["SpotFleetRequestId"])


def capacity(jar: TestJar, fleet_id: str) -> int:
    found = jar.client("ec2").describe_spot_fleet_requests(SpotFleetRequestIds=[fleet_id])
    return int(found["SpotFleetRequestConfigs"][0]["SpotFleetRequestConfig"]["TargetCapacity"])


def test_a_fleet_grows_by_the_clock(jar: TestJar) -> None:
    fleet_id = fleet(jar)
    api: Any = jar.client("application-autoscaling")
    resource = {"ServiceNamespace": "ec2", "ResourceId": f"spot-fleet-request/{fleet_id}",
                "ScalableDimension": DIMENSION}  # fmt: skip
    api.register_scalable_target(**resource, MinCapacity=1, MaxCapacity=4)
    soon = jar.clock.now() + timedelta(minutes=5)
    api.put_scheduled_action(
        **resource, ScheduledActionName="more", Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 3},
    )  # fmt: skip
    jar.advance(minutes=6)
    assert capacity(jar, fleet_id) == 3
    (activity,) = api.describe_scaling_activities(ServiceNamespace="ec2")["ScalingActivities"]
    assert activity["Description"] == "Setting target capacity to 3."
    jar.settle()
    active = jar.client("ec2").describe_spot_fleet_instances(SpotFleetRequestId=fleet_id)["ActiveInstances"]
    assert len(active) == 3


def test_a_fleet_must_be_there(jar: TestJar) -> None:
    asked = {"ServiceNamespace": "ec2", "ScalableDimension": DIMENSION, "MinCapacity": 1, "MaxCapacity": 2,
             "ResourceId": "spot-fleet-request/sfr-01234567-89ab-cdef-0123-456789abcdef"}  # fmt: skip
    register = jar.client("application-autoscaling").register_scalable_target
    assert "does not exist" in refused(register, **asked)[1]
