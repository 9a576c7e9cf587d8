"""Versions, delete markers, null versions, deleting many."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.answers import refused
from tests.services.s3.conftest import Bucket


def versions(bucket: Bucket, key: str = "k") -> list[tuple[str, bool, bool]]:
    """(version id, is latest, is a marker), newest first."""
    told = bucket.s3.list_object_versions(Bucket=bucket.name, Prefix=key)
    found = [(one, False) for one in told.get("Versions", [])] + [(one, True) for one in told.get("DeleteMarkers", [])]
    return [(one["VersionId"], one["IsLatest"], marker) for one, marker in found]


def test_versions_stay(versioned: Bucket) -> None:
    first = versioned.put("k", b"1")["VersionId"]
    second = versioned.put("k", b"2")["VersionId"]
    assert versioned.read("k") == b"2"
    assert versioned.read("k", VersionId=first) == b"1"
    assert versioned.head("k")["VersionId"] == second
    assert versions(versioned) == [(second, True, False), (first, False, False)]
    gone = versioned.s3.delete_object(Bucket=versioned.name, Key="k", VersionId=second)
    assert (gone["VersionId"], gone.get("DeleteMarker")) == (second, None)
    assert versioned.read("k") == b"1"
    with refused("NoSuchVersion", "The specified version does not exist.", status=404):
        versioned.read("k", VersionId=second)
    with refused("InvalidArgument", "Invalid version id specified"):
        versioned.read("k", VersionId="nonsense")


def test_a_marker_hides(versioned: Bucket) -> None:
    first = versioned.put("k", b"1")["VersionId"]
    made = versioned.s3.delete_object(Bucket=versioned.name, Key="k")
    assert made["DeleteMarker"] is True
    marker = made["VersionId"]
    with pytest.raises(ClientError) as error:
        versioned.read("k")
    assert error.value.response["Error"]["Code"] == "NoSuchKey"
    headers = error.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker)
    with refused("MethodNotAllowed", status=405):
        versioned.read("k", VersionId=marker)
    with refused("405", status=405):
        versioned.head("k", VersionId=marker)
    with refused("MethodNotAllowed", status=405):
        versioned.s3.get_object_acl(Bucket=versioned.name, Key="k", VersionId=marker)
    assert versioned.keys() == []
    assert versioned.read("k", VersionId=first) == b"1"
    gone = versioned.s3.delete_object(Bucket=versioned.name, Key="k", VersionId=marker)
    assert (gone["VersionId"], gone["DeleteMarker"]) == (marker, True)
    assert versioned.read("k") == b"1"


def test_suspension_writes_null(versioned: Bucket) -> None:
    first = versioned.put("k", b"1")["VersionId"]
    versioned.versioning("Suspended")
    assert versioned.put("k", b"2")["VersionId"] == "null"
    versioned.put("k", b"3")
    assert versions(versioned) == [("null", True, False), (first, False, False)]
    assert versioned.read("k", VersionId="null") == b"3"
    made = versioned.s3.delete_object(Bucket=versioned.name, Key="k")
    assert (made["VersionId"], made["DeleteMarker"]) == ("null", True)
    assert versions(versioned) == [(first, False, False), ("null", True, True)]
    versioned.s3.delete_object(Bucket=versioned.name, Key="k", VersionId="null")
    assert versioned.read("k") == b"1"


def test_what_was_there_before_is_null(bucket: Bucket) -> None:
    bucket.put("k", b"1")
    bucket.versioning("Enabled")
    second = bucket.put("k", b"2")["VersionId"]
    assert versions(bucket) == [(second, True, False), ("null", False, False)]
    assert bucket.read("k", VersionId="null") == b"1"


def test_an_empty_version_is_none(versioned: Bucket) -> None:
    versioned.put("k", b"1")
    for call in (versioned.s3.get_object, versioned.s3.delete_object):
        with refused("InvalidArgument", "Version id cannot be the empty string"):
            call(Bucket=versioned.name, Key="k", VersionId="")
    assert versioned.read("k") == b"1"


def test_tags_of_a_version(versioned: Bucket) -> None:
    first = versioned.put("k", b"1", Tagging="a=1")["VersionId"]
    versioned.put("k", b"2")
    where = {"Bucket": versioned.name, "Key": "k"}
    told = versioned.s3.get_object_tagging(**where, VersionId=first)
    assert (told["TagSet"], told["VersionId"]) == ([{"Key": "a", "Value": "1"}], first)
    assert versioned.s3.get_object_tagging(**where)["TagSet"] == []
    versioned.s3.delete_object_tagging(**where, VersionId=first)
    assert versioned.s3.get_object_tagging(**where, VersionId=first)["TagSet"] == []
    assert versioned.read("k", VersionId=first) == b"1"


def test_many_are_deleted_at_once(versioned: Bucket) -> None:
    made = {key: versioned.put(key, b"x" * 20_000)["VersionId"] for key in "abc"}
    asked: list[dict[str, Any]] = [{"Key": "a"}, {"Key": "b", "VersionId": made["b"]}, {"Key": "nothing"}]
    told = versioned.s3.delete_objects(Bucket=versioned.name, Delete={"Objects": asked})
    assert [(one["Key"], one.get("DeleteMarker")) for one in told["Deleted"]] == [
        ("a", True), ("b", None), ("nothing", True),
    ]  # fmt: skip
    assert versioned.keys() == ["c"]
    told = versioned.s3.delete_objects(
        Bucket=versioned.name, Delete={"Objects": [{"Key": "c", "VersionId": "nonsense"}, {"Key": "c"}], "Quiet": True}
    )
    assert "Deleted" not in told
    assert [(one["Key"], one["Code"]) for one in told["Errors"]] == [("c", "InvalidArgument")]
    with refused("MalformedXML"):
        versioned.s3.delete_objects(Bucket=versioned.name, Delete={"Objects": [{"Key": str(n)} for n in range(1001)]})


def test_nothing_is_left_of_what_was_deleted(bucket: Bucket) -> None:
    for _ in range(2):
        bucket.put("k", b"x" * 100_000)
    counted = list(bucket.jar.jar.world.ports["objects"].counts())
    assert [row[1] for row in counted] == [1]
    bucket.s3.delete_objects(Bucket=bucket.name, Delete={"Objects": [{"Key": "k"}]})
    assert list(bucket.jar.jar.world.ports["objects"].counts()) == []
