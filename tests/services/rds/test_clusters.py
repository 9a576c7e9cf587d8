"""Multi-AZ DB clusters: a writer and two readers, names of the whole, and what becomes of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudjar.kit.faults import breaker
from cloudjar.services.rds import life
from tests.jar import TestJar
from tests.services.rds.cluster_site import ClusterSite
from tests.services.rds.site import refused


@pytest.fixture
def site(jar: TestJar) -> ClusterSite:
    return ClusterSite(jar)


def test_a_cluster_has_a_writer_and_two_readers_in_three_zones(site: ClusterSite) -> None:
    made = site.create_cluster()
    assert made["Status"] == "creating"
    assert made["Endpoint"].startswith("fleet.cluster-c")
    assert made["ReaderEndpoint"].startswith("fleet.cluster-ro-c")
    site.jar.settle()
    shown = site.cluster()
    assert (shown["Status"], shown["Engine"], shown["MultiAZ"]) == ("available", "postgres", True)
    assert shown["AvailabilityZones"] == ["eu-west-3a", "eu-west-3b", "eu-west-3c"]
    assert site.roles() == {"fleet-instance-1": True, "fleet-instance-2": False, "fleet-instance-3": False}
    assert (shown["DBClusterInstanceClass"], shown["StorageType"], shown["Iops"]) == ("db.m6gd.large", "io1", 1000)
    assert sorted(site.machines().values()) == ["up", "up", "up"]
    assert "DB cluster created" in site.said("db-cluster")


def test_members_are_instances_of_the_cluster(site: ClusterSite) -> None:
    site.available_cluster()
    for n in (1, 2, 3):
        db = site.show(f"fleet-instance-{n}")
        assert (db["DBClusterIdentifier"], db["DBInstanceStatus"]) == ("fleet", "available")
        assert (db["MultiAZ"], db["ReadReplicaDBInstanceIdentifiers"]) == (False, [])
        assert "ReadReplicaSourceDBInstanceIdentifier" not in db
    filters = [{"Name": "db-cluster-id", "Values": ["fleet"]}]
    assert len(site.rds.describe_db_instances(Filters=filters)["DBInstances"]) == 3
    one = {"DBInstanceIdentifier": "fleet-instance-2"}
    with refused("InvalidDBInstanceState", "is a member of the Multi-AZ DB cluster fleet"):
        site.rds.delete_db_instance(**one, SkipFinalSnapshot=True)
    with refused("InvalidDBInstanceState", "Use ModifyDBCluster"):
        site.rds.modify_db_instance(**one, AllocatedStorage=200)
    with refused("InvalidDBInstanceState", "Use RebootDBCluster"):
        site.rds.reboot_db_instance(**one)
    with refused("InvalidParameterValue", "Please use the CreateDBClusterSnapshot API instead."):
        site.rds.create_db_snapshot(**one, DBSnapshotIdentifier="s")


def test_names_mean_the_writer_and_the_readers_in_turn(site: ClusterSite) -> None:
    shown = site.available_cluster()
    private = {name: site.address(f"fleet-instance-{n}") for n, name in ((1, "w"), (2, "a"), (3, "b"))}
    assert site.resolve(shown["Endpoint"]) == (private["w"],)
    met = {site.resolve(shown["ReaderEndpoint"]) for _ in range(4)}
    assert met == {(private["a"],), (private["b"],)}
    assert site.resolve(shown["Endpoint"].replace("fleet", "fleet2")) == ()


def test_what_a_cluster_must_be(site: ClusterSite) -> None:
    with refused("InvalidParameterValue", "The parameter DBClusterInstanceClass must be provided"):
        site.create_cluster(DBClusterInstanceClass=None)
    with refused("InvalidParameterCombination", "isn't supported for Multi-AZ DB clusters"):
        site.create_cluster(DBClusterInstanceClass="db.m5.large")
    with refused("InvalidParameterCombination", "You must specify IOPS for storage type io1."):
        site.create_cluster(Iops=None)
    with refused("InvalidParameterCombination", "The storage type gp2 isn't supported"):
        site.create_cluster(StorageType="gp2")
    with refused("DBSubnetGroupDoesNotCoverEnoughAZs", "at least 3 AZs"):
        site.create_cluster(DBSubnetGroupName="private")
    with refused("InvalidParameterValue", "Must be between 1 and 35"):
        site.create_cluster(BackupRetentionPeriod=0)
    with refused("InvalidParameterValue", "MasterUsername admin cannot be used"):
        site.create_cluster(MasterUsername="admin")
    with refused("UnsupportedOperation", "ServerlessV2ScalingConfiguration"):
        site.create_cluster(ServerlessV2ScalingConfiguration={"MinCapacity": 1, "MaxCapacity": 2})
    site.create_cluster()
    with refused("DBClusterAlreadyExistsFault", "DB Cluster already exists"):
        site.create_cluster()
    with refused("DBClusterNotFoundFault", "DBCluster nobody not found."):
        site.cluster("nobody")


def test_a_cluster_goes_with_all_its_members(site: ClusterSite) -> None:
    site.available_cluster(DeletionProtection=True)
    with refused("InvalidParameterCombination", "Cannot delete protected Cluster"):
        site.rds.delete_db_cluster(DBClusterIdentifier="fleet", SkipFinalSnapshot=True)
    site.jar.settle()
    assert len(site.machines()) == 3


def test_nothing_is_left_of_a_cluster(site: ClusterSite) -> None:
    site.available_cluster()
    with refused("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required"):
        site.rds.delete_db_cluster(DBClusterIdentifier="fleet")
    gone = site.rds.delete_db_cluster(DBClusterIdentifier="fleet", SkipFinalSnapshot=True)
    assert gone["DBCluster"]["Status"] == "deleting"
    site.jar.settle()
    assert site.rds.describe_db_clusters()["DBClusters"] == []
    assert site.rds.describe_db_instances()["DBInstances"] == []
    assert site.machines() == {}
    left = site.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["RDSNetworkInterface"]}])
    assert left["NetworkInterfaces"] == []


def test_three_instances_and_volumes_cost(site: ClusterSite) -> None:
    site.available_cluster(DBClusterInstanceClass="db.m5d.large")
    site.jar.advance(hours=10)
    assert site.jar.usage("InstanceUsage:db.m5.large") == timedelta(hours=10)
    assert site.rates() == {
        "InstanceUsage:db.m5.large": Decimal(3), "RDS:PIOPS-Storage": Decimal(300), "RDS:PIOPS": Decimal(3000),
    }  # fmt: skip


def test_a_lost_writer_is_replaced_and_comes_back_as_a_reader(site: ClusterSite) -> None:
    before = site.available_cluster()
    site.lose("fleet-instance-1")
    assert site.writer() in ("fleet-instance-2", "fleet-instance-3")
    shown = site.cluster()
    assert (shown["Status"], shown["Endpoint"]) == ("available", before["Endpoint"])
    assert sorted(site.machines().values()) == ["up", "up", "up"]
    found = site.resolve(shown["Endpoint"])
    assert found == (site.address(site.writer()),)
    assert f"Completed failover to DB instance: {site.writer()}" in site.said("db-cluster")


def test_a_lost_reader_changes_nothing_else(site: ClusterSite) -> None:
    site.available_cluster()
    site.lose("fleet-instance-3")
    assert site.writer() == "fleet-instance-1"
    assert sorted(site.machines().values()) == ["up", "up", "up"]
    assert not [said for said in site.said("db-cluster") if "failover" in said]


def test_a_zone_without_power_is_left(site: ClusterSite) -> None:
    site.available_cluster()
    fault = site.dark("eu-west-3a")
    site.jar.settle()
    heir = site.writer()
    assert heir != "fleet-instance-1"
    assert sorted(site.machines().values()) == ["down", "up", "up"]
    breaker(site.jar.jar.world).end(site.jar.jar.world, fault)
    site.jar.settle()
    assert (site.writer(), sorted(site.machines().values())) == (heir, ["up", "up", "up"])


def test_who_has_most_takes_over(steady_jar: TestJar) -> None:
    """Only in a life that remembers how far simulated engines are."""
    site = ClusterSite(steady_jar)
    site.available_cluster()
    quorum: Any = site.jar.jar.world.ports["database quorum"]
    quorum.positions = {site.machine_of("fleet-instance-2"): 5, site.machine_of("fleet-instance-3"): 7}
    site.jar.host.stop(site.machine_of("fleet-instance-1"), force=True)
    life.went_down(site.jar.jar.world, site.machine_of("fleet-instance-1"))
    site.jar.settle()
    assert site.writer() == "fleet-instance-3"


def test_a_failover_by_name_changes_the_writer(site: ClusterSite) -> None:
    site.available_cluster()
    named = {"DBClusterIdentifier": "fleet"}
    with refused("InvalidDBInstanceState", "is not a reader of the DB cluster fleet"):
        site.rds.failover_db_cluster(**named, TargetDBInstanceIdentifier="fleet-instance-1")
    with refused("DBInstanceNotFound"):
        site.rds.failover_db_cluster(**named, TargetDBInstanceIdentifier="nobody")
    going = site.rds.failover_db_cluster(**named, TargetDBInstanceIdentifier="fleet-instance-3")
    assert going["DBCluster"]["Status"] == "failing-over"
    with refused("InvalidDBClusterStateFault", "expected it to be one of available"):
        site.rds.failover_db_cluster(**named)
    site.jar.settle()
    assert (site.writer(), site.cluster()["Status"]) == ("fleet-instance-3", "available")
    assert sorted(site.machines().values()) == ["up", "up", "up"]
    said = site.said("db-cluster")
    assert "Started cross AZ failover to DB instance: fleet-instance-3" in said
    assert "Completed failover to DB instance: fleet-instance-3" in said
    site.rds.failover_db_cluster(**named)
    site.jar.settle()
    assert site.writer() == "fleet-instance-1"


def test_a_failover_to_who_is_not_there_is_refused(site: ClusterSite) -> None:
    site.available_cluster()
    site.dark("eu-west-3c")
    site.jar.settle()
    with refused("InvalidDBInstanceState", "does not get what the writer of the DB cluster fleet writes"):
        site.rds.failover_db_cluster(DBClusterIdentifier="fleet", TargetDBInstanceIdentifier="fleet-instance-3")
    site.dark("eu-west-3b")
    site.jar.settle()
    with refused("InvalidDBClusterStateFault", "no reader gets what the writer writes"):
        site.rds.failover_db_cluster(DBClusterIdentifier="fleet")
    assert (site.writer(), site.cluster()["Status"]) == ("fleet-instance-1", "available")


def test_all_members_rest_and_rise(site: ClusterSite) -> None:
    site.available_cluster()
    named = {"DBClusterIdentifier": "fleet"}
    with refused("InvalidDBClusterStateFault", "DbCluster fleet is in available state but expected it to be"):
        site.rds.start_db_cluster(**named)
    site.rds.stop_db_cluster(**named)
    site.jar.settle()
    assert site.cluster()["Status"] == "stopped"
    assert sorted(site.machines().values()) == ["down", "down", "down"]
    with refused("InvalidDBInstanceState", "Use StartDBCluster"):
        site.rds.start_db_instance(DBInstanceIdentifier="fleet-instance-1")
    site.rds.start_db_cluster(**named)
    site.jar.settle()
    assert (site.cluster()["Status"], site.writer()) == ("available", "fleet-instance-1")
    assert sorted(site.machines().values()) == ["up", "up", "up"]
    site.lose("fleet-instance-1")
    assert site.writer() != "fleet-instance-1"


def test_no_cluster_rests_for_more_than_seven_days(site: ClusterSite) -> None:
    site.available_cluster()
    site.rds.stop_db_cluster(DBClusterIdentifier="fleet")
    site.jar.settle()
    site.jar.advance(days=6)
    assert site.cluster()["Status"] == "stopped"
    site.jar.advance(days=2)
    assert site.cluster()["Status"] == "available"
    assert sorted(site.machines().values()) == ["up", "up", "up"]


def test_a_reboot_leaves_the_roles(site: ClusterSite) -> None:
    site.available_cluster()
    going = site.rds.reboot_db_cluster(DBClusterIdentifier="fleet")
    assert going["DBCluster"]["Status"] == "rebooting"
    site.jar.settle()
    assert (site.cluster()["Status"], site.writer()) == ("available", "fleet-instance-1")
    site.lose("fleet-instance-1")
    assert site.writer() != "fleet-instance-1"
