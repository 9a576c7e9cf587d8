"""Volumes of other volumes' data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code
from tests.services.ec2.test_volumes import make, running, show


def copy(ec2: Any, source: str, **more: Any) -> str:
    [made] = ec2.copy_volumes(SourceVolumeId=source, **more)["Volumes"]
    return str(made["VolumeId"])


def test_a_copy_has_the_data_of_its_moment(jar: TestJar, ec2: Any) -> None:
    vm = running(jar, ec2)
    source = make(ec2)
    jar.settle()
    ec2.attach_volume(VolumeId=source, InstanceId=vm, Device="/dev/sdf")
    jar.settle()
    jar.host.host.volumes[source].blocks["7"] = "written"
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]
    [made] = ec2.copy_volumes(SourceVolumeId=source, Size=20, VolumeType="gp3", TagSpecifications=tags)["Volumes"]
    key = made["VolumeId"]
    assert (made["State"], made["SourceVolumeId"], made["SnapshotId"]) == ("creating", source, "")
    assert code(ec2.copy_volumes, SourceVolumeId=key) == "IncorrectState"
    jar.settle()
    jar.host.host.volumes[source].blocks["7"] = "written anew"
    found = show(ec2, key)
    assert (found["State"], found["Size"], found["VolumeType"], found["AvailabilityZone"], found["Iops"]) == (
        "available", 20, "gp3", "eu-west-3a", 3000)  # fmt: skip
    assert (found["Tags"], found["SourceVolumeId"]) == ([{"Key": "a", "Value": "b"}], source)
    held = jar.host.host
    assert (held.volumes[key].blocks, held.volumes[key].size_gib) == ({"7": "written"}, 20)
    assert held.snapshots == {}
    ec2.attach_volume(VolumeId=key, InstanceId=vm, Device="/dev/sdg")
    jar.settle()
    assert jar.host.devices(vm) == {"/dev/sdf": source, "/dev/sdg": key}


def test_a_source_that_goes_is_copied_first(jar: TestJar, ec2: Any) -> None:
    source = make(ec2)
    jar.settle()
    jar.host.host.volumes[source].blocks["7"] = "written"
    key = copy(ec2, source)
    ec2.delete_volume(VolumeId=source)
    jar.settle()
    assert show(ec2, key)["State"] == "available"
    assert jar.host.host.volumes[key].blocks == {"7": "written"}
    jar.settle()
    assert source not in jar.host.host.volumes
    assert show(ec2, key)["VolumeType"] == "gp2"


def test_a_copy_of_what_is_encrypted_is_encrypted(jar: TestJar, ec2: Any) -> None:
    one, other = (jar.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    secret, plain = make(ec2, Encrypted=True, KmsKeyId=one), make(ec2)
    jar.settle()
    found = [show(ec2, key) for key in (
        copy(ec2, secret, Encrypted=False), copy(ec2, secret, KmsKeyId=other), copy(ec2, plain),
        copy(ec2, plain, Encrypted=True, KmsKeyId=other))]  # fmt: skip
    assert [(v["Encrypted"], v.get("KmsKeyId")) for v in found] == [
        (True, one), (True, other), (False, None), (True, other)]  # fmt: skip
    jar.client("kms").disable_key(KeyId=one)
    assert code(ec2.copy_volumes, SourceVolumeId=secret, KmsKeyId=other) == "InvalidKMSKey.InvalidState"


@pytest.mark.parametrize(("more", "wanted"), [
    ({"Size": 5}, "InvalidParameterValue"),
    ({"VolumeType": "io2"}, "MissingParameter"),
    ({"MultiAttachEnabled": True, "VolumeType": "io2", "Iops": 100}, "UnsupportedOperation"),
    ({"SourceVolumeId": f"vol-{NOWHERE}"}, "InvalidVolume.NotFound"),
    ({"SourceVolumeId": "vol-x"}, "InvalidVolumeID.Malformed"),
])  # fmt: skip
def test_copies_that_cannot_be(steady_jar: TestJar, more: dict[str, Any], wanted: str) -> None:
    ec2 = steady_jar.client("ec2")
    source = make(ec2)
    steady_jar.settle()
    assert code(ec2.copy_volumes, **{"SourceVolumeId": source, **more}) == wanted
