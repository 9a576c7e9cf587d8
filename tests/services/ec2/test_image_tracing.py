"""Where images come from, who refers to them, who else uses them, and which types they are for."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, code, only, refused
from tests.services.ec2.test_images import golden, start
from tests.services.ec2.test_instances import debian

OTHER = "111122223333"
ALL = {"IncludeAllResourceTypes": True}


def test_the_line_of_an_image(jar: TestJar, ec2: Any) -> None:
    vm, image = golden(jar, ec2)
    [ran] = ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"]
    jar.settle()
    copy = ec2.copy_image(Name="copy", SourceImageId=image, SourceRegion="eu-west-3")["ImageId"]
    line = ec2.get_image_ancestry(ImageId=copy)["ImageAncestryEntries"]
    assert [one["ImageId"] for one in line] == [copy, image, ran["ImageId"]]
    assert [one.get("SourceImageId") for one in line] == [image, ran["ImageId"], None]
    assert [one.get("SourceImageRegion") for one in line] == ["eu-west-3", "eu-west-3", None]
    assert line[2]["CreationDate"].year > 2000
    ec2.deregister_image(ImageId=image)
    [one] = ec2.get_image_ancestry(ImageId=copy)["ImageAncestryEntries"]  # nobody knows of it any more
    assert one["SourceImageId"] == image
    assert code(ec2.get_image_ancestry, ImageId=f"ami-{NOWHERE}") == "InvalidAMIID.NotFound"


def test_who_refers_to_an_image(jar: TestJar, ec2: Any) -> None:
    image = debian(ec2)
    vm = start(ec2, image)
    jar.settle()
    template = ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData={"ImageId": image})[
        "LaunchTemplate"]["LaunchTemplateId"]  # fmt: skip
    ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"InstanceType": "t3.micro"})
    jar.client("ssm").put_parameter(Name="golden", Value=image, Type="String", DataType="aws:ec2:image")
    jar.client("ssm").put_parameter(Name="text", Value=image, Type="String")
    jar.settle()
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:"
    machine, its_template = f"{arn}instance/{vm}", f"{arn}launch-template/{template}"

    def found(**asked: Any) -> set[str]:
        told = ec2.describe_image_references(ImageIds=[image], **asked)["ImageReferences"]
        assert {one["ImageId"] for one in told} <= {image}
        return {one["Arn"] for one in told}

    parameter = f"arn:aws:ssm:eu-west-3:{ACCOUNT}:parameter/golden"
    assert found(**ALL) == {machine, its_template, parameter}
    assert found(ResourceTypes=[{"ResourceType": "imagebuilder:ImageRecipe"}]) == set()
    newest = [{"OptionName": "version-depth", "OptionValues": ["1"]}]
    assert found(ResourceTypes=[{"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": newest}]) == set()
    stopped = [{"OptionName": "state-name", "OptionValues": ["stopped"]}]
    assert found(ResourceTypes=[{"ResourceType": "ec2:Instance", "ResourceTypeOptions": stopped}]) == set()
    assert found(ResourceTypes=[{"ResourceType": "ec2:Instance"}]) == {machine}
    call = ec2.describe_image_references
    assert code(call, ImageIds=[image]) == "MissingParameter"
    both = {**ALL, "ResourceTypes": [{"ResourceType": "ec2:Instance"}]}
    assert code(call, ImageIds=[image], **both) == "InvalidParameterCombination"
    wrong = [{"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": stopped}]
    assert code(call, ImageIds=[image], ResourceTypes=wrong) == "InvalidParameterValue"


def test_a_report_of_who_else_uses_an_image(jar: TestJar, ec2: Any) -> None:
    _, image = golden(jar, ec2)
    jar.settle()
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": OTHER}]})
    theirs = jar.client("ec2", key=OTHER)
    start(theirs, image)
    theirs.create_launch_template(LaunchTemplateName="t", LaunchTemplateData={"ImageId": image})
    start(ec2, image)
    jar.settle()
    kinds = [{"ResourceType": "ec2:Instance"}, {"ResourceType": "ec2:LaunchTemplate"}]
    marked = [{"ResourceType": "image-usage-report", "Tags": [{"Key": "a", "Value": "b"}]}]
    key = ec2.create_image_usage_report(ImageId=image, ResourceTypes=kinds, TagSpecifications=marked)["ReportId"]
    none = ec2.create_image_usage_report(ImageId=image, ResourceTypes=kinds, AccountIds=["999999999999"])["ReportId"]
    jar.settle()
    [shown] = ec2.describe_image_usage_reports(ReportIds=[key])["ImageUsageReports"]
    assert (shown["State"], shown["Tags"], shown["ImageId"]) == ("available", [{"Key": "a", "Value": "b"}], image)
    assert (shown["ExpirationTime"] - shown["CreationTime"]).days == 30
    entries = ec2.describe_image_usage_report_entries(ImageIds=[image])["ImageUsageReportEntries"]
    assert {(e["ReportId"], e["AccountId"], e["ResourceType"], e["UsageCount"]) for e in entries} == {
        (key, OTHER, "ec2:Instance", 1), (key, OTHER, "ec2:LaunchTemplate", 1),
    }  # fmt: skip
    by_type = ec2.describe_image_usage_report_entries(Filters=only(resource_type="ec2:Instance"))
    assert len(by_type["ImageUsageReportEntries"]) == 1
    ec2.delete_image_usage_report(ReportId=none)
    day = f"{shown['CreationTime']:%Y-%m-%dT}*"
    found = ec2.describe_image_usage_reports(Filters=only(creation_time=day))["ImageUsageReports"]
    assert [one["ReportId"] for one in found] == [key]
    assert code(ec2.describe_image_usage_reports, ReportIds=[none]) == "InvalidImageUsageReportId.NotFound"
    assert code(theirs.create_image_usage_report, ImageId=image, ResourceTypes=kinds) == "InvalidParameterValue"
    jar.advance(days=31)
    assert ec2.describe_image_usage_reports()["ImageUsageReports"] == []


def test_the_types_that_an_image_is_for(jar: TestJar, ec2: Any) -> None:
    vm, image = golden(jar, ec2)
    jar.settle()
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    lists = {"SupportedInstanceTypes": ["t3.*"], "UnsupportedInstanceTypes": ["t3.nano"]}
    ec2.replace_image_instance_type_specification(ImageId=image, InstanceTypeSpecification=lists)
    [shown] = ec2.describe_images(ImageIds=[image])["Images"]
    assert shown["InstanceTypeSpecification"] == {
        "SupportedInstanceTypes": [{"InstanceType": "t3.*"}], "UnsupportedInstanceTypes": [{"InstanceType": "t3.nano"}],
    }  # fmt: skip
    run = {"ImageId": image, "MinCount": 1, "MaxCount": 1}
    for kind in ("t3.nano", "m5.large"):
        assert refused(ec2.run_instances, InstanceType=kind, **run) == (
            "InvalidParameterCombination", f"The instance type '{kind}' is not compatible with the AMI '{image}'.",
        )  # fmt: skip
    assert start(ec2, image)
    ec2.replace_image_instance_type_specification(ImageId=image)
    [shown] = ec2.describe_images(ImageIds=[image])["Images"]
    assert "InstanceTypeSpecification" not in shown
    assert ec2.run_instances(InstanceType="t3.nano", **run)["Instances"]
