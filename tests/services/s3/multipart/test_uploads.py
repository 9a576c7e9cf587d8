"""Uploads in parts: whole, wrong, repeated, copied, listed."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import Any

from tests.services.answers import refused
from tests.services.s3.conftest import Bucket

MIB = 1 << 20
LARGE = bytes(range(256)) * (5 * MIB // 256)


def begin(bucket: Bucket, key: str = "k", **more: Any) -> str:
    upload: str = bucket.s3.create_multipart_upload(Bucket=bucket.name, Key=key, **more)["UploadId"]
    return upload


def send(bucket: Bucket, upload: str, number: int, body: bytes, key: str = "k", **more: Any) -> dict[str, Any]:
    sent = bucket.s3.upload_part(
        Bucket=bucket.name, Key=key, UploadId=upload, PartNumber=number, Body=body, **more
    )
    found = {"PartNumber": number, "ETag": sent["ETag"]}
    return found | {name: value for name, value in sent.items() if name.startswith("Checksum")}


def complete(
    bucket: Bucket, upload: str, parts: list[dict[str, Any]], key: str = "k", **more: Any
) -> dict[str, Any]:
    answer: dict[str, Any] = bucket.s3.complete_multipart_upload(
        Bucket=bucket.name, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more
    )
    return answer


def test_parts_become_an_object(bucket: Bucket) -> None:
    upload = begin(bucket, Metadata={"a": "b"}, ContentType="text/x", Tagging="t=1", StorageClass="STANDARD_IA")
    second = send(bucket, upload, 2, b"tail")
    first = send(bucket, upload, 1, LARGE)
    send(bucket, upload, 9, b"not used")
    with refused("NoSuchKey", status=404):
        bucket.read("k")
    done = complete(bucket, upload, [first, second])
    md5s = b"".join(hashlib.md5(body).digest() for body in (LARGE, b"tail"))
    assert done["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-2"'
    assert done["Location"].endswith("/jam/k")
    assert bucket.read("k") == LARGE + b"tail"
    head = bucket.head("k")
    assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (5 * MIB + 4, "text/x", {"a": "b"})
    assert (head["StorageClass"], head["TagCount"]) == ("STANDARD_IA", 1)
    assert bucket.read("k", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}") == LARGE[-2:] + b"ta"
    assert bucket.read("k", PartNumber=2) == b"tail"
    part = bucket.head("k", PartNumber=1)
    assert (part["PartsCount"], part["ContentLength"]) == (2, 5 * MIB)
    with refused("416", status=416):
        bucket.head("k", PartNumber=3)
    with refused("NoSuchUpload", status=404):
        bucket.s3.list_parts(Bucket=bucket.name, Key="k", UploadId=upload)
    assert complete(bucket, upload, [first, second])["ETag"] == done["ETag"]  # a retry
    with refused("NoSuchUpload", status=404):
        complete(bucket, upload, [first])


def test_what_does_not_fit_is_refused(bucket: Bucket) -> None:
    upload = begin(bucket)
    first, second = send(bucket, upload, 1, b"small"), send(bucket, upload, 2, b"tail")
    with refused("EntityTooSmall"):
        complete(bucket, upload, [first, second])
    with refused("InvalidPartOrder"):
        complete(bucket, upload, [second, first])
    with refused("InvalidPart", "could not be found"):
        complete(bucket, upload, [first | {"ETag": '"00"'}])
    with refused("InvalidPart"):
        complete(bucket, upload, [first | {"PartNumber": 7}])
    with refused("MalformedXML"):
        complete(bucket, upload, [])
    with refused("InvalidRequest", "x-amz-mp-object-size"):
        complete(bucket, upload, [first], MpuObjectSize=4)
    with refused("InvalidArgument", "between 1 and 10000"):
        send(bucket, upload, 10_001, b"")
    with refused("NoSuchUpload", status=404):
        send(bucket, "nonsense", 1, b"")
    assert complete(bucket, upload, [first], MpuObjectSize=5)["ETag"].endswith('-1"')


def test_an_abandoned_upload_leaves_nothing(bucket: Bucket) -> None:
    upload = begin(bucket)
    part = send(bucket, upload, 1, LARGE)
    bucket.s3.abort_multipart_upload(Bucket=bucket.name, Key="k", UploadId=upload)
    for _ in range(2):
        with refused("NoSuchUpload", status=404):
            bucket.s3.abort_multipart_upload(Bucket=bucket.name, Key="k", UploadId=upload)
    with refused("NoSuchUpload", status=404):
        complete(bucket, upload, [part])
    assert list(bucket.jar.jar.world.ports["objects"].counts()) == []


def test_a_part_sent_again_replaces(bucket: Bucket) -> None:
    upload = begin(bucket)
    old = send(bucket, upload, 1, b"old")
    new = send(bucket, upload, 1, b"new")
    with refused("InvalidPart"):
        complete(bucket, upload, [old])
    complete(bucket, upload, [new])
    assert bucket.read("k") == b"new"


def test_conditions_at_the_end(bucket: Bucket) -> None:
    bucket.put("k", b"there")
    upload = begin(bucket)
    part = send(bucket, upload, 1, b"x")
    with refused("PreconditionFailed", status=412):
        complete(bucket, upload, [part], IfNoneMatch="*")
    with refused("PreconditionFailed", status=412):
        complete(bucket, upload, [part], IfMatch='"0"')
    complete(bucket, upload, [part], IfMatch=bucket.head("k")["ETag"])
    assert bucket.read("k") == b"x"


def test_checksums_of_the_whole(bucket: Bucket) -> None:
    upload = begin(bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = [send(bucket, upload, n, body, ChecksumAlgorithm="CRC32") for n, body in ((1, LARGE), (2, b"tail"))]
    whole = base64.b64encode(zlib.crc32(LARGE + b"tail").to_bytes(4, "big")).decode()
    with refused("BadDigest"):
        complete(bucket, upload, parts, ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT")
    done = complete(bucket, upload, parts, ChecksumCRC32=whole)
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (whole, "FULL_OBJECT")
    assert bucket.head("k", ChecksumMode="ENABLED")["ChecksumCRC32"] == whole
    assert "ChecksumCRC32" not in bucket.head("k")


def test_checksums_of_checksums(bucket: Bucket) -> None:
    upload = begin(bucket, ChecksumAlgorithm="SHA256")
    with refused("InvalidRequest", "expected checksum Type: sha256, actual checksum Type: crc32"):
        send(bucket, upload, 1, b"", ChecksumAlgorithm="CRC32")
    parts = [send(bucket, upload, n, body, ChecksumAlgorithm="SHA256") for n, body in ((1, LARGE), (2, b"tail"))]
    with refused("InvalidRequest", "missing for part 1"):
        complete(bucket, upload, [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in parts])
    done = complete(bucket, upload, parts)
    together = hashlib.sha256(hashlib.sha256(LARGE).digest() + hashlib.sha256(b"tail").digest()).digest()
    assert done["ChecksumSHA256"] == base64.b64encode(together).decode() + "-2"
    wanted = ["ETag", "Checksum", "ObjectParts", "ObjectSize", "StorageClass"]
    told = bucket.s3.get_object_attributes(Bucket=bucket.name, Key="k", ObjectAttributes=wanted)
    assert told["Checksum"] == {"ChecksumSHA256": done["ChecksumSHA256"], "ChecksumType": "COMPOSITE"}
    assert told["ObjectParts"]["TotalPartsCount"] == 2
    assert [(p["PartNumber"], p["Size"]) for p in told["ObjectParts"]["Parts"]] == [(1, 5 * MIB), (2, 4)]
    assert (told["ETag"], told["ObjectSize"]) == (done["ETag"].strip('"'), 5 * MIB + 4)


def test_types_of_checksums_that_do_not_go_together(bucket: Bucket) -> None:
    with refused("InvalidRequest", "FULL_OBJECT checksum type cannot be used with the sha256"):
        begin(bucket, ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")
    with refused("InvalidRequest", "COMPOSITE checksum type cannot be used with the crc64nvme"):
        begin(bucket, ChecksumAlgorithm="CRC64NVME", ChecksumType="COMPOSITE")


def test_parts_are_copied_from_objects(bucket: Bucket) -> None:
    bucket.put("small", b"0123456789")
    bucket.put("large", LARGE + b"!")
    upload = begin(bucket)

    def copy(number: int, source: str, **more: Any) -> dict[str, Any]:
        answer = bucket.s3.upload_part_copy(
            Bucket=bucket.name, Key="k", UploadId=upload, PartNumber=number,
            CopySource={"Bucket": bucket.name, "Key": source}, **more,
        )  # fmt: skip
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    with refused("InvalidArgument", "Range specified is not valid for source object of size: 10"):
        copy(2, "small", CopySourceRange="bytes=0-10")
    with refused("InvalidArgument", "must be of the form"):
        copy(2, "small", CopySourceRange="bytes=0-")
    first = copy(1, "large", CopySourceRange=f"bytes=0-{5 * MIB - 1}")
    assert first["ETag"] == f'"{hashlib.md5(LARGE).hexdigest()}"'
    second = copy(2, "small", CopySourceRange="bytes=3-6")
    complete(bucket, upload, [first, second])
    bucket.s3.delete_object(Bucket=bucket.name, Key="large")
    assert bucket.read("k") == LARGE + b"3456"
    upload = begin(bucket)  # the source ends in a row now
    whole = copy(1, "k")
    tail = send(bucket, upload, 2, b"more")
    complete(bucket, upload, [whole, tail])
    assert bucket.read("k") == LARGE + b"3456more"


def test_parts_are_listed(bucket: Bucket) -> None:
    upload = begin(bucket)
    for number in (3, 1, 2):
        send(bucket, upload, number, b"x" * number)
    s3 = bucket.s3
    first = s3.list_parts(Bucket=bucket.name, Key="k", UploadId=upload, MaxParts=2)
    assert [(p["PartNumber"], p["Size"]) for p in first["Parts"]] == [(1, 1), (2, 2)]
    assert (first["IsTruncated"], first["NextPartNumberMarker"]) == (True, 2)
    rest = s3.list_parts(Bucket=bucket.name, Key="k", UploadId=upload, PartNumberMarker=2)
    assert ([p["PartNumber"] for p in rest["Parts"]], rest["IsTruncated"]) == ([3], False)
    pages = s3.get_paginator("list_parts").paginate(
        Bucket=bucket.name, Key="k", UploadId=upload, PaginationConfig={"PageSize": 1}
    )
    assert [p["PartNumber"] for page in pages for p in page["Parts"]] == [1, 2, 3]


def test_uploads_are_listed(bucket: Bucket) -> None:
    made = [(key, begin(bucket, key)) for key in ("a/1", "a/2", "b", "b", "ü c")]
    s3 = bucket.s3
    listed = s3.list_multipart_uploads(Bucket=bucket.name)
    assert [(u["Key"], u["UploadId"]) for u in listed["Uploads"]] == made
    grouped = s3.list_multipart_uploads(Bucket=bucket.name, Delimiter="/")
    assert [p["Prefix"] for p in grouped["CommonPrefixes"]] == ["a/"]
    assert [u["Key"] for u in grouped["Uploads"]] == ["b", "b", "ü c"]
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket.name, PaginationConfig={"PageSize": 1}
    )
    assert [(u["Key"], u["UploadId"]) for page in pages for u in page["Uploads"]] == made
    after = s3.list_multipart_uploads(Bucket=bucket.name, KeyMarker="b", UploadIdMarker=made[2][1])
    assert [u["UploadId"] for u in after["Uploads"]] == [made[3][1], made[4][1]]
