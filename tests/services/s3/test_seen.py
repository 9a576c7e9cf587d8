"""What answers leave behind: access logs, request metrics, the bill; and the daily metrics of storage."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.kit import quantities as kit
from tests.jar import ACCOUNT
from tests.services.s3.conftest import REGION, Bucket


def let_in(target: Bucket, source: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target.name}/*",
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{source}"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    target.s3.put_bucket_policy(Bucket=target.name, Policy=policy)


def log_into(bucket: Bucket, target: str) -> None:
    bucket.s3.put_bucket_logging(
        Bucket=bucket.name,
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "log/"}},
    )


def test_access_logs_are_delivered_by_the_hour(bucket: Bucket, make_bucket: Callable[..., Bucket]) -> None:
    target = make_bucket("logs")
    with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
        log_into(bucket, "logs")
    let_in(target, "jam")
    log_into(bucket, "logs")
    bucket.put("a b", b"123")
    bucket.read("a b")
    with pytest.raises(ClientError):
        bucket.read("none")
    bucket.jar.advance(hours=1, minutes=1)
    (key,) = target.keys()
    assert key.startswith("log/2026-01-15-13-00-00-")
    found = [line.split(" ") for line in target.read(key).decode().splitlines()]
    told = [(line[7], line[8]) for line in found]
    assert told == [
        ("REST.PUT.LOGGING", "-"),
        ("REST.PUT.OBJECT", "a%20b"),
        ("REST.GET.OBJECT", "a%20b"),
        ("REST.GET.OBJECT", "none"),
    ] or told == [
        ("REST.PUT.OBJECT", "a%20b"),
        ("REST.GET.OBJECT", "a%20b"),
        ("REST.GET.OBJECT", "none"),
    ]
    get, missing = found[-2], found[-1]
    assert get[1:4] == ["jam", "[15/Jan/2026:12:00:00", "+0000]"]
    assert get[9:16] == ['"GET', "/jam/a%20b", 'HTTP/1.1"', "200", "-", "3", "3"]
    assert missing[12:14] == ["404", "NoSuchKey"]
    assert all(len(line.rpartition('" ')[2].split(" ")) == 9 for line in target.read(key).decode().splitlines())


def amounts(bucket: Bucket, usage_type: str) -> int:
    jar: Any = bucket.jar.jar
    kit.collect(jar.world)
    now = bucket.jar.clock.now()
    rows = jar.quantities.rows(now - timedelta(days=30), now + timedelta(hours=1), ACCOUNT)
    return sum(row.amount for row in rows if row.tally.usage_type == usage_type and row.owner.resource == bucket.name)


def test_requests_are_paid_by_their_class_and_bytes_by_their_number(bucket: Bucket) -> None:
    before = amounts(bucket, "Requests-Tier1")
    bucket.put("k", b"x" * 1000)
    bucket.read("k")
    bucket.head("k")
    bucket.keys()
    bucket.put("cold", b"y" * 10, StorageClass="STANDARD_IA")
    bucket.read("cold")
    bucket.s3.delete_object(Bucket="jam", Key="k")
    assert amounts(bucket, "Requests-Tier1") - before == 2
    assert amounts(bucket, "Requests-Tier2") == 2
    assert amounts(bucket, "Requests-SIA-Tier1") == 1
    assert amounts(bucket, "Requests-SIA-Tier2") == 1
    assert amounts(bucket, "Retrieval-SIA") == 10
    assert amounts(bucket, "DataTransfer-Out-Bytes") >= 1010


def test_request_metrics_by_configuration(bucket: Bucket) -> None:
    for name, more in (("all", {}), ("some", {"Filter": {"Prefix": "in/"}})):
        bucket.s3.put_bucket_metrics_configuration(
            Bucket="jam", Id=name, MetricsConfiguration={"Id": name, **more}
        )
    bucket.put("in/a", b"123")
    bucket.put("out/b", b"12345")
    with pytest.raises(ClientError):
        bucket.read("in/none")
    kit.collect(bucket.jar.jar.world)
    bucket.jar.advance(minutes=5)
    assert total(bucket, "PutRequests", FilterId="some") == 1
    assert total(bucket, "4xxErrors", FilterId="some") == 1
    assert total(bucket, "BytesUploaded", FilterId="all") >= 8
    assert total(bucket, "AllRequests", FilterId="some") == 2


def total(bucket: Bucket, name: str, *, statistic: str = "Sum", **dimensions: str) -> float:
    now = bucket.jar.clock.now()
    named = {"BucketName": "jam", **dimensions}
    found = bucket.jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/S3",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in named.items()],
        StartTime=now - timedelta(days=2),
        EndTime=now + timedelta(minutes=1),
        Period=86400,
        Statistics=[statistic],
    )
    return float(sum(point[statistic] for point in found["Datapoints"]))


def test_storage_is_measured_once_a_day(bucket: Bucket) -> None:
    bucket.put("k", b"x" * 1000)
    bucket.put("cold", b"x" * 10, StorageClass="GLACIER")
    bucket.jar.advance(days=1)
    assert total(bucket, "NumberOfObjects", statistic="Average", StorageType="AllStorageTypes") == 2
    assert total(bucket, "BucketSizeBytes", statistic="Average", StorageType="StandardStorage") == 1000
    assert total(bucket, "BucketSizeBytes", statistic="Average", StorageType="GlacierStorage") == 10
    assert total(bucket, "BucketSizeBytes", statistic="Average", StorageType="GlacierObjectOverhead") == 32 << 10
    assert total(bucket, "BucketSizeBytes", statistic="Average", StorageType="GlacierS3ObjectOverhead") == 8 << 10


def test_small_objects_of_cold_classes_are_told_as_what_they_cost(bucket: Bucket) -> None:
    bucket.put("k", b"x" * 1000, StorageClass="STANDARD_IA")
    bucket.jar.advance(days=1)
    assert total(bucket, "BucketSizeBytes", statistic="Average", StorageType="StandardIAStorage") == 1000
    lacking = total(bucket, "BucketSizeBytes", statistic="Average", StorageType="StandardIASizeOverhead")
    assert lacking == (128 << 10) - 1000


def test_parts_of_uploads_under_way_are_measured_too(bucket: Bucket) -> None:
    bucket.put("k", b"x" * 1000, StorageClass="STANDARD_IA")
    for storage_class in ("STANDARD", "STANDARD_IA", "GLACIER", "INTELLIGENT_TIERING"):
        begun = bucket.s3.create_multipart_upload(Bucket="jam", Key=storage_class, StorageClass=storage_class)
        for number in (1, 2):
            bucket.s3.upload_part(
                Bucket="jam", Key=storage_class, UploadId=begun["UploadId"], PartNumber=number, Body=b"x" * 500
            )
    bucket.jar.advance(days=1)
    assert total(bucket, "NumberOfObjects", statistic="Average", StorageType="AllStorageTypes") == 9
    sizes = {
        "StandardStorage": 1000,
        "StandardIAStorage": 2000,
        "StandardIASizeOverhead": (128 << 10) - 1000,
        "GlacierStagingStorage": 1000,
        "GlacierStorage": 0,
        "IntelligentTieringFAStorage": 1000,
    }
    for kind, size in sizes.items():
        assert total(bucket, "BucketSizeBytes", statistic="Average", StorageType=kind) == size, kind


def test_request_metrics_by_tags_and_access_point(bucket: Bucket) -> None:
    control = bucket.jar.client("s3control", REGION)
    made = control.create_access_point(AccountId=ACCOUNT, Name="door", Bucket="jam")
    arn, alias = made["AccessPointArn"], made["Alias"]
    red = {"Key": "colour", "Value": "red"}
    wanted: dict[str, Any] = {
        "tagged": {"Tag": red},
        "both": {"And": {"Prefix": "in/", "Tags": [red]}},
        "door": {"AccessPointArn": arn},
    }
    for name, filter_ in wanted.items():
        configuration = {"Id": name, "Filter": filter_}
        bucket.s3.put_bucket_metrics_configuration(Bucket="jam", Id=name, MetricsConfiguration=configuration)
    bucket.put("in/a", b"1", Tagging="colour=red")
    bucket.put("b", b"1", Tagging="colour=red&x=y")
    bucket.put("in/c", b"1", Tagging="colour=blue")
    bucket.read("b")
    bucket.s3.get_object(Bucket=alias, Key="in/c")["Body"].read()
    kit.collect(bucket.jar.jar.world)
    bucket.jar.advance(minutes=5)
    found = {name: total(bucket, "AllRequests", FilterId=name) for name in wanted}
    assert found == {"tagged": 3, "both": 1, "door": 1}
    assert total(bucket, "GetRequests", FilterId="tagged") == 1
