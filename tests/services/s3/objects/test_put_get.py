"""Objects go in and come out: bytes, ranges, headers, metadata, tags, checksums."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import Any

import pytest

from tests.jar import ACCOUNT
from tests.services.answers import refused
from tests.services.s3.conftest import Bucket


def test_bytes_come_back(bucket: Bucket) -> None:
    s3 = bucket.s3
    for size in (0, 1, 16 << 10, (16 << 10) + 1, 300_000, 3 << 20):
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        put = s3.put_object(Bucket=bucket.name, Key=f"k/{size}", Body=body)
        got = s3.get_object(Bucket=bucket.name, Key=f"k/{size}")
        assert got["Body"].read() == body
        assert got["ContentLength"] == size
        assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        assert (got["ContentType"], got["AcceptRanges"]) == ("binary/octet-stream", "bytes")
        assert got["ServerSideEncryption"] == put["ServerSideEncryption"] == "AES256"
        assert "VersionId" not in got
        assert "VersionId" not in put


def test_nothing_is_in_clear_on_disk(bucket: Bucket) -> None:
    secret = b"plum and apricot" * 4
    bucket.put("small", secret)
    bucket.put("large", secret * 2000)
    bucket.jar.jar.database.checkpoint()
    for file in bucket.jar.home.rglob("*"):
        if file.is_file():
            assert secret not in file.read_bytes(), file


def test_what_is_not_there(bucket: Bucket) -> None:
    with refused("NoSuchKey", "The specified key does not exist.", status=404):
        bucket.read("nothing")
    with refused("404", status=404):
        bucket.head("nothing")
    with refused("NoSuchBucket", status=404):
        bucket.s3.get_object(Bucket="no-such-bucket-here", Key="k")
    assert bucket.s3.delete_object(Bucket=bucket.name, Key="nothing")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_headers_and_metadata_come_back(bucket: Bucket) -> None:
    headers = {
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/plain; charset=utf-8",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    bucket.put("k", b"x", Metadata={"Colour": "red", "two": "a b"}, Expires="Thu, 01 Jan 2032 00:00:00 GMT", **headers)
    got = bucket.s3.get_object(Bucket=bucket.name, Key="k")
    got["Body"].close()
    for told in (bucket.head("k"), got):
        assert {name: told[name] for name in headers} == headers
        assert told["Metadata"] == {"colour": "red", "two": "a b"}
        assert told["ExpiresString"] == "Thu, 01 Jan 2032 00:00:00 GMT"
        assert told["LastModified"] == bucket.jar.clock.now().replace(microsecond=0)
    asked = bucket.s3.get_object(
        Bucket=bucket.name, Key="k", ResponseContentType="text/x", ResponseCacheControl="no-store"
    )
    asked["Body"].close()
    assert (asked["ContentType"], asked["CacheControl"], asked["ContentLanguage"]) == ("text/x", "no-store", "de")


def test_metadata_has_a_limit(bucket: Bucket) -> None:
    with refused("MetadataTooLarge"):
        bucket.put("k", Metadata={"a": "x" * 2048})
    bucket.put("k", Metadata={"a": "x" * 2047})
    with refused("KeyTooLongError"):
        bucket.put("ü" * 513)
    bucket.put("ü" * 512)
    with refused("InvalidRedirectLocation"):
        bucket.put("k", WebsiteRedirectLocation="ftp://x")
    with refused("InvalidStorageClass"):
        bucket.put("k", StorageClass="OUTPOSTS")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("bytes=0-3", (0, 3)),
        ("bytes=4-", (4, 9)),
        ("bytes=-2", (8, 9)),
        ("bytes=-100", (0, 9)),
        ("bytes=3-100", (3, 9)),
        ("bytes=9-9", (9, 9)),
    ],
)
def test_ranges(bucket: Bucket, asked: str, found: tuple[int, int]) -> None:
    bucket.put("k", b"0123456789")
    got = bucket.s3.get_object(Bucket=bucket.name, Key="k", Range=asked)
    first, last = found
    assert got["Body"].read() == b"0123456789"[first : last + 1]
    assert got["ContentRange"] == f"bytes {first}-{last}/10"
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    head = bucket.head("k", Range=asked)
    assert (head["ContentLength"], head["ResponseMetadata"]["HTTPStatusCode"]) == (last - first + 1, 206)


def test_ranges_that_are_none(bucket: Bucket) -> None:
    bucket.put("k", b"0123456789")
    bucket.put("empty")
    for asked in ("bytes=10-", "bytes=10-11", "bytes=-0"):
        with refused("InvalidRange", "The requested range is not satisfiable", status=416):
            bucket.read("k", Range=asked)
    with refused("InvalidRange", status=416):
        bucket.read("empty", Range="bytes=0-")
    for asked in ("bytes=5-2", "bytes=1-2,4-5", "characters=1-2", "bytes=x"):
        assert bucket.read("k", Range=asked) == b"0123456789"
    with refused("InvalidRequest", "Cannot specify both Range header and partNumber"):
        bucket.read("k", Range="bytes=0-1", PartNumber=1)
    assert bucket.read("k", PartNumber=1) == b"0123456789"


def test_a_large_range_of_a_large_object(bucket: Bucket) -> None:
    body = bytes(range(251)) * 10_000
    bucket.put("k", body)
    for first, last in ((0, 0), (262_143, 262_144), (100_000, 2_000_000), (2_500_000, 2_509_999)):
        assert bucket.read("k", Range=f"bytes={first}-{last}") == body[first : last + 1]


def test_checksums_are_checked_and_told(bucket: Bucket) -> None:
    body = b"strawberry"
    right = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    put = bucket.put("k", body, ChecksumCRC32=right)
    assert (put["ChecksumCRC32"], put["ChecksumType"]) == (right, "FULL_OBJECT")
    assert bucket.head("k", ChecksumMode="ENABLED")["ChecksumCRC32"] == right
    assert "ChecksumCRC32" not in bucket.head("k")
    with refused("BadDigest", "CRC32 you specified did not match"):
        bucket.put("k", b"blackberry", ChecksumCRC32=right)
    with refused("InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid."):
        bucket.put("k", body, ChecksumCRC32="AAA=")
    for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
        told = bucket.put(algorithm, body, ChecksumAlgorithm=algorithm)
        assert told[f"Checksum{algorithm}"]
        read = bucket.s3.get_object(Bucket=bucket.name, Key=algorithm, ChecksumMode="ENABLED")
        assert read[f"Checksum{algorithm}"] == told[f"Checksum{algorithm}"]
        assert read["Body"].read() == body  # the SDK checks it
        listed = bucket.s3.list_objects_v2(Bucket=bucket.name, Prefix=algorithm)["Contents"]
        assert [algorithm] in [one["ChecksumAlgorithm"] for one in listed]


def test_md5_is_checked(bucket: Bucket) -> None:
    right = base64.b64encode(hashlib.md5(b"x").digest()).decode()
    bucket.put("k", b"x", ContentMD5=right)
    with refused("BadDigest", "Content-MD5 you specified did not match what we received"):
        bucket.put("k", b"y", ContentMD5=right)
    with refused("InvalidDigest", "Content-MD5 you specified was invalid"):
        bucket.put("k", b"x", ContentMD5="nonsense")
    assert bucket.read("k") == b"x"


def test_attributes(bucket: Bucket) -> None:
    put = bucket.put("k", b"x" * 7, StorageClass="STANDARD_IA")
    asked = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    told = bucket.s3.get_object_attributes(Bucket=bucket.name, Key="k", ObjectAttributes=asked)
    assert told["ETag"] == put["ETag"].strip('"')
    assert told["Checksum"]["ChecksumType"] == "FULL_OBJECT"
    assert (told["StorageClass"], told["ObjectSize"]) == ("STANDARD_IA", 7)
    assert "ObjectParts" not in told
    told = bucket.s3.get_object_attributes(Bucket=bucket.name, Key="k", ObjectAttributes=["ObjectSize"])
    assert "ETag" not in told


def test_tags(bucket: Bucket) -> None:
    s3: Any = bucket.s3
    bucket.put("k", Tagging="a=1&b=x%20y")
    where = {"Bucket": bucket.name, "Key": "k"}
    assert s3.get_object_tagging(**where)["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y"}]
    assert bucket.head("k")["TagCount"] == 2
    s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "c", "Value": ""}]})
    assert s3.get_object_tagging(**where)["TagSet"] == [{"Key": "c", "Value": ""}]
    s3.delete_object_tagging(**where)
    assert s3.get_object_tagging(**where)["TagSet"] == []
    assert "TagCount" not in bucket.head("k")
    with refused("BadRequest", "Object tags cannot be greater than 10"):
        s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": str(n), "Value": ""} for n in range(11)]})
    with refused("InvalidTag", "Cannot provide multiple Tags with the same key"):
        s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "a", "Value": ""}] * 2})
    with refused("InvalidTag", "System tags cannot be added/updated by requester"):
        s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "aws:a", "Value": ""}]})
    with refused("InvalidArgument", "shall be encoded as UTF-8 then URLEncoded"):
        bucket.put("k", Tagging="a=1&a=2")
    with refused("NoSuchKey", status=404):
        s3.get_object_tagging(Bucket=bucket.name, Key="nothing")


def test_what_belongs_to_other_kinds_of_buckets(bucket: Bucket) -> None:
    bucket.put("k", b"x")
    with refused("NotImplemented", "RenameObject", status=501):
        bucket.s3.rename_object(Bucket=bucket.name, Key="l", RenameSource="k")
    with refused("NotImplemented", "GetObjectTorrent", status=501):
        bucket.s3.get_object_torrent(Bucket=bucket.name, Key="k")
    with refused("NotImplemented", status=501):
        bucket.put("k", b"x", WriteOffsetBytes=1)


def test_acls_where_they_are_off(bucket: Bucket) -> None:
    bucket.put("k", ACL="bucket-owner-full-control")
    with refused("AccessControlListNotSupported", "The bucket does not allow ACLs"):
        bucket.put("k", ACL="public-read")
    with refused("AccessControlListNotSupported"):
        bucket.s3.put_object_acl(Bucket=bucket.name, Key="k", ACL="private")
    told = bucket.s3.get_object_acl(Bucket=bucket.name, Key="k")
    assert [one["Permission"] for one in told["Grants"]] == ["FULL_CONTROL"]
    assert len(told["Owner"]["ID"]) == 64
    assert ACCOUNT not in told["Owner"]["ID"]


def test_further_checksums(bucket: Bucket) -> None:
    body = b"strawberry"
    for name, raw in (("SHA512", hashlib.sha512(body).digest()), ("MD5", hashlib.md5(body).digest())):
        right = base64.b64encode(raw).decode()
        bucket.put(name, body, **{f"Checksum{name}": right})
        assert bucket.head(name, ChecksumMode="ENABLED")[f"Checksum{name}"] == right
        with refused("BadDigest"):
            bucket.put(name, b"blackberry", **{f"Checksum{name}": right})
    with refused("InvalidRequest", "Multiple checksum Types are not allowed"):
        bucket.put("k", body, ChecksumSHA1="AAAA", ChecksumSHA256="AAAA")


def test_metadata_beyond_ascii(bucket: Bucket) -> None:
    def speak(request: Any, **_: Any) -> None:
        request.headers["x-amz-meta-name"] = "H\u00e4ndel"

    bucket.s3.meta.events.register("before-sign.s3.PutObject", speak)
    bucket.put("k", b"x")
    assert bucket.head("k")["Metadata"]["name"] == "=?UTF-8?B?SMOkbmRlbA==?="
