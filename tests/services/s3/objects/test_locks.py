"""What must not be removed: MFA delete with real codes."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.jar import TestJar
from tests.services.answers import refused
from tests.services.iam.phones import Phone, Watch, phone_of
from tests.services.s3.conftest import Bucket, create


@pytest.fixture
def watch(jar: TestJar, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """The machine's clock."""
    return Watch(jar, monkeypatch)


def enabled(jar: TestJar, watch: Watch) -> tuple[Bucket, Phone]:
    """A bucket whose versions go only with a code, and root's device."""
    phone = phone_of(watch, jar.client("iam"), "root", "root-account-mfa-device")
    bucket = create(jar, "jam")
    asked: dict[str, Any] = {"Status": "Enabled", "MFADelete": "Enabled"}
    where = {"Bucket": bucket.name, "VersioningConfiguration": asked}
    with refused("AccessDenied", status=403):
        bucket.s3.put_bucket_versioning(**where)
    bucket.s3.put_bucket_versioning(**where, MFA=f"{phone.serial} {phone.code()}")
    watch.tick()
    return bucket, phone


def test_versions_go_only_with_a_code(jar: TestJar, watch: Watch) -> None:
    bucket, phone = enabled(jar, watch)
    first = bucket.put("k", b"1")["VersionId"]
    assert bucket.s3.delete_object(Bucket=bucket.name, Key="k")["DeleteMarker"] is True
    wrong = {"MFA": f"{phone.serial} {(int(phone.code()) + 1) % 10**6:06d}"}
    for code in ({}, wrong):
        with refused("AccessDenied", status=403):
            bucket.s3.delete_object(Bucket=bucket.name, Key="k", VersionId=first, **code)
        with refused("AccessDenied", status=403):
            objects = [{"Key": "k", "VersionId": first}]
            bucket.s3.delete_objects(Bucket=bucket.name, Delete={"Objects": objects}, **code)
    assert bucket.read("k", VersionId=first) == b"1"
    right = f"{phone.serial} {phone.code()}"
    bucket.s3.delete_object(Bucket=bucket.name, Key="k", VersionId=first, MFA=right)
    with refused("NoSuchVersion", status=404):
        bucket.read("k", VersionId=first)
    second = bucket.put("k", b"2")["VersionId"]
    with refused("AccessDenied", status=403):  # a code is good once
        bucket.s3.delete_object(Bucket=bucket.name, Key="k", VersionId=second, MFA=right)


def test_codes_are_not_guessed(jar: TestJar, watch: Watch) -> None:
    bucket, phone = enabled(jar, watch)
    first = bucket.put("k", b"1")["VersionId"]
    for step in range(1, 20):
        guess = f"{phone.serial} {(int(phone.code()) + step) % 10**6:06d}"
        with refused("AccessDenied", status=403):
            bucket.s3.delete_object(Bucket=bucket.name, Key="k", VersionId=first, MFA=guess)
    with refused("AccessDenied", status=403):  # the right one, but too late
        bucket.s3.delete_object(Bucket=bucket.name, Key="k", VersionId=first, MFA=f"{phone.serial} {phone.code()}")
    assert bucket.read("k", VersionId=first) == b"1"


def test_what_is_locked_comes_with_a_checksum(jar: TestJar) -> None:
    bucket = create(jar, "jam", ObjectLockEnabledForBucket=True)
    url = bucket.s3.generate_presigned_url(
        "put_object", {"Bucket": bucket.name, "Key": "k", "ObjectLockLegalHoldStatus": "ON"}
    )
    request = Request(url, b"1", {"x-amz-object-lock-legal-hold": "ON"}, method="PUT")
    with pytest.raises(HTTPError) as error:
        urlopen(request)
    assert b"Content-MD5 OR x-amz-checksum-" in error.value.read()
    held = bucket.put("k", b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    assert bucket.head("k")["ObjectLockLegalHoldStatus"] == "ON"
    with refused("AccessDenied", "protected by object lock", status=403):
        bucket.s3.delete_object(Bucket=bucket.name, Key="k", VersionId=held)
    assert bucket.s3.delete_object(Bucket=bucket.name, Key="k")["DeleteMarker"] is True
    assert bucket.read("k", VersionId=held) == b"1"
