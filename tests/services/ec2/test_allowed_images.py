"""Allowed AMIs: what an account may find and launch of others' images."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code, launch, only

DEBIAN = "136693071363"


def debian(ec2: Any, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ec2.describe_images(Owners=[DEBIAN], **more)["Images"]
    return found


def test_what_does_not_meet_the_criteria_is_told_or_hidden(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    own = ec2.create_image(InstanceId=vm, Name="mine", NoReboot=True)["ImageId"]
    jar.settle()
    before = ec2.get_allowed_images_settings()
    assert (before["State"], before["ImageCriteria"], before["ManagedBy"]) == ("disabled", [], "account")
    image = debian(ec2)[0]
    assert "ImageAllowed" not in image
    criteria = [{"ImageProviders": ["aws-marketplace"]}, {"ImageProviders": [DEBIAN], "ImageNames": ["nothing-*"]}]
    assert ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=criteria)["ReturnValue"] is True
    state = ec2.enable_allowed_images_settings(AllowedImagesSettingsState="audit-mode")
    assert state["AllowedImagesSettingsState"] == "audit-mode"
    assert {one["ImageAllowed"] for one in debian(ec2)} == {False}
    [mine] = ec2.describe_images(ImageIds=[own])["Images"]
    assert mine["ImageAllowed"] is True
    assert launch(ec2)  # nothing is refused yet
    ec2.enable_allowed_images_settings(AllowedImagesSettingsState="enabled")
    assert debian(ec2) == []
    assert code(ec2.describe_images, ImageIds=[image["ImageId"]]) == "InvalidAMIID.NotFound"
    asked = {"InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    assert code(ec2.run_instances, ImageId=image["ImageId"], **asked) == "InvalidAMIID.NotFound"
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    assert ec2.run_instances(ImageId=own, **asked)["Instances"]  # one's own always may be
    assert ec2.get_allowed_images_settings()["ImageCriteria"] == criteria
    ec2.disable_allowed_images_settings()
    assert image in debian(ec2)


@pytest.mark.parametrize(("criterion", "fits"), [
    ({"ImageProviders": [DEBIAN]}, True),
    ({"ImageNames": ["debian-1?-amd64-*"]}, True),
    ({"ImageNames": ["debian"]}, False),
    ({"ImageProviders": [DEBIAN], "ImageNames": ["ubuntu*"]}, False),
    ({"MarketplaceProductCodes": ["abc"]}, False),
    ({"ImageProviders": [DEBIAN], "CreationDateCondition": {"MaximumDaysSinceCreated": 100000}}, True),
    ({"ImageProviders": ["amazon"], "CreationDateCondition": {"MaximumDaysSinceCreated": 30}}, False),
    ({"ImageProviders": [DEBIAN], "DeprecationTimeCondition": {"MaximumDaysSinceDeprecated": 100000}}, True),
])  # fmt: skip
def test_criteria(steady_jar: TestJar, criterion: dict[str, Any], fits: bool) -> None:
    ec2 = steady_jar.client("ec2")
    ec2.enable_allowed_images_settings(AllowedImagesSettingsState="audit-mode")
    ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=[criterion])
    steady_jar.advance(days=400)
    shown = debian(ec2, Filters=only(name="debian-12-amd64-*"))
    assert {one["ImageAllowed"] for one in shown} == {fits}


def test_criteria_that_cannot_be(steady_jar: TestJar) -> None:
    replace = steady_jar.client("ec2").replace_image_criteria_in_allowed_images_settings
    assert code(replace, ImageCriteria=[{"ImageNames": [f"n{n}"]} for n in range(11)]) == "InvalidParameterValue"
    scans = [{"ScanResultCondition": {"MaximumSeverityLabel": "low"}}]
    assert code(replace, ImageCriteria=scans) == "UnsupportedOperation"
