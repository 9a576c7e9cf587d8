"""Marks of images, and what is made of marked ones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, launch, only

OTHER = "222222222222"


def make_image(jar: TestJar, ec2: Any, name: str, **more: Any) -> str:
    vm = launch(ec2, **more)
    jar.settle()
    made = str(ec2.create_image(InstanceId=vm, Name=name, NoReboot=True)["ImageId"])
    jar.settle()
    return made


def marks(ec2: Any, image: str) -> list[str]:
    [found] = ec2.describe_images(ImageIds=[image])["Images"]
    return [mark["WatermarkKey"] for mark in found.get("ImageWatermarks", ())]


def test_a_mark_goes_on_to_what_is_made_of_an_image(jar: TestJar, ec2: Any) -> None:
    first, key = make_image(jar, ec2, "first"), f"{ACCOUNT}:approved"
    jar.advance(minutes=1)
    for _ in range(2):
        assert ec2.attach_image_watermark(ImageId=first, WatermarkName="approved")["WatermarkKey"] == key
    [shown] = ec2.describe_images(ImageIds=[first])["Images"]
    [mark] = shown["ImageWatermarks"]
    assert (mark["SourceImageId"], mark["SourceImageRegion"]) == (first, "eu-west-3")
    assert mark["WatermarkCreationTime"] > mark["SourceImageCreationTime"]
    second = make_image(jar, ec2, "second", ImageId=first)
    third = ec2.copy_image(Name="third", SourceImageId=first, SourceRegion="eu-west-3")["ImageId"]
    found = ec2.describe_images(Filters=only(image_watermark__watermark_key=key))["Images"]
    assert {one["ImageId"] for one in found} == {first, second, third}
    [described] = [one for one in ec2.describe_instance_image_metadata()["InstanceImageMetadata"]
                   if one["ImageMetadata"]["ImageId"] == first]  # fmt: skip
    assert described["ImageMetadata"]["ImageWatermarks"] == shown["ImageWatermarks"]
    for _ in range(2):
        assert ec2.detach_image_watermark(ImageId=first, WatermarkKey=key)["Return"] is True
    assert [marks(ec2, image) for image in (first, second, third)] == [[], [key], [key]]


def test_who_may_mark_what(jar: TestJar, ec2: Any) -> None:
    image = make_image(jar, ec2, "mine")
    mark = ec2.attach_image_watermark
    assert code(mark, ImageId=image, WatermarkName="approved!") == "InvalidParameterValue"
    public = ec2.describe_images(Filters=only(name="debian-12-amd64-*"))["Images"][0]["ImageId"]
    assert code(mark, ImageId=public, WatermarkName="mine") == "AuthFailure"
    ec2.disable_image_block_public_access()
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
    assert code(mark, ImageId=image, WatermarkName="mine") == "OperationNotPermitted"


@pytest.mark.parametrize(("wanted", "fits"), [
    ({"WatermarkKey": f"{ACCOUNT}:app*"}, True),
    ({"WatermarkKey": f"{OTHER}:*"}, False),
    ({"SourceImageRegion": "eu-west-3", "MaximumDaysSinceWatermarkCreated": 3}, True),
    ({"SourceImageRegion": "eu-west-1"}, False),
    ({"MaximumDaysSinceWatermarkCreated": 1}, False),
    ({"MaximumDaysSinceSourceImageCreated": 1}, False),
])  # fmt: skip
def test_marked_images_may_be_all_that_are_allowed(steady_jar: TestJar, wanted: dict[str, Any], fits: bool) -> None:
    jar, ec2 = steady_jar, steady_jar.client("ec2")
    image = make_image(jar, ec2, "marked")
    ec2.attach_image_watermark(ImageId=image, WatermarkName="approved")
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": OTHER}]})
    other = jar.client("ec2", key=OTHER)
    other.replace_image_criteria_in_allowed_images_settings(ImageCriteria=[{"ImageWatermarks": [wanted]}])
    other.enable_allowed_images_settings(AllowedImagesSettingsState="enabled")
    jar.advance(days=2)
    found = other.describe_images(Filters=[{"Name": "name", "Values": ["marked"]}])["Images"]
    assert [one["ImageId"] for one in found] == ([image] if fits else [])
