"""Conditional reads in AWS's order of precedence, and conditional writes."""

from __future__ import annotations

from datetime import timedelta

from tests.services.answers import refused
from tests.services.s3.conftest import Bucket


def test_reads(bucket: Bucket) -> None:
    etag = bucket.put("k", b"x")["ETag"]
    now = bucket.head("k")["LastModified"]
    before, after = now - timedelta(hours=1), now + timedelta(hours=1)
    assert bucket.read("k", IfMatch=etag) == b"x"
    assert bucket.read("k", IfMatch="*") == b"x"
    assert bucket.read("k", IfNoneMatch='"0"', IfUnmodifiedSince=after) == b"x"
    with refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", status=412):
        bucket.read("k", IfMatch='"0"')
    with refused("PreconditionFailed", status=412):
        bucket.read("k", IfUnmodifiedSince=before)
    with refused("304", status=304):
        bucket.read("k", IfNoneMatch=etag)
    with refused("304", status=304):
        bucket.read("k", IfModifiedSince=now)
    with refused("304", status=304):
        bucket.head("k", IfNoneMatch="*")
    with refused("412", status=412):
        bucket.head("k", IfMatch='"0"')
    assert bucket.read("k", IfModifiedSince=before) == b"x"
    # An ETag that matches wins over a date that does not hold; one that does not, over a date that does.
    assert bucket.read("k", IfMatch=etag, IfUnmodifiedSince=before) == b"x"
    with refused("304", status=304):
        bucket.read("k", IfNoneMatch=etag, IfModifiedSince=before)


def test_writes(bucket: Bucket) -> None:
    etag = bucket.put("k", b"1", IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed", status=412):
        bucket.put("k", b"2", IfNoneMatch="*")
    with refused("PreconditionFailed", status=412):
        bucket.put("k", b"2", IfMatch='"0"')
    with refused("NoSuchKey", status=404):
        bucket.put("nothing", b"2", IfMatch=etag)
    with refused("NotImplemented", status=501):
        bucket.put("k", b"2", IfNoneMatch=etag)
    assert bucket.read("k") == b"1"
    bucket.put("k", b"2", IfMatch=etag)
    assert bucket.read("k") == b"2"


def test_what_a_refused_write_brought_leaves_no_trace(bucket: Bucket) -> None:
    bucket.put("k", b"1")
    with refused("PreconditionFailed", status=412):
        bucket.put("k", b"x" * 3_000_000, IfNoneMatch="*")
    assert list(bucket.jar.jar.world.ports["objects"].counts()) == []


def test_a_marker_is_nothing_to_match(versioned: Bucket) -> None:
    versioned.put("k", b"1")
    versioned.s3.delete_object(Bucket=versioned.name, Key="k")
    with refused("NoSuchKey", status=404):
        versioned.put("k", b"2", IfMatch="*")
    versioned.put("k", b"2", IfNoneMatch="*")
    assert versioned.read("k") == b"2"


def test_deletes(bucket: Bucket) -> None:
    etag = bucket.put("k", b"1")["ETag"]
    with refused("PreconditionFailed", status=412):
        bucket.s3.delete_object(Bucket=bucket.name, Key="k", IfMatch='"0"')
    bucket.s3.delete_object(Bucket=bucket.name, Key="k", IfMatch=etag)
    with refused("NoSuchKey", status=404):
        bucket.read("k")


def test_copies(bucket: Bucket) -> None:
    etag = bucket.put("k", b"1")["ETag"]
    source = {"Bucket": bucket.name, "Key": "k"}
    with refused("PreconditionFailed", status=412):
        bucket.s3.copy_object(Bucket=bucket.name, Key="l", CopySource=source, CopySourceIfMatch='"0"')
    with refused("PreconditionFailed", status=412):
        bucket.s3.copy_object(Bucket=bucket.name, Key="l", CopySource=source, CopySourceIfNoneMatch=etag)
    bucket.put("there", b"2")
    with refused("PreconditionFailed", status=412):
        bucket.s3.copy_object(Bucket=bucket.name, Key="there", CopySource=source, IfNoneMatch="*")
    bucket.s3.copy_object(Bucket=bucket.name, Key="l", CopySource=source, CopySourceIfMatch=etag, IfNoneMatch="*")
    assert bucket.read("l") == b"1"
