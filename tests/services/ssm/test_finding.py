"""Hierarchies and filters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ssm.asking import put, refused

NAMES = ("/app/dev/db/host", "/app/dev/db/pass", "/app/dev/url", "/app/prod/url", "/app2/x", "plain")


@pytest.fixture
def tree(store: Any) -> Any:
    """Some parameters in a tree, and one beside it."""
    for name in NAMES:
        kind = "SecureString" if name.endswith("pass") else "StringList" if name == "plain" else "String"
        put(store, name, name[1:], kind, Tags=[{"Key": "env", "Value": name.split("/")[2] if "app/" in name else "no"}])
    return store


def by_path(store: Any, path: str, **more: Any) -> list[str]:
    pages = store.get_paginator("get_parameters_by_path").paginate(Path=path, **more)
    return [p["Name"] for page in pages for p in page["Parameters"]]


def described(store: Any, *filters: tuple[str, str, list[str]], **more: Any) -> list[str]:
    given = [{"Key": key, "Option": option, "Values": values} for key, option, values in filters]
    pages = store.get_paginator("describe_parameters").paginate(ParameterFilters=given, **more)
    return [p["Name"] for page in pages for p in page["Parameters"]]


def test_a_path_is_walked(tree: Any) -> None:
    assert by_path(tree, "/app/dev") == ["/app/dev/url"]
    assert by_path(tree, "/app/dev/") == ["/app/dev/url"]
    below = ["/app/dev/db/host", "/app/dev/db/pass", "/app/dev/url"]
    assert by_path(tree, "/app/dev", Recursive=True) == below
    assert by_path(tree, "/app/dev", Recursive=True, PaginationConfig={"PageSize": 1}) == below
    assert by_path(tree, "/app/dev/url", Recursive=True) == []
    assert by_path(tree, "/", Recursive=True) == list(NAMES)
    assert by_path(tree, "/") == ["plain"]
    with refused("ValidationException", "must begin with a forward slash"):
        by_path(tree, "app")


def test_a_path_is_filtered(tree: Any) -> None:
    def filtered(key: str, values: list[str], option: str = "Equals") -> list[str]:
        given = [{"Key": key, "Option": option, "Values": values}]
        return by_path(tree, "/app", Recursive=True, ParameterFilters=given)

    assert filtered("Type", ["SecureString"]) == ["/app/dev/db/pass"]
    assert len(filtered("Type", ["String"], "BeginsWith")) == 3
    assert filtered("KeyId", ["alias/aws/ssm"]) == ["/app/dev/db/pass"]
    tree.label_parameter_version(Name="/app/prod/url", Labels=["live"])
    tree.put_parameter(Name="/app/prod/url", Value="newer", Overwrite=True)
    assert filtered("Label", ["live"]) == ["/app/prod/url"]
    labelled = tree.get_parameters_by_path(
        Path="/app/prod", ParameterFilters=[{"Key": "Label", "Values": ["live"]}]
    )["Parameters"]
    assert [p["Version"] for p in labelled] == [1]
    with refused("InvalidFilterOption"):
        filtered("Label", ["live"], "BeginsWith")


def test_parameters_are_filtered(tree: Any) -> None:
    assert described(tree) == list(NAMES)
    assert described(tree, PaginationConfig={"PageSize": 2}) == list(NAMES)
    assert described(tree, ("Name", "Equals", ["/app2/x", "plain"])) == ["/app2/x", "plain"]
    assert described(tree, ("Name", "BeginsWith", ["/app/"])) == list(NAMES[:4])
    assert described(tree, ("Name", "Contains", ["url"])) == ["/app/dev/url", "/app/prod/url"]
    assert described(tree, ("Path", "OneLevel", ["/app/dev"])) == ["/app/dev/url"]
    assert described(tree, ("Path", "Recursive", ["/app/dev", "/app2"])) == [*NAMES[:3], "/app2/x"]
    assert described(tree, ("Type", "Equals", ["StringList", "SecureString"])) == ["/app/dev/db/pass", "plain"]
    assert described(tree, ("Type", "BeginsWith", ["StringL"])) == ["plain"]
    assert described(tree, ("KeyId", "BeginsWith", ["alias/"])) == ["/app/dev/db/pass"]
    assert described(tree, ("Tier", "Equals", ["Advanced"])) == []
    assert described(tree, ("DataType", "Equals", ["text"])) == list(NAMES)
    assert described(tree, ("tag:env", "Equals", ["prod"])) == ["/app/prod/url"]
    assert described(tree, ("tag:env", "Equals", ["dev"]), ("Name", "Contains", ["db"])) == list(NAMES[:2])
    old = tree.describe_parameters(Filters=[{"Key": "Name", "Values": ["/app2"]}])["Parameters"]
    assert [p["Name"] for p in old] == ["/app2/x"]
    assert tree.describe_parameters(Shared=True)["Parameters"] == []


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ([{"Key": "Label", "Values": ["x"]}], "InvalidFilterKey", "Label"),
        ([{"Key": "Name", "Option": "Near", "Values": ["x"]}], "InvalidFilterOption", "Near"),
        ([{"Key": "Path", "Option": "Equals", "Values": ["/x"]}], "InvalidFilterOption", "Recursive"),
        ([{"Key": "Path", "Values": ["x"]}], "ValidationException", "forward slash"),
        ([{"Key": "Tier", "Option": "BeginsWith", "Values": ["S"]}], "InvalidFilterOption", ""),
        ([{"Key": "tag:a", "Option": "BeginsWith", "Values": ["S"]}], "InvalidFilterOption", ""),
        ([{"Key": "Type", "Values": ["Number"]}], "InvalidFilterValue", "Number"),
        ([{"Key": "Name"}], "InvalidFilterValue", "Name"),
        ([{"Key": "Name", "Values": ["a"]}, {"Key": "Name", "Values": ["b"]}], "ValidationException", "duplicated"),
        ([{"Key": "Colour", "Values": ["a"]}], "ValidationException", "pattern"),
    ],
)
def test_filters_that_cannot_be(steady_jar: TestJar, given: list[dict[str, Any]], code: str, words: str) -> None:
    with refused(code, words):
        steady_jar.client("ssm").describe_parameters(ParameterFilters=given)


def test_a_token_that_is_none(steady_jar: TestJar) -> None:
    with refused("InvalidNextToken"):
        steady_jar.client("ssm").describe_parameters(NextToken="nonsense")
