"""Certificates, names, public addresses, maintenance, storage that grows, and what the service says of itself."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cloudjar.kit import names
from cloudjar.planes.database.figures import Figures
from tests.jar import TestJar
from tests.services.rds.site import Site, refused

_GIB = 1 << 30


def test_the_authority_is_chosen_and_the_certificate_made_anew(jar: TestJar) -> None:
    site = Site(jar)
    found = site.rds.describe_certificates()
    assert found["DefaultCertificateForNewLaunches"] == "rds-ca-rsa2048-g1"
    assert [one["CertificateIdentifier"] for one in found["Certificates"]] == [
        "rds-ca-ecc384-g1", "rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1",
    ]  # fmt: skip
    with refused("CertificateNotFound", "rds-ca-2015"):
        site.rds.describe_certificates(CertificateIdentifier="rds-ca-2015")
    assert site.rds.modify_certificates(CertificateIdentifier="rds-ca-ecc384-g1")["Certificate"]["CustomerOverride"]
    shown = site.available(BackupRetentionPeriod=0)
    assert shown["CACertificateIdentifier"] == "rds-ca-ecc384-g1"
    assert shown["CertificateDetails"]["CAIdentifier"] == "rds-ca-ecc384-g1"
    left = shown["CertificateDetails"]["ValidTill"] - jar.jar.clock.real()
    assert timedelta(days=396) < left <= timedelta(days=398)
    site.rds.modify_certificates(RemoveCustomerOverride=True)
    assert site.rds.describe_certificates()["DefaultCertificateForNewLaunches"] == "rds-ca-rsa2048-g1"
    if not jar.reborn:
        before = x509.load_pem_x509_certificate(site.engine().certificate.encode())
        assert isinstance(before.public_key(), ec.EllipticCurvePublicKey)
    answered = site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", CACertificateIdentifier="rds-ca-rsa2048-g1", ApplyImmediately=False
    )["DBInstance"]
    assert answered["PendingModifiedValues"] == {"CACertificateIdentifier": "rds-ca-rsa2048-g1"}
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", ApplyImmediately=True)
    jar.settle()
    assert site.show()["CertificateDetails"]["CAIdentifier"] == "rds-ca-rsa2048-g1"
    if not jar.reborn:
        after = x509.load_pem_x509_certificate(site.engine().certificate.encode())
        key = after.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == 2048


def test_an_instance_gets_another_name_and_its_endpoint_with_it(jar: TestJar) -> None:
    site = Site(jar)
    site.available("other", BackupRetentionPeriod=0)
    before = site.available(BackupRetentionPeriod=1)
    site.rds.create_db_instance_read_replica(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="shop")
    jar.settle()
    with refused("DBInstanceAlreadyExists", "DB instance already exists"):
        site.rds.modify_db_instance(DBInstanceIdentifier="shop", NewDBInstanceIdentifier="other")
    with refused("InvalidParameterValue", "NewDBInstanceIdentifier"):
        site.rds.modify_db_instance(DBInstanceIdentifier="shop", NewDBInstanceIdentifier="-no-")
    answered = site.rds.modify_db_instance(DBInstanceIdentifier="shop", NewDBInstanceIdentifier="Store")["DBInstance"]
    assert answered["PendingModifiedValues"] == {"DBInstanceIdentifier": "store"}
    answered = site.rds.modify_db_instance(DBInstanceIdentifier="shop", ApplyImmediately=True)["DBInstance"]
    assert answered["DBInstanceStatus"] == "renaming"
    jar.settle()
    with refused("DBInstanceNotFound", "DBInstance shop not found."):
        site.show()
    shown = site.show("store")
    assert (shown["DBInstanceStatus"], shown["DbiResourceId"]) == ("available", before["DbiResourceId"])
    assert shown["DBInstanceArn"].endswith(":db:store")
    assert shown["Endpoint"]["Address"].startswith("store.")
    assert shown["ReadReplicaDBInstanceIdentifiers"] == ["copy"]
    assert site.show("copy")["ReadReplicaSourceDBInstanceIdentifier"] == "store"
    found = site.rds.describe_db_instance_automated_backups(DBInstanceIdentifier="store")
    (kept,) = found["DBInstanceAutomatedBackups"]
    assert kept["DbiResourceId"] == before["DbiResourceId"]
    world = jar.jar.world
    assert names.addresses(world, site.vpc, before["Endpoint"]["Address"]) == ()
    assert len(names.addresses(world, site.vpc, shown["Endpoint"]["Address"]) or ()) == 1
    jar.advance(days=2)
    jar.settle()
    taken = [s["DBSnapshotIdentifier"] for s in site.rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]]
    assert any(one.startswith("rds:store-") for one in taken)


def test_what_is_private_becomes_public_where_there_is_a_way_out(jar: TestJar) -> None:
    site = Site(jar)
    shown = site.available(BackupRetentionPeriod=0)
    assert shown["PubliclyAccessible"] is False
    with refused("InvalidVPCNetworkStateFault", "has no internet gateway attached"):
        site.rds.modify_db_instance(DBInstanceIdentifier="shop", PubliclyAccessible=True)
    gateway = site.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    site.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=site.vpc)
    with refused("InvalidVPCNetworkStateFault", "does not support DNS resolution, DNS hostnames, or both"):
        site.rds.modify_db_instance(DBInstanceIdentifier="shop", PubliclyAccessible=True)
    site.ec2.modify_vpc_attribute(VpcId=site.vpc, EnableDnsHostnames={"Value": True})
    name = shown["Endpoint"]["Address"]
    private = names.addresses(jar.jar.world, site.vpc, name)
    assert names.addresses(jar.jar.world, "", name) == private
    answered = site.rds.modify_db_instance(DBInstanceIdentifier="shop", PubliclyAccessible=True)["DBInstance"]
    assert answered["PubliclyAccessible"] is True
    (eni,) = site.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert names.addresses(jar.jar.world, "", name) == (eni["Association"]["PublicIp"],)
    assert names.addresses(jar.jar.world, site.vpc, name) == private
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", PubliclyAccessible=False)
    (eni,) = site.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert "Association" not in eni
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    assert names.addresses(jar.jar.world, "", name) == private


def test_a_newer_minor_version_is_pending_until_it_is_chosen(jar: TestJar) -> None:
    site = Site(jar)
    shown = site.available(
        BackupRetentionPeriod=0, EngineVersion="16.13", AutoMinorVersionUpgrade=False,
        PreferredMaintenanceWindow="mon:03:00-mon:04:00",
    )  # fmt: skip
    site.available("new", BackupRetentionPeriod=0, EngineVersion="16.14")
    arn = shown["DBInstanceArn"]
    (pending,) = site.rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"]
    assert pending["ResourceIdentifier"] == arn
    (action,) = pending["PendingMaintenanceActionDetails"]
    assert (action["Action"], action["Description"]) == ("db-upgrade", "Upgrade to PostgreSQL 16.14")
    assert "AutoAppliedAfterDate" not in action
    with refused("ResourceNotFoundFault", "was not found"):
        site.rds.describe_pending_maintenance_actions(ResourceIdentifier=f"{arn}x")
    with refused("InvalidParameterValue", "opt-in type"):
        site.rds.apply_pending_maintenance_action(ResourceIdentifier=arn, ApplyAction="db-upgrade", OptInType="maybe")
    with refused("InvalidParameterValue", "is not pending"):
        site.rds.apply_pending_maintenance_action(
            ResourceIdentifier=arn, ApplyAction="system-update", OptInType="immediate"
        )

    def choose(when: str) -> list[str]:
        said = site.rds.apply_pending_maintenance_action(
            ResourceIdentifier=arn, ApplyAction="db-upgrade", OptInType=when
        )["ResourcePendingMaintenanceActions"]["PendingMaintenanceActionDetails"]
        return [one.get("OptInStatus", "") for one in said]

    assert choose("next-maintenance") == ["next-maintenance"]
    assert choose("undo-opt-in") == [""]
    jar.advance(days=8)
    jar.settle()
    assert site.show()["EngineVersion"] == "16.13"
    assert choose("next-maintenance") == ["next-maintenance"]
    jar.advance(days=8)
    jar.settle()
    assert site.show()["EngineVersion"] == "16.14"
    assert site.rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []


def test_maintenance_is_done_at_once_when_it_is_wanted_so(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.available(BackupRetentionPeriod=0, EngineVersion="16.13", AutoMinorVersionUpgrade=False)["DBInstanceArn"]
    asked = {"ResourceIdentifier": arn, "ApplyAction": "db-upgrade", "OptInType": "immediate"}
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    with refused("InvalidDBInstanceState", "not in available state"):
        site.rds.apply_pending_maintenance_action(**asked)
    site.rds.start_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    site.rds.apply_pending_maintenance_action(**asked)
    assert site.show()["DBInstanceStatus"] in ("upgrading", "available")
    jar.settle()
    assert site.show()["EngineVersion"] == "16.14"


def test_storage_grows_by_itself_when_it_was_nearly_full_for_five_minutes(steady_jar: TestJar) -> None:
    jar = steady_jar
    site = Site(jar)
    with refused("InvalidParameterCombination", "Invalid max storage size for engine name postgres"):
        site.create(MaxAllocatedStorage=21)
    shown = site.available(BackupRetentionPeriod=0, MaxAllocatedStorage=45)
    assert shown["MaxAllocatedStorage"] == 45

    def full(gib: float) -> None:
        machine = site.machine()
        jar.jar.world.ports["database figures"].says[machine] = Figures(free=gib * _GIB)
        jar.host.drive(machine, cpus=0.1)
        jar.settle()

    full(1.0)
    assert site.show()["AllocatedStorage"] == 20
    assert any("is low at 5% of the provisioned storage" in said for said in site.said())
    jar.advance(minutes=6)
    full(1.0)
    jar.settle()
    assert site.show()["AllocatedStorage"] == 30
    assert "Finished applying autoscaling-initiated modification to allocated storage." in site.said()
    assert jar.host.host.volumes[jar.host.host.machines[site.machine()].spec.root.volume_id].size_gib == 30
    full(1.0)
    jar.advance(minutes=30)
    full(1.0)
    assert site.show()["AllocatedStorage"] == 30  # six hours apart
    jar.advance(hours=6)
    full(1.0)
    jar.advance(minutes=6)
    full(1.0)
    jar.settle()
    assert site.show()["AllocatedStorage"] == 40
    jar.advance(hours=7)
    full(1.0)
    jar.advance(minutes=6)
    full(1.0)
    jar.settle()
    assert site.show()["AllocatedStorage"] == 45
    assert any("exceed the maximum storage threshold" in said for said in site.said())
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", MaxAllocatedStorage=45)
    assert "MaxAllocatedStorage" not in site.show()


def test_the_service_says_what_can_be_had(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    rds = site.rds
    quotas = {one["AccountQuotaName"]: one for one in rds.describe_account_attributes()["AccountQuotas"]}
    assert (quotas["DBInstances"]["Used"], quotas["DBInstances"]["Max"]) == (1, 40)
    assert quotas["AllocatedStorage"]["Used"] == 20
    regions = [one["RegionName"] for one in rds.describe_source_regions()["SourceRegions"]]
    assert "eu-west-1" in regions
    assert "eu-west-3" not in regions
    pages = rds.get_paginator("describe_engine_default_parameters").paginate(DBParameterGroupFamily="postgres15")
    found = [one["ParameterName"] for page in pages for one in page["EngineDefaults"]["Parameters"]]
    assert len(found) == len(set(found)) > 200
    with refused("InvalidParameterValue", "is not a valid parameter group family"):
        rds.describe_engine_default_parameters(DBParameterGroupFamily="postgres9")
    (message,) = [rds.describe_valid_db_instance_modifications(DBInstanceIdentifier="shop")]
    kinds = {one["StorageType"]: one for one in message["ValidDBInstanceModificationsMessage"]["Storage"]}
    assert kinds["gp3"]["StorageSize"][-1] == {"From": 22, "To": 65536, "Step": 1}
    assert [kinds[kind]["SupportsStorageAutoscaling"] for kind in ("gp3", "standard")] == [True, False]
    said = rds.describe_db_major_engine_versions(Engine="postgres", MajorEngineVersion="15")
    (major,) = said["DBMajorEngineVersions"]
    assert [one["LifecycleSupportName"] for one in major["SupportedEngineLifecycles"]] == [
        "open-source-rds-standard-support", "open-source-rds-extended-support",
    ]  # fmt: skip
