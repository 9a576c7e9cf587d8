"""Buckets for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.jar import TestJar

REGION = "eu-west-3"


class Bucket(NamedTuple):
    """A bucket in Paris and a client of its owner."""

    jar: TestJar
    s3: Any
    name: str

    def put(self, key: str, body: bytes = b"", **more: Any) -> dict[str, Any]:
        """PutObject."""
        answer: dict[str, Any] = self.s3.put_object(Bucket=self.name, Key=key, Body=body, **more)
        return answer

    def read(self, key: str, **more: Any) -> bytes:
        """An object's bytes."""
        body: bytes = self.s3.get_object(Bucket=self.name, Key=key, **more)["Body"].read()
        return body

    def head(self, key: str, **more: Any) -> dict[str, Any]:
        """HeadObject."""
        answer: dict[str, Any] = self.s3.head_object(Bucket=self.name, Key=key, **more)
        return answer

    def versioning(self, status: str) -> None:
        """Turn versioning ``Enabled`` or ``Suspended``."""
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": status})

    def keys(self, **more: Any) -> list[str]:
        """The keys of the first page of ListObjectsV2."""
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.name, **more).get("Contents", [])]


def create(jar: TestJar, name: str, **more: Any) -> Bucket:
    """A new bucket."""
    s3 = jar.client("s3", REGION, s3={"addressing_style": "path"})
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}, **more)
    return Bucket(jar, s3, name)


@pytest.fixture
def s3(jar: TestJar) -> Any:
    """S3 in Paris as root."""
    return jar.client("s3", REGION, s3={"addressing_style": "path"})


@pytest.fixture
def bucket(jar: TestJar) -> Bucket:
    """An empty bucket, as AWS makes them by default."""
    return create(jar, "jam")


@pytest.fixture
def versioned(bucket: Bucket) -> Bucket:
    """A bucket that keeps versions."""
    bucket.versioning("Enabled")
    return bucket


@pytest.fixture
def make_bucket(jar: TestJar) -> Callable[..., Bucket]:
    """Further buckets: ``make_bucket("name", ObjectOwnership="ObjectWriter")``."""
    return lambda name, **more: create(jar, name, **more)
