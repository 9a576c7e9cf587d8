"""Keys: what they are made as, what their states admit, and how they go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudjar.billing.lines import measure
from cloudjar.billing.rate import rate
from cloudjar.services.kms.specs import SPECS, is_asymmetric
from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import refused

NOBODY = "00000000-0000-0000-0000-000000000000"


def made(kms: Any, **how: Any) -> dict[str, Any]:
    """A new key's metadata."""
    found: dict[str, Any] = kms.create_key(**how)["KeyMetadata"]
    return found


def test_a_key_is_what_aws_says_it_is(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms, Description="for letters", Tags=[{"TagKey": "team", "TagValue": "post"}])
    material = key.pop("CurrentKeyMaterialId")
    assert len(material) == 64
    assert key == {
        "AWSAccountId": ACCOUNT,
        "KeyId": key["KeyId"],
        "Arn": f"arn:aws:kms:eu-west-3:{ACCOUNT}:key/{key['KeyId']}",
        "CreationDate": datetime(2026, 1, 15, 12, tzinfo=UTC),
        "Enabled": True,
        "Description": "for letters",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    assert kms.describe_key(KeyId=key["Arn"])["KeyMetadata"] == {**key, "CurrentKeyMaterialId": material}
    assert kms.list_keys()["Keys"] == [{"KeyId": key["KeyId"], "KeyArn": key["Arn"]}]
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "team", "TagValue": "post"}]


@pytest.mark.parametrize("spec", [name for name in SPECS if name not in ("RSA_3072", "RSA_4096", "ML_KEM_512")])
def test_every_spec_can_be_made_for_each_of_its_usages(steady_jar: TestJar, spec: str) -> None:
    kms = steady_jar.client("kms")
    for usage in SPECS[spec].usages:
        key = made(kms, KeySpec=spec, KeyUsage=usage)
        assert (key["KeySpec"], key["KeyUsage"], key["KeyState"]) == (spec, usage, "Enabled")
        listed = next(value for name, value in key.items() if name.endswith("Algorithms"))
        assert tuple(listed) == SPECS[spec].algorithms[usage]
        if is_asymmetric(spec):
            assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"]


def test_what_keys_cannot_be_is_refused(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    with refused("ValidationException", "You must specify a KeyUsage value"):
        kms.create_key(KeySpec="RSA_2048")
    with refused("ValidationException", "KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256"):
        kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="ENCRYPT_DECRYPT")
    with refused("ValidationException", "KeySpec and CustomerMasterKeySpec"):
        kms.create_key(KeySpec="SYMMETRIC_DEFAULT", CustomerMasterKeySpec="SYMMETRIC_DEFAULT")
    for spec, usage in (("SM2", "SIGN_VERIFY"), ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")):
        with refused("UnsupportedOperationException", spec):
            kms.create_key(KeySpec=spec, KeyUsage=usage)
    with refused("NotImplemented", status=501):
        kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId="cks-1234567890abcdef0")
    with refused("TagException", "Duplicate"):
        kms.create_key(Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}])
    with refused("TagException"):
        kms.create_key(Tags=[{"TagKey": "aws:mine", "TagValue": "1"}])
    assert kms.list_keys()["Keys"] == []


def test_keys_that_are_not_there(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    arn = f"arn:aws:kms:eu-west-3:{ACCOUNT}:key/{NOBODY}"
    with refused("NotFoundException", f"Key '{arn}' does not exist"):
        kms.describe_key(KeyId=NOBODY)
    with refused("NotFoundException", f"Key '{arn}' does not exist"):
        kms.encrypt(KeyId=arn, Plaintext=b"x")
    with refused("NotFoundException", "Invalid keyId 'nonsense'"):
        kms.describe_key(KeyId="nonsense")
    with refused("NotFoundException", f"Alias arn:aws:kms:eu-west-3:{ACCOUNT}:alias/no is not found."):
        kms.describe_key(KeyId="alias/no")
    key = made(kms)
    kms.create_alias(AliasName="alias/yes", TargetKeyId=key["KeyId"])
    with refused("NotFoundException", "Invalid keyId 'alias/yes'"):
        kms.disable_key(KeyId="alias/yes")
    with refused("NotFoundException", "Invalid arn eu-west-3"):
        steady_jar.client("kms", "us-east-1").describe_key(KeyId=key["Arn"])


def test_a_disabled_key_does_nothing_until_it_is_enabled(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key["KeyId"])
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Enabled"] is False
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x"),
        lambda: kms.decrypt(CiphertextBlob=blob),
        lambda: kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256"),
        lambda: kms.enable_key_rotation(KeyId=key["KeyId"]),
        lambda: kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:root",
                                 Operations=["Decrypt"]),
    )  # fmt: skip
    for attempt in attempts:
        with refused("DisabledException", f"{key['Arn']} is disabled."):
            attempt()
    kms.update_key_description(KeyId=key["KeyId"], Description="asleep")
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_key_is_deleted_after_its_waiting_period_and_nothing_can_be_read_again(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms)
    kms.create_alias(AliasName="alias/doomed", TargetKeyId=key["KeyId"])
    blob = kms.encrypt(KeyId="alias/doomed", Plaintext=b"secret")["CiphertextBlob"]
    for days in (6, 31):
        with refused("ValidationException"):
            kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=days)
    answer = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert (answer["KeyId"], answer["KeyState"]) == (key["Arn"], "PendingDeletion")
    assert answer["DeletionDate"] == jar.clock.now() + timedelta(days=7)
    jar.advance(days=6, hours=23)
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: kms.decrypt(CiphertextBlob=blob),
        lambda: kms.enable_key(KeyId=key["KeyId"]),
        lambda: kms.schedule_key_deletion(KeyId=key["KeyId"]),
        lambda: kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "a", "TagValue": "b"}]),
    )
    for attempt in attempts:
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
            attempt()
    jar.advance(hours=2)
    with refused("NotFoundException"):
        kms.describe_key(KeyId=key["KeyId"])
    with refused("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist"):
        kms.decrypt(CiphertextBlob=blob)
    assert kms.list_aliases()["Aliases"] == []
    assert not jar.jar.database.query('SELECT 1 FROM "kms/material"')


def test_a_deletion_that_was_called_off_leaves_the_key_disabled(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms)
    with refused("KMSInvalidStateException", "is not pending deletion."):
        kms.cancel_key_deletion(KeyId=key["KeyId"])
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    assert kms.cancel_key_deletion(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    jar.advance(days=40)
    shown = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert shown["KeyState"] == "Disabled"
    assert "DeletionDate" not in shown


def test_a_key_costs_a_dollar_a_month_and_more_when_rotated(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms)
    jar.advance(hours=10)
    assert jar.usage("KMS-Keys") == timedelta(hours=10)
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    rates = [s.meter.rate for s in jar.jar.usage.spans(jar.clock.now(), jar.clock.now() + timedelta(hours=1), ACCOUNT)]
    assert rates == [Decimal(2)]
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    before = jar.usage("KMS-Keys")
    jar.advance(hours=10)
    assert jar.usage("KMS-Keys") == before


def test_a_month_of_a_key_is_a_dollar_on_the_bill(steady_jar: TestJar) -> None:
    steady_jar.advance(days=16, hours=12)  # to the first of February
    start = steady_jar.clock.now()
    assert (start.month, start.day, start.hour) == (2, 1, 0)
    made(steady_jar.client("kms"))
    steady_jar.advance(days=28)
    spans = steady_jar.jar.usage.spans(start, steady_jar.clock.now(), ACCOUNT)
    (charge,) = rate(measure(spans, start, steady_jar.clock.now()))
    assert (charge.line.usage_type, charge.line.unit, charge.line.quantity) == ("KMS-Keys", "Keys", Decimal(1))
    assert charge.cost == Decimal(1)


def test_material_is_nowhere_in_the_clear(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    key = made(kms)
    plaintext = b"a very recognisable plaintext"
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext)["CiphertextBlob"]
    pair = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256")
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext
    steady_jar.jar.audit.ingest()
    written = b"".join(path.read_bytes() for path in steady_jar.home.iterdir() if path.is_file())
    assert plaintext not in written
    assert pair["PrivateKeyPlaintext"] not in written
    from cloudjar.kit.record import meta
    from cloudjar.services.kms import material
    from cloudjar.services.kms.records import Key, Material

    stored = steady_jar.jar.world.state.tables.get(meta(Key).spec, ACCOUNT, "eu-west-3", key["KeyId"])
    assert stored is not None
    one = steady_jar.jar.world.state.tables.get(meta(Material).spec, ACCOUNT, "eu-west-3", stored.material)
    assert one is not None
    purpose = f"kms/{ACCOUNT}/{key['KeyId']}/{one.id}"
    secret = steady_jar.jar.world.sealer.open(one.sealed, purpose)
    assert secret is not None
    assert material.identify(key["KeyId"], secret) == one.id
    assert secret not in written
