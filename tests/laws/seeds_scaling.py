"""Groups with several of everything that Auto Scaling lists, for the law on pages."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar

MANY = 7


def groups(jar: TestJar) -> dict[str, Any]:
    """Make them as root of the default account; gives the parameters that the lists need."""
    scaling, ec2 = jar.client("autoscaling"), jar.client("ec2")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    for n in range(MANY):
        name = f"g{n}"
        scaling.create_launch_configuration(
            LaunchConfigurationName=f"c{n}", ImageId=image, InstanceType="t3.micro"
        )
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchConfigurationName="c0",
            MinSize=0,
            MaxSize=1,
            DesiredCapacity=1,
            AvailabilityZones=["eu-west-3a"],
            Tags=[{"Key": "k", "Value": "v"}],
        )
        scaling.put_scaling_policy(
            AutoScalingGroupName=name, PolicyName="p", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1
        )
        scaling.put_scheduled_update_group_action(
            AutoScalingGroupName=name, ScheduledActionName="s", Recurrence="0 9 * * *", DesiredCapacity=1
        )
    for _ in range(MANY):
        scaling.start_instance_refresh(AutoScalingGroupName="g0")
        scaling.cancel_instance_refresh(AutoScalingGroupName="g0")
    return {"AutoScalingGroupName": "g0"}
