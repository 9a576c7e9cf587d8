"""What real clients do with objects: boto3's transfer manager, Terraform's aws_s3_object, presigned addresses."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from boto3.s3.transfer import TransferConfig

from tests.jar import TestJar
from tests.services.answers import document, refused, statement
from tests.services.s3.conftest import REGION, Bucket, create

MIB = 1 << 20
CONFIG = TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)


def test_the_transfer_manager(steady_jar: TestJar, tmp_path: Path) -> None:
    bucket = create(steady_jar, "jam")
    body = bytes(range(256)) * (13 * MIB // 256)
    (tmp_path / "up").write_bytes(body)
    told: list[int] = []
    bucket.s3.upload_file(
        str(tmp_path / "up"), bucket.name, "large", Config=CONFIG, Callback=told.append,
        ExtraArgs={"Metadata": {"a": "b"}, "ContentType": "text/x"},
    )  # fmt: skip
    assert sum(told) == len(body)
    head = bucket.head("large")
    assert (head["ContentLength"], head["Metadata"], head["ETag"][-3:]) == (len(body), {"a": "b"}, '-3"')
    bucket.s3.download_file(bucket.name, "large", str(tmp_path / "down"), Config=CONFIG)
    assert (tmp_path / "down").read_bytes() == body
    bucket.s3.copy({"Bucket": bucket.name, "Key": "large"}, bucket.name, "copy", Config=CONFIG)
    found = io.BytesIO()
    bucket.s3.download_fileobj(bucket.name, "copy", found)
    assert found.getvalue() == body
    bucket.s3.upload_fileobj(io.BytesIO(b"small"), bucket.name, "small")
    assert bucket.read("small") == b"small"


def test_what_terraform_asks_of_an_object(bucket: Bucket) -> None:
    """aws_s3_object: upload, head, tags, then a change of tags only, then all versions deleted."""
    s3, where = bucket.s3, {"Bucket": bucket.name, "Key": "site/index.html"}
    put = s3.put_object(
        **where, Body=b"<p>", ContentType="text/html", Tagging="team=a", ChecksumAlgorithm="CRC32",
        BucketKeyEnabled=False,
    )  # fmt: skip
    head = s3.head_object(**where, ChecksumMode="ENABLED")
    assert (head["ETag"], head["ContentType"], head["ChecksumCRC32"]) == (
        put["ETag"], "text/html", put["ChecksumCRC32"],
    )  # fmt: skip
    assert s3.get_object_tagging(**where)["TagSet"] == [{"Key": "team", "Value": "a"}]
    s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "team", "Value": "b"}]})
    with refused("ObjectLockConfigurationNotFoundError", status=404):
        s3.get_object_lock_configuration(Bucket=bucket.name)
    listed = s3.list_object_versions(Bucket=bucket.name, Prefix=where["Key"])["Versions"]
    s3.delete_object(**where, VersionId=listed[0]["VersionId"])
    with refused("404", status=404):
        s3.head_object(**where)


def test_presigned_addresses(bucket: Bucket) -> None:
    for method, more in (("put_object", {"ContentType": "text/x"}), ("get_object", {"ResponseContentType": "text/y"})):
        url = bucket.s3.generate_presigned_url(method, {"Bucket": bucket.name, "Key": "a b", **more})
        body = b"jam" if method == "put_object" else None
        request = Request(
            url, body, {"Content-Type": "text/x"} if body else {}, method="PUT" if body else "GET"
        )
        with urlopen(request) as answer:
            assert answer.status == 200
            if not body:
                assert (answer.read(), answer.headers["Content-Type"]) == (b"jam", "text/y")
    assert bucket.head("a b")["ContentType"] == "text/x"


def test_headers_in_a_presigned_address(bucket: Bucket) -> None:
    """As the SDK for JavaScript hoists them; the checksum of the body that it did not have is passed over."""
    hoisted = {"x-amz-meta-colour": "red", "x-amz-checksum-crc32": "AAAAAA==", "x-amz-storage-class": "STANDARD_IA"}

    def hoist(request: Any, **_: Any) -> None:
        request.url += "?" + urlencode(hoisted)

    bucket.s3.meta.events.register("before-sign.s3.PutObject", hoist)
    url = bucket.s3.generate_presigned_url("put_object", {"Bucket": bucket.name, "Key": "k"})
    assert "x-amz-meta-colour" in url
    with urlopen(Request(url, b"jam", method="PUT")) as answer:
        assert answer.status == 200
    head = bucket.head("k")
    assert (head["Metadata"], head["StorageClass"]) == ({"colour": "red"}, "STANDARD_IA")


def test_a_conditional_write_tells_nothing_to_who_may_not_read(bucket: Bucket) -> None:
    etag = bucket.put("k", b"1")["ETag"]
    iam = bucket.jar.client("iam")
    iam.create_user(UserName="pip")
    key = iam.create_access_key(UserName="pip")["AccessKey"]
    writes = document(statement(["s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]))
    iam.put_user_policy(UserName="pip", PolicyName="p", PolicyDocument=writes)
    pip = bucket.jar.client("s3", REGION, key["AccessKeyId"], key["SecretAccessKey"], s3={"addressing_style": "path"})
    pip.put_object(Bucket=bucket.name, Key="k", Body=b"2")
    for call in (pip.put_object, pip.delete_object):
        with refused("AccessDenied", "s3:GetObject", status=403):
            call(Bucket=bucket.name, Key="k", IfMatch=etag)
    pip.delete_object(Bucket=bucket.name, Key="k", IfMatch="*")


def test_a_bucket_goes_with_its_uploads(bucket: Bucket) -> None:
    upload = bucket.s3.create_multipart_upload(Bucket=bucket.name, Key="k")["UploadId"]
    bucket.s3.upload_part(Bucket=bucket.name, Key="k", UploadId=upload, PartNumber=1, Body=b"x" * 100_000)
    bucket.put("k", b"x")
    with refused("BucketNotEmpty", status=409):
        bucket.s3.delete_bucket(Bucket=bucket.name)
    bucket.s3.delete_object(Bucket=bucket.name, Key="k")
    bucket.s3.delete_bucket(Bucket=bucket.name)
    assert list(bucket.jar.jar.world.ports["objects"].counts()) == []
