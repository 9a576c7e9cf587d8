"""Object Lock through a client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.s3.conftest import Bucket

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
def locked(make_bucket: Callable[..., Bucket]) -> Bucket:
    """A bucket with Object Lock."""
    return make_bucket("locked", ObjectLockEnabledForBucket=True)


def refused(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    code: str = caught.value.response["Error"]["Code"]
    return code


def retain(bucket: Bucket, mode: str, days: float, **more: Any) -> dict[str, Any]:
    until = bucket.jar.clock.now() + timedelta(days=days)
    params = {"Bucket": bucket.name, "Key": "k", "Retention": {"Mode": mode, "RetainUntilDate": until}, **more}
    answer: dict[str, Any] = bucket.s3.put_object_retention(**params)
    return answer


def test_the_configuration(bucket: Bucket, locked: Bucket) -> None:
    s3 = bucket.s3
    assert refused(s3.get_object_lock_configuration, Bucket="jam") == "ObjectLockConfigurationNotFoundError"
    enabled = {"ObjectLockEnabled": "Enabled"}
    put = s3.put_object_lock_configuration
    assert refused(put, Bucket="jam", ObjectLockConfiguration=enabled) == "InvalidBucketState"
    bucket.versioning("Enabled")
    put(Bucket="jam", ObjectLockConfiguration=enabled)
    assert s3.get_object_lock_configuration(Bucket="jam")["ObjectLockConfiguration"] == enabled
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 5}}
    put(Bucket="locked", ObjectLockConfiguration={**enabled, "Rule": rule})
    assert s3.get_object_lock_configuration(Bucket="locked")["ObjectLockConfiguration"] == {**enabled, "Rule": rule}
    both = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 5, "Years": 1}}
    assert refused(put, Bucket="locked", ObjectLockConfiguration={**enabled, "Rule": both}) == "MalformedXML"
    none = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 0}}
    assert refused(put, Bucket="locked", ObjectLockConfiguration={**enabled, "Rule": none}) == "InvalidArgument"
    suspended = {"Status": "Suspended"}
    assert refused(s3.put_bucket_versioning, Bucket="jam", VersioningConfiguration=suspended) == "InvalidBucketState"


def test_default_retention_is_given_to_what_is_put(locked: Bucket) -> None:
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 5}}
    locked.s3.put_object_lock_configuration(
        Bucket="locked", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    version = locked.put("k")["VersionId"]
    found = locked.s3.get_object_retention(Bucket="locked", Key="k")["Retention"]
    assert found == {"Mode": "COMPLIANCE", "RetainUntilDate": NOW + timedelta(days=5)}
    assert locked.head("k")["ObjectLockMode"] == "COMPLIANCE"
    delete = locked.s3.delete_object
    bypass = {"BypassGovernanceRetention": True}
    assert refused(delete, Bucket="locked", Key="k", VersionId=version, **bypass) == "AccessDenied"
    delete(Bucket="locked", Key="k")  # a marker is no loss
    locked.jar.advance(days=5, seconds=1)
    delete(Bucket="locked", Key="k", VersionId=version)


def test_compliance_is_only_prolonged(locked: Bucket) -> None:
    locked.put("k")
    retain(locked, "COMPLIANCE", 5)
    retain(locked, "COMPLIANCE", 6)
    with pytest.raises(ClientError, match="AccessDenied"):
        retain(locked, "COMPLIANCE", 5, BypassGovernanceRetention=True)
    with pytest.raises(ClientError, match="AccessDenied"):
        retain(locked, "GOVERNANCE", 7, BypassGovernanceRetention=True)
    with pytest.raises(ClientError, match="The retain until date must be in the future!"):
        retain(locked, "COMPLIANCE", -1)


def test_governance_gives_way_to_who_may(locked: Bucket) -> None:
    version = locked.put("k")["VersionId"]
    retain(locked, "GOVERNANCE", 5)
    with pytest.raises(ClientError, match="AccessDenied"):
        retain(locked, "GOVERNANCE", 4)
    retain(locked, "GOVERNANCE", 4, BypassGovernanceRetention=True)
    locked.s3.put_object_retention(Bucket="locked", Key="k", Retention={}, BypassGovernanceRetention=True)
    get = locked.s3.get_object_retention
    assert refused(get, Bucket="locked", Key="k") == "NoSuchObjectLockConfiguration"
    retain(locked, "GOVERNANCE", 5)
    delete = locked.s3.delete_object
    assert refused(delete, Bucket="locked", Key="k", VersionId=version) == "AccessDenied"
    delete(Bucket="locked", Key="k", VersionId=version, BypassGovernanceRetention=True)


def test_a_legal_hold_has_no_end(locked: Bucket) -> None:
    version = locked.put("k")["VersionId"]
    get, put = locked.s3.get_object_legal_hold, locked.s3.put_object_legal_hold
    assert refused(get, Bucket="locked", Key="k") == "NoSuchObjectLockConfiguration"
    put(Bucket="locked", Key="k", LegalHold={"Status": "ON"})
    locked.jar.advance(days=5000)
    delete = locked.s3.delete_object
    everything = {"VersionId": version, "BypassGovernanceRetention": True}
    assert refused(delete, Bucket="locked", Key="k", **everything) == "AccessDenied"
    put(Bucket="locked", Key="k", LegalHold={"Status": "OFF"})
    assert get(Bucket="locked", Key="k")["LegalHold"] == {"Status": "OFF"}
    delete(Bucket="locked", Key="k", VersionId=version)


def test_a_bucket_without_it(bucket: Bucket) -> None:
    bucket.put("k")
    s3, place = bucket.s3, {"Bucket": "jam", "Key": "k"}
    assert refused(s3.get_object_retention, **place) == "InvalidRequest"
    assert refused(s3.put_object_legal_hold, **place, LegalHold={"Status": "ON"}) == "InvalidRequest"


def test_lifecycle_waits_for_a_lock(locked: Bucket) -> None:
    locked.put("k", b"1")
    retain(locked, "COMPLIANCE", 10)
    locked.put("k", b"2")
    rule = {
        "ID": "r",
        "Status": "Enabled",
        "Filter": {},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }
    locked.s3.put_bucket_lifecycle_configuration(Bucket="locked", LifecycleConfiguration={"Rules": [rule]})
    locked.jar.advance(days=10)
    listed = locked.s3.list_object_versions(Bucket="locked")
    assert len(listed["Versions"]) == 2
    locked.jar.advance(days=1)
    listed = locked.s3.list_object_versions(Bucket="locked")
    assert len(listed["Versions"]) == 1
