"""What can be had again of instances, and until when; what the engine's log holds is in tests/host/jar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service
from cloudjar.kit.context import Ctx
from cloudjar.services.rds import backups
from cloudjar.services.rds.backup_records import AutomatedBackup
from cloudjar.services.rds.records import DbInstance
from tests.jar import ACCOUNT, TestJar
from tests.services.rds.site import Site, refused

PLACE = {"DBSubnetGroupName": "private", "BackupRetentionPeriod": 0}


def _kept(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    return found


def test_the_window_opens_with_the_first_backup_and_moves_on(jar: TestJar) -> None:
    site = Site(jar)
    site.create(BackupRetentionPeriod=3)
    jar.settle()
    (first,) = _kept(site)
    assert (first["Status"], first["DBInstanceIdentifier"], first["BackupRetentionPeriod"]) == ("active", "shop", 3)
    assert first["DBInstanceAutomatedBackupsArn"].startswith("arn:aws:rds:eu-west-3:000000000000:auto-backup:ab-")
    earliest = first["RestoreWindow"]["EarliestTime"]
    jar.advance(minutes=30)
    jar.advance(minutes=1)
    shown = site.show()
    assert shown["LatestRestorableTime"] == earliest + timedelta(minutes=30)
    assert _kept(site)[0]["RestoreWindow"]["LatestTime"] == shown["LatestRestorableTime"]
    asked = {**PLACE, "SourceDBInstanceIdentifier": "shop", "TargetDBInstanceIdentifier": "again"}
    with refused("InvalidParameterValue", "cannot be restored to a time later than"):
        site.rds.restore_db_instance_to_point_in_time(**asked, RestoreTime=earliest + timedelta(hours=2))
    with refused("InvalidParameterValue", "cannot be restored to a time earlier than"):
        site.rds.restore_db_instance_to_point_in_time(**asked, RestoreTime=earliest - timedelta(seconds=1))
    with refused("InvalidParameterCombination", "Only one of RestoreTime and UseLatestRestorableTime"):
        site.rds.restore_db_instance_to_point_in_time(**asked, RestoreTime=earliest, UseLatestRestorableTime=True)
    with refused("InvalidParameterCombination", "Either RestoreTime or UseLatestRestorableTime"):
        site.rds.restore_db_instance_to_point_in_time(**asked)
    with refused("DBInstanceAlreadyExists"):
        site.rds.restore_db_instance_to_point_in_time(
            **{**asked, "TargetDBInstanceIdentifier": "shop"}, UseLatestRestorableTime=True
        )


def test_an_instance_is_made_of_the_backup_before_the_instant(jar: TestJar) -> None:
    site = Site(jar)
    site.create(BackupRetentionPeriod=3, AllocatedStorage=40, PreferredBackupWindow="01:00-02:00")
    jar.settle()
    volume = jar.host.host.machines[site.machine()].spec.root.volume_id
    jar.host.write(volume, 7, "yesterday")
    jar.advance(days=1)
    noon = site.show()["LatestRestorableTime"]
    jar.host.write(volume, 7, "today")
    jar.advance(days=1)
    jar.settle()
    made = site.rds.restore_db_instance_to_point_in_time(
        **PLACE, SourceDBInstanceIdentifier="shop", TargetDBInstanceIdentifier="again",
        RestoreTime=noon + timedelta(hours=20),
    )["DBInstance"]  # fmt: skip
    assert (made["DBInstanceStatus"], made["MasterUsername"], made["AllocatedStorage"]) == ("creating", "boss", 40)
    jar.settle()
    shown = site.show("again")
    assert (shown["DBInstanceStatus"], shown["DBInstanceClass"]) == ("available", "db.t3.micro")
    (copy,) = (v for v in jar.host.host.volumes if v.startswith("dbvol-") and v != volume)
    assert jar.host.read(copy, 7) in ("yesterday", "today")
    assert [said for said in site.said() if said.startswith("Restored from DB instance")]


def test_backups_of_what_is_gone_are_kept_when_that_is_asked_for(jar: TestJar) -> None:
    site = Site(jar)
    site.create(BackupRetentionPeriod=2)
    jar.settle()
    resource = site.show()["DbiResourceId"]
    with refused("InvalidDBInstanceAutomatedBackupState"):
        site.rds.delete_db_instance_automated_backup(DbiResourceId=resource)
    site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    jar.settle()
    (kept,) = _kept(site)
    assert (kept["Status"], kept["DbiResourceId"]) == ("retained", resource)
    site.rds.restore_db_instance_to_point_in_time(
        **PLACE, TargetDBInstanceIdentifier="again", UseLatestRestorableTime=True,
        SourceDBInstanceAutomatedBackupsArn=kept["DBInstanceAutomatedBackupsArn"],
    )  # fmt: skip
    jar.settle()
    assert site.show("again")["DBInstanceStatus"] == "available"
    jar.advance(days=3)
    jar.settle()
    assert _kept(site) == []
    assert site.rds.describe_db_snapshots()["DBSnapshots"] == []
    with refused("DBInstanceAutomatedBackupNotFound"):
        site.rds.restore_db_instance_to_point_in_time(
            **PLACE, TargetDBInstanceIdentifier="third", UseLatestRestorableTime=True, SourceDbiResourceId=resource
        )


def test_retained_backups_are_deleted_on_request(jar: TestJar) -> None:
    site = Site(jar)
    site.create(BackupRetentionPeriod=2)
    jar.settle()
    site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    jar.settle()
    (kept,) = _kept(site)
    gone = site.rds.delete_db_instance_automated_backup(DbiResourceId=kept["DbiResourceId"])
    assert gone["DBInstanceAutomatedBackup"]["Status"] == "deleting"
    jar.settle()
    assert _kept(site) == []
    assert jar.host.host.snapshots == {}


def test_without_backups_there_is_no_way_back(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    assert "LatestRestorableTime" not in site.show()
    asked = {**PLACE, "SourceDBInstanceIdentifier": "shop", "TargetDBInstanceIdentifier": "again"}
    with refused("PointInTimeRestoreNotEnabled"):
        site.rds.restore_db_instance_to_point_in_time(**asked, UseLatestRestorableTime=True)
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", BackupRetentionPeriod=1, ApplyImmediately=True)
    jar.settle()
    assert site.show()["LatestRestorableTime"]
    assert len(site.rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]) == 1
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", BackupRetentionPeriod=0, ApplyImmediately=True)
    jar.settle()
    assert site.rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"] == []
    assert "LatestRestorableTime" not in site.show()


def test_where_something_of_the_log_is_missing_there_is_a_backup_since_even_within_a_minute(jar: TestJar) -> None:
    site = Site(jar)
    site.create(BackupRetentionPeriod=2)
    jar.settle()
    (first,) = site.rds.describe_db_snapshots()["DBSnapshots"]
    jar.advance(seconds=1)
    missing_until = jar.clock.now()
    with jar.jar.world.state.database.transaction():
        ctx = Ctx(jar.jar.world, ACCOUNT, "eu-west-3", service("rds.amazonaws.com", ACCOUNT))
        db = ctx.db[DbInstance].need("shop")
        ctx.db[AutomatedBackup].put(replace(ctx.db[AutomatedBackup].need(db.resource_id), whole=missing_until))
        backups.cover(ctx, db)
        backups.cover(ctx, ctx.db[DbInstance].need("shop"))
    jar.settle()
    old, new = sorted(site.rds.describe_db_snapshots()["DBSnapshots"], key=lambda one: one["SnapshotCreateTime"])
    assert old["DBSnapshotIdentifier"] == first["DBSnapshotIdentifier"] != new["DBSnapshotIdentifier"]
    assert [one["Status"] for one in (old, new)] == ["available"] * 2
    jar.advance(minutes=30)
    jar.advance(minutes=1)
    assert len(site.rds.describe_db_snapshots()["DBSnapshots"]) == 2
    assert _kept(site)[0]["RestoreWindow"]["EarliestTime"] >= missing_until
