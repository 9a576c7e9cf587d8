"""Inventories by the clock, through a client."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.s3.conftest import Bucket
from tests.services.s3.test_bill import used


@pytest.fixture
def lists(bucket: Bucket, make_bucket: Callable[..., Bucket]) -> Bucket:
    """A bucket that takes the inventories of ``jam``."""
    made = make_bucket("lists")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::lists/*",
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::jam"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made.s3.put_bucket_policy(Bucket="lists", Policy=policy)
    return made


def take(bucket: Bucket, form: str, *fields: str, frequency: str = "Daily", **more: Any) -> None:
    configuration = {
        "Id": "all",
        "IsEnabled": True,
        "IncludedObjectVersions": "Current",
        "Schedule": {"Frequency": frequency},
        "OptionalFields": list(fields),
        "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::lists", "Format": form, "Prefix": "inv"}},
        **more,
    }
    bucket.s3.put_bucket_inventory_configuration(
        Bucket="jam", Id="all", InventoryConfiguration={k: v for k, v in configuration.items() if v != []}
    )


def manifest(lists: Bucket, dated: str = "2026-01-16T01-00Z") -> dict[str, Any]:
    text = lists.read(f"inv/jam/all/{dated}/manifest.json")
    assert lists.read(f"inv/jam/all/{dated}/manifest.checksum").decode() == hashlib.md5(text).hexdigest()
    found: dict[str, Any] = json.loads(text)
    (file,) = found["files"]
    data = lists.read(file["key"])
    assert (file["size"], file["MD5checksum"]) == (len(data), hashlib.md5(data).hexdigest())
    return found | {"data": data}


def test_a_daily_list_as_csv(bucket: Bucket, lists: Bucket) -> None:
    take(bucket, "CSV", "Size", "ETag", "StorageClass", "EncryptionStatus")
    bucket.put("a b", b"123")
    bucket.put("cold", b"", StorageClass="GLACIER")
    bucket.jar.advance(hours=12)
    assert lists.keys() == []
    bucket.jar.advance(hours=1)
    found = manifest(lists)
    assert found["sourceBucket"] == "jam"
    assert found["destinationBucket"] == "arn:aws:s3:::lists"
    assert found["fileSchema"] == "Bucket, Key, Size, ETag, StorageClass, EncryptionStatus"
    rows = list(csv.reader(io.StringIO(gzip.decompress(found["data"]).decode())))
    assert rows == [
        ["jam", "a+b", "3", "202cb962ac59075b964b07152d234b70", "STANDARD", "SSE-S3"],
        ["jam", "cold", "0", "d41d8cd98f00b204e9800998ecf8427e", "GLACIER", "SSE-S3"],
    ]
    assert lists.read("inv/jam/all/hive/dt=2026-01-16-01-00/symlink.txt").decode() == (
        f"s3://lists/{found['files'][0]['key']}"
    )
    bucket.jar.advance(days=1)
    held = lists.keys()
    assert sum(key.endswith("manifest.json") for key in held) == 2
    assert used(bucket, "Inventory-ObjectsListed") == 4


@pytest.mark.parametrize("form", ["Parquet", "ORC"])
def test_every_version_in_columns(versioned: Bucket, lists: Bucket, form: str) -> None:
    from pyarrow import BufferReader, orc, parquet

    take(versioned, form, "Size", "LastModifiedDate", IncludedObjectVersions="All", Filter={"Prefix": "in/"})
    made = versioned.put("in/k", b"123")["VersionId"]
    marker = versioned.s3.delete_object(Bucket="jam", Key="in/k")["VersionId"]
    versioned.put("out/k")
    versioned.jar.advance(hours=13)
    held = BufferReader(manifest(lists)["data"])
    table = parquet.read_table(held) if form == "Parquet" else orc.ORCFile(held).read()
    rows = table.to_pylist()
    assert [(row["version_id"], row["is_latest"], row["is_delete_marker"], row["size"]) for row in rows] == [
        (marker, True, True, None),
        (made, False, False, 3),
    ]
    assert rows[1]["last_modified_date"].isoformat() == "2026-01-15T12:00:00+00:00"


def test_weekly_lists_come_on_sundays(bucket: Bucket, lists: Bucket) -> None:
    take(bucket, "CSV", frequency="Weekly")
    bucket.put("k")
    bucket.jar.advance(days=2, hours=12)  # the 15th is a Thursday
    assert lists.keys() == []
    bucket.jar.advance(hours=1)
    assert manifest(lists, "2026-01-18T01-00Z")["fileFormat"] == "CSV"


def test_a_bucket_that_does_not_let_s3_in_gets_none(bucket: Bucket, make_bucket: Callable[..., Bucket]) -> None:
    lists = make_bucket("lists")
    take(bucket, "CSV")
    bucket.put("k")
    bucket.jar.advance(days=2)
    assert lists.keys() == []
