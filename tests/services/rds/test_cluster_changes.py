"""Snapshots of clusters, clusters of snapshots, and what can be changed of a cluster."""

from __future__ import annotations

import pytest

from tests.jar import TestJar
from tests.services.rds.cluster_site import ClusterSite
from tests.services.rds.site import refused

OTHER = "111122223333"
FLEET = {"DBClusterIdentifier": "fleet"}
ONCE = {"DBClusterSnapshotIdentifier": "once"}


@pytest.fixture
def site(jar: TestJar) -> ClusterSite:
    return ClusterSite(jar)


def snapshots(site: ClusterSite, **asked: str) -> dict[str, str]:
    """Of the account: kind by name."""
    found = site.rds.describe_db_cluster_snapshots(**asked)["DBClusterSnapshots"]
    return {one["DBClusterSnapshotIdentifier"]: one["SnapshotType"] for one in found}


def test_a_snapshot_is_taken_shared_copied_and_deleted(site: ClusterSite) -> None:
    site.available_cluster(Tags=[{"Key": "team", "Value": "blue"}], CopyTagsToSnapshot=True)
    made = site.rds.create_db_cluster_snapshot(**FLEET, **ONCE)["DBClusterSnapshot"]
    assert (made["Status"], made["SnapshotType"], made["AllocatedStorage"]) == ("creating", "manual", 100)
    assert site.cluster()["Status"] == "backing-up"
    with refused("InvalidDBClusterStateFault"):
        site.rds.create_db_cluster_snapshot(**FLEET, DBClusterSnapshotIdentifier="twice")
    site.jar.settle()
    assert site.cluster()["Status"] == "available"
    with refused("DBClusterSnapshotAlreadyExistsFault"):
        site.rds.create_db_cluster_snapshot(**FLEET, **ONCE)
    (shown,) = site.rds.describe_db_cluster_snapshots(**ONCE)["DBClusterSnapshots"]
    assert (shown["Status"], shown["TagList"]) == ("available", [{"Key": "team", "Value": "blue"}])
    shared = site.rds.modify_db_cluster_snapshot_attribute(**ONCE, AttributeName="restore", ValuesToAdd=["all"])
    values = shared["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"][0]["AttributeValues"]
    assert values == ["all"]
    site.rds.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier="once", TargetDBClusterSnapshotIdentifier="again", CopyTags=True
    )
    site.jar.settle()
    site.rds.delete_db_cluster_snapshot(**ONCE)
    site.jar.settle()
    assert snapshots(site, SnapshotType="manual") == {"again": "manual"}
    with refused("DBClusterSnapshotNotFoundFault"):
        site.rds.describe_db_cluster_snapshots(**ONCE)
    assert "Manual cluster snapshot created" in site.said("db-cluster-snapshot")


def test_a_cluster_is_backed_up_each_day_for_as_long_as_it_says(site: ClusterSite) -> None:
    site.available_cluster(BackupRetentionPeriod=2)
    assert list(snapshots(site).values()) == ["automated"]
    site.jar.advance(days=5)
    assert 2 <= len(snapshots(site, SnapshotType="automated")) <= 3
    (first, *_) = snapshots(site)
    with refused("InvalidDBClusterSnapshotStateFault", "Only manual snapshots may be deleted."):
        site.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=first)


def test_the_last_snapshot_outlives_the_cluster_and_becomes_another(site: ClusterSite) -> None:
    site.available_cluster(DatabaseName="store")
    site.rds.delete_db_cluster(**FLEET, FinalDBSnapshotIdentifier="last")
    site.jar.settle()
    assert (site.machines(), snapshots(site)) == ({}, {"last": "manual"})
    asked = {
        "DBClusterIdentifier": "again", "SnapshotIdentifier": "last", "Engine": "postgres",
        "DBSubnetGroupName": "three",
    }  # fmt: skip
    with refused("DBClusterSnapshotNotFoundFault"):
        site.rds.restore_db_cluster_from_snapshot(**{**asked, "SnapshotIdentifier": "nothing"})
    with refused("InvalidParameterCombination", "DatabaseName cannot be specified"):
        site.rds.restore_db_cluster_from_snapshot(**asked, DatabaseName="other")
    site.rds.restore_db_cluster_from_snapshot(**asked)
    site.jar.settle()
    shown = site.cluster("again")
    assert (shown["Status"], shown["DatabaseName"], shown["MasterUsername"]) == ("available", "store", "boss")
    assert len(shown["DBClusterMembers"]) == 3
    with refused("DBClusterAlreadyExistsFault"):
        site.rds.restore_db_cluster_from_snapshot(**asked)


def test_members_change_together(site: ClusterSite) -> None:
    site.available_cluster()
    with refused("InvalidParameterValue", "Requested size cannot be smaller"):
        site.rds.modify_db_cluster(**FLEET, AllocatedStorage=50, ApplyImmediately=True)
    with refused("UnsupportedOperation", "waits for the maintenance window"):
        site.rds.modify_db_cluster(**FLEET, AllocatedStorage=200)
    going = site.rds.modify_db_cluster(
        **FLEET, AllocatedStorage=200, DBClusterInstanceClass="db.m6gd.xlarge", ApplyImmediately=True
    )
    assert going["DBCluster"]["Status"] == "modifying"
    site.jar.settle()
    shown = site.cluster()
    assert (shown["Status"], shown["AllocatedStorage"]) == ("available", 200)
    for n in (1, 2, 3):
        db = site.show(f"fleet-instance-{n}")
        assert (db["DBInstanceClass"], db["AllocatedStorage"]) == ("db.m6gd.xlarge", 200)
    site.lose("fleet-instance-1")
    assert site.writer() != "fleet-instance-1"


def test_what_takes_no_time_is_changed_at_once(site: ClusterSite) -> None:
    site.available_cluster()
    changed = site.rds.modify_db_cluster(
        **FLEET, DeletionProtection=True, BackupRetentionPeriod=7, PreferredBackupWindow="03:00-03:30",
        PreferredMaintenanceWindow="tue:05:00-tue:05:30",
    )["DBCluster"]  # fmt: skip
    assert (changed["Status"], changed["DeletionProtection"]) == ("available", True)
    assert changed["BackupRetentionPeriod"] == 7
    site.rds.modify_db_cluster(**FLEET, MasterUserPassword="other-horse-10")
    site.jar.settle()
    assert site.cluster()["Status"] == "available"
    with refused("InvalidParameterValue", "shorter than 8"):
        site.rds.modify_db_cluster(**FLEET, MasterUserPassword="x")


def test_clusters_have_tags(site: ClusterSite) -> None:
    arn = site.available_cluster()["DBClusterArn"]
    site.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "team", "Value": "red"}])
    assert site.rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "team", "Value": "red"}]
    assert site.cluster()["TagList"] == [{"Key": "team", "Value": "red"}]


def test_another_account_copies_what_is_shared_with_it(site: ClusterSite) -> None:
    site.available_cluster()
    site.rds.create_db_cluster_snapshot(**FLEET, **ONCE)
    site.jar.settle()
    (mine,) = site.rds.describe_db_cluster_snapshots(**ONCE)["DBClusterSnapshots"]
    other = site.jar.client("rds", key=OTHER)
    asked = {
        "SourceDBClusterSnapshotIdentifier": mine["DBClusterSnapshotArn"], "TargetDBClusterSnapshotIdentifier": "got",
    }  # fmt: skip
    with refused("AccessDenied"):
        other.copy_db_cluster_snapshot(**asked)
    site.rds.modify_db_cluster_snapshot_attribute(**ONCE, AttributeName="restore", ValuesToAdd=[OTHER])
    assert len(other.describe_db_cluster_snapshots(SnapshotType="shared")["DBClusterSnapshots"]) == 1
    other.copy_db_cluster_snapshot(**asked)
    site.jar.settle()
    (copied,) = other.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert (copied["Status"], copied["SourceDBClusterSnapshotArn"]) == ("available", mine["DBClusterSnapshotArn"])
