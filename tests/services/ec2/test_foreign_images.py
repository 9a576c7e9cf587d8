"""AMIs of disk images in buckets, and AMIs and instances as such: who reads, who writes, what comes of it."""

from __future__ import annotations

import tarfile
from io import BytesIO
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, only, refused
from tests.services.ec2.test_moving_images import TRUST, bucket, own_image
from tests.services.iam.people import allow, policy

WRITER = "c4d8eabf8db69dbe46bfe0e517100c554f01200b104d59cd408e777ba442a322"


@pytest.fixture
def s3(jar: TestJar) -> Any:
    """S3 with a bucket, and the role that VM Import takes."""
    client, iam = bucket(jar), jar.client("iam")
    iam.create_role(RoleName="vmimport", AssumeRolePolicyDocument=TRUST)
    may = policy(allow("s3:GetObject", "s3:PutObject", on="arn:aws:s3:::images/*"))
    iam.put_role_policy(RoleName="vmimport", PolicyName="p", PolicyDocument=may)
    return client


def read(s3: Any, key: str) -> bytes:
    body = s3.get_object(Bucket="images", Key=key)["Body"]
    text: bytes = body.read()
    body.close()
    return text


def imported(jar: TestJar, ec2: Any, *containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = ec2.import_image(DiskContainers=list(containers), **more)
    assert made["Status"] == "active"
    jar.settle()
    [found] = ec2.describe_import_image_tasks(ImportTaskIds=[made["ImportTaskId"]])["ImportImageTasks"]
    return dict(found)


def container(key: str = "disk.vmdk", form: str = "vmdk", **more: Any) -> dict[str, Any]:
    return {"Format": form, "UserBucket": {"S3Bucket": "images", "S3Key": key}, **more}


def test_disk_images_become_an_image_that_boots(jar: TestJar, ec2: Any, s3: Any) -> None:
    s3.put_object(Bucket="images", Key="disk.vmdk", Body=b"system")
    s3.put_object(Bucket="images", Key="data.vhd", Body=b"data")
    done = imported(
        jar, ec2, container(), container("data.vhd", "VHD", DeviceName="/dev/sdf"), Description="mine",
        TagSpecifications=[{"ResourceType": "import-image-task", "Tags": [{"Key": "a", "Value": "b"}]}],
    )  # fmt: skip
    assert (done["Status"], done["Platform"], done["Tags"]) == ("completed", "Linux", [{"Key": "a", "Value": "b"}])
    first, second = done["SnapshotDetails"]
    assert (first["DeviceName"], first["Format"], first["DiskImageSize"]) == ("/dev/xvda", "VMDK", 6.0)
    assert (second["DeviceName"], second["Format"]) == ("/dev/sdf", "VHD")
    [image] = ec2.describe_images(ImageIds=[done["ImageId"]])["Images"]
    assert (image["State"], image["Name"], image["Description"]) == ("available", done["ImportTaskId"], "mine")
    mapped = {m["DeviceName"]: m["Ebs"]["SnapshotId"] for m in image["BlockDeviceMappings"]}
    assert mapped == {"/dev/xvda": first["SnapshotId"], "/dev/sdf": second["SnapshotId"]}
    vm = ec2.run_instances(ImageId=image["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    jar.settle()
    assert jar.host.look(vm["InstanceId"]) == "up"
    assert "from import-" in jar.host.console(vm["InstanceId"]).decode()
    assert ec2.describe_import_image_tasks(Filters=only(task_state="active"))["ImportImageTasks"] == []


def test_what_cannot_be_imported(jar: TestJar, ec2: Any, s3: Any) -> None:
    s3.put_object(Bucket="images", Key="disk.vmdk", Body=b"broken")
    assert "no system to boot" in imported(jar, ec2, container())["StatusMessage"]
    missing = imported(jar, ec2, container("nothing"))
    assert (missing["Status"], "ClientError" in missing["StatusMessage"]) == ("deleted", True)
    nobody = imported(jar, ec2, container(), RoleName="nobody")
    assert "service role nobody" in nobody["StatusMessage"]
    ask = ec2.import_image
    assert code(ask, DiskContainers=[container(form="vhdx")]) == "UnsupportedOperation"
    assert code(ask, DiskContainers=[container()], Platform="Windows") == "UnsupportedOperation"
    assert code(ask, DiskContainers=[container()], Architecture="arm64") == "UnsupportedOperation"
    assert code(ask, DiskContainers=[container()], Encrypted=True) == "UnsupportedOperation"
    assert code(ask) == "MissingParameter"
    assert code(ask, DiskContainers=[{"Format": "RAW"}]) == "InvalidParameterCombination"
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    jar.host.fail("take_system", "later", times=50)
    task = ec2.import_image(DiskContainers=[container()])["ImportTaskId"]
    gone = ec2.cancel_import_task(ImportTaskId=task) if _active(ec2, task) else {"State": "deleted"}
    assert gone["State"] == "deleted"
    assert code(ec2.cancel_import_task, ImportTaskId=task) == "IncorrectState"
    assert code(ec2.cancel_import_task, ImportTaskId=f"import-ami-{NOWHERE}") == "InvalidConversionTaskId"


def _active(ec2: Any, task: str) -> bool:
    [found] = ec2.describe_import_image_tasks(ImportTaskIds=[task])["ImportImageTasks"]
    return bool(found["Status"] == "active")


def test_a_snapshot_of_another_format(jar: TestJar, ec2: Any, s3: Any) -> None:
    s3.put_object(Bucket="images", Key="disk.vhd", Body=b"disk")
    task = ec2.import_snapshot(DiskContainer=container("disk.vhd", "VHD"))["ImportTaskId"]
    jar.settle()
    [found] = ec2.describe_import_snapshot_tasks(ImportTaskIds=[task])["ImportSnapshotTasks"]
    detail = found["SnapshotTaskDetail"]
    assert (detail["Status"], detail["Format"]) == ("completed", "VHD")
    assert detail["SnapshotId"] in jar.host.host.snapshots


def test_an_image_is_exported_by_the_role(jar: TestJar, ec2: Any, s3: Any) -> None:
    image, _ = own_image(jar, ec2)
    where = {"S3Bucket": "images", "S3Prefix": "out/"}
    made = ec2.export_image(ImageId=image, DiskImageFormat="VMDK", S3ExportLocation=where, Description="d")
    assert (made["Status"], made["ImageId"], made["DiskImageFormat"]) == ("active", image, "VMDK")
    jar.settle()
    task = made["ExportImageTaskId"]
    [done] = ec2.describe_export_image_tasks(ExportImageTaskIds=[task])["ExportImageTasks"]
    assert (done["Status"], done["S3ExportLocation"]) == ("completed", where)
    assert read(s3, f"out/{task}.vmdk").startswith(b"simulated VMDK of ")
    jar.client("iam").delete_role_policy(RoleName="vmimport", PolicyName="p")
    other = ec2.export_image(ImageId=image, DiskImageFormat="RAW", S3ExportLocation=where)["ExportImageTaskId"]
    jar.settle()
    [failed] = ec2.describe_export_image_tasks(ExportImageTaskIds=[other])["ExportImageTasks"]
    assert (failed["Status"], "s3:PutObject" in failed["StatusMessage"]) == ("deleted", True)
    public = ec2.describe_images(Filters=only(name="debian-12-amd64-*"))["Images"][0]["ImageId"]
    ask = {"DiskImageFormat": "VHD", "S3ExportLocation": where}
    assert code(ec2.export_image, ImageId=public, **ask) == "NotExportable"
    assert code(ec2.export_image, ImageId=f"ami-{NOWHERE}", **ask) == "InvalidAMIID.NotFound"
    assert code(ec2.cancel_export_task, ExportTaskId=task) == "InvalidParameterValue"


def test_an_instance_is_exported_where_the_list_lets_aws_in(jar: TestJar, ec2: Any) -> None:
    s3 = jar.client("s3")
    s3.create_bucket(
        Bucket="images", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}, ObjectOwnership="ObjectWriter"
    )
    vm = launch(ec2)
    jar.settle()
    asked = {"InstanceId": vm, "TargetEnvironment": "vmware",
             "ExportToS3Task": {"ContainerFormat": "ova", "DiskImageFormat": "VMDK", "S3Bucket": "images",
                                "S3Prefix": "vms/"}}  # fmt: skip
    assert refused(ec2.create_instance_export_task, **asked) == (
        "AuthFailure", "vm-import-export@amazon.com must have WRITE and READ_ACL permission on the S3 bucket.",
    )  # fmt: skip
    owner = s3.get_bucket_acl(Bucket="images")["Owner"]
    grants = [{"Grantee": {"Type": "CanonicalUser", "ID": WRITER}, "Permission": p} for p in ("WRITE", "READ_ACP")]
    s3.put_bucket_acl(Bucket="images", AccessControlPolicy={"Owner": owner, "Grants": grants})
    task = ec2.create_instance_export_task(**asked)["ExportTask"]
    assert (task["State"], task["ExportToS3Task"]["S3Key"]) == ("active", f"vms/{task['ExportTaskId']}.ova")
    jar.settle()
    [done] = ec2.describe_export_tasks(ExportTaskIds=[task["ExportTaskId"]])["ExportTasks"]
    assert (done["State"], done["InstanceExportDetails"]["InstanceId"]) == ("completed", vm)
    with tarfile.open(fileobj=BytesIO(read(s3, f"vms/{task['ExportTaskId']}.ova"))) as tar:
        text, disk = tar.getmembers()
        assert (text.name.endswith(".ovf"), disk.name.endswith("-disk1.vmdk")) == (True, True)
        inner = tar.extractfile(disk)
        assert inner is not None
        with inner:
            assert inner.read().startswith(b"simulated VMDK of ")
    assert task["ExportTaskId"] not in jar.host.host.snapshots
    plain = {**asked, "TargetEnvironment": "citrix", "ExportToS3Task": {"S3Bucket": "images"}}
    other = ec2.create_instance_export_task(**plain)["ExportTask"]
    assert other["ExportToS3Task"]["DiskImageFormat"] == "VHD"
    jar.settle()
    assert read(s3, f"{other['ExportTaskId']}.vhd").startswith(b"simulated VHD of ")
    assert code(ec2.cancel_export_task, ExportTaskId=other["ExportTaskId"]) == "InvalidParameterValue"
    assert code(ec2.cancel_export_task, ExportTaskId=f"export-i-{NOWHERE}") == "InvalidExportTaskID.NotFound"
