"""Cutting whole results into pages."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.kit import pages
from cloudjar.spec.models import Paginator

ONE = Paginator(("Marker",), ("Marker",), "MaxItems", ("Users",), "IsTruncated")
THREE = Paginator(("Marker",), ("Marker",), "MaxItems", ("A", "B", "C"), "IsTruncated")


def _walk(paginator: Paginator, whole: dict[str, list[int]], size: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    req: dict[str, Any] = {"MaxItems": size}
    while True:
        page = pages.cut(paginator, "iam", "List", req, {key: list(items) for key, items in whole.items()})
        found.append(page)
        if not page["IsTruncated"]:
            return found
        req = {"MaxItems": size, "Marker": page["Marker"]}


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_of_one_list_make_the_whole(size: int) -> None:
    found = _walk(ONE, {"Users": list(range(5))}, size)
    assert [item for page in found for item in page["Users"]] == list(range(5))
    assert len(found) == -(-5 // size)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6])
def test_several_lists_are_cut_as_one(size: int) -> None:
    whole = {"A": [1, 2], "B": [], "C": [3, 4, 5]}
    found = _walk(THREE, whole, size)
    for key, items in whole.items():
        assert [item for page in found for item in page[key]] == items
    assert all(sum(len(page[key]) for key in whole) <= size for page in found)


def test_iam_gives_a_hundred_by_default_and_others_everything() -> None:
    whole = {"Users": list(range(101))}
    assert len(pages.cut(ONE, "iam", "List", {}, dict(whole))["Users"]) == 100
    assert len(pages.cut(ONE, "ec2", "List", {}, dict(whole))["Users"]) == 101


def test_a_token_of_another_operation_is_refused() -> None:
    page = pages.cut(ONE, "iam", "ListUsers", {"MaxItems": 1}, {"Users": [1, 2]})
    with pytest.raises(AwsError, match=r"Invalid Marker\."):
        pages.cut(ONE, "iam", "ListRoles", {"Marker": page["Marker"]}, {"Users": [1, 2]})
