"""Lifecycle rules carried out by the clock, and restores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.s3.conftest import Bucket
from tests.services.s3.test_bill import used


def rules(bucket: Bucket, *given: dict[str, Any], **more: Any) -> None:
    full = [{"ID": f"r{i}", "Status": "Enabled", "Filter": {}, **rule} for i, rule in enumerate(given)]
    bucket.s3.put_bucket_lifecycle_configuration(
        Bucket=bucket.name, LifecycleConfiguration={"Rules": full}, **more
    )


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    found: str = raised.value.response["Error"]["Code"]
    return found


def test_the_configuration_is_echoed_and_goes(bucket: Bucket) -> None:
    with pytest.raises(ClientError) as caught:
        bucket.s3.get_bucket_lifecycle_configuration(Bucket=bucket.name)
    assert code(caught) == "NoSuchLifecycleConfiguration"
    rules(bucket, {"Filter": {"Prefix": "a/"}, "Expiration": {"Days": 3}})
    found = bucket.s3.get_bucket_lifecycle_configuration(Bucket=bucket.name)
    assert found["Rules"] == [{"ID": "r0", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 3}}]
    assert found["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    bucket.s3.delete_bucket_lifecycle(Bucket=bucket.name)
    with pytest.raises(ClientError):
        bucket.s3.get_bucket_lifecycle_configuration(Bucket=bucket.name)


def test_objects_expire_at_midnight_also_those_that_were_there_before(bucket: Bucket) -> None:
    bucket.put("a/old")
    rules(bucket, {"Filter": {"Prefix": "a/"}, "Expiration": {"Days": 3}})
    put = bucket.put("a/new")
    bucket.put("b/other")
    # The clock of tests begins on 2026-01-15 at noon: three days later is the 18th at noon, the next midnight the 19th.
    assert put["Expiration"] == 'expiry-date="Mon, 19 Jan 2026 00:00:00 GMT", rule-id="r0"'
    bucket.jar.settle()
    bucket.jar.advance(days=3, hours=11)
    assert bucket.keys() == ["a/new", "a/old", "b/other"]
    bucket.jar.advance(hours=1)
    assert bucket.keys() == ["b/other"]


def test_rules_that_go_do_nothing_more(bucket: Bucket) -> None:
    rules(bucket, {"Expiration": {"Days": 1}})
    bucket.put("k")
    bucket.s3.delete_bucket_lifecycle(Bucket=bucket.name)
    bucket.jar.advance(days=30)
    assert bucket.keys() == ["k"]


def test_a_versioned_bucket_gets_a_marker_then_loses_what_is_noncurrent_then_the_marker(versioned: Bucket) -> None:
    rules(
        versioned,
        {"Expiration": {"Days": 1}, "NoncurrentVersionExpiration": {"NoncurrentDays": 2}},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}},
    )
    versioned.put("k", b"1")
    versioned.put("k", b"2")
    versioned.jar.advance(days=2)
    listed = versioned.s3.list_object_versions(Bucket=versioned.name)
    assert [marker["IsLatest"] for marker in listed["DeleteMarkers"]] == [True]
    assert len(listed["Versions"]) == 2
    versioned.jar.advance(days=6)
    listed = versioned.s3.list_object_versions(Bucket=versioned.name)
    assert "Versions" not in listed
    assert "DeleteMarkers" not in listed


def test_newer_noncurrent_versions_are_kept(versioned: Bucket) -> None:
    rules(versioned, {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}})
    made = [versioned.put("k", str(i).encode())["VersionId"] for i in range(5)]
    versioned.jar.advance(days=3)
    left = [v["VersionId"] for v in versioned.s3.list_object_versions(Bucket=versioned.name)["Versions"]]
    assert left == made[:1:-1]
    latest = versioned.put("k", b"5")["VersionId"]
    versioned.jar.advance(days=3)
    left = [v["VersionId"] for v in versioned.s3.list_object_versions(Bucket=versioned.name)["Versions"]]
    assert left == [latest, *made[:2:-1]]


def test_tags_decide_and_may_change(bucket: Bucket) -> None:
    rules(bucket, {"Filter": {"Tag": {"Key": "tmp", "Value": "yes"}}, "Expiration": {"Days": 1}})
    bucket.put("gone", Tagging="tmp=yes")
    bucket.put("stays", Tagging="tmp=no")
    bucket.jar.advance(days=3)
    assert bucket.keys() == ["stays"]
    bucket.s3.put_object_tagging(
        Bucket=bucket.name, Key="stays", Tagging={"TagSet": [{"Key": "tmp", "Value": "yes"}]}
    )
    bucket.jar.advance(days=1)
    assert bucket.keys() == []


def test_objects_move_and_are_read_again_after_a_restore(bucket: Bucket) -> None:
    rules(
        bucket,
        {
            "Transitions": [
                {"Days": 30, "StorageClass": "STANDARD_IA"},
                {"Days": 60, "StorageClass": "GLACIER"},
            ]
        },
    )
    body = b"x" * (200 << 10)
    bucket.put("large", body)
    bucket.put("small", b"x")
    bucket.jar.advance(days=31)
    assert bucket.head("large")["StorageClass"] == "STANDARD_IA"
    assert "StorageClass" not in bucket.head("small")
    assert bucket.read("large") == body
    bucket.jar.advance(days=30)
    assert bucket.head("large")["StorageClass"] == "GLACIER"
    with pytest.raises(ClientError) as caught:
        bucket.read("large")
    assert code(caught) == "InvalidObjectState"
    restore = {"Days": 2, "GlacierJobParameters": {"Tier": "Standard"}}
    answer = bucket.s3.restore_object(Bucket=bucket.name, Key="large", RestoreRequest=restore)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert bucket.head("large")["Restore"] == 'ongoing-request="true"'
    with pytest.raises(ClientError) as caught:
        bucket.s3.restore_object(Bucket=bucket.name, Key="large", RestoreRequest=restore)
    assert code(caught) == "RestoreAlreadyInProgress"
    bucket.jar.advance(hours=5)
    assert bucket.head("large")["Restore"] == (
        'ongoing-request="false", expiry-date="Fri, 20 Mar 2026 00:00:00 GMT"'
    )
    assert bucket.read("large") == body
    answer = bucket.s3.restore_object(Bucket=bucket.name, Key="large", RestoreRequest=restore)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    bucket.jar.advance(days=4)
    assert "Restore" not in bucket.head("large")
    with pytest.raises(ClientError) as caught:
        bucket.read("large")
    assert code(caught) == "InvalidObjectState"


def test_what_cannot_be_restored(bucket: Bucket) -> None:
    bucket.put("plain")
    bucket.put("deep", StorageClass="DEEP_ARCHIVE")
    days = {"Days": 1}
    with pytest.raises(ClientError) as caught:
        bucket.s3.restore_object(Bucket=bucket.name, Key="plain", RestoreRequest=days)
    assert code(caught) == "InvalidObjectState"
    with pytest.raises(ClientError) as caught:
        bucket.s3.restore_object(
            Bucket=bucket.name, Key="deep", RestoreRequest={**days, "GlacierJobParameters": {"Tier": "Expedited"}}
        )
    assert code(caught) == "InvalidArgument"
    with pytest.raises(ClientError) as caught:
        bucket.s3.restore_object(Bucket=bucket.name, Key="deep", RestoreRequest={"Days": 0})
    assert code(caught) == "InvalidArgument"


def test_a_faster_tier_overtakes(bucket: Bucket) -> None:
    bucket.put("k", b"x", StorageClass="GLACIER")
    ask = bucket.s3.restore_object
    ask(Bucket=bucket.name, Key="k", RestoreRequest={"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}})
    ask(Bucket=bucket.name, Key="k", RestoreRequest={"Days": 1, "GlacierJobParameters": {"Tier": "Expedited"}})
    bucket.jar.advance(minutes=5)
    assert bucket.read("k") == b"x"


def test_intelligent_tiering_archives_what_is_idle(bucket: Bucket) -> None:
    bucket.s3.put_bucket_intelligent_tiering_configuration(
        Bucket=bucket.name,
        Id="all",
        IntelligentTieringConfiguration={
            "Id": "all",
            "Status": "Enabled",
            "Tierings": [
                {"Days": 90, "AccessTier": "ARCHIVE_ACCESS"},
                {"Days": 180, "AccessTier": "DEEP_ARCHIVE_ACCESS"},
            ],
        },
    )
    bucket.put("k", b"x" * (128 << 10), StorageClass="INTELLIGENT_TIERING")
    bucket.jar.advance(days=89)
    bucket.read("k")  # which keeps it for as long again
    bucket.jar.advance(days=3)
    assert "ArchiveStatus" not in bucket.head("k")
    bucket.jar.advance(days=89)
    assert bucket.head("k")["ArchiveStatus"] == "ARCHIVE_ACCESS"
    with pytest.raises(ClientError) as caught:
        bucket.read("k")
    assert code(caught) == "InvalidObjectState"
    bucket.s3.restore_object(Bucket=bucket.name, Key="k", RestoreRequest={})
    bucket.jar.advance(hours=6)
    assert len(bucket.read("k")) == 128 << 10
    assert "ArchiveStatus" not in bucket.head("k")


def test_intelligent_tiering_moves_what_nobody_reads_and_brings_it_back(bucket: Bucket) -> None:
    size = 128 << 10
    bucket.put("k", b"x" * size, StorageClass="INTELLIGENT_TIERING")
    bucket.put("read", b"x" * size, StorageClass="INTELLIGENT_TIERING")
    bucket.put("small", b"x" * 10, StorageClass="INTELLIGENT_TIERING")

    def held(tier: str) -> float:
        day = {"StorageType": f"IntelligentTiering{tier}Storage"}
        return last(bucket, "BucketSizeBytes", **day)

    bucket.jar.advance(days=20)
    assert held("FA") == 2 * size + 10
    bucket.read("read")
    bucket.jar.advance(days=12)
    assert (held("FA"), held("IA")) == (size + 10, size)
    bucket.jar.advance(days=70)
    assert (held("FA"), held("IA"), held("AIA")) == (10, size, size)
    assert used(bucket, "TimedStorage-INT-AIA-ByteHrs") > 0
    assert len(bucket.read("k")) == size
    bucket.jar.advance(days=1)
    assert held("FA") == size + 10
    # Two objects are watched for 103 days; the small one costs nothing.
    watched = used(bucket, "Monitoring-Automation-INT")
    assert 2 * Decimal("3.2") < watched < 2 * Decimal("3.5")


def last(bucket: Bucket, name: str, **dimensions: str) -> float:
    """A metric's newest value."""
    now = bucket.jar.clock.now()
    found = bucket.jar.client("cloudwatch", "eu-west-3").get_metric_statistics(
        Namespace="AWS/S3",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in {"BucketName": bucket.name, **dimensions}.items()],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(minutes=1),
        Period=86400,
        Statistics=["Average"],
    )["Datapoints"]
    return float(found[-1]["Average"]) if found else 0.0


def test_a_date_that_is_over_ends_what_comes_after_it_too(bucket: Bucket) -> None:
    rules(bucket, {"Expiration": {"Date": datetime(2026, 1, 10, tzinfo=UTC)}})
    bucket.put("k")
    bucket.jar.advance(hours=13)
    assert bucket.keys() == []


def test_a_deleted_bucket_takes_its_agenda_with_it(bucket: Bucket) -> None:
    rules(bucket, {"Expiration": {"Days": 1}})
    bucket.put("k")
    bucket.s3.delete_object(Bucket=bucket.name, Key="k")
    bucket.s3.delete_bucket(Bucket=bucket.name)
    bucket.jar.settle()
    assert bucket.jar.jar.database.query("SELECT count(*) FROM s3_due") == [(0,)]
