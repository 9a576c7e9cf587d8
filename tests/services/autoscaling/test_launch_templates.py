"""Groups that launch from a template."""

from __future__ import annotations

from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}


def test_a_group_follows_the_version_that_it_names(scaling: Scaling) -> None:
    data = {"ImageId": scaling.image(), "InstanceType": "t3.micro"}
    made = scaling.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)["LaunchTemplate"]
    scaling.make(desired=1, LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"})
    shown = {"LaunchTemplateId": made["LaunchTemplateId"], "LaunchTemplateName": "web"}
    assert scaling.show()["LaunchTemplate"] == {**shown, "Version": "$Latest"}
    (first,) = scaling.show()["Instances"]
    assert (first["LaunchTemplate"], first["InstanceType"]) == ({**shown, "Version": "1"}, "t3.micro")
    scaling.ec2.create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
    )
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=2)
    scaling.jar.settle()
    (second,) = [i for i in scaling.show()["Instances"] if i["InstanceId"] != first["InstanceId"]]
    assert (second["LaunchTemplate"], second["InstanceType"]) == ({**shown, "Version": "2"}, "t3.small")
    tags = scaling.tags(second["InstanceId"])
    assert tags["aws:ec2launchtemplate:id"] == made["LaunchTemplateId"]
    assert tags["aws:autoscaling:groupName"] == "asg"
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.settle()
    assert list(scaling.instances()) == [second["InstanceId"]]


def test_a_template_must_be_there(scaling: Scaling) -> None:
    code, message = refused(
        scaling.api.create_auto_scaling_group,
        **GROUP,
        MinSize=0,
        MaxSize=1,
        AvailabilityZones=["eu-west-3a"],
        LaunchTemplate={"LaunchTemplateName": "none"},
    )
    assert code == "ValidationError"
    assert "none" in message
