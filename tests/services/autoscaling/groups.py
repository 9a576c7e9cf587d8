"""Words that the tests of groups share."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tests.jar import TestJar

ZONES = ("eu-west-3a", "eu-west-3b", "eu-west-3c")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Scaling(NamedTuple):
    """A jar and the clients that the tests need."""

    jar: TestJar
    api: Any
    ec2: Any

    def image(self) -> str:
        """A public image."""
        found = self.ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])
        return str(found["Images"][0]["ImageId"])

    def configure(self, name: str, **more: Any) -> None:
        """A launch configuration."""
        given = {"ImageId": self.image(), "InstanceType": "t3.micro", **more}
        self.api.create_launch_configuration(LaunchConfigurationName=name, **given)

    def make(self, name: str = "asg", *, desired: int = 1, least: int = 0, most: int = 6, **more: Any) -> None:
        """A group, come to rest."""
        if "VPCZoneIdentifier" not in more:
            more.setdefault("AvailabilityZones", [ZONES[0]])
        if "LaunchTemplate" not in more:
            more.setdefault("LaunchConfigurationName", "web")
        self.api.create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=least, MaxSize=most, DesiredCapacity=desired, **more
        )
        self.jar.settle()

    def show(self, name: str = "asg") -> dict[str, Any]:
        """The group."""
        found: dict[str, Any] = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
            "AutoScalingGroups"
        ][0]
        return found

    def exists(self, name: str = "asg") -> bool:
        """Whether it is still there."""
        return bool(self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"])

    def instances(self, name: str = "asg") -> dict[str, str]:
        """Lifecycle states by instance."""
        return {i["InstanceId"]: i["LifecycleState"] for i in self.show(name)["Instances"]}

    def state(self, instance: str) -> str:
        """What EC2 says."""
        found = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return str(found["State"]["Name"])

    def tags(self, instance: str) -> dict[str, str]:
        """An instance's tags."""
        found = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return {tag["Key"]: tag["Value"] for tag in found["Tags"]}

    def activities(self, name: str = "asg") -> list[dict[str, Any]]:
        """The newest first; moments in the causes are T."""
        found = self.api.describe_scaling_activities(AutoScalingGroupName=name)["Activities"]
        return [{**a, "Cause": MOMENT.sub("T", a["Cause"])} for a in found]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Details of the events of a kind, oldest first."""
        return [e.detail for e in self.jar.jar.events.since(0, 10_000) if e.detail_type == kind]
