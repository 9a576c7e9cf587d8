"""Rotation by the clock and on demand."""

from __future__ import annotations

from datetime import timedelta

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import refused
from tests.services.kms.test_keys import made


def test_a_key_rotates_by_the_clock_and_old_ciphertexts_still_open(jar: TestJar) -> None:
    kms = jar.client("kms")
    key = made(kms)
    name = key["KeyId"]
    assert kms.get_key_rotation_status(KeyId=name)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=name, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=name)
    assert status["KeyRotationEnabled"] is True
    assert status["RotationPeriodInDays"] == 90
    first = jar.clock.now() + timedelta(days=90)
    assert status["NextRotationDate"] == first
    old = kms.encrypt(KeyId=name, Plaintext=b"old")["CiphertextBlob"]
    jar.advance(days=89)
    assert kms.list_key_rotations(KeyId=name)["Rotations"] == []
    jar.advance(days=92)
    new = kms.encrypt(KeyId=name, Plaintext=b"new")["CiphertextBlob"]
    rotations = kms.list_key_rotations(KeyId=name)["Rotations"]
    assert [one["RotationType"] for one in rotations] == ["AUTOMATIC", "AUTOMATIC"]
    assert [one["RotationDate"] for one in rotations] == [first, first + timedelta(days=90)]
    assert [one["KeyMaterialState"] for one in rotations] == ["NON_CURRENT", "CURRENT"]
    opened_old, opened_new = kms.decrypt(CiphertextBlob=old), kms.decrypt(CiphertextBlob=new)
    assert (opened_old["Plaintext"], opened_new["Plaintext"]) == (b"old", b"new")
    assert opened_old["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert opened_new["KeyMaterialId"] == rotations[-1]["KeyMaterialId"]
    everything = kms.list_key_rotations(KeyId=name, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert everything[0]["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert len(everything) == 3
    kms.disable_key_rotation(KeyId=name)
    jar.advance(days=400)
    assert len(kms.list_key_rotations(KeyId=name)["Rotations"]) == 2


def test_a_disabled_key_is_rotated_when_it_comes_back(jar: TestJar) -> None:
    kms = jar.client("kms")
    name = made(kms)["KeyId"]
    kms.enable_key_rotation(KeyId=name)
    kms.disable_key(KeyId=name)
    jar.advance(days=800)
    assert kms.list_key_rotations(KeyId=name)["Rotations"] == []
    kms.enable_key(KeyId=name)
    jar.settle()
    assert len(kms.list_key_rotations(KeyId=name)["Rotations"]) == 1
    assert kms.get_key_rotation_status(KeyId=name)["NextRotationDate"] > jar.clock.now()


def test_rotation_on_demand_has_a_limit(jar: TestJar) -> None:
    kms = jar.client("kms")
    name = made(kms)["KeyId"]
    blobs = []
    for _ in range(25):
        blobs.append(kms.encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"])
        assert kms.rotate_key_on_demand(KeyId=name)["KeyId"] == name
    with refused("LimitExceededException", "The on-demand rotations limit has been reached"):
        kms.rotate_key_on_demand(KeyId=name)
    assert all(kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x" for blob in blobs)
    pages = list(kms.get_paginator("list_key_rotations").paginate(KeyId=name, PaginationConfig={"PageSize": 10}))
    assert [len(page["Rotations"]) for page in pages] == [10, 10, 5]
    assert {one["RotationType"] for page in pages for one in page["Rotations"]} == {"ON_DEMAND"}


def test_what_does_not_rotate(steady_jar: TestJar) -> None:
    kms = steady_jar.client("kms")
    signs = made(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    macs = made(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    for name in (signs, macs):
        for attempt in (kms.enable_key_rotation, kms.get_key_rotation_status, kms.rotate_key_on_demand):
            with refused("UnsupportedOperationException"):
                attempt(KeyId=name)
    external = made(kms, Origin="EXTERNAL")
    words = f"arn:aws:kms:eu-west-3:{ACCOUNT}:key/{external['KeyId']} origin is EXTERNAL which is not valid for this "
    with refused("UnsupportedOperationException", words):
        kms.enable_key_rotation(KeyId=external["KeyId"])
    name = made(kms)["KeyId"]
    with refused("ValidationException", "rotationPeriodInDays"):
        kms.enable_key_rotation(KeyId=name, RotationPeriodInDays=2561)
