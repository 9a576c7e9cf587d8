"""ListObjects, ListObjectsV2 and ListObjectVersions: prefixes, delimiters, markers, tokens, spelling."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.answers import refused
from tests.services.s3.conftest import Bucket

KEYS = ["a b+c", "a/1", "a/2", "a/b/3", "b", "c/d/e", "c/f", "ü/&<", "😀"]


@pytest.fixture
def filled(bucket: Bucket) -> Bucket:
    """A bucket with keys of every kind."""
    for key in KEYS:
        bucket.put(key, key.encode())
    return bucket


def keys(told: dict[str, Any]) -> list[str]:
    return [one["Key"] for one in told.get("Contents", [])]


def prefixes(told: dict[str, Any]) -> list[str]:
    return [one["Prefix"] for one in told.get("CommonPrefixes", [])]


def test_everything_in_the_order_of_bytes(filled: Bucket) -> None:
    told = filled.s3.list_objects_v2(Bucket=filled.name)
    assert keys(told) == KEYS
    assert (told["KeyCount"], told["MaxKeys"], told["IsTruncated"], told["Name"]) == (9, 1000, False, "jam")
    first = told["Contents"][0]
    assert (first["Size"], first["StorageClass"], first["ChecksumType"]) == (5, "STANDARD", "FULL_OBJECT")
    assert first["ETag"] == filled.head("a b+c")["ETag"]
    assert "Owner" not in first
    owned = filled.s3.list_objects_v2(Bucket=filled.name, FetchOwner=True)["Contents"][0]
    assert len(owned["Owner"]["ID"]) == 64


def test_delimiters(filled: Bucket) -> None:
    told = filled.s3.list_objects_v2(Bucket=filled.name, Delimiter="/")
    assert (keys(told), prefixes(told)) == (["a b+c", "b", "😀"], ["a/", "c/", "ü/"])
    assert told["KeyCount"] == 6
    told = filled.s3.list_objects_v2(Bucket=filled.name, Delimiter="/", Prefix="a/")
    assert (keys(told), prefixes(told)) == (["a/1", "a/2"], ["a/b/"])
    told = filled.s3.list_objects_v2(Bucket=filled.name, Delimiter="d/", Prefix="c")
    assert (keys(told), prefixes(told)) == (["c/f"], ["c/d/"])
    told = filled.s3.list_objects_v2(Bucket=filled.name, Prefix="nothing")
    assert (told["KeyCount"], keys(told)) == (0, [])


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_are_the_whole(filled: Bucket, size: int, delimiter: str) -> None:
    more = {"Delimiter": delimiter} if delimiter else {}
    for name in ("list_objects_v2", "list_objects", "list_object_versions"):
        whole = getattr(filled.s3, name)(Bucket=filled.name, **more)
        pages = list(
            filled.s3.get_paginator(name).paginate(Bucket=filled.name, **more, PaginationConfig={"PageSize": size})
        )
        listed = "Versions" if name == "list_object_versions" else "Contents"
        assert [one["Key"] for page in pages for one in page.get(listed, [])] == [one["Key"] for one in whole[listed]]
        assert [one for page in pages for one in prefixes(page)] == prefixes(whole)


def test_where_a_page_begins(filled: Bucket) -> None:
    s3 = filled.s3
    assert keys(s3.list_objects_v2(Bucket=filled.name, StartAfter="b"))[0] == "c/d/e"
    assert keys(s3.list_objects_v2(Bucket=filled.name, StartAfter="bb"))[0] == "c/d/e"
    told = s3.list_objects(Bucket=filled.name, Marker="a/2", MaxKeys=2)
    assert (keys(told), told["Marker"], told["IsTruncated"]) == (["a/b/3", "b"], "a/2", True)
    assert "NextMarker" not in told
    told = s3.list_objects(Bucket=filled.name, Delimiter="/", MaxKeys=2)
    assert (keys(told), prefixes(told), told["NextMarker"]) == (["a b+c"], ["a/"], "a/")
    told = s3.list_objects(Bucket=filled.name, Delimiter="/", Marker="a/")
    assert (keys(told), prefixes(told)) == (["b", "😀"], ["c/", "ü/"])
    with refused("InvalidArgument", "The continuation token provided is incorrect"):
        s3.list_objects_v2(Bucket=filled.name, ContinuationToken="nonsense")


def test_limits(filled: Bucket) -> None:
    told = filled.s3.list_objects_v2(Bucket=filled.name, MaxKeys=0)
    assert (told["KeyCount"], told["IsTruncated"]) == (0, False)
    assert filled.s3.list_objects_v2(Bucket=filled.name, MaxKeys=100_000)["MaxKeys"] == 1000
    with refused("InvalidArgument"):
        filled.s3.list_objects_v2(Bucket=filled.name, MaxKeys=-1)


def test_spelling(filled: Bucket) -> None:
    raw: list[str] = []
    filled.s3.meta.events.register(
        "before-parse.s3.ListObjectsV2", lambda response_dict, **_: raw.append(response_dict["body"].decode())
    )
    filled.s3.list_objects_v2(Bucket=filled.name, EncodingType="url", Prefix="a")
    assert "<Key>a+b%2Bc</Key>" in raw[0]
    assert "<Key>a/b/3</Key>" in raw[0]
    assert "<EncodingType>url</EncodingType>" in raw[0]


def test_versions_and_markers(versioned: Bucket) -> None:
    s3 = versioned.s3
    made = [versioned.put("a", b"1")["VersionId"], versioned.put("a", b"2")["VersionId"]]
    versioned.put("b/1", b"")
    marker = s3.delete_object(Bucket=versioned.name, Key="a")["VersionId"]
    told = s3.list_object_versions(Bucket=versioned.name)
    assert [(one["Key"], one["VersionId"], one["IsLatest"]) for one in told["Versions"]][:2] == [
        ("a", made[1], False), ("a", made[0], False),
    ]  # fmt: skip
    assert told["Versions"][2]["IsLatest"] is True
    assert [(one["VersionId"], one["IsLatest"]) for one in told["DeleteMarkers"]] == [(marker, True)]
    page = s3.list_object_versions(Bucket=versioned.name, MaxKeys=2)
    assert (page["NextKeyMarker"], page["NextVersionIdMarker"]) == ("a", made[1])
    rest = s3.list_object_versions(Bucket=versioned.name, KeyMarker="a", VersionIdMarker=made[1])
    assert [(one["Key"], one["IsLatest"]) for one in rest["Versions"]] == [("a", False), ("b/1", True)]
    after = s3.list_object_versions(Bucket=versioned.name, KeyMarker="a", Delimiter="/")
    assert prefixes(after) == ["b/"]
    assert "Versions" not in after
    with refused("InvalidArgument", "A version-id marker cannot be specified without a key marker."):
        s3.list_object_versions(Bucket=versioned.name, VersionIdMarker=made[1])
