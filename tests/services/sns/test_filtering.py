"""Filter policies, operator by operator."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.sns.filtering import checked, passes
from cloudjar.services.sns.records import ATTRIBUTES, BODY


def attribute(value: Any) -> dict[str, tuple[str, Any]]:
    if isinstance(value, (int, float)):
        return {"k": ("Number", str(value))}
    if isinstance(value, list):
        import json

        return {"k": ("String.Array", json.dumps(value))}
    return {"k": ("String", value)}


@pytest.mark.parametrize(
    ("tests", "value", "wanted"),
    [
        (["a", "b"], "b", True), (["a"], "c", False), ([1], 1, True), ([1], 1.0, True), ([1], "1", False),
        ([{"prefix": "ab"}], "abc", True), ([{"prefix": "b"}], "abc", False),
        ([{"suffix": "bc"}], "abc", True), ([{"suffix": "ab"}], "abc", False),
        ([{"equals-ignore-case": "ABC"}], "abc", True),
        ([{"wildcard": "a*c*"}], "abcd", True), ([{"wildcard": "a*d"}], "abc", False), ([{"wildcard": "*"}], "", True),
        ([{"anything-but": ["a", "b"]}], "c", True), ([{"anything-but": ["a"]}], "a", False),
        ([{"anything-but": 1}], 1, False), ([{"anything-but": {"prefix": "a"}}], "abc", False),
        ([{"anything-but": {"suffix": "x"}}], "abc", True), ([{"anything-but": ["a"]}], ["a", "b"], False),
        ([{"numeric": [">", 1, "<=", 3]}], 3, True), ([{"numeric": [">", 1, "<=", 3]}], 1, False),
        ([{"numeric": ["=", 1.5]}], 1.5, True), ([{"numeric": ["<", 5]}], "1", False),
        ([{"exists": True}], "x", True), ([{"exists": False}], "x", False),
        ([{"cidr": "10.0.0.0/24"}], "10.0.0.255", True), ([{"cidr": "10.0.0.0/24"}], "10.0.1.0", False),
        ([{"cidr": "10.0.0.0/24"}], "no", False), (["a"], ["b", "a"], True), ([True], [True], True),
    ],
)  # fmt: skip
def test_operators(tests: list[Any], value: Any, wanted: bool) -> None:
    assert passes({"k": tests}, ATTRIBUTES, "", attribute(value)) is wanted


def test_absent_attributes_and_several_keys() -> None:
    assert passes({"k": [{"exists": False}]}, ATTRIBUTES, "", {})
    assert not passes({"k": [{"anything-but": ["a"]}]}, ATTRIBUTES, "", {})
    assert not passes({"k": ["a"], "l": ["b"]}, ATTRIBUTES, "", attribute("a"))
    assert passes({"$or": [{"k": ["a"]}, {"l": ["b"]}]}, ATTRIBUTES, "", attribute("a"))
    assert not passes({"k": ["x"]}, ATTRIBUTES, "", {"k": ("Binary", b"x")})


def test_bodies_are_matched_in_their_depth() -> None:
    policy = {"user": {"tags": ["x"], "address": {"city": [{"prefix": "Par"}]}}}
    assert passes(policy, BODY, '{"user": {"tags": ["y", "x"], "address": {"city": "Paris"}}}', {})
    assert not passes(policy, BODY, '{"user": {"tags": ["x"], "address": {"city": "Lyon"}}}', {})
    assert not passes(policy, BODY, "no JSON", {})
    assert not passes(policy, BODY, '["x"]', {})
    items = {"items": {"kind": ["a"], "size": [1]}}
    assert passes(items, BODY, '{"items": [{"kind": "a", "size": 1}]}', {})
    assert not passes(items, BODY, '{"items": [{"kind": "a", "size": 2}, {"kind": "b", "size": 1}]}', {})
    assert passes({"a": {"b": [{"exists": False}]}}, BODY, "{}", {})
    assert passes({"n": [None]}, BODY, '{"n": null}', {})


@pytest.mark.parametrize(
    "text",
    [
        "no", "[]", '{"k": "a"}', '{"k": []}', '{"k": {"nested": ["a"]}}', '{"k": [{"prefix": 1}]}',
        '{"k": [{"numeric": [">"]}]}', '{"k": [{"numeric": ["~", 1]}]}', '{"k": [{"cidr": "x"}]}',
        '{"k": [{"exists": "true"}]}', '{"k": [{"numeric": [{}, 1]}]}', '{"k": [{"anything-but": {"prefix": 5}}]}',
        '{"k": [{"nonsense": 1}]}', '{"k": [{"prefix": "a", "suffix": "b"}]}',
        '{"a": [1], "b": [1], "c": [1], "d": [1], "e": [1], "f": [1]}', '{"k": [["a"]]}', '{"k": [1e10]}',
    ],
)  # fmt: skip
def test_what_may_not_be_a_policy(text: str) -> None:
    with pytest.raises(AwsError, match="InvalidParameter: Invalid parameter: FilterPolicy"):
        checked(text, ATTRIBUTES)


def test_policies_may_not_be_too_complex() -> None:
    hundred = ", ".join(f'"{n}"' for n in range(100))
    assert checked(f'{{"k": [{hundred}]}}', ATTRIBUTES)
    with pytest.raises(AwsError, match="too complex"):
        checked(f'{{"k": [{hundred}], "l": ["a", "b"]}}', ATTRIBUTES)
    with pytest.raises(AwsError, match="too complex"):
        checked(f'{{"k": {{"deep": [{hundred}]}}}}', BODY)
