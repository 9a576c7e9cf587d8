"""Snapshots that are copied, and those that other accounts may restore."""

from __future__ import annotations

from tests.jar import TestJar
from tests.services.rds.site import Site, refused

OTHER = "111122223333"


def _taken(site: Site) -> str:
    site.available(BackupRetentionPeriod=0)
    site.rds.create_db_snapshot(
        DBInstanceIdentifier="shop", DBSnapshotIdentifier="first", Tags=[{"Key": "team", "Value": "shop"}]
    )
    site.jar.settle()
    return str(site.rds.describe_db_snapshots()["DBSnapshots"][0]["DBSnapshotArn"])


def test_a_snapshot_is_copied_here_and_to_another_region(jar: TestJar) -> None:
    site = Site(jar)
    arn = _taken(site)
    asked = {"SourceDBSnapshotIdentifier": "first", "TargetDBSnapshotIdentifier": "second"}
    copy = site.rds.copy_db_snapshot(**asked, CopyTags=True)["DBSnapshot"]
    assert (copy["Status"], copy["SnapshotType"], copy["TagList"]) == (
        "creating", "manual", [{"Key": "team", "Value": "shop"}],
    )  # fmt: skip
    with refused("DBSnapshotAlreadyExists"):
        site.rds.copy_db_snapshot(**asked)
    jar.settle()
    far = jar.client("rds", region="us-east-1")
    far.copy_db_snapshot(
        SourceDBSnapshotIdentifier=arn, TargetDBSnapshotIdentifier="far", SourceRegion="eu-west-3"
    )
    jar.settle()
    (made,) = far.describe_db_snapshots()["DBSnapshots"]
    assert (made["Status"], made["SourceRegion"], made["SourceDBSnapshotIdentifier"]) == ("available", "eu-west-3", arn)
    site.rds.delete_db_snapshot(DBSnapshotIdentifier="first")
    jar.settle()
    assert len(jar.host.host.snapshots) == 2
    with refused("DBSnapshotNotFound"):
        site.rds.copy_db_snapshot(**{**asked, "TargetDBSnapshotIdentifier": "third"})


def test_who_is_let_may_restore_and_copy_and_nobody_else(jar: TestJar) -> None:
    site = Site(jar)
    arn = _taken(site)
    other = jar.client("rds", key=OTHER)
    asked = {"SourceDBSnapshotIdentifier": arn, "TargetDBSnapshotIdentifier": "mine"}
    with refused("AccessDenied"):
        other.copy_db_snapshot(**asked)
    with refused("InvalidParameterValue", "Invalid account id"):
        site.rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier="first", AttributeName="restore", ValuesToAdd=["nobody"]
        )
    shared = site.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="first", AttributeName="restore", ValuesToAdd=[OTHER]
    )["DBSnapshotAttributesResult"]
    assert shared["DBSnapshotAttributes"] == [{"AttributeName": "restore", "AttributeValues": [OTHER]}]
    assert other.describe_db_snapshots()["DBSnapshots"] == []
    (seen,) = other.describe_db_snapshots(SnapshotType="shared")["DBSnapshots"]
    assert seen["DBSnapshotArn"] == arn
    other.copy_db_snapshot(**asked)
    jar.settle()
    (mine,) = other.describe_db_snapshots()["DBSnapshots"]
    assert (mine["DBSnapshotIdentifier"], mine["Status"]) == ("mine", "available")
    site.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="first", AttributeName="restore", ValuesToRemove=[OTHER], ValuesToAdd=["all"]
    )
    assert other.describe_db_snapshots(SnapshotType="shared")["DBSnapshots"] == []
    assert len(other.describe_db_snapshots(IncludePublic=True)["DBSnapshots"]) == 2
    attributes = site.rds.describe_db_snapshot_attributes(DBSnapshotIdentifier="first")["DBSnapshotAttributesResult"]
    assert attributes["DBSnapshotAttributes"][0]["AttributeValues"] == ["all"]
