"""Storage class analysis, by the clock."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.services.s3.buckets.test_buckets import code
from tests.services.s3.conftest import Bucket
from tests.services.s3.test_bill import used

MB = 1 << 20


@pytest.fixture
def found(make_bucket: Callable[..., Bucket]) -> Bucket:
    """A bucket that takes what ``jam`` is found to be."""
    made = make_bucket("found")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::found/*",
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::jam"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made.s3.put_bucket_policy(Bucket="found", Policy=policy)
    return made


def analyse(bucket: Bucket, **more: object) -> None:
    place = {"Bucket": "arn:aws:s3:::found", "Format": "CSV", "Prefix": "out"}
    export = {"OutputSchemaVersion": "V_1", "Destination": {"S3BucketDestination": place}}
    wanted = {"Id": "all", "StorageClassAnalysis": {"DataExport": export}, **more}
    bucket.s3.put_bucket_analytics_configuration(Bucket="jam", Id="all", AnalyticsConfiguration=wanted)


def rows(found: Bucket) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(found.read("out/jam/all.csv").decode())))


def figures(row: dict[str, str]) -> tuple[str, int, float, float, float, int]:
    return (row["ObjectAge"], int(row["ObjectCount"]), float(row["Storage_MB"]), float(row["DataUploaded_MB"]),
            float(row["DataRetrieved_MB"]), int(row["GetRequestCount"]))  # fmt: skip


def test_what_lies_there_and_what_is_read_by_age(bucket: Bucket, found: Bucket) -> None:
    analyse(bucket, Filter={"Prefix": "in/"})
    bucket.put("in/a", b"x" * MB)
    bucket.put("in/b", b"x" * MB)
    bucket.put("in/cold", b"x" * MB, StorageClass="GLACIER")
    bucket.put("out", b"x" * MB)
    bucket.read("in/a")
    bucket.read("out")
    bucket.jar.advance(days=1)
    (first,) = rows(found)
    assert figures(first) == ("000-014", 2, 2.0, 2.0, 1.0, 1)
    assert (first["Date"], first["ConfigId"], first["Filter"]) == ("2026-01-15", "all", "in/")
    assert (first["StorageClass"], first["CumulativeAccessRatio"]) == ("STANDARD", "0.500000")
    bucket.jar.advance(days=15)
    bucket.put("in/new", b"x" * MB)
    bucket.read("in/b", Range="bytes=0-524287")
    bucket.jar.advance(days=1)
    told = rows(found)
    assert len({row["Date"] for row in told}) == 17  # every day is in the one file
    assert [figures(row) for row in told[-2:]] == [("000-014", 1, 1.0, 1.0, 0.0, 0), ("015-029", 2, 2.0, 0.0, 0.5, 1)]
    # Two objects are watched on 16 days and three on one, each a 31st of the month.
    assert used(bucket, "StorageAnalytics-ObjCount") == Decimal(35) / 31


def test_one_that_is_gone_is_no_more_told(bucket: Bucket, found: Bucket) -> None:
    analyse(bucket)
    bucket.put("k", b"x" * MB)
    bucket.jar.advance(days=1)
    assert len(rows(found)) == 1
    bucket.s3.delete_bucket_analytics_configuration(Bucket="jam", Id="all")
    found.s3.delete_object(Bucket="found", Key="out/jam/all.csv")
    bucket.jar.advance(days=2)
    assert found.keys() == []
    assert code(bucket.s3.get_bucket_analytics_configuration, Bucket="jam", Id="all") == "NoSuchConfiguration"


def test_a_bucket_that_does_not_let_s3_in_gets_none(bucket: Bucket, make_bucket: Callable[..., Bucket]) -> None:
    found = make_bucket("found")
    analyse(bucket)
    bucket.put("k", b"x")
    bucket.jar.advance(days=2)
    assert found.keys() == []
