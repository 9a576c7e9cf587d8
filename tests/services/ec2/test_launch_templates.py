"""Launch templates: versions that never change, and launches that say less."""

from __future__ import annotations

import base64
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, only, refused


def image(ec2: Any) -> str:
    found = ec2.describe_images(
        Owners=["136693071363"], Filters=only(name="debian-12-amd64-*", architecture="x86_64")
    )["Images"]
    return str(found[0]["ImageId"])


def make(ec2: Any, name: str = "web", **data: Any) -> str:
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data or {"InstanceType": "t3.micro"})
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def version(ec2: Any, template: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = ec2.create_launch_template_version(LaunchTemplateId=template, **more)
    return made["LaunchTemplateVersion"]  # type: ignore[no-any-return]  # botocore's answers are untyped


def launched(ec2: Any, **more: Any) -> dict[str, Any]:
    answer = ec2.run_instances(MinCount=1, MaxCount=1, **more)
    return answer["Instances"][0]  # type: ignore[no-any-return]  # botocore's answers are untyped


def tags_of(view: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in view.get("Tags", [])}


def test_a_template_shows_who_made_it_and_its_first_version(ec2: Any) -> None:
    made = ec2.create_launch_template(
        LaunchTemplateName="web",
        VersionDescription="first",
        LaunchTemplateData={"InstanceType": "t3.micro", "EbsOptimized": True},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "team", "Value": "a"}]}],
    )["LaunchTemplate"]
    assert made["LaunchTemplateId"].startswith("lt-")
    assert (made["DefaultVersionNumber"], made["LatestVersionNumber"]) == (1, 1)
    assert made["CreatedBy"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert tags_of(made) == {"team": "a"}
    found = ec2.describe_launch_templates(Filters=[{"Name": "tag:team", "Values": ["a"]}])["LaunchTemplates"]
    assert [template["LaunchTemplateName"] for template in found] == ["web"]
    shown = ec2.describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"]
    assert [(v["VersionNumber"], v["VersionDescription"], v["DefaultVersion"]) for v in shown] == [(1, "first", True)]
    assert shown[0]["LaunchTemplateData"] == {"InstanceType": "t3.micro", "EbsOptimized": True}


def test_names_and_ids_that_are_not_there(ec2: Any) -> None:
    make(ec2)
    data = {"InstanceType": "t3.micro"}
    assert refused(ec2.create_launch_template, LaunchTemplateName="web", LaunchTemplateData=data) == (
        "InvalidLaunchTemplateName.AlreadyExistsException",
        "Launch template name already in use.",
    )
    assert code(ec2.describe_launch_templates, LaunchTemplateNames=["nobody"]) == (
        "InvalidLaunchTemplateName.NotFoundException"
    )
    missing = "lt-0123456789abcdef0"
    assert refused(ec2.describe_launch_templates, LaunchTemplateIds=[missing]) == (
        "InvalidLaunchTemplateId.NotFound",
        f"The specified launch template, with template ID {missing}, does not exist.",
    )
    assert code(ec2.describe_launch_templates, LaunchTemplateIds=["lt-x"]) == "InvalidLaunchTemplateId.Malformed"
    assert code(ec2.describe_launch_template_versions, LaunchTemplateName="web", Versions=["7"]) == (
        "InvalidLaunchTemplateId.VersionNotFound"
    )
    assert code(ec2.delete_launch_template) == "MissingParameter"


def test_a_version_takes_over_what_its_source_says(ec2: Any) -> None:
    template = make(ec2, InstanceType="t3.micro", KeyName="mine")
    second = version(ec2, template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"})
    assert second["VersionNumber"] == 2
    assert second["LaunchTemplateData"] == {"InstanceType": "t3.small", "KeyName": "mine"}
    third = version(ec2, template, LaunchTemplateData={"InstanceType": "t3.large"})
    assert third["LaunchTemplateData"] == {"InstanceType": "t3.large"}
    shown = ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"][0]
    assert (shown["DefaultVersionNumber"], shown["LatestVersionNumber"]) == (1, 3)


def test_versions_by_range_name_and_filter(ec2: Any) -> None:
    template = make(ec2)
    for kind in ("t3.small", "t3.large"):
        version(ec2, template, LaunchTemplateData={"InstanceType": kind})

    def numbers(**asked: Any) -> list[int]:
        found = ec2.describe_launch_template_versions(**asked)["LaunchTemplateVersions"]
        return [v["VersionNumber"] for v in found]

    assert numbers(LaunchTemplateId=template) == [3, 2, 1]
    assert numbers(LaunchTemplateId=template, MinVersion="2", MaxVersion="3") == [3, 2]
    assert numbers(LaunchTemplateId=template, Versions=["$Latest", "$Default"]) == [3, 1]
    assert numbers(LaunchTemplateId=template, Filters=only(instance_type="t3.small")) == [2]
    assert numbers(LaunchTemplateId=template, Filters=only(is_default_version="true")) == [1]
    assert numbers(Versions=["$Latest"]) == [3]
    assert code(ec2.describe_launch_template_versions, Versions=["1"]) == "MissingParameter"


def test_the_default_version_can_be_changed_but_not_deleted(ec2: Any) -> None:
    template = make(ec2)
    for kind in ("t3.small", "t3.large"):
        version(ec2, template, LaunchTemplateData={"InstanceType": kind})
    changed = ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")["LaunchTemplate"]
    assert changed["DefaultVersionNumber"] == 2
    answer = ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["3", "2", "9"])
    assert [v["VersionNumber"] for v in answer["SuccessfullyDeletedLaunchTemplateVersions"]] == [3]
    failed = answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert [(v["VersionNumber"], v["ResponseError"]["Code"]) for v in failed] == [
        (2, "unexpectedError"),
        (9, "launchTemplateVersionDoesNotExist"),
    ]
    assert ec2.describe_launch_templates()["LaunchTemplates"][0]["LatestVersionNumber"] == 2
    assert version(ec2, template, LaunchTemplateData={"InstanceType": "t3.nano"})["VersionNumber"] == 4


def test_a_deleted_template_frees_its_name(ec2: Any) -> None:
    template = make(ec2)
    ec2.delete_launch_template(LaunchTemplateName="web")
    assert ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert make(ec2) != template
    assert len(ec2.describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"]) == 1


def test_a_launch_takes_everything_from_its_template(jar: TestJar, ec2: Any) -> None:
    template = make(
        ec2,
        ImageId=image(ec2),
        InstanceType="t3.small",
        UserData=base64.b64encode(b"#!/bin/sh\n").decode(),
        DisableApiTermination=True,
        MetadataOptions={"HttpTokens": "optional"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "template"}]}],
    )
    vm = launched(ec2, LaunchTemplate={"LaunchTemplateId": template})
    jar.settle()
    shown = ec2.describe_instances(InstanceIds=[vm["InstanceId"]])["Reservations"][0]["Instances"][0]
    assert (shown["InstanceType"], shown["State"]["Name"]) == ("t3.small", "running")
    assert shown["MetadataOptions"]["HttpTokens"] == "optional"
    assert tags_of(shown) == {
        "from": "template",
        "aws:ec2launchtemplate:id": template,
        "aws:ec2launchtemplate:version": "1",
    }
    assert code(ec2.terminate_instances, InstanceIds=[vm["InstanceId"]]) == "OperationNotPermitted"


def test_what_the_request_says_stands_above_the_template(ec2: Any) -> None:
    tagged = {"ResourceType": "instance", "Tags": [{"Key": key, "Value": "template"} for key in ("a", "b")]}
    template = make(ec2, ImageId=image(ec2), InstanceType="t2.nano", TagSpecifications=[tagged])
    version(ec2, template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t2.micro"})
    over = {"ResourceType": "instance", "Tags": [{"Key": "b", "Value": "request"}]}
    vm = launched(
        ec2,
        LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"},
        InstanceType="t2.small",
        TagSpecifications=[over],
    )
    assert vm["InstanceType"] == "t2.small"
    found = tags_of(vm)
    assert (found["a"], found["b"], found["aws:ec2launchtemplate:version"]) == ("template", "request", "2")
    assert launched(ec2, LaunchTemplate={"LaunchTemplateName": "web"})["InstanceType"] == "t2.nano"
    latest = {"LaunchTemplateName": "web", "Version": "$Latest"}
    assert launched(ec2, LaunchTemplate=latest)["InstanceType"] == "t2.micro"


def test_a_launch_with_a_template_that_is_not_there(ec2: Any) -> None:
    make(ec2, ImageId=image(ec2))
    asked = {"MinCount": 1, "MaxCount": 1}
    gone = {"LaunchTemplateName": "nobody"}
    assert code(ec2.run_instances, LaunchTemplate=gone, **asked) == "InvalidLaunchTemplateName.NotFoundException"
    late = {"LaunchTemplateName": "web", "Version": "2"}
    assert code(ec2.run_instances, LaunchTemplate=late, **asked) == "InvalidLaunchTemplateId.VersionNotFound"
    bare = make(ec2, "bare")
    assert code(ec2.run_instances, LaunchTemplate={"LaunchTemplateId": bare}, **asked) == "MissingParameter"


def test_an_image_by_parameter(jar: TestJar, ec2: Any) -> None:
    wanted = image(ec2)
    jar.client("ssm").put_parameter(Name="/golden", Value=wanted, Type="String")
    template = make(ec2, ImageId="resolve:ssm:/golden", InstanceType="t3.micro")
    assert launched(ec2, LaunchTemplate={"LaunchTemplateId": template})["ImageId"] == wanted
    resolved = ec2.describe_launch_template_versions(LaunchTemplateId=template, ResolveAlias=True)
    assert resolved["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"] == wanted


def test_who_may_launch_only_with_the_template(jar: TestJar, ec2: Any) -> None:
    template = make(ec2, ImageId=image(ec2), InstanceType="t3.micro")
    iam = jar.client("iam")
    iam.create_user(UserName="ann")
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:launch-template/{template}"
    iam.put_user_policy(
        UserName="ann",
        PolicyName="p",
        PolicyDocument=f"""{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "ec2:RunInstances",
            "Resource": "*", "Condition": {{"ArnLike": {{"ec2:LaunchTemplate": "{arn}"}},
            "Bool": {{"ec2:IsLaunchTemplateResource": "true"}}}}}}]}}""",
    )
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    anns = jar.client("ec2", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    asked: dict[str, Any] = {"MinCount": 1, "MaxCount": 1}
    with_template = {"LaunchTemplate": {"LaunchTemplateId": template}, **asked}
    assert code(anns.run_instances, DryRun=True, **with_template) == "DryRunOperation"
    assert code(anns.run_instances, InstanceType="t3.large", **with_template) == "UnauthorizedOperation"
    assert code(anns.run_instances, ImageId=image(ec2), InstanceType="t3.micro", **asked) == "UnauthorizedOperation"


def test_an_instance_told_as_a_template_launches_its_like(jar: TestJar, ec2: Any) -> None:
    first = launched(ec2, ImageId=image(ec2), InstanceType="t3.micro", DisableApiStop=True)
    jar.settle()
    data = ec2.get_launch_template_data(InstanceId=first["InstanceId"])["LaunchTemplateData"]
    assert (data["InstanceType"], data["DisableApiStop"]) == ("t3.micro", True)
    assert data["BlockDeviceMappings"][0]["Ebs"]["VolumeType"] == "gp3"
    like = launched(ec2, LaunchTemplate={"LaunchTemplateId": make(ec2, **data)})
    assert like["SubnetId"] == first["SubnetId"]
    assert like["ImageId"] == first["ImageId"]
