"""Aliases, and the keys that AWS manages behind some of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, refused
from tests.services.kms.test_keys import made


def test_an_alias_moves_from_key_to_key(jar: TestJar) -> None:
    kms = jar.client("kms")
    one, other = made(kms)["KeyId"], made(kms)["KeyId"]
    kms.create_alias(AliasName="alias/letters", TargetKeyId=one)
    made_at = jar.clock.now()
    jar.advance(hours=1)
    blob = kms.encrypt(KeyId="alias/letters", Plaintext=b"x")["CiphertextBlob"]
    kms.update_alias(AliasName="alias/letters", TargetKeyId=other)
    assert kms.describe_key(KeyId="alias/letters")["KeyMetadata"]["KeyId"] == other
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=blob, KeyId="alias/letters")
    assert kms.list_aliases(KeyId=one)["Aliases"] == []
    assert kms.list_aliases(KeyId=other)["Aliases"] == [
        {
            "AliasName": "alias/letters", "AliasArn": f"arn:aws:kms:eu-west-3:{ACCOUNT}:alias/letters",
            "TargetKeyId": other, "CreationDate": made_at, "LastUpdatedDate": jar.clock.now(),
        }
    ]  # fmt: skip
    kms.delete_alias(AliasName="alias/letters")
    with refused("NotFoundException", "is not found."):
        kms.delete_alias(AliasName="alias/letters")
    assert kms.list_aliases()["Aliases"] == []


def test_aliases_that_cannot_be(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    key = made(kms)["KeyId"]
    signs = made(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    with refused("AlreadyExistsException", f"An alias with the name arn:aws:kms:eu-west-3:{ACCOUNT}:alias/a already"):
        kms.create_alias(AliasName="alias/a", TargetKeyId=signs)
    with refused("ValidationException", 'Alias must start with the prefix "alias/".'):
        kms.create_alias(AliasName="a", TargetKeyId=key)
    with refused("NotAuthorizedException"):
        kms.create_alias(AliasName="alias/aws/mine", TargetKeyId=key)
    with refused("InvalidAliasNameException"):
        kms.create_alias(AliasName="alias/", TargetKeyId=key)
    with refused("NotFoundException"):
        kms.create_alias(AliasName="alias/b", TargetKeyId="alias/a")
    with refused("ValidationException"):
        kms.update_alias(AliasName="alias/a", TargetKeyId=signs)
    kms.schedule_key_deletion(KeyId=signs)
    with refused("KMSInvalidStateException", "is pending deletion."):
        kms.create_alias(AliasName="alias/c", TargetKeyId=signs)


def test_lists_come_in_pages(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    names = [f"alias/{number:03}" for number in range(60)]
    for count in (0, 30):
        key = made(kms)["KeyId"]
        for name in names[count : count + 30]:
            kms.create_alias(AliasName=name, TargetKeyId=key)
    first = kms.list_aliases()
    assert (len(first["Aliases"]), first["Truncated"]) == (50, True)
    rest = kms.list_aliases(Marker=first["NextMarker"])
    assert (len(rest["Aliases"]), rest["Truncated"]) == (10, False)
    assert [one["AliasName"] for one in first["Aliases"] + rest["Aliases"]] == names
    with refused("InvalidMarkerException"):
        kms.list_aliases(Marker="nonsense")


def through(jar: TestJar, service: str, operation: str, params: dict[str, Any], who: Caller) -> dict[str, Any]:
    """A call that a service makes with its caller's session."""
    invoke = jar.jar.world.invoke
    assert invoke is not None
    return invoke("kms", operation, params, replace(who, called_via=(service,)), "eu-west-3")


def somebody(account: str = ACCOUNT) -> Caller:
    """A user without any policy."""
    return Caller(kind="user", account=account, arn=f"arn:aws:iam::{account}:user/ann", user_name="ann")


def test_a_service_gets_its_managed_key_when_it_first_calls(jar: TestJar) -> None:
    kms = jar.client("kms")
    alias, service = "alias/aws/secretsmanager", "secretsmanager.amazonaws.com"
    with refused("NotFoundException"):
        kms.encrypt(KeyId=alias, Plaintext=b"x")
    made_by_use = through(jar, service, "Encrypt", {"KeyId": alias, "Plaintext": b"x"}, somebody())
    opened = through(jar, service, "Decrypt", {"CiphertextBlob": made_by_use["CiphertextBlob"]}, somebody())
    assert opened["Plaintext"] == b"x"
    shown = kms.describe_key(KeyId=alias)["KeyMetadata"]
    assert (shown["KeyManager"], shown["Arn"]) == ("AWS", made_by_use["KeyId"])
    assert [one["AliasName"] for one in kms.list_aliases()["Aliases"]] == [alias]
    (use, look) = json.loads(kms.get_key_policy(KeyId=shown["KeyId"])["Policy"])["Statement"]
    condition = {"kms:ViaService": "secretsmanager.eu-west-3.amazonaws.com", "kms:CallerAccount": ACCOUNT}
    assert use["Condition"] == {"StringEquals": condition}
    assert look["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    status = kms.get_key_rotation_status(KeyId=shown["KeyId"])
    assert status["KeyRotationEnabled"] is True
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: kms.encrypt(KeyId=alias, Plaintext=b"x"),
        lambda: kms.decrypt(CiphertextBlob=made_by_use["CiphertextBlob"]),
        lambda: kms.schedule_key_deletion(KeyId=shown["KeyId"]),
        lambda: kms.put_key_policy(KeyId=shown["KeyId"], Policy="{}"),
        lambda: kms.create_alias(AliasName="alias/mine", TargetKeyId=shown["KeyId"]),
    )
    for attempt in attempts:
        with refused("AccessDeniedException"):
            attempt()
    for way, who in (("ssm.amazonaws.com", somebody()), (service, somebody(OTHER))):
        with pytest.raises(AwsError, match="AccessDenied"):
            through(jar, way, "Encrypt", {"KeyId": shown["Arn"], "Plaintext": b"x"}, who)
    assert jar.usage("KMS-Keys").total_seconds() == 0


def test_a_managed_key_is_there_when_it_is_first_described(jar: TestJar) -> None:
    kms = jar.client("kms")
    first = kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
    by_arn = kms.describe_key(KeyId=f"arn:aws:kms:eu-west-3:{ACCOUNT}:alias/aws/ebs")["KeyMetadata"]
    assert first == by_arn
    assert "kms:ViaService" in kms.get_key_policy(KeyId=first["KeyId"])["Policy"]
    with refused("NotFoundException"):
        kms.describe_key(KeyId="alias/aws/nothing")
