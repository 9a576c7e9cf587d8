"""DB instances: how they are made, live and end, and what they cost."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from cloudjar.kit import names
from cloudjar.kit.faults import breaker
from tests.jar import TestJar
from tests.services.rds.site import PASSWORD, Site, refused


def test_an_instance_has_a_machine_an_interface_and_an_endpoint(jar: TestJar) -> None:
    site = Site(jar)
    made = site.create(BackupRetentionPeriod=0, DBName="store", Tags=[{"Key": "team", "Value": "red"}])
    assert (made["DBInstanceStatus"], made["PendingModifiedValues"]) == ("creating", {"MasterUserPassword": "****"})
    assert "Endpoint" not in made
    jar.settle()
    site.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="shop")
    shown = site.show("SHOP")
    assert shown["DBInstanceStatus"] == "available"
    assert shown["Endpoint"]["Port"] == 5432
    assert shown["Endpoint"]["Address"].startswith("shop.c")
    assert shown["Endpoint"]["Address"].endswith(".eu-west-3.rds.amazonaws.com")
    assert shown["DBInstanceArn"] == "arn:aws:rds:eu-west-3:000000000000:db:shop"
    assert shown["DBParameterGroups"] == [
        {"DBParameterGroupName": "default.postgres15", "ParameterApplyStatus": "in-sync"}
    ]
    assert (shown["StorageType"], shown["Iops"], shown["StorageThroughput"]) == ("gp3", 3000, 125)
    assert (shown["PubliclyAccessible"], shown["MultiAZ"]) == (False, False)
    assert shown["LicenseModel"] == "postgresql-license"
    assert shown["TagList"] == [{"Key": "team", "Value": "red"}]
    assert jar.host.look(site.machine()) == "up"
    spec = jar.host.host.machines[site.machine()].spec
    assert (spec.vcpus, spec.memory_mib, spec.root.size_gib) == (2, 1024, 20)
    (eni,) = site.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert (eni["Description"], eni["RequesterId"], eni["SubnetId"]) == (
        "RDSNetworkInterface", "amazon-rds", site.subnets[0],
    )  # fmt: skip
    assert "DB instance created" in site.said()


def test_the_engine_is_told_a_verifier_and_nobody_keeps_the_password(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0, DBName="store")
    if not jar.reborn:
        engine = site.engine()
        assert (engine.master, engine.database, engine.port, engine.needs_tls) == ("boss", "store", 5432, True)
        assert engine.verifier.startswith("SCRAM-SHA-256$4096:")
        assert dict(engine.settings)["shared_buffers"] == "32768"
        assert dict(engine.settings)["max_connections"] == "112"
    kept = b"".join(file.read_bytes() for file in jar.home.rglob("*") if file.is_file())
    assert PASSWORD.encode() not in kept
    assert b"SCRAM-SHA-256$4096:" not in kept


def test_stopped_it_costs_storage_alone_and_comes_back_after_seven_days(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    jar.advance(hours=2)
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    stopped = site.show()
    assert stopped["DBInstanceStatus"] == "stopped"
    assert jar.host.look(site.machine()) == "down"
    assert stopped["AutomaticRestartTime"] > stopped["InstanceCreateTime"] + timedelta(days=7)
    with refused("InvalidDBInstanceState", "Instance shop is not in available state."):
        site.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    jar.advance(days=6)
    assert jar.usage("InstanceUsage:db.t3.micro") == timedelta(hours=2)
    assert jar.usage("RDS:GP3-Storage") == timedelta(days=6, hours=2)
    jar.advance(days=2)
    jar.settle()
    assert site.show()["DBInstanceStatus"] == "available"
    assert jar.host.look(site.machine()) == "up"
    assert any("exceeding the maximum allowed time being stopped" in said for said in site.said())


def test_it_starts_again_reboots_and_survives_its_machine(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    with refused("InvalidDBInstanceState", "therefore cannot be started"):
        site.rds.start_db_instance(DBInstanceIdentifier="shop")
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    assert site.rds.start_db_instance(DBInstanceIdentifier="shop")["DBInstance"]["DBInstanceStatus"] == "starting"
    jar.settle()
    boots = jar.host.host.machines[site.machine()].boots
    assert site.rds.reboot_db_instance(DBInstanceIdentifier="shop")["DBInstance"]["DBInstanceStatus"] == "rebooting"
    jar.settle()
    assert site.show()["DBInstanceStatus"] == "available"
    assert jar.host.host.machines[site.machine()].boots == boots + 1
    with refused("InvalidParameterCombination", "force-failover"):
        site.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)
    jar.host.power_off(site.machine())
    jar.settle()
    assert jar.host.look(site.machine()) == "up"


def test_deleted_it_leaves_nothing(jar: TestJar) -> None:
    site = Site(jar)
    site.available(DeletionProtection=True)
    with refused("InvalidParameterCombination", "Cannot delete protected DB Instance"):
        site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", DeletionProtection=False)
    with refused("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required"):
        site.rds.delete_db_instance(DBInstanceIdentifier="shop")
    with refused("InvalidDBSubnetGroupStateFault", "Cannot delete the subnet group 'private'"):
        site.rds.delete_db_subnet_group(DBSubnetGroupName="private")
    gone = site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)["DBInstance"]
    assert gone["DBInstanceStatus"] == "deleting"
    jar.settle()
    site.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="shop")
    with refused("DBInstanceNotFound", "DBInstance shop not found."):
        site.show()
    assert jar.host.machines() == {}
    assert jar.host.host.volumes == {}
    assert jar.host.host.snapshots == {}
    assert site.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    site.rds.delete_db_subnet_group(DBSubnetGroupName="private")


def test_secrets_manager_keeps_the_password_when_asked(jar: TestJar) -> None:
    site = Site(jar)
    made = site.available(MasterUserPassword=None, ManageMasterUserPassword=True, BackupRetentionPeriod=0)
    secrets = jar.client("secretsmanager")
    arn = made["MasterUserSecret"]["SecretArn"]
    assert made["MasterUserSecret"]["SecretStatus"] == "active"
    assert ":secret:rds!db-" in arn
    held = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert held["username"] == "boss"
    assert len(held["password"]) > 20
    with refused("InvalidParameterCombination", "ManageMasterUserPassword"):
        site.rds.modify_db_instance(DBInstanceIdentifier="shop", MasterUserPassword="another-one-1")
    site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    jar.settle()
    with refused("ResourceNotFoundException"):
        secrets.describe_secret(SecretId=arn)


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"MasterUsername": "admin"}, "InvalidParameterValue",
         "MasterUsername admin cannot be used as it is a reserved word used by the engine"),
        ({"MasterUsername": None}, "InvalidParameterValue", "MasterUsername must be provided"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue", "because it is shorter than 8 characters."),
        ({"MasterUserPassword": "with a space"}, "InvalidParameterValue", "Only printable ASCII characters besides"),
        ({"MasterUserPassword": None}, "InvalidParameterValue", "MasterUserPassword must be provided"),
        ({"AllocatedStorage": 10}, "InvalidParameterValue",
         "Invalid storage size for engine name postgres and storage type gp3: 10"),
        ({"AllocatedStorage": None}, "InvalidParameterValue", "AllocatedStorage must be provided"),
        ({"StorageType": "gp2", "AllocatedStorage": 19}, "InvalidParameterValue", "storage type gp2: 19"),
        ({"StorageType": "gp3", "Iops": 4000}, "InvalidParameterCombination", "a storage size less than 400"),
        ({"StorageType": "io1", "AllocatedStorage": 100}, "InvalidParameterCombination", "You must specify IOPS"),
        ({"DBInstanceIdentifier": "9lives"}, "InvalidParameterValue", "DBInstanceIdentifier is not a valid identifier"),
        ({"DBInstanceIdentifier": "a--b"}, "InvalidParameterValue", "two consecutive hyphens"),
        ({"DBInstanceClass": "t3.micro"}, "InvalidParameterValue", "Invalid DB Instance class: t3.micro"),
        ({"DBInstanceClass": "db.t2.micro"}, "InvalidParameterCombination",
         "RDS does not support creating a DB instance with the following combination: DBInstanceClass=db.t2.micro"),
        ({"Engine": "sybase"}, "InvalidParameterValue", "Invalid DB engine"),
        ({"Engine": "oracle-ee"}, "UnsupportedOperation", "The engine oracle-ee is not built"),
        ({"EngineVersion": "9.6"}, "InvalidParameterCombination", "Cannot find version 9.6 for postgres"),
        ({"Domain": "d-1234567890"}, "UnsupportedOperation", "Domain is not built"),
        ({"PubliclyAccessible": True}, "InvalidVPCNetworkStateFault", "has no internet gateway attached"),
        ({"AvailabilityZone": "eu-west-3c"}, "InvalidVPCNetworkStateFault", "do not match the Availability Zones"),
        ({"DBSubnetGroupName": "nowhere"}, "DBSubnetGroupNotFoundFault", "DB subnet group 'nowhere' does not exist."),
        ({"DBParameterGroupName": "none"}, "DBParameterGroupNotFound", "DBParameterGroup not found: none"),
        ({"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameterValue", "Invalid security group"),
        ({"BackupRetentionPeriod": 36}, "InvalidParameterValue", "Invalid backup retention period: 36"),
        ({"PreferredBackupWindow": "3-4"}, "InvalidParameterValue", "Invalid backup window format"),
        ({"PreferredBackupWindow": "03:00-04:00", "PreferredMaintenanceWindow": "mon:03:30-mon:04:30"},
         "InvalidParameterCombination", "must not overlap"),
        ({"DBName": "select"}, "InvalidParameterValue", "DBName select cannot be used."),
        ({"Port": 80}, "InvalidParameterValue", "Invalid database port: 80"),
        ({"LicenseModel": "bring-your-own-license"}, "InvalidParameterCombination", "Invalid license model"),
        ({"CACertificateIdentifier": "rds-ca-2015"}, "CertificateNotFound", "rds-ca-2015"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_aws_words(jar: TestJar, asked: dict[str, Any], code: str, said: str) -> None:
    site = Site(jar)
    with refused(code, said):
        site.rds.create_db_instance(**{k: v for k, v in {**site.ask(), **asked}.items() if v is not None})
    assert site.rds.describe_db_instances()["DBInstances"] == []
    assert site.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_name_is_had_once_and_lists_are_narrowed(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    with refused("DBInstanceAlreadyExists", "DB instance already exists"):
        site.create("Shop")
    site.available("archive", BackupRetentionPeriod=0)
    pages = site.rds.get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": 20})
    assert [db["DBInstanceIdentifier"] for page in pages for db in page["DBInstances"]] == ["archive", "shop"]
    narrowed = [{"Name": "db-instance-id", "Values": ["shop"]}]
    (found,) = site.rds.describe_db_instances(Filters=narrowed)["DBInstances"]
    assert found["DBInstanceIdentifier"] == "shop"


def test_without_a_subnet_group_it_is_in_the_default_vpc_and_public(jar: TestJar) -> None:
    site = Site(jar)
    made = site.available(DBSubnetGroupName=None, BackupRetentionPeriod=0)
    assert (made["DBSubnetGroup"]["DBSubnetGroupName"], made["PubliclyAccessible"]) == ("default", True)
    (eni,) = site.ec2.describe_network_interfaces()["NetworkInterfaces"]
    name = made["Endpoint"]["Address"]
    assert names.addresses(jar.jar.world, made["DBSubnetGroup"]["VpcId"], name) == (eni["PrivateIpAddress"],)
    assert names.addresses(jar.jar.world, "", name) == (eni["Association"]["PublicIp"],)


def test_a_zone_without_power_takes_it_down_and_gives_it_back(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    fault = breaker(jar.jar.world).begin(jar.jar.world, "zone", "eu-west-3a", 0)["id"]
    jar.settle()
    assert jar.host.look(site.machine()) == "down"
    breaker(jar.jar.world).end(jar.jar.world, fault)
    jar.settle()
    assert jar.host.look(site.machine()) == "up"
    assert site.show()["DBInstanceStatus"] == "available"
