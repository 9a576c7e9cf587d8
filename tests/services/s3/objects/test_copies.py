"""Copies: what they take over, what they change, and that no byte moves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from tests.services.answers import refused
from tests.services.s3.conftest import Bucket


def copy(bucket: Bucket, key: str, source: str, **more: Any) -> dict[str, Any]:
    origin = {"Bucket": bucket.name, "Key": source}
    answer: dict[str, Any] = bucket.s3.copy_object(**{"Bucket": bucket.name, "Key": key, "CopySource": origin} | more)
    return answer


def test_a_copy_takes_over_what_it_is_not_told(bucket: Bucket) -> None:
    put = bucket.put("a b/ü", b"x" * 50_000, Metadata={"m": "1"}, ContentType="text/x", Tagging="t=1",
                     WebsiteRedirectLocation="/y", StorageClass="STANDARD_IA")  # fmt: skip
    told = copy(bucket, "k", "a b/ü")
    assert told["CopyObjectResult"]["ETag"] == put["ETag"]
    head = bucket.head("k")
    assert (head["Metadata"], head["ContentType"], head["TagCount"]) == ({"m": "1"}, "text/x", 1)
    assert "StorageClass" not in head
    assert "WebsiteRedirectLocation" not in head
    bucket.s3.delete_object(Bucket=bucket.name, Key="a b/ü")
    assert bucket.read("k") == b"x" * 50_000
    told = copy(bucket, "l", "k", MetadataDirective="REPLACE", TaggingDirective="REPLACE", Tagging="u=2&v=3",
                Metadata={"n": "2"})  # fmt: skip
    head = bucket.head("l")
    assert (head["Metadata"], head["ContentType"], head["TagCount"]) == ({"n": "2"}, "binary/octet-stream", 2)


def test_files_are_shared(bucket: Bucket) -> None:
    bucket.put("a", b"x" * 50_000)
    copy(bucket, "b", "a")
    assert [row[1] for row in bucket.jar.jar.world.ports["objects"].counts()] == [2]
    bucket.s3.delete_object(Bucket=bucket.name, Key="a")
    assert bucket.read("b") == b"x" * 50_000
    bucket.s3.delete_object(Bucket=bucket.name, Key="b")
    assert list(bucket.jar.jar.world.ports["objects"].counts()) == []


def test_a_copy_onto_itself_changes_something(bucket: Bucket) -> None:
    bucket.put("k", b"x")
    with refused("InvalidRequest", "without changing the object's metadata, storage class"):
        copy(bucket, "k", "k")
    copy(bucket, "k", "k", StorageClass="STANDARD_IA")
    assert bucket.head("k")["StorageClass"] == "STANDARD_IA"
    copy(bucket, "k", "k", MetadataDirective="REPLACE", Metadata={"a": "b"}, StorageClass="STANDARD_IA")
    assert bucket.head("k")["Metadata"] == {"a": "b"}
    copy(bucket, "k", "k", ServerSideEncryption="AES256")
    assert bucket.read("k") == b"x"


def test_an_old_version_is_brought_back(versioned: Bucket) -> None:
    first = versioned.put("k", b"1")["VersionId"]
    versioned.put("k", b"2")
    source = {"Bucket": versioned.name, "Key": "k", "VersionId": first}
    told = copy(versioned, "k", "k", CopySource=source)
    assert told["CopySourceVersionId"] == first
    assert versioned.read("k") == b"1"
    marker = versioned.s3.delete_object(Bucket=versioned.name, Key="k")["VersionId"]
    with refused("NoSuchKey", status=404):
        copy(versioned, "l", "k")
    with refused("InvalidRequest", "may not specifically refer to a delete marker by version id"):
        copy(versioned, "l", "k", CopySource=source | {"VersionId": marker})


def test_a_copy_of_parts_is_one_whole(bucket: Bucket) -> None:
    body = b"0123456789" * 600_000
    upload = bucket.s3.create_multipart_upload(Bucket=bucket.name, Key="k")["UploadId"]
    parts = []
    for number, piece in ((1, body[: 5 << 20]), (2, body[5 << 20 :])):
        sent = bucket.s3.upload_part(Bucket=bucket.name, Key="k", UploadId=upload, PartNumber=number, Body=piece)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    bucket.s3.complete_multipart_upload(
        Bucket=bucket.name, Key="k", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    told = copy(bucket, "l", "k", ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    assert told["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert told["ChecksumSHA256"]
    assert bucket.read("l") == body
    assert "PartsCount" not in bucket.head("l", PartNumber=1)


def test_sources_that_are_none(bucket: Bucket, make_bucket: Callable[..., Bucket]) -> None:
    other = make_bucket("other-jam")
    bucket.put("k", b"x")
    with refused("NoSuchKey", status=404):
        copy(bucket, "l", "nothing")
    with refused("NoSuchBucket", status=404):
        copy(bucket, "l", "k", CopySource="no-such-bucket-here/k")
    with refused("InvalidArgument"):
        copy(bucket, "l", "k", CopySource="k")
    told = copy(other, "k", "k", CopySource=f"/{bucket.name}/k")
    assert "CopySourceVersionId" not in told
    assert other.read("k") == b"x"
