"""Storage under a key of KMS, and what becomes of it when the key is off."""

from __future__ import annotations

from tests.jar import TestJar
from tests.services.rds.site import Site, refused


def test_storage_is_encrypted_under_a_key_and_so_are_its_snapshots(jar: TestJar) -> None:
    site = Site(jar)
    kms = jar.client("kms")
    with refused("InvalidParameterCombination", "KmsKeyId without StorageEncrypted"):
        site.create(KmsKeyId="alias/aws/rds")
    with refused("KMSKeyNotAccessibleFault"):
        site.create(StorageEncrypted=True, KmsKeyId="alias/gone")
    shown = site.available(StorageEncrypted=True, BackupRetentionPeriod=1)
    managed = kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["Arn"]
    assert (shown["StorageEncrypted"], shown["KmsKeyId"]) == (True, managed)
    site.rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="first")
    jar.settle()
    with refused("InvalidParameterCombination", "default KMS key can't be shared"):
        site.rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier="first", AttributeName="restore", ValuesToAdd=["111122223333"]
        )
    key = kms.create_key()["KeyMetadata"]
    site.rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier="first", TargetDBSnapshotIdentifier="second", KmsKeyId=key["KeyId"]
    )
    jar.settle()
    (second,) = site.rds.describe_db_snapshots(DBSnapshotIdentifier="second")["DBSnapshots"]
    assert (second["Encrypted"], second["KmsKeyId"]) == (True, key["Arn"])
    with refused("InvalidParameterCombination", "can't be shared publicly"):
        site.rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier="second", AttributeName="restore", ValuesToAdd=["all"]
        )
    kms.disable_key(KeyId=key["KeyId"])
    asked = {"DBInstanceIdentifier": "again", "DBSnapshotIdentifier": "second", "DBSubnetGroupName": "private"}
    with refused("KMSKeyNotAccessibleFault"):
        site.rds.restore_db_instance_from_db_snapshot(**asked)
    kms.enable_key(KeyId=key["KeyId"])
    site.rds.restore_db_instance_from_db_snapshot(**asked, BackupRetentionPeriod=0)
    jar.settle()
    assert site.show("again")["KmsKeyId"] == key["Arn"]
    assert len(kms.list_grants(KeyId=key["KeyId"])["Grants"]) == 1
    site.rds.delete_db_instance(DBInstanceIdentifier="again", SkipFinalSnapshot=True)
    jar.settle()
    assert kms.list_grants(KeyId=key["KeyId"])["Grants"] == []


def test_an_instance_without_its_key_stops_and_can_be_started_again_for_seven_days(jar: TestJar) -> None:
    site = Site(jar)
    kms = jar.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    site.available(StorageEncrypted=True, KmsKeyId=key, BackupRetentionPeriod=0)
    kms.disable_key(KeyId=key)
    jar.settle()
    assert site.show()["DBInstanceStatus"] == "inaccessible-encryption-credentials-recoverable"
    assert jar.host.look(site.machine()) == "down"
    with refused("KMSKeyNotAccessibleFault"):
        site.rds.start_db_instance(DBInstanceIdentifier="shop")
    with refused("InvalidDBInstanceState", "final snapshot"):
        site.rds.delete_db_instance(DBInstanceIdentifier="shop", FinalDBSnapshotIdentifier="last")
    jar.advance(days=6)
    kms.enable_key(KeyId=key)
    site.rds.start_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    assert site.show()["DBInstanceStatus"] == "available"
    kms.disable_key(KeyId=key)
    jar.settle()
    jar.advance(days=8)
    assert site.show()["DBInstanceStatus"] == "inaccessible-encryption-credentials"
    kms.enable_key(KeyId=key)
    with refused("InvalidDBInstanceState"):
        site.rds.start_db_instance(DBInstanceIdentifier="shop")
    site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    jar.settle()
    assert site.rds.describe_db_instances()["DBInstances"] == []
