"""Read replicas: whose, where, what they say of it, and what they become."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.rds.site import Site, refused


@pytest.fixture
def site(jar: TestJar) -> Site:
    made = Site(jar)
    made.available()
    return made


def replica(site: Site, name: str = "copy", source: str = "shop", **more: Any) -> dict[str, Any]:
    """A replica that is available."""
    site.rds.create_db_instance_read_replica(
        DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source, **more
    )
    site.jar.settle()
    return site.show(name)


def test_a_replica_is_as_its_source_in_another_zone(site: Site) -> None:
    shown, source = replica(site), site.show()
    assert shown["DBInstanceStatus"] == "available"
    assert shown["ReadReplicaSourceDBInstanceIdentifier"] == "shop"
    assert shown["StatusInfos"] == [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]
    assert source["ReadReplicaDBInstanceIdentifiers"] == ["copy"]
    assert (source["AvailabilityZone"], shown["AvailabilityZone"]) == ("eu-west-3a", "eu-west-3b")
    for member in ("Engine", "EngineVersion", "DBInstanceClass", "AllocatedStorage", "MasterUsername", "StorageType"):
        assert shown[member] == source[member]
    assert shown["BackupRetentionPeriod"] == 0
    assert shown["Endpoint"]["Address"].startswith("copy.")


def test_a_promoted_replica_is_nobodys(site: Site) -> None:
    replica(site)
    asked = site.rds.promote_read_replica(DBInstanceIdentifier="copy", BackupRetentionPeriod=3)["DBInstance"]
    assert asked["DBInstanceStatus"] == "modifying"
    site.jar.settle()
    shown = site.show("copy")
    assert "ReadReplicaSourceDBInstanceIdentifier" not in shown
    assert "StatusInfos" not in shown
    assert shown["BackupRetentionPeriod"] == 3
    assert site.show()["ReadReplicaDBInstanceIdentifiers"] == []
    with refused("InvalidDBInstanceState", "DB Instance is not a read replica: copy"):
        site.rds.promote_read_replica(DBInstanceIdentifier="copy")


def test_a_source_that_goes_leaves_instances_of_their_own(site: Site) -> None:
    replica(site)
    site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    site.jar.settle()
    (left,) = site.rds.describe_db_instances()["DBInstances"]
    assert (left["DBInstanceIdentifier"], left["DBInstanceStatus"]) == ("copy", "available")
    assert "ReadReplicaSourceDBInstanceIdentifier" not in left


def test_a_replica_that_goes_leaves_its_source(site: Site) -> None:
    replica(site)
    site.rds.delete_db_instance(DBInstanceIdentifier="copy", SkipFinalSnapshot=True)
    site.jar.settle()
    shown = site.show()
    assert (shown["DBInstanceStatus"], shown["ReadReplicaDBInstanceIdentifiers"]) == ("available", [])


def test_a_source_has_backups_and_no_more_than_its_quota(site: Site) -> None:
    site.available("bare", BackupRetentionPeriod=0)
    with refused("InvalidDBInstanceState", "Automated backups are not enabled for this database instance."):
        replica(site, "other", "bare")
    with refused("DBInstanceNotFound"):
        replica(site, "other", "nobody")
    with refused("InvalidParameterCombination", "cannot be less than that of its source"):
        site.available("large", AllocatedStorage=100)
        replica(site, "other", "large", AllocatedStorage=50)


def test_a_replica_in_another_region(site: Site) -> None:
    far = site.jar.client("rds", region="eu-west-1")
    source = site.show()["DBInstanceArn"]
    far.create_db_instance_read_replica(
        DBInstanceIdentifier="far", SourceDBInstanceIdentifier=source, SourceRegion="eu-west-3"
    )
    site.jar.settle()
    shown = far.describe_db_instances(DBInstanceIdentifier="far")["DBInstances"][0]
    assert (shown["DBInstanceStatus"], shown["ReadReplicaSourceDBInstanceIdentifier"]) == ("available", source)
    assert shown["AvailabilityZone"].startswith("eu-west-1")
    assert site.show()["ReadReplicaDBInstanceIdentifiers"] == [shown["DBInstanceArn"]]


def test_a_replica_follows_whoever_took_over(jar: TestJar) -> None:
    site = Site(jar)
    site.available(MultiAZ=True)
    replica(site)
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)
    site.jar.settle()
    assert site.show("copy")["StatusInfos"][0]["Normal"] is True
    assert site.show()["AvailabilityZone"] == "eu-west-3b"
