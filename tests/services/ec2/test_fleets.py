"""EC2 Fleet: pools, strategies, what is launched and kept, and what becomes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import allow, code, only
from tests.services.ec2.test_spot import image, instance, take

SPOT_QUOTA = "L-34B43A08"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def template(ec2: Any, **data: Any) -> dict[str, str]:
    wanted = {"ImageId": image(ec2), "InstanceType": "t3.micro", **data}
    made = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=wanted)["LaunchTemplate"]
    return {"LaunchTemplateId": made["LaunchTemplateId"], "Version": "$Latest"}


def ask(ec2: Any, total: int, kind: str = "instant", overrides: Any = (), **more: Any) -> dict[str, Any]:
    market = more.pop("market", "on-demand")
    found = ec2.describe_launch_templates()["LaunchTemplates"]
    named = {"LaunchTemplateId": found[0]["LaunchTemplateId"], "Version": "$Latest"} if found else template(ec2)
    capacity = {"TotalTargetCapacity": total, "DefaultTargetCapacityType": market, **more.pop("capacity", {})}
    config = {"LaunchTemplateSpecification": named, **({"Overrides": list(overrides)} if overrides else {})}
    made: dict[str, Any] = ec2.create_fleet(
        Type=kind, TargetCapacitySpecification=capacity, LaunchTemplateConfigs=[config], **more
    )
    return made


def fleet(ec2: Any, key: str) -> dict[str, Any]:
    (found,) = ec2.describe_fleets(FleetIds=[key])["Fleets"]
    return found  # type: ignore[no-any-return]  # botocore's answers are untyped


def members(ec2: Any, key: str) -> list[str]:
    return [one["InstanceId"] for one in ec2.describe_fleet_instances(FleetId=key)["ActiveInstances"]]


def kinds(made: dict[str, Any]) -> dict[str, int]:
    return {group["InstanceType"]: len(group["InstanceIds"]) for group in made["Instances"]}


def of(*types: str, **more: Any) -> list[dict[str, Any]]:
    return [{"InstanceType": name, **more} for name in types]


def test_an_instant_fleet_launches_at_once(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    allow(jar, SPOT_QUOTA)
    tagged = [
        {"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "web"}]},
        {"ResourceType": "fleet", "Tags": [{"Key": "own", "Value": "fleet"}]},
    ]
    made = ask(ec2, 3, capacity={"OnDemandTargetCapacity": 1, "SpotTargetCapacity": 2}, TagSpecifications=tagged)
    assert made["Errors"] == []
    lives = {group["Lifecycle"]: group["InstanceIds"] for group in made["Instances"]}
    assert {market: len(keys) for market, keys in lives.items()} == {"on-demand": 1, "spot": 2}
    shown = instance(ec2, lives["spot"][0])
    assert (shown["InstanceLifecycle"], shown["State"]["Name"]) == ("spot", "pending")
    assert {t["Key"]: t["Value"] for t in shown["Tags"]}["aws:ec2:fleet-id"] == made["FleetId"]
    assert {t["Key"]: t["Value"] for t in shown["Tags"]}["team"] == "web"
    found = fleet(ec2, made["FleetId"])
    assert (found["FleetState"], found["ActivityStatus"], found["FulfilledCapacity"]) == ("active", "fulfilled", 3.0)
    assert found["Tags"] == [{"Key": "own", "Value": "fleet"}]
    assert ec2.describe_fleets()["Fleets"] == []  # instant ones are told by id alone
    refusal = ec2.delete_fleets(FleetIds=[made["FleetId"]], TerminateInstances=False)["UnsuccessfulFleetDeletions"]
    assert refusal[0]["Error"]["Code"] == "NoTerminateInstancesNotSupported"
    ec2.delete_fleets(FleetIds=[made["FleetId"]], TerminateInstances=True)
    jar.settle()
    assert instance(ec2, lives["spot"][0])["State"]["Name"] == "terminated"
    assert fleet(ec2, made["FleetId"])["FleetState"] == "deleted"


def test_the_cheapest_pools_and_all_of_them(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    types = of("t3.small", "t3.nano", "t3.micro", AvailabilityZone="eu-west-3a")
    assert kinds(ask(ec2, 2, overrides=types)) == {"t3.nano": 2}
    by_priority = [{**one, "Priority": n} for n, one in zip((3, 2, 1), types, strict=True)]
    options: dict[str, Any] = {"OnDemandOptions": {"AllocationStrategy": "prioritized"}}
    assert kinds(ask(ec2, 2, overrides=by_priority, **options)) == {"t3.micro": 2}
    allow(jar, SPOT_QUOTA)
    spread: dict[str, Any] = {"SpotOptions": {"AllocationStrategy": "diversified"}}
    assert kinds(ask(ec2, 6, overrides=types, market="spot", **spread)) == {"t3.small": 2, "t3.nano": 2, "t3.micro": 2}
    two: dict[str, Any] = {"SpotOptions": {"AllocationStrategy": "lowest-price", "InstancePoolsToUseCount": 2}}
    assert kinds(ask(ec2, 4, overrides=types, market="spot", **two)) == {"t3.nano": 2, "t3.micro": 2}


def test_weights_make_up_the_capacity(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    types = [{**one, "AvailabilityZone": "eu-west-3a"} for one in of("t3.large", WeightedCapacity=4.0)]
    made = ask(ec2, 10, overrides=types)
    assert kinds(made) == {"t3.large": 3}
    assert fleet(ec2, made["FleetId"])["FulfilledCapacity"] == 12.0


def test_what_could_not_be_launched_is_told(ec2: Any) -> None:
    made = ask(ec2, 4, overrides=of("t3.micro", AvailabilityZone="eu-west-3a"))  # the quota has room for two
    assert kinds(made) == {"t3.micro": 2}
    (error,) = made["Errors"]
    assert (error["ErrorCode"], error["Lifecycle"]) == ("VcpuLimitExceeded", "on-demand")
    assert error["LaunchTemplateAndOverrides"]["Overrides"]["InstanceType"] == "t3.micro"


def test_all_of_a_least_capacity_or_nothing(ec2: Any) -> None:
    options: dict[str, Any] = {"OnDemandOptions": {"SingleInstanceType": True, "MinTargetCapacity": 4}}
    made = ask(ec2, 4, **options)
    assert (made["Instances"], made["Errors"][0]["ErrorCode"]) == ([], "VcpuLimitExceeded")
    assert ec2.describe_instances()["Reservations"] == []


def test_a_fleet_that_maintains_its_capacity(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    key = ask(ec2, 2, "maintain")["FleetId"]
    assert fleet(ec2, key)["FleetState"] == "submitted"
    jar.settle()
    first = members(ec2, key)
    found = fleet(ec2, key)
    assert (len(first), found["FleetState"], found["ActivityStatus"]) == (2, "active", "fulfilled")
    ec2.terminate_instances(InstanceIds=first[:1])
    jar.settle()
    second = members(ec2, key)
    assert (len(second), first[0] in second, first[1] in second) == (2, False, True)
    ec2.modify_fleet(FleetId=key, TargetCapacitySpecification={"TotalTargetCapacity": 3})
    jar.settle()
    assert len(members(ec2, key)) == 3
    ec2.modify_fleet(FleetId=key, TargetCapacitySpecification={"TotalTargetCapacity": 1})
    jar.settle()
    assert len(members(ec2, key)) == 1
    told = ec2.describe_fleet_history(FleetId=key, StartTime=EPOCH)["HistoryRecords"]
    counted = [one["EventInformation"]["EventSubType"] for one in told if one["EventType"] == "instance-change"]
    assert (counted.count("launched"), counted.count("terminated")) == (4, 3)
    ec2.delete_fleets(FleetIds=[key], TerminateInstances=True)
    assert fleet(ec2, key)["FleetState"] == "deleted_terminating"
    jar.settle()
    assert (fleet(ec2, key)["FleetState"], members(ec2, key)) == ("deleted", [])
    jar.advance(hours=50)
    assert code(ec2.describe_fleets, FleetIds=[key]) == "InvalidFleetId.NotFound"


def test_a_fleet_that_asks_once(jar: TestJar, ec2: Any) -> None:
    key = ask(ec2, 1, "request")["FleetId"]
    jar.settle()
    (vm,) = members(ec2, key)
    ec2.terminate_instances(InstanceIds=[vm])
    jar.advance(minutes=5)
    assert members(ec2, key) == []


def test_deleted_without_its_instances(jar: TestJar, ec2: Any) -> None:
    key = ask(ec2, 1, "maintain")["FleetId"]
    jar.settle()
    ec2.delete_fleets(FleetIds=[key], TerminateInstances=False)
    jar.settle()
    (vm,) = members(ec2, key)
    assert (fleet(ec2, key)["FleetState"], instance(ec2, vm)["State"]["Name"]) == ("deleted_running", "running")
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    assert fleet(ec2, key)["FleetState"] == "deleted"


def test_a_pool_that_refuses_is_tried_again(jar: TestJar, ec2: Any) -> None:
    key = ask(ec2, 3, "maintain")["FleetId"]
    jar.settle()
    found = fleet(ec2, key)
    assert (found["FulfilledCapacity"], found["ActivityStatus"]) == (2.0, "error")
    told = ec2.describe_fleet_history(FleetId=key, StartTime=EPOCH, EventType="service-error")["HistoryRecords"]
    assert told[-1]["EventInformation"]["EventSubType"] == "VcpuLimitExceeded"
    allow(jar)
    jar.advance(minutes=2)
    assert fleet(ec2, key)["FulfilledCapacity"] == 3.0


def test_an_expired_fleet_takes_its_instances_with_it(jar: TestJar, ec2: Any) -> None:
    until = jar.clock.now() + timedelta(hours=1)
    key = ask(ec2, 1, "maintain", ValidUntil=until, TerminateInstancesWithExpiration=True)["FleetId"]
    jar.settle()
    (vm,) = members(ec2, key)
    jar.advance(hours=1, minutes=5)
    assert (fleet(ec2, key)["FleetState"], instance(ec2, vm)["State"]["Name"]) == ("deleted", "terminated")


@pytest.mark.parametrize("strategy", ["launch", "launch-before-terminate"])
def test_what_will_be_interrupted_is_replaced_before(jar: TestJar, ec2: Any, strategy: str) -> None:
    rebalance: dict[str, Any] = {"ReplacementStrategy": strategy}
    if strategy != "launch":
        rebalance["TerminationDelay"] = 120
    options: dict[str, Any] = {"MaintenanceStrategies": {"CapacityRebalance": rebalance}}
    key = ask(ec2, 1, "maintain", market="spot", SpotOptions=options)["FleetId"]
    jar.settle()
    (old,) = members(ec2, key)
    take(jar, old, within=timedelta(minutes=10))
    jar.settle()
    assert len(members(ec2, key)) == 2
    jar.advance(minutes=3)
    assert (old in members(ec2, key)) is (strategy == "launch")
    jar.advance(minutes=10)
    assert len(members(ec2, key)) == 1


def test_types_by_what_they_must_have(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    size = {"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 4096, "Max": 4096}}
    wanted = {**size, "AllowedInstanceTypes": ["c*"]}
    names = [
        one["InstanceType"]
        for page in ec2.get_paginator("get_instance_types_from_instance_requirements").paginate(
            ArchitectureTypes=["x86_64"], VirtualizationTypes=["hvm"], InstanceRequirements=wanted
        )
        for one in page["InstanceTypes"]
    ]
    assert "c5.large" in names
    assert all(name.startswith("c") and name.endswith("large") for name in names)
    made = ask(ec2, 1, overrides=[{"InstanceRequirements": wanted, "AvailabilityZone": "eu-west-3a"}])
    (got,) = kinds(made)
    assert got in names
    burst = {**wanted, "AllowedInstanceTypes": ["t3.*"], "BurstablePerformance": "required"}
    found = ec2.get_instance_types_from_instance_requirements(
        ArchitectureTypes=["x86_64"], VirtualizationTypes=["hvm"], InstanceRequirements=burst
    )["InstanceTypes"]
    assert found == [{"InstanceType": "t3.medium"}]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"capacity": {"OnDemandTargetCapacity": 9}}, "InvalidParameterCombination"),
        ({"overrides": of("t9.micro")}, "InvalidParameterValue"),
        ({"SpotOptions": {"InstanceInterruptionBehavior": "hibernate"}}, "UnsupportedHibernationConfiguration"),
        ({"SpotOptions": {"InstanceInterruptionBehavior": "stop"}}, "InvalidParameterCombination"),
        ({"kind": "maintain", "OnDemandOptions": {"MinTargetCapacity": 1}}, "InvalidParameterCombination"),
        ({"kind": "maintain", "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a"}]}]},
         "InvalidParameterValue"),
        ({"ReplaceUnhealthyInstances": True}, "UnsupportedOperation"),
    ],
)  # fmt: skip
def test_fleets_that_cannot_be(ec2: Any, asked: dict[str, Any], answer: str) -> None:
    assert code(partial(ask, ec2, 1), **asked) == answer
    assert ec2.describe_fleets()["Fleets"] == []


def test_who_may_not_launch_gets_no_fleet(jar: TestJar, ec2: Any) -> None:
    template(ec2)
    iam = jar.client("iam")
    iam.create_user(UserName="u")
    actions = ["ec2:CreateFleet", "ec2:Describe*", "iam:CreateServiceLinkedRole"]
    text = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(text))
    made = iam.create_access_key(UserName="u")["AccessKey"]
    theirs = jar.client("ec2", key=made["AccessKeyId"], secret=made["SecretAccessKey"])
    assert code(partial(ask, theirs, 1, "maintain")) == "UnauthorizedOperation"
    (error,) = {one["ErrorCode"] for one in ask(theirs, 1)["Errors"]}
    assert error == "UnauthorizedOperation"


def test_a_fleet_is_no_way_around_passing_a_role(jar: TestJar, ec2: Any) -> None:
    template(ec2)
    iam = jar.client("iam")
    iam.create_instance_profile(InstanceProfileName="p")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="strong", AssumeRolePolicyDocument=document)
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="strong")
    iam.create_user(UserName="u")
    actions = ["ec2:*", "iam:CreateServiceLinkedRole"]
    text = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(text))
    made = iam.create_access_key(UserName="u")["AccessKey"]
    theirs = jar.client("ec2", key=made["AccessKeyId"], secret=made["SecretAccessKey"])
    weak = {"InstanceType": "t3.micro", "AvailabilityZone": "eu-west-3a"}
    assert ask(theirs, 0, "maintain", overrides=[weak])["FleetId"]
    second: Any = [weak, {"InstanceType": "t3.nano", "IamInstanceProfile": {"Name": "p"}}]
    assert code(partial(ask, theirs, 0, "maintain", overrides=second)) == "UnauthorizedOperation"
    ec2.create_launch_template(
        LaunchTemplateName="strong",
        LaunchTemplateData={
            "ImageId": image(ec2), "InstanceType": "t3.micro", "IamInstanceProfile": {"Name": "p"},
        },
    )  # fmt: skip
    configs = [
        {"LaunchTemplateSpecification": {"LaunchTemplateName": name, "Version": "1"}, "Overrides": [weak]}
        for name in ("web", "strong")
    ]
    asked = {"Type": "maintain", "LaunchTemplateConfigs": configs}
    nothing = {"TotalTargetCapacity": 0, "DefaultTargetCapacityType": "on-demand"}
    assert code(theirs.create_fleet, **asked, TargetCapacitySpecification=nothing) == "UnauthorizedOperation"
    key = ec2.create_fleet(**asked, TargetCapacitySpecification=nothing)["FleetId"]  # by who may
    more = {"FleetId": key, "TargetCapacitySpecification": {"TotalTargetCapacity": 1}}
    assert code(theirs.modify_fleet, **more) == "UnauthorizedOperation"
    jar.settle()
    assert members(ec2, key) == []


def test_fleets_are_found_and_tagged(ec2: Any) -> None:
    key = ask(ec2, 0, "maintain")["FleetId"]
    ec2.create_tags(Resources=[key], Tags=[{"Key": "a", "Value": "b"}])
    (found,) = ec2.describe_fleets(Filters=only(type="maintain"))["Fleets"]
    assert (found["FleetId"], found["Tags"]) == (key, [{"Key": "a", "Value": "b"}])
