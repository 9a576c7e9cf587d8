"""Aurora: the data are the cluster's, whoever is a member."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.jar import TestJar
from tests.services.rds.aurora_site import ENGINE, SEA, AuroraSite
from tests.services.rds.site import refused


@pytest.fixture
def site(jar: TestJar) -> AuroraSite:
    return AuroraSite(jar)


def test_a_reader_goes_with_its_volume(site: AuroraSite) -> None:
    site.sea("one", "two", "three")
    gone = site.volume_of("two")
    with refused("InvalidParameterCombination", "can not be specified when deleting a cluster instance"):
        site.rds.delete_db_instance(DBInstanceIdentifier="two", FinalDBSnapshotIdentifier="last")
    site.leave("two")
    assert site.roles() == {"one": True, "three": False}
    assert gone not in site.volumes()
    site.lose("one")
    assert site.writer() == "three"


def test_a_writer_goes_after_a_reader_took_over(site: AuroraSite) -> None:
    site.sea("one", "two")
    site.leave("one")
    assert (site.roles(), site.cluster()["Status"]) == ({"two": True}, "available")
    assert "Completed failover to DB instance: two" in site.said("db-cluster")
    assert site.resolve(site.cluster()["Endpoint"]) == (site.address("two"),)
    assert len(site.volumes()) == 1


def test_a_cluster_without_members_keeps_its_data(site: AuroraSite) -> None:
    site.sea("one")
    site.write("one", "everything")
    kept = site.volume_of("one")
    site.leave("one")
    assert (site.machines(), site.volumes()) == ({}, {kept})
    assert (site.cluster()["Status"], site.cluster()["DBClusterMembers"]) == ("available", [])
    assert site.resolve(site.cluster()["Endpoint"]) == ()
    site.join("another")
    site.join("reader")
    site.jar.settle()
    assert (site.volume_of("another"), site.read("another")) == (kept, "everything")
    assert (site.roles(), site.cluster()["Status"]) == ({"another": True, "reader": False}, "available")


def test_all_members_go_at_once_and_the_data_stay(site: AuroraSite) -> None:
    site.sea("one", "two", "three")
    site.write("one", "everything")
    kept = site.volume_of("one")
    site.leave("one", "two", "three")
    assert (site.machines(), site.volumes()) == ({}, {kept})
    site.join("four")
    site.jar.settle()
    assert site.read("four") == "everything"


def test_what_the_last_members_were_about_to_do_ends_with_them(steady_jar: TestJar) -> None:
    site = AuroraSite(steady_jar)
    site.sea("one", "two")
    site.rds.failover_db_cluster(**SEA)
    site.leave("one", "two")
    assert site.cluster()["Status"] == "available"
    site.join("three")
    site.jar.settle()
    site.rds.modify_db_cluster(**SEA, MasterUserPassword="other-horse-10")
    site.leave("three")
    assert (site.cluster()["Status"], site.cluster()["DBClusterMembers"]) == ("available", [])
    site.join("four")
    site.jar.settle()
    assert site.jar.jar.world.ports["databases"].engines[site.machine_of("four")].verifier


def test_no_member_comes_before_the_last_one_is_gone(steady_jar: TestJar) -> None:
    site = AuroraSite(steady_jar)
    site.sea("one")
    site.rds.delete_db_instance(DBInstanceIdentifier="one")
    with refused("InvalidDBInstanceState", "already being deleted"):
        site.rds.delete_db_instance(DBInstanceIdentifier="one")
    with refused("InvalidDBClusterStateFault", "before the last one is deleted"):
        site.join("two")


def test_a_writer_for_whom_others_wait_is_not_deleted(steady_jar: TestJar) -> None:
    site = AuroraSite(steady_jar)
    site.make()
    site.join("one")
    site.join("two")
    with refused("InvalidDBInstanceState", "the other instances of sea wait for it"):
        site.rds.delete_db_instance(DBInstanceIdentifier="one")
    site.leave("two", "one")
    assert site.machines() == {}


def test_a_cluster_goes_only_without_members(site: AuroraSite) -> None:
    site.sea("one")
    with refused("InvalidDBClusterStateFault", "it still contains DB instances in non-deleting state."):
        site.rds.delete_db_cluster(**SEA, SkipFinalSnapshot=True)
    site.leave("one")
    site.rds.create_db_cluster_endpoint(**SEA, DBClusterEndpointIdentifier="few", EndpointType="ANY")
    site.rds.delete_db_cluster(**SEA, SkipFinalSnapshot=True)
    site.jar.settle()
    assert site.rds.describe_db_clusters()["DBClusters"] == []
    assert site.rds.describe_db_cluster_endpoints()["DBClusterEndpoints"] == []
    assert site.volumes() == set()


def test_a_cluster_and_its_members_are_deleted_in_one_breath(site: AuroraSite) -> None:
    site.sea("one", "two")
    site.rds.delete_db_instance(DBInstanceIdentifier="two")
    site.rds.delete_db_instance(DBInstanceIdentifier="one")
    site.rds.delete_db_cluster(**SEA, SkipFinalSnapshot=True)
    site.jar.settle()
    assert (site.machines(), site.volumes()) == ({}, set())
    assert site.rds.describe_db_clusters()["DBClusters"] == []


def test_a_last_snapshot_is_of_what_the_last_member_left(site: AuroraSite) -> None:
    site.sea("one", DatabaseName="store")
    site.write("one", "everything")
    site.leave("one")
    site.rds.delete_db_cluster(**SEA, FinalDBSnapshotIdentifier="last")
    site.jar.settle()
    assert site.volumes() == set()
    (shown,) = site.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier="last")["DBClusterSnapshots"]
    assert (shown["Status"], shown["Engine"], shown["AllocatedStorage"]) == ("available", ENGINE, 1)
    asked = {
        "DBClusterIdentifier": "sea", "SnapshotIdentifier": "last", "Engine": ENGINE, "DBSubnetGroupName": "three",
    }  # fmt: skip
    with refused("InvalidParameterCombination", "is of the engine"):
        site.rds.restore_db_cluster_from_snapshot(**{**asked, "Engine": "postgres"})
    restored = site.rds.restore_db_cluster_from_snapshot(**asked)["DBCluster"]
    assert (restored["Status"], restored["DatabaseName"], restored["MasterUsername"]) == ("creating", "store", "boss")
    site.jar.settle()
    assert (site.cluster()["Status"], len(site.volumes())) == ("available", 1)
    site.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="last")
    site.jar.settle()
    site.join("again")
    site.jar.settle()
    assert site.read("again") == "everything"


def test_a_member_of_a_restored_cluster_waits_for_the_data(steady_jar: TestJar) -> None:
    site = AuroraSite(steady_jar)
    site.sea("one")
    site.write("one", "everything")
    site.rds.create_db_cluster_snapshot(**SEA, DBClusterSnapshotIdentifier="once")
    site.jar.settle()
    site.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="lake", SnapshotIdentifier="once", Engine=ENGINE, DBSubnetGroupName="three"
    )
    site.join("two", DBClusterIdentifier="lake")
    site.jar.settle()
    assert (site.show("two")["DBInstanceStatus"], site.read("two")) == ("available", "everything")


def test_nothing_is_backed_up_of_nothing(site: AuroraSite) -> None:
    site.make(BackupRetentionPeriod=2)
    site.jar.settle()
    with refused("InvalidDBClusterStateFault", "has no instance of which a snapshot can be taken"):
        site.rds.create_db_cluster_snapshot(**SEA, DBClusterSnapshotIdentifier="none")
    site.jar.advance(days=2)
    assert site.rds.describe_db_cluster_snapshots()["DBClusterSnapshots"] == []
    site.join("one")
    site.jar.settle()
    (first,) = site.rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert (first["SnapshotType"], first["Status"]) == ("automated", "available")
    site.leave("one")
    site.jar.advance(days=5)
    found = site.rds.describe_db_cluster_snapshots(SnapshotType="automated")["DBClusterSnapshots"]
    assert 2 <= len(found) <= 3
    assert max(one["SnapshotCreateTime"] for one in found) > site.jar.clock.now() - timedelta(days=1, hours=1)
    site.rds.create_db_cluster_snapshot(**SEA, DBClusterSnapshotIdentifier="some")
    site.jar.settle()
    assert site.cluster()["Status"] == "available"


def test_a_key_encrypts_members_and_snapshots(site: AuroraSite) -> None:
    shown = site.sea("one", StorageEncrypted=True)
    assert shown["StorageEncrypted"] is True
    assert site.show("one")["KmsKeyId"] == shown["KmsKeyId"]
    site.leave("one")
    site.rds.create_db_cluster_snapshot(**SEA, DBClusterSnapshotIdentifier="once")
    site.jar.settle()
    site.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="lake", SnapshotIdentifier="once", Engine=ENGINE, DBSubnetGroupName="three"
    )
    site.jar.settle()
    assert site.cluster("lake")["KmsKeyId"] == shown["KmsKeyId"]


def test_the_master_keeps_the_password_that_it_was_given_last(steady_jar: TestJar) -> None:
    """Only in a life that remembers what simulated engines were told."""
    site = AuroraSite(steady_jar)
    site.sea("one")
    engines = site.jar.jar.world.ports["databases"].engines
    assert engines[site.machine_of("one")].verifier
    site.leave("one")
    site.join("two")
    site.jar.settle()
    assert engines[site.machine_of("two")].verifier == ""  # as it is in the data
    site.leave("two")
    site.rds.modify_db_cluster(**SEA, MasterUserPassword="other-horse-10")
    site.join("three")
    site.jar.settle()
    assert engines[site.machine_of("three")].verifier
