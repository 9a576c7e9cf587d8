"""What storage costs, exact over jumps of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cloudjar.billing import lines, quantities
from cloudjar.kit import quantities as kit
from tests.services.s3.conftest import Bucket

GB = 1 << 30
JANUARY = Decimal(31 * 24)


def used(bucket: Bucket, usage_type: str) -> Decimal:
    """GB-months (or units) of a usage type in all."""
    jar: Any = bucket.jar.jar
    kit.collect(jar.world)
    begin, now = datetime(2026, 1, 1, tzinfo=UTC), bucket.jar.clock.now()
    end = now + timedelta(hours=1)
    found = [
        *lines.measure(jar.usage.spans(begin, end), begin, now),
        *quantities.lines(jar.quantities.rows(begin, end)),
    ]
    return sum((line.quantity for line in found if line.usage_type == usage_type), Decimal(0))


def near(found: Decimal, expected: Decimal) -> bool:
    return abs(found - expected) < Decimal("1e-15")


def hours(size: int, count: float) -> Decimal:
    """GB-months of January."""
    return Decimal(size) / GB * Decimal(count) / JANUARY


def test_bytes_are_paid_for_as_long_as_they_are_kept(bucket: Bucket) -> None:
    bucket.put("k", b"x" * 100_000)
    bucket.jar.advance(minutes=30)
    bucket.put("k", b"x" * 50_000)
    bucket.jar.advance(days=3, minutes=7)
    bucket.put("other", b"x" * 10)
    bucket.jar.advance(hours=1)
    bucket.s3.delete_object(Bucket=bucket.name, Key="k")
    bucket.jar.advance(hours=10)
    expected = hours(100_000, 0.5) + hours(50_000, 72 + 1) + hours(50_000, 7) / 60 + hours(10, 11)
    assert near(used(bucket, "TimedStorage-ByteHrs"), expected)
    bucket.jar.advance(hours=1)
    assert near(used(bucket, "TimedStorage-ByteHrs"), expected + hours(10, 1))


def test_each_month_is_counted_by_its_own_hours(bucket: Bucket) -> None:
    bucket.put("k", b"x" * 100_000)
    bucket.jar.advance(days=17, hours=-12)  # to the end of January
    assert near(used(bucket, "TimedStorage-ByteHrs"), hours(100_000, 16.5 * 24))
    bucket.jar.advance(days=28)
    assert near(used(bucket, "TimedStorage-ByteHrs"), hours(100_000, 16.5 * 24) + Decimal(100_000) / GB)


def test_infrequent_classes_have_a_least_size_and_a_least_time(bucket: Bucket) -> None:
    bucket.put("k", b"x", StorageClass="STANDARD_IA")
    bucket.jar.advance(hours=1)
    least = 128 << 10
    assert near(used(bucket, "TimedStorage-SIA-ByteHrs"), hours(least, 1))
    bucket.s3.delete_object(Bucket=bucket.name, Key="k")
    assert near(used(bucket, "EarlyDelete-SIA"), hours(least, 30 * 24 - 1))
    bucket.jar.advance(days=1)
    assert near(used(bucket, "TimedStorage-SIA-ByteHrs"), hours(least, 1))


def test_archived_objects_have_an_overhead_and_restored_copies_cost(bucket: Bucket) -> None:
    bucket.put("k", b"x" * 1000, StorageClass="GLACIER")
    bucket.jar.advance(hours=2)
    assert near(used(bucket, "TimedStorage-GlacierByteHrs"), hours(1000 + (32 << 10), 2))
    assert near(used(bucket, "TimedStorage-ByteHrs"), hours(8 << 10, 2))
    restore = {"Days": 1, "GlacierJobParameters": {"Tier": "Standard"}}
    bucket.s3.restore_object(Bucket=bucket.name, Key="k", RestoreRequest=restore)
    bucket.jar.advance(hours=6)  # ready after five
    assert near(used(bucket, "TimedStorage-ByteHrs"), hours(8 << 10, 8) + hours(1000, 1))


def test_versions_and_suspended_markers(versioned: Bucket) -> None:
    versioned.put("k", b"x" * 1000)
    versioned.put("k", b"x" * 1000)
    versioned.versioning("Suspended")
    versioned.put("k", b"x" * 500)
    versioned.s3.delete_object(Bucket=versioned.name, Key="k")  # its marker takes the place of the null version
    versioned.jar.advance(hours=1)
    assert near(used(versioned, "TimedStorage-ByteHrs"), hours(2000, 1))


def test_unfinished_uploads_are_paid_until_they_are_completed_or_given_up(bucket: Bucket) -> None:
    large, small = 5 << 20, 100_000

    def begun(key: str, **how: Any) -> str:
        return str(bucket.s3.create_multipart_upload(Bucket=bucket.name, Key=key, **how)["UploadId"])

    def part(key: str, upload: str, number: int, size: int) -> dict[str, Any]:
        told = bucket.s3.upload_part(
            Bucket=bucket.name, Key=key, UploadId=upload, PartNumber=number, Body=b"x" * size
        )
        return {"PartNumber": number, "ETag": told["ETag"]}

    whole = begun("whole")
    parts = [part("whole", whole, 1, large)]
    bucket.jar.advance(hours=2)
    parts.append(part("whole", whole, 2, 7))
    part("whole", whole, 3, small)
    bucket.jar.advance(hours=1)
    part("whole", whole, 3, 2 * small)  # in the other's place
    bucket.jar.advance(hours=1)
    expected = hours(large, 4) + hours(7, 2) + hours(small, 1) + hours(2 * small, 1)
    assert near(used(bucket, "TimedStorage-ByteHrs"), expected)
    complete = {"Parts": parts}
    bucket.s3.complete_multipart_upload(Bucket=bucket.name, Key="whole", UploadId=whole, MultipartUpload=complete)
    bucket.jar.advance(hours=3)  # what was not listed went
    expected += hours(large + 7, 3)
    assert near(used(bucket, "TimedStorage-ByteHrs"), expected)
    bucket.s3.delete_object(Bucket=bucket.name, Key="whole")
    seldom, cold = begun("seldom", StorageClass="STANDARD_IA"), begun("cold", StorageClass="DEEP_ARCHIVE")
    part("seldom", seldom, 1, small)
    part("cold", cold, 1, small)
    bucket.jar.advance(hours=5)
    bucket.s3.abort_multipart_upload(Bucket=bucket.name, Key="seldom", UploadId=seldom)
    bucket.s3.abort_multipart_upload(Bucket=bucket.name, Key="cold", UploadId=cold)
    bucket.jar.advance(hours=5)
    assert near(used(bucket, "TimedStorage-SIA-ByteHrs"), hours(small, 5))
    assert near(used(bucket, "TimedStorage-ByteHrs"), expected + hours(small, 5))
    assert not used(bucket, "EarlyDelete-SIA") + used(bucket, "EarlyDelete-GDA") + used(
        bucket, "TimedStorage-GDA-ByteHrs"
    )


def test_a_bucket_takes_its_unfinished_uploads_with_it(bucket: Bucket) -> None:
    upload = bucket.s3.create_multipart_upload(Bucket=bucket.name, Key="k")["UploadId"]
    bucket.s3.upload_part(Bucket=bucket.name, Key="k", UploadId=upload, PartNumber=1, Body=b"x" * 100_000)
    bucket.jar.advance(hours=2)
    bucket.s3.delete_bucket(Bucket=bucket.name)
    bucket.jar.advance(days=2)
    assert near(used(bucket, "TimedStorage-ByteHrs"), hours(100_000, 2))
