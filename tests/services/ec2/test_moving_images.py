"""Images and disk images that go into buckets and come out of them."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, launch, only
from tests.services.iam.people import allow, policy, user

OTHER = "222222222222"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "vmie.amazonaws.com"}, "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:Externalid": "vmimport"}}}]})  # fmt: skip


def bucket(jar: TestJar, name: str = "images") -> Any:
    s3 = jar.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    return s3


def own_image(jar: TestJar, ec2: Any) -> tuple[str, str]:
    """An image of a machine whose disk was written to, and its snapshot."""
    machine = launch(ec2)
    jar.settle()
    volume = ec2.describe_volumes(Filters=only(attachment__instance_id=machine))["Volumes"][0]["VolumeId"]
    jar.host.host.volumes[volume].blocks["7"] = "kept"
    image = str(ec2.create_image(InstanceId=machine, Name="mine", NoReboot=True)["ImageId"])
    jar.settle()
    return image, str(ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"])


def tasks(ec2: Any, image: str) -> list[tuple[str, str]]:
    found = ec2.describe_store_image_tasks(ImageIds=[image])["StoreImageTaskResults"]
    return [(one["StoreTaskState"], one.get("StoreTaskFailureReason", "")) for one in found]


def test_an_image_is_stored_and_restored(jar: TestJar, ec2: Any) -> None:
    s3 = bucket(jar)
    image, snapshot = own_image(jar, ec2)
    asked = {"ImageId": image, "Bucket": "images"}
    made = ec2.create_store_image_task(**asked, S3ObjectTags=[{"Key": "team", "Value": "a b"}])
    assert made["ObjectKey"] == f"{image}.bin"
    jar.settle()
    assert tasks(ec2, image) == [("Completed", "")]
    assert s3.get_object_tagging(Bucket="images", Key=f"{image}.bin")["TagSet"] == [{"Key": "team", "Value": "a b"}]
    assert code(ec2.create_store_image_task, **{**asked, "Bucket": "nowhere"}) == "NoSuchBucket"
    restore = {"Bucket": "images", "ObjectKey": f"{image}.bin"}
    assert code(ec2.create_restore_image_task, **restore) == "InvalidAMIName.Duplicate"
    ec2.deregister_image(ImageId=image)
    ec2.delete_snapshot(SnapshotId=snapshot)
    jar.settle()
    again = ec2.create_restore_image_task(**restore, Name="again")["ImageId"]
    jar.settle()
    [shown] = ec2.describe_images(ImageIds=[again])["Images"]
    assert (shown["State"], shown["Name"], shown["Architecture"]) == ("available", "again", "x86_64")
    key = shown["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert key != snapshot
    assert jar.host.host.snapshots[key].blocks == {"7": "kept"}
    [kept] = ec2.describe_snapshots(SnapshotIds=[key])["Snapshots"]
    assert (kept["State"], kept["VolumeId"]) == ("completed", "vol-ffffffff")
    machine = ec2.run_instances(ImageId=again, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    jar.settle()
    volume = ec2.describe_volumes(Filters=only(attachment__instance_id=machine["InstanceId"]))["Volumes"][0]
    assert jar.host.host.volumes[volume["VolumeId"]].blocks == {"7": "kept"}
    s3.put_object(Bucket="images", Key="words", Body=b"words")
    assert code(ec2.create_restore_image_task, Bucket="images", ObjectKey="words") == "InvalidRequest"


def test_it_is_done_as_who_asked(jar: TestJar, ec2: Any) -> None:
    s3 = bucket(jar)
    image, _ = own_image(jar, ec2)
    looks = allow("ec2:CreateStoreImageTask", "s3:ListBucket")
    ann = user(jar, "ann", looks).client("ec2")
    ann.create_store_image_task(ImageId=image, Bucket="images")
    jar.settle()
    [(state, why)] = tasks(ec2, image)
    assert (state, "s3:PutObject" in why) == ("Failed", True)
    assert "Contents" not in s3.list_objects_v2(Bucket="images")
    blind = user(jar, "ben", allow("ec2:CreateStoreImageTask")).client("ec2")
    assert code(blind.create_store_image_task, ImageId=image, Bucket="images") == "AccessDenied"
    other = jar.client("ec2", key=OTHER)
    assert code(other.create_store_image_task, ImageId=image, Bucket="images") == "InvalidAMIID.NotFound"


def test_a_raw_disk_becomes_a_snapshot(jar: TestJar, ec2: Any) -> None:
    s3, iam = bucket(jar), jar.client("iam")
    s3.put_object(Bucket="images", Key="disk.raw", Body=b"disk" * 100_000)
    place = {"UserBucket": {"S3Bucket": "images", "S3Key": "disk.raw"}}

    def imported(**more: Any) -> dict[str, Any]:
        made = ec2.import_snapshot(**{"DiskContainer": place, **more})
        assert made["SnapshotTaskDetail"]["Status"] == "active"
        jar.settle()
        [shown] = ec2.describe_import_snapshot_tasks(ImportTaskIds=[made["ImportTaskId"]])["ImportSnapshotTasks"]
        detail: dict[str, Any] = shown["SnapshotTaskDetail"]
        return detail

    refused = imported()
    assert (refused["Status"], "service role vmimport" in refused["StatusMessage"]) == ("deleted", True)
    iam.create_role(RoleName="vmimport", AssumeRolePolicyDocument=TRUST)
    assert "s3:GetObject" in imported()["StatusMessage"]
    arn = "arn:aws:s3:::images/*"
    iam.put_role_policy(RoleName="vmimport", PolicyName="r", PolicyDocument=policy(allow("s3:GetObject", on=arn)))
    done = imported(Description="from afar")
    assert (done["Status"], done["DiskImageSize"]) == ("completed", 400_000.0)
    [snapshot] = ec2.describe_snapshots(SnapshotIds=[done["SnapshotId"]])["Snapshots"]
    assert (snapshot["State"], snapshot["VolumeSize"], snapshot["OwnerId"]) == ("completed", 1, ACCOUNT)
    volume = ec2.create_volume(SnapshotId=done["SnapshotId"], AvailabilityZone="eu-west-3a")["VolumeId"]
    jar.settle()
    assert len(jar.host.host.volumes[volume].blocks["0"]) == 64
    assert imported(DiskContainer={"Url": "s3://images/nothing"})["Status"] == "deleted"
    assert code(ec2.import_snapshot, DiskContainer={**place, "Format": "VHDX"}) == "UnsupportedOperation"
    assert code(ec2.import_snapshot, DiskContainer={}) == "InvalidParameterCombination"
    assert code(ec2.describe_import_snapshot_tasks, ImportTaskIds=["import-snap-1"]) == "InvalidConversionTaskId"
    task = ec2.describe_import_snapshot_tasks(Filters=only(task_state="completed"))["ImportSnapshotTasks"][0]
    assert code(ec2.cancel_import_task, ImportTaskId=task["ImportTaskId"]) == "IncorrectState"
