"""Multi-Region keys."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import refused
from tests.services.kms.test_imports import FOREVER, wrapped
from tests.services.kms.test_keys import made

HERE, THERE, ELSEWHERE = "eu-west-3", "us-east-1", "ap-southeast-2"


def replicated(jar: TestJar, **how: Any) -> tuple[Any, Any, str]:
    """Clients of both Regions and the id of a key with a replica."""
    kms = jar.client("kms", HERE)
    key = made(kms, MultiRegion=True, **how)["KeyId"]
    kms.replicate_key(KeyId=key, ReplicaRegion=THERE)
    return kms, jar.client("kms", THERE), key


def test_a_replica_has_the_same_id_and_material_and_a_life_of_its_own(jar: TestJar) -> None:
    kms = jar.client("kms", HERE)
    key = made(kms, MultiRegion=True, Description="primary")
    assert key["KeyId"].startswith("mrk-")
    assert key["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    answer = kms.replicate_key(
        KeyId=key["KeyId"], ReplicaRegion=THERE, Description="replica", Tags=[{"TagKey": "a", "TagValue": "b"}]
    )
    replica = answer["ReplicaKeyMetadata"]
    there = f"arn:aws:kms:{THERE}:{ACCOUNT}:key/{key['KeyId']}"
    assert (replica["Arn"], replica["Description"], replica["KeyState"]) == (there, "replica", "Enabled")
    assert answer["ReplicaTags"] == [{"TagKey": "a", "TagValue": "b"}]
    places = {
        "PrimaryKey": {"Arn": key["Arn"], "Region": HERE},
        "ReplicaKeys": [{"Arn": there, "Region": THERE}],
    }
    assert replica["MultiRegionConfiguration"] == {"MultiRegionKeyType": "REPLICA", **places}
    shown = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert shown["MultiRegionConfiguration"] == {"MultiRegionKeyType": "PRIMARY", **places}
    far = jar.client("kms", THERE)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"hello", EncryptionContext={"a": "b"})["CiphertextBlob"]
    opened = far.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"hello", there)
    far.disable_key(KeyId=key["KeyId"])
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"


def test_what_cannot_be_replicated(steady_jar: TestJar) -> None:
    kms, far, key = replicated(steady_jar)
    with refused("AlreadyExistsException"):
        kms.replicate_key(KeyId=key, ReplicaRegion=THERE)
    with refused("UnsupportedOperationException"):
        far.replicate_key(KeyId=key, ReplicaRegion=ELSEWHERE)
    with refused("UnsupportedOperationException"):
        kms.replicate_key(KeyId=made(kms)["KeyId"], ReplicaRegion=THERE)
    with refused("ValidationException"):
        kms.replicate_key(KeyId=key, ReplicaRegion="us-middle-7")


def test_rotation_of_the_primary_reaches_the_replicas(jar: TestJar) -> None:
    kms, far, key = replicated(jar)
    with refused("UnsupportedOperationException"):
        far.enable_key_rotation(KeyId=key)
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    assert far.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 100
    old = far.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    jar.advance(days=101)
    kms.rotate_key_on_demand(KeyId=key)
    new = far.encrypt(KeyId=key, Plaintext=b"new")["CiphertextBlob"]
    assert [kms.decrypt(CiphertextBlob=blob)["Plaintext"] for blob in (old, new)] == [b"old", b"new"]
    assert len(far.list_key_rotations(KeyId=key)["Rotations"]) == 2
    current = [c.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] for c in (kms, far)]
    assert current[0] == current[1]


def test_another_primary(jar: TestJar) -> None:
    kms, far, key = replicated(jar)
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    kms.update_primary_region(KeyId=key, PrimaryRegion=THERE)
    shown = far.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]
    assert shown["MultiRegionKeyType"] == "PRIMARY"
    assert [one["Region"] for one in shown["ReplicaKeys"]] == [HERE]
    with refused("UnsupportedOperationException"):
        kms.update_primary_region(KeyId=key, PrimaryRegion=THERE)
    with refused("NotFoundException"):
        far.update_primary_region(KeyId=key, PrimaryRegion=ELSEWHERE)
    jar.advance(days=101)
    assert [len(c.list_key_rotations(KeyId=key)["Rotations"]) for c in (kms, far)] == [1, 1]


def test_a_primary_waits_for_its_replicas(jar: TestJar) -> None:
    kms, far, key = replicated(jar)
    answer = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=10)
    assert answer["KeyState"] == "PendingReplicaDeletion"
    assert "DeletionDate" not in answer
    jar.advance(days=60)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["PendingDeletionWindowInDays"] == 10
    with refused("KMSInvalidStateException", "is pending replica deletion."):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    far.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    jar.advance(days=8)
    with refused("NotFoundException"):
        far.describe_key(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    jar.advance(days=10)
    with refused("NotFoundException"):
        kms.describe_key(KeyId=key)


def test_a_replica_takes_the_same_imported_material_and_no_other(jar: TestJar) -> None:
    kms = jar.client("kms", HERE)
    key = made(kms, MultiRegion=True, Origin="EXTERNAL")["KeyId"]
    kms.import_key_material(**wrapped(kms, key, b"k" * 32), **FOREVER)
    replica = kms.replicate_key(KeyId=key, ReplicaRegion=THERE)["ReplicaKeyMetadata"]
    assert replica["KeyState"] == "PendingImport"
    far = jar.client("kms", THERE)
    with refused("IncorrectKeyMaterialException"):
        far.import_key_material(**wrapped(far, key, b"j" * 32), **FOREVER)
    far.import_key_material(**wrapped(far, key, b"k" * 32), **FOREVER)
    blob = kms.encrypt(KeyId=key, Plaintext=b"hello")["CiphertextBlob"]
    assert far.decrypt(CiphertextBlob=blob)["Plaintext"] == b"hello"
    with refused("NotImplemented", status=501):
        kms.import_key_material(**wrapped(kms, key, b"n" * 32), **FOREVER, ImportType="NEW_KEY_MATERIAL")
