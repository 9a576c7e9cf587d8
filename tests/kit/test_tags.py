"""Tags of requests as condition keys, in every form that services have for them."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags

ONE = {"aws:requesttag/cost center": "4/2", "aws:tagkeys": ["Cost Center"]}


@pytest.mark.parametrize(
    "request_",
    [
        {"Tags": [{"Key": "Cost Center", "Value": "4/2"}]},
        {"Tags": [{"TagKey": "Cost Center", "TagValue": "4/2"}]},
        {"tags": [{"key": "Cost Center", "value": "4/2"}]},
        {"tags": {"Cost Center": "4/2"}},
        {"TagsList": [{"Key": "Cost Center", "Value": "4/2"}]},
        {"AddTags": [{"Key": "Cost Center", "Value": "4/2"}]},
        {"Tagging": "Cost%20Center=4%2F2"},
        {"Tagging": {"TagSet": [{"Key": "Cost Center", "Value": "4/2"}]}},
    ],
)
def test_every_form_of_tags_says_the_same(request_: dict[str, Any]) -> None:
    assert not tags.CARRY.isdisjoint(request_)
    assert tags.in_request(request_) == ONE


def test_a_tag_without_value_is_there_and_one_without_key_is_not() -> None:
    found = tags.in_request({"Tags": [{"Key": "a"}, {"Value": "x"}, {}]})
    assert found == {"aws:requesttag/a": "", "aws:tagkeys": ["a"]}


@pytest.mark.parametrize("member", ["TagKeys", "tagKeys", "TagKeyList", "RemoveTagKeys"])
def test_keys_to_remove_are_keys(member: str) -> None:
    assert tags.in_request({member: ["a", "b"]}) == {"aws:tagkeys": ["a", "b"]}
    assert tags.in_request({"Tags": [{"Key": "c", "Value": "1"}], member: ["a"]})["aws:tagkeys"] == ["c", "a"]


def test_a_request_without_tags_brings_nothing() -> None:
    assert tags.in_request({"UserName": "ann", "Tags": []}) == {}
    assert tags.CARRY.isdisjoint({"UserName": "ann"})


def test_what_is_made_has_its_own_tags() -> None:
    specs = [
        {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "1"}]},
        {"ResourceType": "volume", "Tags": [{"Key": "b", "Value": "2"}]},
        {"ResourceType": "instance", "Tags": [{"Key": "c", "Value": "3"}]},
        {"ResourceType": "network-interface"},
    ]
    assert tags.by_type({"TagSpecifications": specs}) == {
        "instance": {"aws:requesttag/a": "1", "aws:requesttag/c": "3", "aws:tagkeys": ["a", "c"]},
        "volume": {"aws:requesttag/b": "2", "aws:tagkeys": ["b"]},
        "network-interface": {},
    }


def test_tags_that_a_resource_may_have_are_not_of_awss_own_and_fifty_at_most() -> None:
    def admitted(found: dict[str, str]) -> dict[str, str]:
        return tags.admitted(found, reserved=AwsError("Reserved", ""), too_many=AwsError("TooMany", ""))

    fifty = {str(number): "" for number in range(50)}
    assert admitted(fifty) == fifty
    with pytest.raises(AwsError, match="TooMany"):
        admitted({**fifty, "50": ""})
    with pytest.raises(AwsError, match="Reserved"):
        admitted({**fifty, "Aws:Name": ""})


def test_tags_are_listed_in_pages_behind_a_key() -> None:
    held = {"b": "2", "a": "1", "c": "3"}
    assert tags.page(held, {"Limit": 2}) == {"Tags": tags.as_list({"a": "1", "b": "2"}), "HasMoreTags": True}
    assert tags.page(held, {"ExclusiveStartTagKey": "b"}) == {"Tags": tags.as_list({"c": "3"}), "HasMoreTags": False}
    assert tags.without(held, ["a", "z"]) == {"b": "2", "c": "3"}
