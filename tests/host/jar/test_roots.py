"""Root volumes under running guests: what a guest broke is whole again, and what was kept is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.host.jar.account import Account
from tests.host.jar.served import REGION, RealJar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]


def booted(jar: RealJar, machine: str) -> None:
    until(lambda: jar.compute.look(machine) == "up", f"{machine} to be up")
    until(lambda: jar.compute.run(machine, ["systemctl", "is-active", "ssh"])[0] == 0, f"{machine} to be booted")


def replaced(jar: RealJar, ec2: Any, machine: str, **by: Any) -> None:
    task = ec2.create_replace_root_volume_task(InstanceId=machine, **by)["ReplaceRootVolumeTask"]
    wanted = {"ReplaceRootVolumeTaskIds": [task["ReplaceRootVolumeTaskId"]]}

    def state() -> str:
        return str(ec2.describe_replace_root_volume_tasks(**wanted)["ReplaceRootVolumeTasks"][0]["TaskState"])

    # A guest that does not obey the order to shut down has its power cut after a minute.
    until(lambda: state() not in ("pending", "in-progress"), "the root volume to be replaced", 150, every=0.1)
    assert state() == "succeeded", jar.words()
    booted(jar, machine)


def test_a_guest_boots_from_another_root_volume(real: RealJar) -> None:
    jar, account = real, Account(real)
    ec2 = account.ec2
    guest = account.run(account.subnet(account.vpc()))
    booted(jar, guest.id)
    jar.inside(guest.id, "echo good > /etc/mark && sync")
    root = account.show(guest.id)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=root)["SnapshotId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1})
    jar.inside(guest.id, "rm -rf /etc/mark /etc/ssh/sshd_config /usr/bin/python3")
    key = jar.inside(guest.id, "cat /etc/ssh/ssh_host_ed25519_key.pub")
    life = jar.life(guest.id)
    replaced(jar, ec2, guest.id, SnapshotId=snapshot, DeleteReplacedRootVolume=True)
    assert jar.life(guest.id) != life
    assert jar.inside(guest.id, "cat /etc/mark; test -x /usr/bin/python3 && cat /etc/ssh/ssh_host_ed25519_key.pub") == (
        f"good\n{key}"
    )
    until(lambda: not (jar.home / "compute/volumes" / root).exists(), "the old volume to be gone")
    replaced(jar, ec2, guest.id)
    assert jar.inside(guest.id, "test ! -e /etc/mark && echo as at the launch") == "as at the launch"
    shown = account.show(guest.id)
    assert (shown["State"]["Name"], shown["PrivateIpAddress"]) == ("running", guest.private)
    ec2.terminate_instances(InstanceIds=[guest.id])
    account.reach(guest.id, "terminated")


def test_a_guest_has_an_interface_of_another_account_in_its_own_vpc(real: RealJar) -> None:
    jar, lender, borrower = real, Account(real), Account(real, "222222222222")
    eni = lender.ec2.create_network_interface(SubnetId=lender.subnet(lender.vpc("10.5.0.0/16"), "10.5.1.0/24"))[
        "NetworkInterface"
    ]
    guest = borrower.run(borrower.subnet(borrower.vpc()))
    booted(jar, guest.id)
    asked = {"NetworkInterfaceId": eni["NetworkInterfaceId"], "Permission": "INSTANCE-ATTACH"}
    lender.ec2.create_network_interface_permission(AwsAccountId="222222222222", **asked)
    attachment = borrower.ec2.attach_network_interface(
        NetworkInterfaceId=eni["NetworkInterfaceId"], InstanceId=guest.id, DeviceIndex=1
    )["AttachmentId"]
    until(lambda: eni["PrivateIpAddress"] in jar.inside(guest.id, "ip -4 addr"), "the second interface to be there")
    life = jar.life(guest.id)
    borrower.ec2.detach_network_interface(AttachmentId=attachment)
    until(lambda: eni["PrivateIpAddress"] not in jar.inside(guest.id, "ip -4 addr"), "the second interface to go")
    assert guest.private in jar.inside(guest.id, "ip -4 addr")
    assert jar.life(guest.id) == life
    borrower.ec2.terminate_instances(InstanceIds=[guest.id])
    borrower.reach(guest.id, "terminated")


TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "vmie.amazonaws.com"}, "Action": "sts:AssumeRole"}]})  # fmt: skip
MAY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::disks/*"}]})  # fmt: skip


@pytest.fixture
def trees(real: RealJar) -> Iterator[None]:
    """Trees that a test takes in leave the host's cache with it."""
    folder = real.compute.store.folder
    before = set(folder.glob("*import-*"))
    yield
    for entry in set(folder.glob("*import-*")) - before:
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@pytest.mark.usefixtures("trees")
def test_an_image_goes_out_as_a_disk_and_comes_back(real: RealJar) -> None:
    jar, account, iam = real, Account(real), real.client("iam")
    ec2, subnet = account.ec2, account.subnet(account.vpc("10.9.0.0/16"), "10.9.1.0/24")
    jar.client("s3").create_bucket(Bucket="disks", CreateBucketConfiguration={"LocationConstraint": REGION})
    iam.create_role(RoleName="vmimport", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="vmimport", PolicyName="disks", PolicyDocument=MAY)
    guest = account.run(subnet)
    booted(jar, guest.id)
    jar.inside(guest.id, "echo mine > /etc/mark; chown 1000:1000 /etc/mark; rm /etc/issue; sync")
    image = ec2.create_image(InstanceId=guest.id, Name="mine", NoReboot=True)["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1})
    ec2.terminate_instances(InstanceIds=[guest.id])
    where = {"S3Bucket": "disks", "S3Prefix": ""}
    task = ec2.export_image(ImageId=image, DiskImageFormat="VHD", S3ExportLocation=where)["ExportImageTaskId"]
    exported = partial(ec2.describe_export_image_tasks, ExportImageTaskIds=[task])
    until(lambda: exported()["ExportImageTasks"][0]["Status"] != "active", "the image to be exported", 200, 0.2)
    assert exported()["ExportImageTasks"][0]["Status"] == "completed", exported()
    disk = {"Format": "VHD", "UserBucket": {"S3Bucket": "disks", "S3Key": f"{task}.vhd"}}
    back = ec2.import_image(DiskContainers=[disk])["ImportTaskId"]
    imported = partial(ec2.describe_import_image_tasks, ImportTaskIds=[back])
    until(lambda: imported()["ImportImageTasks"][0]["Status"] != "active", "the image to be imported", 200, 0.2)
    [done] = imported()["ImportImageTasks"]
    assert done["Status"] == "completed", done
    ec2.get_waiter("image_available").wait(ImageIds=[done["ImageId"]], WaiterConfig={"Delay": 1})
    again = account.run(subnet, ImageId=done["ImageId"])
    booted(jar, again.id)
    said = jar.inside(again.id, "cat /etc/mark; stat -c '%u' /etc/mark /etc/passwd; test ! -e /etc/issue && echo gone")
    assert said.splitlines() == ["mine", "1000", "0", "gone"]
    ec2.terminate_instances(InstanceIds=[again.id])
    account.reach(again.id, "terminated")
