"""Objects go in and come out: bytes, ranges, headers, metadata, conditions."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

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
        assert got["ETag"] == put["ETag"]
        assert got["ContentType"] == "binary/octet-stream"
        assert got["ServerSideEncryption"] == "AES256"
        assert "VersionId" not in got
