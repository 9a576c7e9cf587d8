"""Aurora: clusters without members, members one by one, who of them writes, and names of them all."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.rds.aurora_site import ENGINE, SEA, AuroraSite
from tests.services.rds.site import PASSWORD, refused


@pytest.fixture
def site(jar: TestJar) -> AuroraSite:
    return AuroraSite(jar)


def test_a_cluster_is_there_without_members(site: AuroraSite) -> None:
    made = site.make(DatabaseName="store")
    assert (made["Status"], made["DBClusterMembers"], made["AllocatedStorage"]) == ("creating", [], 1)
    site.jar.settle()
    shown = site.cluster()
    assert (shown["Status"], shown["Engine"], shown["EngineVersion"]) == ("available", ENGINE, "15.14")
    assert (shown["EngineMode"], shown["MultiAZ"], shown["DatabaseName"]) == ("provisioned", False, "store")
    assert shown["AvailabilityZones"] == ["eu-west-3a", "eu-west-3b", "eu-west-3c"]
    assert shown["DBClusterParameterGroup"] == "default.aurora-postgresql15"
    assert {"DBClusterInstanceClass", "StorageType", "Iops"} & set(shown) == set()
    assert site.resolve(shown["Endpoint"]) == ()
    assert site.machines() == {}
    assert "DB cluster created" in site.said("db-cluster")


def test_the_first_member_writes_and_all_others_read(site: AuroraSite) -> None:
    shown = site.sea("one", "two", "three")
    assert site.roles() == {"one": True, "two": False, "three": False}
    assert shown["MultiAZ"] is True
    assert len({site.show(name)["AvailabilityZone"] for name in ("one", "two", "three")}) == 3
    one = site.show("one")
    assert (one["Engine"], one["StorageType"], one["AllocatedStorage"]) == (ENGINE, "aurora", 1)
    assert (one["DBClusterIdentifier"], one["PromotionTier"], one["MultiAZ"]) == ("sea", 1, False)
    assert one["DBParameterGroups"][0]["DBParameterGroupName"] == "default.aurora-postgresql15"
    assert "ReadReplicaSourceDBInstanceIdentifier" not in site.show("two")
    assert site.resolve(shown["Endpoint"]) == (site.address("one"),)
    assert site.resolve(one["Endpoint"]["Address"]) == (site.address("one"),)
    met = {site.resolve(shown["ReaderEndpoint"]) for _ in range(4)}
    assert met == {(site.address("two"),), (site.address("three"),)}


def test_a_writer_alone_is_what_the_readers_name_means(site: AuroraSite) -> None:
    shown = site.sea("one")
    assert site.resolve(shown["ReaderEndpoint"]) == (site.address("one"),)


def test_what_a_cluster_must_be(site: AuroraSite) -> None:
    with refused("InvalidParameterCombination", f"DBClusterInstanceClass isn't supported for DB engine {ENGINE}."):
        site.make(DBClusterInstanceClass="db.r5.large")
    with refused("InvalidParameterCombination", f"AllocatedStorage isn't supported for DB engine {ENGINE}."):
        site.make(AllocatedStorage=100)
    with refused("InvalidParameterValue", "The engine mode serverless you requested is currently unavailable."):
        site.make(EngineMode="serverless")
    with refused("UnsupportedOperation", "ServerlessV2ScalingConfiguration"):
        site.make(ServerlessV2ScalingConfiguration={"MinCapacity": 1, "MaxCapacity": 2})
    with refused("UnsupportedOperation", "aurora-iopt1"):
        site.make(StorageType="aurora-iopt1")
    with refused("InvalidParameterValue", "MasterUsername admin cannot be used"):
        site.make(MasterUsername="admin")
    with refused("InvalidParameterCombination", f"Cannot find version 15.1 for {ENGINE}"):
        site.make(EngineVersion="15.1")
    with refused("InvalidParameterValue", "Must be between 1 and 35"):
        site.make(BackupRetentionPeriod=0)
    with refused("DBClusterParameterGroupNotFound"):
        site.make(DBClusterParameterGroupName="nothing")
    assert site.make(EngineMode="provisioned", EngineVersion="17")["EngineVersion"] == "17.6"
    with refused("DBClusterAlreadyExistsFault"):
        site.make()


def test_what_a_member_must_be(site: AuroraSite) -> None:
    site.make()
    with refused("InvalidParameterCombination", f"VPC Multi-AZ DB Instances are not available for engine: {ENGINE}"):
        site.join("one", MultiAZ=True)
    with refused("InvalidParameterCombination", "storage type aurora: 20"):
        site.join("one", AllocatedStorage=20)
    with refused("InvalidParameterCombination", "Specifying IOPs is not allowed for this engine"):
        site.join("one", Iops=3000)
    with refused("InvalidParameterCombination", "Set master user password for the DB Cluster."):
        site.join("one", MasterUserPassword=PASSWORD)
    with refused("InvalidParameterCombination", "doesn't match the engine name of your DB cluster"):
        site.join("one", Engine="postgres")
    with refused("InvalidParameterCombination", "DBInstanceClass=db.t3.micro"):
        site.join("one", DBInstanceClass="db.t3.micro")
    with refused("UnsupportedOperation", "Aurora Serverless v2"):
        site.join("one", DBInstanceClass="db.serverless")
    with refused("InvalidParameterValue", "Invalid promotion tier: 16"):
        site.join("one", PromotionTier=16)
    with refused("DBClusterNotFoundFault"):
        site.join("one", DBClusterIdentifier="lake")
    with refused("InvalidParameterValue", "The parameter AllocatedStorage must be provided and must not be null."):
        site.create("alone", Engine=ENGINE, AllocatedStorage=None, DBInstanceClass="db.t3.medium")
    site.available_cluster()
    with refused("InvalidParameterValue", "can't be used to create a DB instance in a Multi-AZ DB cluster"):
        site.join("one", Engine="postgres", DBClusterIdentifier="fleet")
    assert site.cluster()["DBClusterMembers"] == []


def test_a_cluster_has_sixteen_members_at_most(steady_jar: TestJar) -> None:
    site = AuroraSite(steady_jar)
    site.make()
    for n in range(16):
        site.join(f"m{n}")
    with refused("InstanceQuotaExceeded", "has 16 DB instances already"):
        site.join("another")


def test_a_lost_writer_is_replaced_by_the_first_in_tier(site: AuroraSite) -> None:
    site.make()
    for name, tier in (("one", 1), ("two", 5), ("three", 2)):
        site.join(name, PromotionTier=tier)
    site.jar.settle()
    site.lose("one")
    assert (site.writer(), site.cluster()["Status"]) == ("three", "available")
    assert sorted(site.machines().values()) == ["up", "up", "up"]
    assert site.resolve(site.cluster()["Endpoint"]) == (site.address("three"),)
    site.rds.modify_db_instance(DBInstanceIdentifier="one", PromotionTier=0)
    site.jar.settle()
    site.jar.advance(minutes=2)
    site.lose("three")
    assert site.writer() == "one"


def test_a_writer_alone_comes_back(site: AuroraSite) -> None:
    site.sea("one")
    site.lose("one")
    assert (site.writer(), list(site.machines().values())) == ("one", ["up"])


def test_a_failover_by_name(site: AuroraSite) -> None:
    site.sea("one")
    with refused("InvalidDBClusterStateFault", "cannot fail over"):
        site.rds.failover_db_cluster(**SEA)
    for name in ("two", "three"):
        site.join(name)
    site.jar.settle()
    site.rds.failover_db_cluster(**SEA, TargetDBInstanceIdentifier="three")
    site.jar.settle()
    assert (site.writer(), site.cluster()["Status"]) == ("three", "available")
    assert "Completed failover to DB instance: three" in site.said("db-cluster")


def test_a_zone_without_power_is_left(site: AuroraSite) -> None:
    site.sea("one", "two")
    site.dark("eu-west-3a")
    site.jar.settle()
    assert site.writer() == "two"


def test_members_are_changed_one_by_one(site: AuroraSite) -> None:
    site.sea("one", "two")
    with refused("InvalidParameterCombination", "Modify backup retention for the DB Cluster using the ModifyDbCluster"):
        site.rds.modify_db_instance(DBInstanceIdentifier="two", BackupRetentionPeriod=3)
    with refused("InvalidParameterCombination", "VPC Multi-AZ DB Instances are not available"):
        site.rds.modify_db_instance(DBInstanceIdentifier="two", MultiAZ=True)
    with refused("InvalidParameterCombination", "are not eligible for stopping and starting"):
        site.rds.stop_db_instance(DBInstanceIdentifier="two")
    with refused("UnsupportedOperation", "NewDBInstanceIdentifier"):
        site.rds.modify_db_instance(DBInstanceIdentifier="two", NewDBInstanceIdentifier="other")
    with refused("InvalidParameterCombination", "Use RebootDBInstance"):
        site.rds.reboot_db_cluster(**SEA)
    site.rds.modify_db_instance(DBInstanceIdentifier="two", DBInstanceClass="db.r5.large", ApplyImmediately=True)
    site.rds.reboot_db_instance(DBInstanceIdentifier="one")
    site.jar.settle()
    assert [site.show(name)["DBInstanceClass"] for name in ("one", "two")] == ["db.t3.medium", "db.r5.large"]
    assert (site.writer(), sorted(site.machines().values())) == ("one", ["up", "up"])


def test_a_cluster_is_changed_with_and_without_members(site: AuroraSite) -> None:
    site.make()
    site.jar.settle()
    with refused("InvalidParameterCombination", "AllocatedStorage isn't supported"):
        site.rds.modify_db_cluster(**SEA, AllocatedStorage=100, ApplyImmediately=True)
    changed = site.rds.modify_db_cluster(**SEA, MasterUserPassword="other-horse-10", Port=6543, ApplyImmediately=True)
    assert (changed["DBCluster"]["Status"], changed["DBCluster"]["Port"]) == ("available", 6543)
    site.join("one")
    site.jar.settle()
    assert site.show("one")["Endpoint"]["Port"] == 6543
    site.rds.modify_db_cluster(**SEA, Port=7654, ApplyImmediately=True, BackupRetentionPeriod=9)
    site.jar.settle()
    assert (site.cluster()["Status"], site.show("one")["Endpoint"]["Port"]) == ("available", 7654)
    assert site.show("one")["BackupRetentionPeriod"] == 9


def test_all_members_rest_and_rise(site: AuroraSite) -> None:
    site.make()
    site.jar.settle()
    with refused("InvalidDBClusterStateFault", "has no instances"):
        site.rds.stop_db_cluster(**SEA)
    for name in ("one", "two"):
        site.join(name)
    site.jar.settle()
    site.rds.stop_db_cluster(**SEA)
    site.jar.settle()
    assert (site.cluster()["Status"], sorted(site.machines().values())) == ("stopped", ["down", "down"])
    with refused("InvalidDBClusterStateFault", "is in stopped state"):
        site.join("three")
    with refused("InvalidDBClusterStateFault", "is in stopped state"):
        site.rds.delete_db_instance(DBInstanceIdentifier="two")
    site.rds.start_db_cluster(**SEA)
    site.jar.settle()
    assert (site.cluster()["Status"], site.writer()) == ("available", "one")


def test_a_group_of_its_own_goes_before_the_clusters(site: AuroraSite) -> None:
    family = {"DBParameterGroupFamily": "aurora-postgresql15", "Description": "d"}
    site.rds.create_db_cluster_parameter_group(DBClusterParameterGroupName="all", **family)
    site.rds.create_db_parameter_group(DBParameterGroupName="mine", **family)
    for kind, name, value in (("cluster_", "all", "11"), ("", "mine", "22")):
        modify = getattr(site.rds, f"modify_db_{kind}parameter_group")
        member = "DBClusterParameterGroupName" if kind else "DBParameterGroupName"
        modify(**{member: name}, Parameters=[
            {"ParameterName": "deadlock_timeout", "ParameterValue": f"{value}00", "ApplyMethod": "immediate"},
        ])  # fmt: skip
    site.make(DBClusterParameterGroupName="all")
    site.join("one", DBParameterGroupName="mine")
    site.join("two")
    site.jar.settle()
    running = {name: dict(site._member(name).running) for name in ("one", "two")}
    assert running == {"one": {"deadlock_timeout": "2200"}, "two": {"deadlock_timeout": "1100"}}
    told = {one["DBClusterParameterGroupStatus"] for one in site.cluster()["DBClusterMembers"]}
    assert told == {"in-sync"}


def test_members_and_what_the_storage_holds_cost(steady_jar: TestJar) -> None:
    site = AuroraSite(steady_jar)
    site.sea("one", "two")
    site.filled("one", 16.5)
    assert site.rates() == {"InstanceUsage:db.t3.medium": Decimal(1), "Aurora:StorageUsage": Decimal(4)}
    site.jar.advance(hours=10)
    assert site.jar.usage("InstanceUsage:db.t3.medium") == timedelta(hours=20)
    spans = site.jar.jar.usage.spans(site.jar.clock.now() - timedelta(days=1), site.jar.clock.now(), ACCOUNT)
    assert {one.meter.operation for one in spans if "Instance" in one.meter.usage_type} == {"CreateDBInstance:0021"}


def test_the_storage_grows_for_all_members(steady_jar: TestJar) -> None:
    site = AuroraSite(steady_jar)
    site.sea("one", "two")
    site.filled("one", 4.0)
    sizes = {site.jar.host.host.volumes[site.volume_of(name)].size_gib for name in ("one", "two")}
    assert sizes == {40}
    site.join("three")
    site.jar.settle()
    assert site.jar.host.host.volumes[site.volume_of("three")].size_gib == 40


def test_versions_and_classes_are_told(site: AuroraSite) -> None:
    found = site.rds.describe_db_engine_versions(Engine=ENGINE)["DBEngineVersions"]
    assert {"15.15", "16.11", "17.7"} <= {one["EngineVersion"] for one in found}
    assert {one["DBParameterGroupFamily"] for one in found} >= {"aurora-postgresql15", "aurora-postgresql17"}
    (usual,) = site.rds.describe_db_engine_versions(Engine=ENGINE, DefaultOnly=True)["DBEngineVersions"]
    assert usual["DBEngineVersionDescription"] == "Aurora PostgreSQL (compatible with PostgreSQL 15.14)"
    asked = {"Engine": ENGINE, "EngineVersion": "15.14"}
    options = site.rds.describe_orderable_db_instance_options(**asked)["OrderableDBInstanceOptions"]
    assert {"db.t4g.medium", "db.r6g.large", "db.r5.large"} <= {one["DBInstanceClass"] for one in options}
    assert {(one["StorageType"], one["SupportsClusters"]) for one in options} == {("aurora", True)}


def test_custom_endpoints_mean_some_members(site: AuroraSite) -> None:
    site.sea("one", "two", "three")
    with refused("InvalidParameterValue", "Invalid endpoint type: WRITER"):
        site.rds.create_db_cluster_endpoint(**SEA, DBClusterEndpointIdentifier="few", EndpointType="WRITER")
    with refused("DBInstanceNotFound"):
        site.rds.create_db_cluster_endpoint(
            **SEA, DBClusterEndpointIdentifier="few", EndpointType="ANY", StaticMembers=["nobody"]
        )
    few = {"DBClusterEndpointIdentifier": "few"}
    made = site.rds.create_db_cluster_endpoint(**SEA, **few, EndpointType="ANY", StaticMembers=["one", "two"])
    assert made["Endpoint"].startswith("few.cluster-custom-c")
    with refused("DBClusterEndpointAlreadyExistsFault"):
        site.rds.create_db_cluster_endpoint(**SEA, **few, EndpointType="ANY")
    assert {site.resolve(made["Endpoint"]) for _ in range(4)} == {(site.address("one"),), (site.address("two"),)}
    site.rds.modify_db_cluster_endpoint(**few, EndpointType="READER", ExcludedMembers=["two"])
    assert {site.resolve(made["Endpoint"]) for _ in range(4)} == {(site.address("three"),)}
    found = site.rds.describe_db_cluster_endpoints(**SEA)["DBClusterEndpoints"]
    assert [one["EndpointType"] for one in found] == ["WRITER", "READER", "CUSTOM"]
    named = [{"Name": "db-cluster-endpoint-type", "Values": ["custom"]}]
    (shown,) = site.rds.describe_db_cluster_endpoints(Filters=named)["DBClusterEndpoints"]
    assert (shown["CustomEndpointType"], shown["ExcludedMembers"]) == ("READER", ["two"])
    assert site.cluster()["CustomEndpoints"] == [made["Endpoint"]]
    site.rds.delete_db_cluster_endpoint(**few)
    assert site.resolve(made["Endpoint"]) == ()
    with refused("DBClusterEndpointNotFoundFault"):
        site.rds.delete_db_cluster_endpoint(**few)
