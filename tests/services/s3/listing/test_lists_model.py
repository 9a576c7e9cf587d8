"""Lists against a plain model: whatever prefix, delimiter, place and size of page, through a client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.jar import running
from tests.services.s3.conftest import Bucket, create

KEYS = (
    "a", "a/", "a//b", "a/b", "a/b/c", "a/b/c/d", "a+b", "a b", "a%2Fb", "a&b", "a<b>", "a\u00e9", "a\u0301", "aa/b",
    "ab", "b/", "b/b/b", "b/c", "b\x01c", "b\x7f", "c/\U0001f600/x", "c/\ud7ff", "c/\ue000", "c/\uffff", "c/~", "z",
    "\u00e9/1", "\U0010ffff/1",
)  # fmt: skip
PIECES = st.sampled_from(
    ("a", "b", "/", "a/", "a/b", "a/b/", "b/c", "c/", "//", "+", "\u00e9", "\U0010ffff", " ", "zz")
)
PREFIX = st.one_of(st.just(""), PIECES, st.tuples(PIECES, PIECES).map("".join))
DELIMITER = st.sampled_from(("", "/", "b", "//", "b/", "\u00e9", "/b"))
PLACE = st.one_of(st.just(""), st.sampled_from(KEYS), PIECES)
SIZE = st.integers(1, 12)
OFTEN = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket with awkward keys, each of two versions; of every fourth the newest is a marker."""
    with running(tmp_path_factory.mktemp("lists")) as jar:
        made = create(jar, "jam")
        made.versioning("Enabled")
        for place, key in enumerate(KEYS):
            made.put(key, b"1")
            made.put(key, b"22")
            if place % 4 == 3:
                made.s3.delete_object(Bucket="jam", Key=key)
        yield made


LIVE = sorted((key for place, key in enumerate(KEYS) if place % 4 != 3), key=str.encode)


def rolled(keys: list[str], prefix: str, delimiter: str) -> list[tuple[str, str]]:
    """What a list shows, the long way: ("key" or "prefix", what), in order."""
    found: list[tuple[str, str]] = []
    for key in keys:
        if not key.startswith(prefix):
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        one = ("key", key) if cut < 0 else ("prefix", key[: cut + len(delimiter)])
        if one not in found:
            found.append(one)
    return found


def after(shown: list[tuple[str, str]], place: str) -> list[tuple[str, str]]:
    """What follows a place: keys after it, and prefixes that are not passed with it."""
    return [one for one in shown if one[1].encode() > place.encode()] if place else shown


def of_page(page: dict[str, Any], *, spelled: bool) -> list[tuple[str, str]]:
    """A page's entries in the order of their places."""

    def plain(text: str) -> str:
        return unquote_plus(text) if spelled else text

    found = [("key", plain(one["Key"])) for one in page.get("Contents", ())]
    found += [("prefix", plain(one["Prefix"])) for one in page.get("CommonPrefixes", ())]
    return sorted(found, key=lambda one: one[1].encode())


@OFTEN
@given(prefix=PREFIX, delimiter=DELIMITER, start=PLACE, size=SIZE)
def test_pages_of_the_second_version(bucket: Bucket, prefix: str, delimiter: str, start: str, size: int) -> None:
    asked: dict[str, Any] = {"Bucket": "jam", "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": size,
                             "EncodingType": "url"}  # fmt: skip
    asked = {name: value for name, value in asked.items() if value != ""}
    if start:
        asked["StartAfter"] = start
    wanted = entries_after(prefix, delimiter, start)
    found: list[tuple[str, str]] = []
    for _ in range(len(KEYS) + 1):
        page = bucket.s3.list_objects_v2(**asked)
        got = of_page(page, spelled=True)
        assert len(got) == page["KeyCount"] <= size
        assert page["IsTruncated"] is (len(found) + len(got) < len(wanted))
        found += got
        if not page["IsTruncated"]:
            break
        assert len(got) == size
        asked["ContinuationToken"] = page["NextContinuationToken"]
    assert found == wanted


def entries_after(prefix: str, delimiter: str, start: str) -> list[tuple[str, str]]:
    """What a list shows that begins after a place: a common prefix is passed over with its last key only, unless the
    place is the prefix itself."""
    if start and ("prefix", start) in rolled(LIVE, prefix, delimiter):
        return after(rolled(LIVE, prefix, delimiter), start)
    return rolled([key for key in LIVE if not start or key.encode() > start.encode()], prefix, delimiter)


@OFTEN
@given(prefix=PREFIX, delimiter=DELIMITER, size=SIZE)
def test_pages_of_the_first_version(bucket: Bucket, prefix: str, delimiter: str, size: int) -> None:
    wanted, found, marker = rolled(LIVE, prefix, delimiter), [], ""
    for _ in range(len(KEYS) + 1):
        page = bucket.s3.list_objects(
            Bucket="jam", Prefix=prefix, Delimiter=delimiter, MaxKeys=size, Marker=marker, EncodingType="url"
        )
        found += of_page(page, spelled=True)
        if not page["IsTruncated"]:
            break
        marker = unquote_plus(page["NextMarker"]) if delimiter else found[-1][1]
        assert marker == found[-1][1]
    assert found == wanted


@OFTEN
@given(prefix=PREFIX, delimiter=DELIMITER, size=SIZE)
def test_pages_of_versions(bucket: Bucket, prefix: str, delimiter: str, size: int) -> None:
    asked: dict[str, Any] = {"Bucket": "jam", "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": size,
                             "EncodingType": "url"}  # fmt: skip
    keys: list[tuple[str, bool]] = []
    prefixes: list[str] = []
    for _ in range(3 * len(KEYS) + 1):
        page = bucket.s3.list_object_versions(**asked)
        rows = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        assert len(rows) + len(page.get("CommonPrefixes", ())) <= size
        keys += [(unquote_plus(one["Key"]), one["IsLatest"]) for one in rows]
        prefixes += [unquote_plus(one["Prefix"]) for one in page.get("CommonPrefixes", ())]
        if not page["IsTruncated"]:
            break
        asked["KeyMarker"] = unquote_plus(page["NextKeyMarker"])
        asked.pop("VersionIdMarker", None)
        if page.get("NextVersionIdMarker"):
            asked["VersionIdMarker"] = page["NextVersionIdMarker"]
    shown = rolled(sorted(KEYS, key=str.encode), prefix, delimiter)
    assert prefixes == [text for kind, text in shown if kind == "prefix"]
    plain = [text for kind, text in shown if kind == "key"]
    assert sorted({key for key, _ in keys}, key=str.encode) == plain
    assert sorted(key for key, latest in keys if latest) == sorted(plain)
    assert len(keys) == sum(3 if KEYS.index(key) % 4 == 3 else 2 for key in plain)
