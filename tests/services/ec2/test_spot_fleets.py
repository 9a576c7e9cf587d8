"""Spot Fleet: the older words for what fleets do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import allow, code
from tests.services.ec2.test_spot import image, instance

ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-ec2-spot-fleet-tagging-role"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def fleet_role(jar: TestJar) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "spotfleet.amazonaws.com"}, "Action": "sts:AssumeRole"}
    jar.client("iam").create_role(
        RoleName="aws-ec2-spot-fleet-tagging-role",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )


def ask(jar: TestJar, ec2: Any, **more: Any) -> str:
    if not jar.client("iam").list_roles()["Roles"]:
        fleet_role(jar)
    spec = {"ImageId": image(ec2), "InstanceType": "t3.micro", "TagSpecifications": [
        {"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "web"}]}]}  # fmt: skip
    config = {"IamFleetRole": ROLE, "TargetCapacity": 1, "LaunchSpecifications": [spec], **more}
    return str(ec2.request_spot_fleet(SpotFleetRequestConfig=config)["SpotFleetRequestId"])


def shown(ec2: Any, key: str) -> dict[str, Any]:
    (found,) = ec2.describe_spot_fleet_requests(SpotFleetRequestIds=[key])["SpotFleetRequestConfigs"]
    return found  # type: ignore[no-any-return]  # botocore's answers are untyped


def members(ec2: Any, key: str) -> list[str]:
    found = ec2.describe_spot_fleet_instances(SpotFleetRequestId=key)["ActiveInstances"]
    return [one["InstanceId"] for one in found]


def test_it_launches_keeps_and_ends(jar: TestJar, ec2: Any) -> None:
    allow(jar, "L-34B43A08")
    key = ask(jar, ec2, TargetCapacity=2, TagSpecifications=[
        {"ResourceType": "spot-fleet-request", "Tags": [{"Key": "a", "Value": "b"}]}])  # fmt: skip
    assert shown(ec2, key)["SpotFleetRequestState"] == "submitted"
    jar.settle()
    found = shown(ec2, key)
    assert (found["SpotFleetRequestState"], found["ActivityStatus"], found["Tags"]) == (
        "active", "fulfilled", [{"Key": "a", "Value": "b"}])  # fmt: skip
    first, _ = members(ec2, key)
    held = {tag["Key"]: tag["Value"] for tag in instance(ec2, first)["Tags"]}
    assert (held["team"], held["aws:ec2spot:fleet-request-id"]) == ("web", key)
    assert instance(ec2, first)["InstanceLifecycle"] == "spot"
    ec2.terminate_instances(InstanceIds=[first])
    jar.settle()
    assert len(members(ec2, key)) == 2
    ec2.modify_spot_fleet_request(SpotFleetRequestId=key, TargetCapacity=1)
    jar.settle()
    assert len(members(ec2, key)) == 1
    told = ec2.describe_spot_fleet_request_history(SpotFleetRequestId=key, StartTime=EPOCH, EventType="instanceChange")
    assert len(told["HistoryRecords"]) == 5
    answer = ec2.cancel_spot_fleet_requests(SpotFleetRequestIds=[key], TerminateInstances=True)
    assert answer["SuccessfulFleetRequests"][0]["CurrentSpotFleetRequestState"] == "cancelled_terminating"
    jar.settle()
    assert (shown(ec2, key)["SpotFleetRequestState"], members(ec2, key)) == ("cancelled", [])
    again = ec2.cancel_spot_fleet_requests(SpotFleetRequestIds=[key], TerminateInstances=True)
    assert again["UnsuccessfulFleetRequests"][0]["Error"]["Code"] == "fleetRequestNotInCancellableState"


def test_on_demand_within_it(jar: TestJar, ec2: Any) -> None:
    key = ask(jar, ec2, TargetCapacity=2, OnDemandTargetCapacity=1)
    jar.settle()
    lives = sorted(instance(ec2, vm).get("InstanceLifecycle", "on-demand") for vm in members(ec2, key))
    assert lives == ["on-demand", "spot"]


def test_templates_with_overrides(jar: TestJar, ec2: Any) -> None:
    made = ec2.create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": image(ec2), "InstanceType": "t3.micro"}
    )["LaunchTemplate"]
    named = {"LaunchTemplateId": made["LaunchTemplateId"], "Version": "1"}
    config = [{"LaunchTemplateSpecification": named, "Overrides": [{"InstanceType": "t3.nano", "SpotPrice": "0.1"}]}]
    fleet_role(jar)
    asked = {"IamFleetRole": ROLE, "TargetCapacity": 1, "LaunchTemplateConfigs": config}
    key = ec2.request_spot_fleet(SpotFleetRequestConfig=asked)["SpotFleetRequestId"]
    jar.settle()
    (vm,) = members(ec2, key)
    assert instance(ec2, vm)["InstanceType"] == "t3.nano"
    assert shown(ec2, key)["SpotFleetRequestConfig"]["LaunchTemplateConfigs"] == config


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"IamFleetRole": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "InvalidSpotFleetRequestConfig"),
        ({"OnDemandTargetCapacity": 2}, "InvalidParameterCombination"),
        ({"Type": "instant"}, "InvalidParameterValue"),
        ({"LaunchSpecifications": []}, "InvalidParameterCombination"),
        ({"ReplaceUnhealthyInstances": True}, "UnsupportedOperation"),
    ],
)
def test_what_cannot_be(jar: TestJar, ec2: Any, asked: dict[str, Any], answer: str) -> None:
    fleet_role(jar)
    assert code(partial(ask, jar, ec2), **asked) == answer
    assert ec2.describe_spot_fleet_requests()["SpotFleetRequestConfigs"] == []
