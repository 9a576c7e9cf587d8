"""Who may do what to which group, and what a group may do itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.services.autoscaling.groups import ZONES, Scaling
from tests.services.ec2.asking import refused

TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture
def iam(scaling: Scaling) -> Any:
    """IAM as root."""
    return scaling.jar.client("iam")


def user(scaling: Scaling, iam: Any, *statements: dict[str, Any]) -> Any:
    """Auto Scaling as somebody who may do just this."""
    iam.create_user(UserName="ann")
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=text)
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    return scaling.jar.client("autoscaling", key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def test_a_group_is_named_by_its_name_and_its_tags(scaling: Scaling, iam: Any) -> None:
    scaling.make("mine", desired=1, Tags=[{"Key": "team", "Value": "a"}])
    scaling.make("theirs", desired=1)
    tagged = {"StringEquals": {"autoscaling:ResourceTag/team": "a"}}
    ann = user(scaling, iam, {"Effect": "Allow", "Action": "autoscaling:*", "Resource": "*", "Condition": tagged})
    ann.set_desired_capacity(AutoScalingGroupName="mine", DesiredCapacity=2)
    assert refused(ann.set_desired_capacity, AutoScalingGroupName="theirs", DesiredCapacity=2)[0] == "AccessDenied"
    (other,) = scaling.instances("theirs")
    end = ann.terminate_instance_in_auto_scaling_group
    assert refused(end, InstanceId=other, ShouldDecrementDesiredCapacity=True)[0] == "AccessDenied"
    simple: dict[str, Any] = {"PolicyName": "p", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1}
    theirs = scaling.api.put_scaling_policy(AutoScalingGroupName="theirs", **simple)["PolicyARN"]
    assert refused(ann.execute_policy, PolicyName=theirs)[0] == "AccessDenied"
    assert refused(ann.execute_policy, AutoScalingGroupName="mine", PolicyName=theirs)[0] == "ValidationError"


def test_a_role_is_passed_when_the_launch_configuration_is_made(scaling: Scaling, iam: Any) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = iam.create_role(RoleName="web", AssumeRolePolicyDocument=text)["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    scale = {"Effect": "Allow", "Action": "autoscaling:*", "Resource": "*"}
    ann = user(scaling, iam, scale)
    given = {"ImageId": scaling.image(), "InstanceType": "t3.micro", "IamInstanceProfile": "web"}
    make = ann.create_launch_configuration
    code, message = refused(make, LaunchConfigurationName="roled", **given)
    assert code == "AccessDenied"
    assert "iam:PassRole" in message
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role}
    policy = {"Version": "2012-10-17", "Statement": [scale, passing]}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(policy))
    make(LaunchConfigurationName="roled", **given)
    scaling.make("warm", desired=0)  # makes the service-linked role
    ann.create_auto_scaling_group(
        AutoScalingGroupName="asg",
        LaunchConfigurationName="roled",
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=[ZONES[0]],
    )
    scaling.jar.settle()
    (instance,) = scaling.instances()
    found = scaling.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert found["IamInstanceProfile"]["Arn"].endswith("instance-profile/web")


def test_the_first_group_needs_the_right_to_make_the_linked_role(scaling: Scaling, iam: Any) -> None:
    ann = user(scaling, iam, {"Effect": "Allow", "Action": "autoscaling:*", "Resource": "*"})
    given: dict[str, Any] = {"LaunchConfigurationName": "web", "MinSize": 0, "MaxSize": 1}
    code, message = refused(
        ann.create_auto_scaling_group, AutoScalingGroupName="asg", AvailabilityZones=[ZONES[0]], **given
    )
    assert code == "ServiceLinkedRoleFailure"
    assert "iam:CreateServiceLinkedRole" in message


def test_the_linked_role_stays_while_a_group_needs_it(scaling: Scaling, iam: Any) -> None:
    scaling.make(desired=0)
    name = "AWSServiceRoleForAutoScaling"
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    told = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert told["Status"] == "FAILED"
    assert told["Reason"]["RoleUsageList"] == [
        {"Region": "eu-west-3", "Resources": [scaling.show()["AutoScalingGroupARN"]]}
    ]
    assert iam.get_role(RoleName=name)["Role"]["RoleName"] == name
    scaling.api.delete_auto_scaling_group(AutoScalingGroupName="asg")
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"


def test_a_group_with_a_template_launches_what_its_maker_may(scaling: Scaling, iam: Any) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = iam.create_role(RoleName="web", AssumeRolePolicyDocument=text)["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    data = {"ImageId": scaling.image(), "InstanceType": "t3.micro", "IamInstanceProfile": {"Name": "web"}}
    scaling.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    scaling.make("first", desired=0)  # makes the service-linked role
    scale = {"Effect": "Allow", "Action": ["autoscaling:*", "ec2:RunInstances"], "Resource": "*"}
    ann = user(scaling, iam, scale)
    given: dict[str, Any] = {
        "AutoScalingGroupName": "asg", "LaunchTemplate": {"LaunchTemplateName": "web"}, "MinSize": 0, "MaxSize": 1,
        "AvailabilityZones": [ZONES[0]],
    }  # fmt: skip
    assert refused(ann.create_auto_scaling_group, **given) == (
        "AccessDenied", "You are not authorized to use launch template: web",
    )  # fmt: skip
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role}
    policy = {"Version": "2012-10-17", "Statement": [scale, passing]}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(policy))
    ann.create_auto_scaling_group(**given)
    assert scaling.show()["LaunchTemplate"]["LaunchTemplateName"] == "web"
