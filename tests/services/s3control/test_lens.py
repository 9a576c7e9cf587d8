"""S3 Storage Lens: the free metrics of every day."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.s3.buckets.test_buckets import code
from tests.services.s3.conftest import REGION, Bucket, create

ONE = {"AccountId": ACCOUNT, "ConfigId": "all"}


@pytest.fixture
def control(jar: TestJar) -> Any:
    """S3 Control in Paris as root."""
    return jar.client("s3control", REGION)


def lens(**more: Any) -> dict[str, Any]:
    return {"Id": "all", "AccountLevel": {"BucketLevel": {}}, "IsEnabled": True, **more}


def export(**more: Any) -> dict[str, Any]:
    place = {"Format": "CSV", "OutputSchemaVersion": "V_1", "AccountId": ACCOUNT, "Arn": "arn:aws:s3:::lens",
             "Prefix": "out", **more}  # fmt: skip
    return {"DataExport": {"S3BucketDestination": place}}


def let_in(bucket: Bucket) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "storage-lens.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::lens/out/StorageLens/{ACCOUNT}/*",
        "Condition": {"StringEquals": {
            "s3:x-amz-acl": "bucket-owner-full-control",
            "aws:SourceAccount": ACCOUNT,
            "aws:SourceArn": f"arn:aws:s3:{REGION}:{ACCOUNT}:storage-lens/all",
        }},
    }  # fmt: skip
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    bucket.s3.put_bucket_policy(Bucket="lens", Policy=text)


def test_the_figures_of_a_day(jar: TestJar, control: Any) -> None:
    place = create(jar, "lens")
    let_in(place)
    jam = create(jar, "jam")
    jam.versioning("Enabled")
    jam.put("k", b"12345")
    jam.put("k", b"123")
    jam.put("gone", b"1")
    jam.s3.delete_object(Bucket="jam", Key="gone")
    jam.put("cold", b"1234567", StorageClass="GLACIER")
    upload = jam.s3.create_multipart_upload(Bucket="jam", Key="u")["UploadId"]
    jam.s3.upload_part(Bucket="jam", Key="u", UploadId=upload, PartNumber=1, Body=b"x" * 11)
    create(jar, "other")
    control.put_storage_lens_configuration(
        **ONE, StorageLensConfiguration=lens(Exclude={"Buckets": ["arn:aws:s3:::lens"]}, **export())
    )
    jar.advance(hours=13)
    folder = f"out/StorageLens/{ACCOUNT}/all/V_1"
    manifest = json.loads(place.read(f"{folder}/manifests/dt=2026-01-15/manifest.json"))
    (file,) = manifest["reportFiles"]
    body = place.read(file["key"])
    assert file["key"].startswith(f"{folder}/reports/dt=2026-01-15/")
    assert (file["size"], file["md5Checksum"]) == (len(body), hashlib.md5(body).hexdigest())
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert manifest["reportSchema"] == ",".join(rows[0])
    found = {(row["storage_class"], row["metric_name"]): int(row["metric_value"])
             for row in rows if (row["record_type"], row["bucket_name"]) == ("BUCKET", "jam")}  # fmt: skip
    assert found["STANDARD", "StorageBytes"] == 9
    assert found["STANDARD", "ObjectCount"] == 3
    assert found["STANDARD", "CurrentVersionStorageBytes"] == 3
    assert found["STANDARD", "NonCurrentVersionObjectCount"] == 2
    assert found["STANDARD", "DeleteMarkerObjectCount"] == 1
    assert found["STANDARD", "IncompleteMultipartUploadStorageBytes"] == 11
    assert found["GLACIER", "EncryptedStorageBytes"] == 7
    of_account = [row for row in rows if row["record_type"] == "ACCOUNT" and row["metric_name"] == "StorageBytes"]
    assert {(row["aws_region"], row["storage_class"], row["metric_value"]) for row in of_account} == {
        (REGION, "STANDARD", "9"), (REGION, "GLACIER", "7"),
    }  # fmt: skip
    assert not any(row["bucket_name"] == "lens" for row in rows)
    control.delete_storage_lens_configuration(**ONE)
    held = len(place.keys())
    jar.advance(days=2)
    assert len(place.keys()) == held


def test_a_bucket_that_does_not_let_it_in_gets_none(jar: TestJar, control: Any) -> None:
    place = create(jar, "lens")
    control.put_storage_lens_configuration(**ONE, StorageLensConfiguration=lens(**export()))
    jar.advance(days=2)
    assert place.keys() == []


def test_kept_listed_tagged_and_gone(jar: TestJar, control: Any) -> None:
    create(jar, "lens")
    wanted = lens(Include={"Regions": [REGION]}, **export())
    tag = {"Key": "a", "Value": "b"}
    control.put_storage_lens_configuration(**ONE, StorageLensConfiguration=wanted, Tags=[tag])
    arn = f"arn:aws:s3:{REGION}:{ACCOUNT}:storage-lens/all"
    got = control.get_storage_lens_configuration(**ONE)["StorageLensConfiguration"]
    assert got == {**wanted, "StorageLensArn": arn}
    listed = control.list_storage_lens_configurations(AccountId=ACCOUNT)["StorageLensConfigurationList"]
    assert listed == [{"Id": "all", "StorageLensArn": arn, "HomeRegion": REGION, "IsEnabled": True}]
    assert control.get_storage_lens_configuration_tagging(**ONE)["Tags"] == [tag]
    control.put_storage_lens_configuration_tagging(**ONE, Tags=[{"Key": "c", "Value": "d"}])
    assert control.get_storage_lens_configuration_tagging(**ONE)["Tags"] == [{"Key": "c", "Value": "d"}]
    control.delete_storage_lens_configuration_tagging(**ONE)
    assert control.get_storage_lens_configuration_tagging(**ONE)["Tags"] == []
    control.delete_storage_lens_configuration(**ONE)
    assert code(control.get_storage_lens_configuration, **ONE) == "NoSuchConfiguration"
    put = control.put_storage_lens_configuration
    assert code(put, **ONE, StorageLensConfiguration=lens(**export(Arn="arn:aws:s3:::none"))) == "InvalidRequest"
    both = lens(Include={"Regions": [REGION]}, Exclude={"Regions": [REGION]})
    assert code(put, **ONE, StorageLensConfiguration=both) == "InvalidRequest"
    active = lens(AccountLevel={"ActivityMetrics": {"IsEnabled": True}, "BucketLevel": {}})
    assert code(put, **ONE, StorageLensConfiguration=active) == "NotImplemented"
