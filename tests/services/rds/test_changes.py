"""Instances that are changed, backed up and restored."""

from __future__ import annotations

from datetime import timedelta

from tests.jar import TestJar
from tests.services.rds.site import Site, refused


def test_what_is_asked_for_now_is_done_now(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    jar.advance(hours=1)
    answered = site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", DBInstanceClass="db.t3.small", AllocatedStorage=40, ApplyImmediately=True
    )["DBInstance"]
    assert (answered["DBInstanceStatus"], answered["DBInstanceClass"]) == ("modifying", "db.t3.micro")
    with refused("InvalidDBInstanceState", "not in available state"):
        site.rds.modify_db_instance(DBInstanceIdentifier="shop", AllocatedStorage=80, ApplyImmediately=True)
    jar.settle()
    shown = site.show()
    assert (shown["DBInstanceStatus"], shown["DBInstanceClass"], shown["AllocatedStorage"]) == (
        "available", "db.t3.small", 40,
    )  # fmt: skip
    machine = jar.host.host.machines[site.machine()]
    assert machine.spec.memory_mib == 2048
    assert jar.host.host.volumes[machine.spec.root.volume_id].size_gib == 40
    jar.advance(hours=2)
    assert jar.usage("InstanceUsage:db.t3.micro") == timedelta(hours=1)
    assert jar.usage("InstanceUsage:db.t3.small") == timedelta(hours=2)
    assert "Finished applying modification to DB instance class" in site.said()


def test_the_rest_waits_for_the_maintenance_window(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0, PreferredMaintenanceWindow="mon:03:00-mon:04:00")
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", DBInstanceClass="db.t3.small", DBPortNumber=6000)
    jar.settle()
    shown = site.show()
    assert (shown["DBInstanceStatus"], shown["DBInstanceClass"]) == ("available", "db.t3.micro")
    assert shown["PendingModifiedValues"] == {"DBInstanceClass": "db.t3.small", "Port": 6000}
    jar.advance(days=7)
    jar.settle()
    shown = site.show()
    assert (shown["DBInstanceClass"], shown["Endpoint"]["Port"]) == ("db.t3.small", 6000)
    assert shown["PendingModifiedValues"] == {}


def test_a_password_is_changed_at_once_and_groups_too(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    before = "" if jar.reborn else site.engine().verifier
    group = site.ec2.create_security_group(GroupName="db", Description="db", VpcId=site.vpc)["GroupId"]
    answered = site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", MasterUserPassword="another-one-1", VpcSecurityGroupIds=[group]
    )["DBInstance"]
    assert answered["VpcSecurityGroups"] == [{"VpcSecurityGroupId": group, "Status": "active"}]
    jar.settle()
    assert site.show()["DBInstanceStatus"] == "available"
    (eni,) = site.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [g["GroupId"] for g in eni["Groups"]] == [group]
    assert "Reset master credentials" in site.said()
    if not jar.reborn:
        assert site.engine().verifier not in ("", before)


def test_storage_only_grows_and_by_a_tenth(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0, AllocatedStorage=100)
    for size, code in ((50, "InvalidParameterValue"), (105, "InvalidParameterCombination")):
        with refused(code):
            site.rds.modify_db_instance(DBInstanceIdentifier="shop", AllocatedStorage=size, ApplyImmediately=True)
    with refused("InvalidParameterCombination", "Cannot find version 16.1 for postgres"):
        site.rds.modify_db_instance(DBInstanceIdentifier="shop", EngineVersion="16.1")


def test_every_day_it_is_backed_up_for_as_long_as_it_keeps_backups(jar: TestJar) -> None:
    site = Site(jar)
    site.create(BackupRetentionPeriod=2, PreferredBackupWindow="01:00-02:00")
    jar.settle()
    assert site.show()["DBInstanceStatus"] == "available"
    (first,) = site.rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]
    assert first["DBSnapshotIdentifier"].startswith("rds:shop-")
    with refused("InvalidDBSnapshotState"):
        site.rds.delete_db_snapshot(DBSnapshotIdentifier=first["DBSnapshotIdentifier"])
    for _ in range(5):
        jar.advance(days=1)
        jar.settle()
    kept = site.rds.describe_db_snapshots(DBInstanceIdentifier="shop")["DBSnapshots"]
    assert len(kept) in (2, 3)
    assert first["DBSnapshotIdentifier"] not in [s["DBSnapshotIdentifier"] for s in kept]
    assert len(jar.host.host.snapshots) == len(kept)
    assert "Finished DB Instance backup" in site.said()
    site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    jar.settle()
    assert site.rds.describe_db_snapshots()["DBSnapshots"] == []
    assert jar.host.host.snapshots == {}


def test_a_snapshot_holds_what_was_there_and_is_restored(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    volume = jar.host.host.machines[site.machine()].spec.root.volume_id
    jar.host.write(volume, 7, "yesterday")
    taken = site.rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="Before")["DBSnapshot"]
    assert (taken["DBSnapshotIdentifier"], taken["Status"]) == ("before", "creating")
    with refused("InvalidDBInstanceState", "not currently in the available state"):
        site.rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="second")
    jar.settle()
    site.rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="before")
    with refused("DBSnapshotAlreadyExists"):
        site.rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="before")
    jar.host.write(volume, 7, "broken")
    site.rds.delete_db_instance(
        DBInstanceIdentifier="shop", FinalDBSnapshotIdentifier="last", DeleteAutomatedBackups=True
    )
    jar.settle()
    made = {s["DBSnapshotIdentifier"]: s["Status"] for s in site.rds.describe_db_snapshots()["DBSnapshots"]}
    assert made == {"before": "available", "last": "available"}
    asked = {"DBInstanceIdentifier": "shop", "DBSubnetGroupName": "private", "BackupRetentionPeriod": 0}
    site.rds.restore_db_instance_from_db_snapshot(**asked, DBSnapshotIdentifier="before")
    jar.settle()
    shown = site.show()
    assert (shown["DBInstanceStatus"], shown["MasterUsername"], shown["AllocatedStorage"]) == ("available", "boss", 20)
    again = jar.host.host.machines[site.machine()].spec.root.volume_id
    assert again != volume
    assert jar.host.read(again, 7) == "yesterday"
    with refused("DBInstanceAlreadyExists"):
        site.rds.restore_db_instance_from_db_snapshot(**asked, DBSnapshotIdentifier="before")
    with refused("DBSnapshotNotFound", "DBSnapshot gone not found."):
        site.rds.restore_db_instance_from_db_snapshot(
            **{**asked, "DBInstanceIdentifier": "x"}, DBSnapshotIdentifier="gone"
        )
    site.rds.delete_db_snapshot(DBSnapshotIdentifier="before")
    jar.settle()
    site.rds.get_waiter("db_snapshot_deleted").wait(DBSnapshotIdentifier="before")
    assert len(jar.host.host.snapshots) == 1


def test_all_instances_together_have_the_storage_of_the_quota(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0, AllocatedStorage=60_000)
    with refused("StorageQuotaExceeded"):
        site.create("second", AllocatedStorage=50_000)
    site.available("third", BackupRetentionPeriod=0, AllocatedStorage=39_000)
    with refused("StorageQuotaExceeded"):
        site.rds.modify_db_instance(DBInstanceIdentifier="third", AllocatedStorage=45_000)
    assert site.show()["DBInstanceStatus"] == "available"
