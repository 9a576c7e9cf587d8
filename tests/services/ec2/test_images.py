"""AMIs of one's own: made, launched, copied, shared, gone."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, only, refused
from tests.services.ec2.test_instances import debian

OTHER = "111122223333"


def golden(jar: TestJar, ec2: Any, name: str = "golden", **more: Any) -> tuple[str, str]:
    """An instance with something on its root, and the image made of it."""
    vm = launch(ec2, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5}}])
    jar.settle()
    jar.host.write(root_of(ec2, vm), 9, "golden")
    image = str(ec2.create_image(InstanceId=vm, Name=name, **more)["ImageId"])
    return vm, image


def root_of(ec2: Any, vm: str) -> str:
    volumes = ec2.describe_volumes(Filters=only(attachment__instance_id=vm))["Volumes"]
    roots = [v["VolumeId"] for v in volumes if v["Attachments"][0]["Device"] in ("/dev/xvda", "/dev/sda1")]
    assert len(roots) == 1
    return str(roots[0])


def show(ec2: Any, image: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_images(ImageIds=[image])["Images"][0]
    return found


def boots(jar: TestJar, vm: str) -> int:
    return jar.host.host.machines[vm].boots


def start(ec2: Any, image: str, **more: Any) -> str:
    answer = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, **more)
    return str(answer["Instances"][0]["InstanceId"])


def test_an_image_is_made_of_an_instance_and_launched(jar: TestJar, ec2: Any) -> None:
    vm, image = golden(jar, ec2, Description="with everything")
    assert show(ec2, image)["State"] == "pending"
    assert code(lambda: start(ec2, image)) == "InvalidAMIID.Unavailable"
    before = boots(jar, vm)
    jar.settle()
    assert boots(jar, vm) == before + 1
    shown = show(ec2, image)
    assert (shown["State"], shown["Name"], shown["SourceInstanceId"]) == ("available", "golden", vm)
    assert (shown["RootDeviceName"], shown["Public"], shown["OwnerId"]) == ("/dev/xvda", False, "000000000000")
    sizes = {one["DeviceName"]: one["Ebs"]["VolumeSize"] for one in shown["BlockDeviceMappings"]}
    assert sizes == {"/dev/xvda": 8, "/dev/sdf": 5}
    new = start(ec2, image)
    jar.settle()
    assert jar.host.look(new) == "up"
    assert jar.host.read(root_of(ec2, new), 9) == "golden"
    assert set(jar.host.devices(new)) == {"/dev/sdf"}
    assert show_instance(ec2, new)["ImageId"] == image
    assert [one["ImageId"] for one in ec2.describe_images(Owners=["self"])["Images"]] == [image]


def show_instance(ec2: Any, vm: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]
    return found


def test_no_reboot_leaves_the_instance_alone(jar: TestJar, ec2: Any) -> None:
    vm, image = golden(jar, ec2, NoReboot=True, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "NoDevice": ""}])
    before = boots(jar, vm)
    jar.settle()
    assert boots(jar, vm) == before
    assert [one["DeviceName"] for one in show(ec2, image)["BlockDeviceMappings"]] == ["/dev/xvda"]
    assert refused(ec2.create_image, InstanceId=vm, Name="golden") == (
        "InvalidAMIName.Duplicate",
        f"AMI name golden is already in use by AMI {image}",
    )
    assert code(ec2.create_image, InstanceId=vm, Name="a?b") == "InvalidAMIName.Malformed"
    assert code(ec2.create_image, InstanceId=f"i-{NOWHERE}", Name="abc") == "InvalidInstanceID.NotFound"


def test_an_image_outlives_its_instance_and_keeps_its_snapshots(jar: TestJar, ec2: Any) -> None:
    vm, image = golden(jar, ec2)
    jar.settle()
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    root = show(ec2, image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert refused(ec2.delete_snapshot, SnapshotId=root) == (
        "InvalidSnapshot.InUse",
        f"The snapshot {root} is currently in use by {image}",
    )
    ec2.get_waiter("image_available").wait(ImageIds=[image])
    ec2.deregister_image(ImageId=image)
    assert code(ec2.describe_images, ImageIds=[image]) == "InvalidAMIID.NotFound"
    asked = {"Name": "again", "RootDeviceName": "/dev/xvda", "Architecture": "x86_64"}
    mapped = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": root, "VolumeType": "gp3"}}]
    assert code(ec2.register_image, **asked) == "InvalidBlockDeviceMapping"
    again = ec2.register_image(**asked, VirtualizationType="hvm", BlockDeviceMappings=mapped)["ImageId"]
    jar.settle()
    new = start(ec2, again)
    jar.settle()
    assert jar.host.read(root_of(ec2, new), 9) == "golden"
    answer = ec2.deregister_image(ImageId=again, DeleteAssociatedSnapshots=True)
    assert answer["DeleteSnapshotResults"] == [{"SnapshotId": root, "ReturnCode": "success"}]
    assert code(ec2.describe_snapshots, SnapshotIds=[root]) == "InvalidSnapshot.NotFound"


def test_an_image_is_copied_to_another_region(jar: TestJar, ec2: Any) -> None:
    _, image = golden(jar, ec2)
    jar.settle()
    there = jar.client("ec2", region="us-east-1")
    asked = {"SourceRegion": "eu-west-3", "SourceImageId": image, "Name": "golden"}
    copied = there.copy_image(**asked, Encrypted=True)["ImageId"]
    assert show(there, copied)["State"] == "pending"
    jar.settle()
    shown = show(there, copied)
    assert (shown["State"], shown["SourceImageId"], shown["SourceImageRegion"]) == ("available", image, "eu-west-3")
    assert all(one["Ebs"]["Encrypted"] for one in shown["BlockDeviceMappings"])
    new = start(there, copied)
    jar.settle()
    assert jar.host.read(root_of(there, new), 9) == "golden"
    assert code(ec2.describe_images, ImageIds=[copied]) == "InvalidAMIID.NotFound"


def test_an_image_is_shared_and_described(jar: TestJar, ec2: Any) -> None:
    _, image = golden(jar, ec2)
    jar.settle()
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": OTHER}]})
    given = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"]
    assert given == [{"UserId": OTHER}]
    shared = ec2.describe_images(ExecutableUsers=[OTHER])["Images"]
    assert [one["ImageId"] for one in shared] == [image]
    everybody = {"OperationType": "add", "UserGroups": ["all"], "Attribute": "launchPermission"}
    assert code(ec2.modify_image_attribute, ImageId=image, **everybody) == "OperationNotPermitted"
    ec2.disable_image_block_public_access()
    ec2.modify_image_attribute(ImageId=image, **everybody)
    assert show(ec2, image)["Public"] is True
    ec2.reset_image_attribute(ImageId=image, Attribute="launchPermission")
    assert show(ec2, image)["Public"] is False
    ec2.modify_image_attribute(ImageId=image, Description={"Value": "new words"})
    said = ec2.describe_image_attribute(ImageId=image, Attribute="description")["Description"]
    assert said == {"Value": "new words"}
    assert code(ec2.modify_image_attribute, ImageId=image) == "MissingParameter"
    stranger = debian(ec2)
    assert code(ec2.describe_image_attribute, ImageId=stranger, Attribute="description") == "AuthFailure"
    assert code(ec2.deregister_image, ImageId=stranger) == "AuthFailure"


def test_an_image_is_protected_and_disabled(jar: TestJar, ec2: Any) -> None:
    _, image = golden(jar, ec2)
    jar.settle()
    ec2.enable_image_deregistration_protection(ImageId=image)
    assert code(ec2.deregister_image, ImageId=image) == "OperationNotPermitted"
    ec2.disable_image_deregistration_protection(ImageId=image)
    ec2.disable_image(ImageId=image)
    assert show(ec2, image)["State"] == "disabled"
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    assert code(lambda: start(ec2, image)) == "InvalidAMIID.Unavailable"
    ec2.enable_image(ImageId=image)
    ec2.deregister_image(ImageId=image)
    assert code(ec2.deregister_image, ImageId=image) == "InvalidAMIID.NotFound"


def test_others_launch_what_was_shared_and_nothing_else(jar: TestJar, ec2: Any) -> None:
    _, image = golden(jar, ec2)
    jar.settle()
    theirs = jar.client("ec2", key=OTHER)
    assert code(theirs.describe_images, ImageIds=[image]) == "InvalidAMIID.NotFound"
    assert code(lambda: start(theirs, image)) == "InvalidAMIID.NotFound"
    tagged = [{"Key": "secret", "Value": "mine"}]
    ec2.create_tags(Resources=[image], Tags=tagged)
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": OTHER}]})
    seen = theirs.describe_images(ExecutableUsers=["self"])["Images"]
    assert [(one["ImageId"], one["OwnerId"], one.get("Tags")) for one in seen] == [(image, "000000000000", None)]
    new = start(theirs, image)
    jar.settle()
    assert jar.host.read(root_of(theirs, new), 9) == "golden"
    assert code(theirs.deregister_image, ImageId=image) == "AuthFailure"
    # Launching is one thing, its snapshots another.
    copying = {"SourceRegion": "eu-west-3", "SourceImageId": image, "Name": "theirs"}
    assert code(theirs.copy_image, **copying) == "InvalidSnapshot.NotFound"
    for mapping in show(ec2, image)["BlockDeviceMappings"]:
        ec2.modify_snapshot_attribute(
            SnapshotId=mapping["Ebs"]["SnapshotId"], CreateVolumePermission={"Add": [{"UserId": OTHER}]}
        )
    copied = theirs.copy_image(**copying)["ImageId"]
    jar.settle()
    assert (show(theirs, copied)["State"], show(theirs, copied)["OwnerId"]) == ("available", OTHER)
    ec2.deregister_image(ImageId=image)
    assert code(lambda: start(theirs, image)) == "InvalidAMIID.NotFound"


def test_a_system_that_was_imported_is_registered_by_its_place_on_the_host(jar: TestJar, ec2: Any) -> None:
    place = "cloudjar/import-0123456789ab"
    asked = {"Name": "imported", "RootDeviceName": "/dev/xvda", "Architecture": "x86_64", "ImageLocation": place}
    assert code(ec2.register_image, **asked) == "InvalidAMIID.Unavailable"
    jar.host.host.built.add("import-0123456789ab")
    image = ec2.register_image(**asked, Description="from outside")["ImageId"]
    jar.settle()
    assert show(ec2, image)["State"] == "available"
    new = start(ec2, image)
    jar.settle()
    assert jar.host.look(new) == "up"
    assert jar.host.host.volumes[root_of(ec2, new)].image == "import-0123456789ab"
    assert code(ec2.register_image, **{**asked, "Name": "bucket", "ImageLocation": "bucket/manifest.xml"}) == (
        "UnsupportedOperation"
    )


def test_an_image_may_have_disks_that_its_instance_has_not(jar: TestJar, ec2: Any) -> None:
    vm, _ = golden(jar, ec2)
    jar.settle()
    data = ec2.describe_volumes(Filters=only(attachment__device="/dev/sdf"))["Volumes"][0]["VolumeId"]
    jar.host.write(data, 4, "data")
    snapshot = ec2.create_snapshot(VolumeId=data)["SnapshotId"]
    jar.settle()
    added = [
        {"DeviceName": "/dev/sdf", "NoDevice": ""},
        {"DeviceName": "/dev/sdg", "Ebs": {"SnapshotId": snapshot}},
        {"DeviceName": "/dev/sdh", "Ebs": {"VolumeSize": 3}},
    ]
    image = ec2.create_image(InstanceId=vm, Name="more", BlockDeviceMappings=added)["ImageId"]
    jar.settle()
    new = start(ec2, image)
    jar.settle()
    disks = jar.host.devices(new)
    assert set(disks) == {"/dev/sdg", "/dev/sdh"}
    assert jar.host.read(disks["/dev/sdg"], 4) == "data"
