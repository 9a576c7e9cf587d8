"""Volumes: what AWS says, what the machine has, what the bill says."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, only, refused


def make(ec2: Any, **more: Any) -> str:
    wanted = {"AvailabilityZone": "eu-west-3a", "Size": 10, "VolumeType": "gp3", **more}
    return str(ec2.create_volume(**wanted)["VolumeId"])


def show(ec2: Any, volume: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
    return found


def running(jar: TestJar, ec2: Any, zone: str = "eu-west-3a", **more: Any) -> str:
    vm = launch(ec2, Placement={"AvailabilityZone": zone}, **more)
    jar.settle()
    return vm


def test_a_volume_is_made_and_goes(jar: TestJar, ec2: Any) -> None:
    volume = make(ec2, TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}])
    assert show(ec2, volume)["State"] == "creating"
    assert code(ec2.delete_volume, VolumeId=volume) == "IncorrectState"
    jar.settle()
    shown = show(ec2, volume)
    assert (shown["State"], shown["Size"], shown["Iops"], shown["Throughput"]) == ("available", 10, 3000, 125)
    assert shown["Tags"] == [{"Key": "a", "Value": "b"}]
    assert jar.host.host.volumes[volume].size_gib == 10
    status = ec2.describe_volume_status(VolumeIds=[volume])["VolumeStatuses"][0]
    assert status["VolumeStatus"]["Status"] == "ok"
    jar.advance(hours=2)
    ec2.delete_volume(VolumeId=volume)
    jar.settle()
    assert volume not in jar.host.host.volumes
    assert code(ec2.describe_volumes, VolumeIds=[volume]) == "InvalidVolume.NotFound"
    jar.advance(hours=2)
    assert jar.usage("EBS:VolumeUsage.gp3") == timedelta(hours=2)


def test_a_volume_is_attached_to_a_running_machine_and_moves(jar: TestJar, ec2: Any) -> None:
    one, two = running(jar, ec2), running(jar, ec2)
    volume = make(ec2)
    jar.settle()
    answer = ec2.attach_volume(VolumeId=volume, InstanceId=one, Device="/dev/sdf")
    assert (answer["State"], answer["Device"], answer["InstanceId"]) == ("attaching", "/dev/sdf", one)
    jar.settle()
    shown = show(ec2, volume)
    assert (shown["State"], shown["Attachments"][0]["State"]) == ("in-use", "attached")
    assert jar.host.devices(one) == {"/dev/sdf": volume}
    jar.host.write(volume, 3, "kept")
    assert refused(ec2.attach_volume, VolumeId=volume, InstanceId=two, Device="/dev/sdf") == (
        "VolumeInUse",
        f"{volume} is already attached to an instance",
    )
    assert code(ec2.delete_volume, VolumeId=volume) == "VolumeInUse"
    mapped = ec2.describe_instances(InstanceIds=[one])["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]
    assert {m["DeviceName"]: m["Ebs"]["DeleteOnTermination"] for m in mapped} == {"/dev/xvda": True, "/dev/sdf": False}
    assert ec2.detach_volume(VolumeId=volume)["State"] == "detaching"
    jar.settle()
    assert show(ec2, volume)["State"] == "available"
    assert jar.host.devices(one) == {}
    ec2.attach_volume(VolumeId=volume, InstanceId=two, Device="/dev/xvdg")
    jar.settle()
    assert jar.host.devices(two) == {"/dev/xvdg": volume}
    assert jar.host.read(volume, 3) == "kept"


def test_a_mounted_volume_is_busy_until_its_guest_lets_go(jar: TestJar, ec2: Any) -> None:
    vm, volume = running(jar, ec2), make(ec2)
    jar.settle()
    ec2.attach_volume(VolumeId=volume, InstanceId=vm, Device="/dev/sdf")
    jar.settle()
    jar.host.mount(volume)
    ec2.detach_volume(VolumeId=volume)
    jar.settle()
    assert show(ec2, volume)["Attachments"][0]["State"] == "busy"
    jar.advance(seconds=30)
    assert show(ec2, volume)["State"] == "in-use"
    jar.host.mount(volume, mounted=False)
    jar.advance(seconds=30)
    assert show(ec2, volume)["State"] == "available"
    ec2.attach_volume(VolumeId=volume, InstanceId=vm, Device="/dev/sdf")
    jar.settle()
    jar.host.mount(volume)
    ec2.detach_volume(VolumeId=volume, Force=True)
    jar.settle()
    assert show(ec2, volume)["State"] == "available"


def test_attachments_survive_stop_start_and_the_host(jar: TestJar, ec2: Any) -> None:
    vm, volume = running(jar, ec2), make(ec2)
    jar.settle()
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    ec2.attach_volume(VolumeId=volume, InstanceId=vm, Device="/dev/sdf")
    jar.settle()
    assert show(ec2, volume)["Attachments"][0]["State"] == "attached"
    ec2.start_instances(InstanceIds=[vm])
    jar.settle()
    assert jar.host.devices(vm) == {"/dev/sdf": volume}
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    ec2.start_instances(InstanceIds=[vm])
    jar.crash()
    jar.settle()
    assert jar.host.devices(vm) == {"/dev/sdf": volume}
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    assert show(ec2, volume)["State"] == "available"


def test_what_cannot_be_attached(jar: TestJar, ec2: Any) -> None:
    vm = running(jar, ec2)
    near, far = make(ec2), make(ec2, AvailabilityZone="eu-west-3b")
    assert refused(ec2.attach_volume, VolumeId=near, InstanceId=vm, Device="/dev/sdf") == (
        "IncorrectState",
        f"{near} is not 'available'.",
    )
    jar.settle()
    assert refused(ec2.attach_volume, VolumeId=far, InstanceId=vm, Device="/dev/sdf") == (
        "InvalidVolume.ZoneMismatch",
        f"The volume '{far}' is not in the same availability zone as instance '{vm}'",
    )
    taken = refused(ec2.attach_volume, VolumeId=near, InstanceId=vm, Device="/dev/sda")
    assert taken == (
        "InvalidParameterValue",
        "Invalid value '/dev/sda' for unixDevice. Attachment point /dev/sda is already in use",
    )
    assert refused(ec2.attach_volume, VolumeId=near, InstanceId=vm, Device="sdx1f") == (
        "InvalidParameterValue",
        "Value (sdx1f) for parameter device is invalid. sdx1f is not a valid EBS device name.",
    )
    nobody = {"VolumeId": f"vol-{NOWHERE}", "InstanceId": vm, "Device": "/dev/sdf"}
    assert code(ec2.attach_volume, **nobody) == "InvalidVolume.NotFound"
    assert code(ec2.attach_volume, **{**nobody, "VolumeId": "vol-x"}) == "InvalidVolumeID.Malformed"
    nobody = {"VolumeId": near, "InstanceId": f"i-{NOWHERE}", "Device": "/dev/sdf"}
    assert code(ec2.attach_volume, **nobody) == "InvalidInstanceID.NotFound"
    assert code(ec2.detach_volume, VolumeId=near) == "IncorrectState"
    root = ec2.describe_volumes(Filters=only(attachment__instance_id=vm))["Volumes"][0]["VolumeId"]
    assert refused(ec2.detach_volume, VolumeId=root) == (
        "OperationNotPermitted",
        f"Unable to detach root volume '{root}' from instance '{vm}'",
    )
    ec2.attach_volume(VolumeId=near, InstanceId=vm, Device="/dev/sdf")
    assert code(ec2.detach_volume, VolumeId=near, Device="/dev/sdz") == "InvalidAttachment.NotFound"


def test_a_root_volume_comes_off_a_stopped_instance_and_back(jar: TestJar, ec2: Any) -> None:
    vm, other = running(jar, ec2), running(jar, ec2)
    root = ec2.describe_volumes(Filters=only(attachment__instance_id=vm))["Volumes"][0]["VolumeId"]
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    ec2.detach_volume(VolumeId=root)
    jar.settle()
    assert code(ec2.start_instances, InstanceIds=[vm]) == "InvalidParameterValue"
    ec2.attach_volume(VolumeId=root, InstanceId=other, Device="/dev/sdf")
    jar.settle()
    assert jar.host.devices(other) == {"/dev/sdf": root}
    ec2.detach_volume(VolumeId=root)
    jar.settle()
    ec2.attach_volume(VolumeId=root, InstanceId=vm, Device="/dev/xvda")
    jar.settle()
    ec2.start_instances(InstanceIds=[vm])
    jar.settle()
    assert jar.host.look(vm) == "up"
    assert jar.host.host.machines[vm].spec.root.volume_id == root


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"Size": 0}, "InvalidParameterValue"),
        ({"Size": 70000}, "InvalidParameterValue"),
        ({"VolumeType": "io1"}, "MissingParameter"),
        ({"VolumeType": "io1", "Iops": 501}, "InvalidParameterValue"),
        ({"VolumeType": "io2", "Iops": 10001}, "InvalidParameterValue"),
        ({"VolumeType": "gp2", "Iops": 3000}, "InvalidParameterCombination"),
        ({"VolumeType": "gp2", "Throughput": 200}, "InvalidParameterCombination"),
        ({"VolumeType": "st1"}, "InvalidParameterValue"),
        ({"Iops": 5001}, "InvalidParameterValue"),
        ({"Throughput": 124}, "InvalidParameterValue"),
        ({"Throughput": 751}, "InvalidParameterValue"),
        ({"Size": 2000, "VolumeType": "standard"}, "InvalidParameterValue"),
        ({"AvailabilityZone": "us-east-1a"}, "InvalidZone.NotFound"),
        ({"SnapshotId": f"snap-{NOWHERE}"}, "InvalidSnapshot.NotFound"),
        ({"SnapshotId": "snap-x"}, "InvalidSnapshotID.Malformed"),
        ({"KmsKeyId": "alias/aws/ebs"}, "InvalidParameterDependency"),
        ({"MultiAttachEnabled": True}, "UnsupportedOperation"),
    ],
)
def test_volumes_that_cannot_be(ec2: Any, wanted: dict[str, Any], says: str) -> None:
    asked = {"AvailabilityZone": "eu-west-3a", "Size": 10, "VolumeType": "gp3", **wanted}
    if not asked["Size"]:
        del asked["Size"]
        says = "MissingParameter"
    assert code(ec2.create_volume, **asked) == says


def test_performance_is_billed(jar: TestJar, ec2: Any) -> None:
    make(ec2, Iops=4000, Throughput=500)
    make(ec2, VolumeType="io2", Iops=5000)
    make(ec2, VolumeType="standard")
    jar.advance(hours=3)
    for usage in ("VolumeP-IOPS.gp3", "VolumeP-Throughput.gp3", "VolumeP-IOPS.io2", "VolumeUsage", "VolumeUsage.io2"):
        assert jar.usage(f"EBS:{usage}") == timedelta(hours=3), usage


def test_a_volume_grows_in_use_and_not_again_for_six_hours(jar: TestJar, ec2: Any) -> None:
    vm, volume = running(jar, ec2), make(ec2)
    jar.settle()
    ec2.attach_volume(VolumeId=volume, InstanceId=vm, Device="/dev/sdf")
    jar.settle()
    assert code(ec2.describe_volumes_modifications, VolumeIds=[volume]) == "InvalidVolumeModification.NotFound"
    assert code(ec2.modify_volume, VolumeId=volume, Size=9) == "InvalidParameterValue"
    change = ec2.modify_volume(VolumeId=volume, Size=20, Iops=4000)["VolumeModification"]
    assert (change["ModificationState"], change["OriginalSize"], change["TargetSize"]) == ("modifying", 10, 20)
    jar.settle()
    assert jar.host.host.volumes[volume].size_gib == 20
    assert code(ec2.modify_volume, VolumeId=volume, Size=30) == "IncorrectModificationState"
    jar.advance(minutes=5)
    change = ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"][0]
    assert (change["ModificationState"], change["Progress"]) == ("optimizing", 50)
    jar.advance(minutes=6)
    change = ec2.describe_volumes_modifications()["VolumesModifications"][0]
    assert (change["ModificationState"], change["Progress"], change["TargetIops"]) == ("completed", 100, 4000)
    assert refused(ec2.modify_volume, VolumeId=volume, Size=30) == (
        "VolumeModificationRateExceeded",
        "You've reached the maximum modification rate per volume limit. Wait at least 6 hours between modifications "
        "per EBS volume.",
    )
    jar.advance(hours=6)
    ec2.modify_volume(VolumeId=volume, VolumeType="gp2")
    assert show(ec2, volume)["Iops"] == 100


def test_a_launch_brings_its_disks(jar: TestJar, ec2: Any) -> None:
    vm = running(
        jar,
        ec2,
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 12, "DeleteOnTermination": False}},
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5, "VolumeType": "gp3"}},
            {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 6, "DeleteOnTermination": False}},
        ],
    )
    volumes = {v["Attachments"][0]["Device"]: v for v in ec2.describe_volumes()["Volumes"]}
    assert {device: v["Size"] for device, v in volumes.items()} == {"/dev/xvda": 12, "/dev/sdf": 5, "/dev/sdg": 6}
    assert set(jar.host.devices(vm)) == {"/dev/sdf", "/dev/sdg"}
    keep = [{"DeviceName": "/dev/sdg", "Ebs": {"DeleteOnTermination": True}}]
    ec2.modify_instance_attribute(InstanceId=vm, BlockDeviceMappings=keep)
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    left = ec2.describe_volumes()["Volumes"]
    assert [(v["VolumeId"], v["State"]) for v in left] == [(volumes["/dev/xvda"]["VolumeId"], "available")]
    assert set(jar.host.host.volumes) == {left[0]["VolumeId"]}


def test_mappings_that_cannot_be(ec2: Any) -> None:
    def asked(*mappings: dict[str, Any]) -> str:
        return code(lambda **kw: launch(ec2, **kw), BlockDeviceMappings=list(mappings))

    twice = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5}}
    assert asked(twice, {**twice, "DeviceName": "/dev/xvdf"}) == "InvalidBlockDeviceMapping"
    assert asked({"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 4}}) == "InvalidBlockDeviceMapping"
    assert asked({"DeviceName": "/dev/xvda", "NoDevice": ""}) == "InvalidBlockDeviceMapping"
    cold = {"VolumeType": "st1", "VolumeSize": 200}
    assert asked({"DeviceName": "/dev/xvda", "Ebs": cold}) == "InvalidParameterValue"
    assert asked({"DeviceName": "/dev/sdf", "Ebs": {}}) == "MissingParameter"


def test_encryption_by_default_and_by_key(jar: TestJar, ec2: Any) -> None:
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    ec2.enable_ebs_encryption_by_default()
    volume = make(ec2)
    shown = show(ec2, volume)
    kms = jar.client("kms")
    assert shown["Encrypted"] is True
    assert kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"] == shown["KmsKeyId"]
    key = kms.create_key()["KeyMetadata"]["Arn"]
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    jar.settle()
    vm = running(jar, ec2)
    root = ec2.describe_volumes(Filters=only(attachment__instance_id=vm))["Volumes"][0]
    assert (root["Encrypted"], root["KmsKeyId"]) == (True, key)
    mine = make(ec2)
    jar.settle()
    kms.disable_key(KeyId=key)
    assert code(ec2.attach_volume, VolumeId=mine, InstanceId=vm, Device="/dev/sdf") == "InvalidKMSKey.InvalidState"
    assert code(ec2.create_volume, AvailabilityZone="eu-west-3a", Size=1) == "InvalidKMSKey.InvalidState"
    kms.enable_key(KeyId=key)
    ec2.attach_volume(VolumeId=mine, InstanceId=vm, Device="/dev/sdf")
    ec2.reset_ebs_default_kms_key_id()
    ec2.disable_ebs_encryption_by_default()
    assert show(ec2, make(ec2))["Encrypted"] is False
    nobody = f"arn:aws:kms:eu-west-3:000000000000:key/{'0' * 8}-0000-0000-0000-{'0' * 12}"
    wanted = {"AvailabilityZone": "eu-west-3a", "Size": 1, "Encrypted": True, "KmsKeyId": nobody}
    assert code(ec2.create_volume, **wanted) == "InvalidKmsKey.NotFound"


def test_a_grant_lets_ec2_use_the_key_while_a_volume_is_attached(jar: TestJar, ec2: Any) -> None:
    kms = jar.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]

    def grants() -> list[tuple[str, list[str], str]]:
        found = kms.list_grants(KeyId=key)["Grants"]
        return [(one["Name"], one["Operations"], one["GranteePrincipal"]) for one in found]

    vm, volume = running(jar, ec2), make(ec2, Encrypted=True, KmsKeyId=key)
    jar.settle()
    assert grants() == []
    ec2.attach_volume(VolumeId=volume, InstanceId=vm, Device="/dev/sdf")
    jar.settle()
    assert grants() == [(volume, ["Decrypt"], "ec2.amazonaws.com")]
    ec2.detach_volume(VolumeId=volume)
    jar.settle()
    assert grants() == []
    ebs = {"VolumeSize": 2, "Encrypted": True, "KmsKeyId": key}
    other = running(jar, ec2, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": ebs}])
    assert len(grants()) == 1
    ec2.terminate_instances(InstanceIds=[other])
    jar.settle()
    assert grants() == []


def test_who_may_not_make_grants_cannot_attach_encrypted_volumes(jar: TestJar, ec2: Any) -> None:
    key = jar.client("kms").create_key()["KeyMetadata"]["Arn"]
    vm, volume = running(jar, ec2), make(ec2, Encrypted=True, KmsKeyId=key)
    jar.settle()
    iam = jar.client("iam")
    iam.create_user(UserName="ops")
    made = iam.create_access_key(UserName="ops")["AccessKey"]
    theirs = jar.client("ec2", key=made["AccessKeyId"], secret=made["SecretAccessKey"])
    asked = {"VolumeId": volume, "InstanceId": vm, "Device": "/dev/sdf"}

    def may(*actions: str, **more: Any) -> None:
        statements = [
            {"Effect": "Allow", "Action": ["ec2:*", "kms:Decrypt"], "Resource": "*"},
            *({"Effect": "Allow", "Action": action, "Resource": "*", **more} for action in actions),
        ]
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName="ops", PolicyName="ops", PolicyDocument=text)

    may()
    assert code(theirs.attach_volume, **asked) == "UnauthorizedOperation"
    may("kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}})
    assert theirs.attach_volume(**asked)["State"] == "attaching"


def test_an_instance_does_not_start_without_its_key(jar: TestJar, ec2: Any) -> None:
    kms = jar.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    ebs = {"VolumeSize": 8, "Encrypted": True, "KmsKeyId": key}
    vm = running(jar, ec2, BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": ebs}])
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    kms.disable_key(KeyId=key)
    jar.advance(minutes=1)
    ec2.start_instances(InstanceIds=[vm])
    jar.settle()

    def shown() -> tuple[str, str]:
        found = ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]
        return found["State"]["Name"], found.get("StateReason", {}).get("Message", "")

    assert shown() == ("stopped", "Client.InternalError: Client error on launch")
    assert jar.host.look(vm) == "down"
    kms.enable_key(KeyId=key)
    ec2.start_instances(InstanceIds=[vm])
    jar.settle()
    assert shown() == ("running", "")
