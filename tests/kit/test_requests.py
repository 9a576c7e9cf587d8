"""What every service asks of requests: filters, tags, retry tokens, quotas."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.kit import filters, tags
from cloudjar.kit.retry_tokens import RetryTokens
from cloudjar.store.database import Database


def item(**values: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"tags": {}, **values})


GETTERS = {"state": lambda i: i.state, "on": lambda i: i.on, "ips": lambda i: i.ips, "none": lambda _: None}
A = item(state="running", on=True, ips=["10.0.0.1", "10.0.0.2"], tags={"Name": "a", "x": ""})
B = item(state="stopped", on=False, ips=[], tags={"Name": "b*"})


def chosen(*entries: tuple[str, list[str]]) -> list[str]:
    asked = [{"Name": name, "Values": values} for name, values in entries]
    return [i.tags["Name"] for i in filters.apply(asked, GETTERS, [A, B])]


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([], ["a", "b*"]),
        ([("state", ["running"])], ["a"]),
        ([("state", ["running", "stopped"])], ["a", "b*"]),
        ([("state", ["r*", "?topped"])], ["a", "b*"]),
        ([("state", ["Running"])], []),
        ([("on", ["true"])], ["a"]),
        ([("ips", ["10.0.0.2"])], ["a"]),
        ([("none", ["*"])], []),
        ([("tag:Name", ["b\\*"])], ["b*"]),
        ([("tag:Name", ["b*"])], ["b*"]),
        ([("tag:x", [""])], ["a"]),
        ([("tag:y", ["*"])], []),
        ([("tag-key", ["x"])], ["a"]),
        ([("tag-value", ["a"])], ["a"]),
        ([("state", ["running"]), ("on", ["false"])], []),
        ([("state", [])], ["a", "b*"]),
    ],
)
def test_filters_add_up_and_their_values_are_alternatives(
    entries: list[tuple[str, list[str]]], names: list[str]
) -> None:
    assert chosen(*entries) == names


def test_an_unknown_filter_is_refused_never_ignored() -> None:
    with pytest.raises(AwsError, match="The filter 'colour' is invalid"):
        chosen(("colour", ["red"]))


def specified(*pairs: tuple[str, str]) -> dict[str, str]:
    spec = [{"ResourceType": "vpc", "Tags": [{"Key": key, "Value": value} for key, value in pairs]}]
    return tags.specified({"TagSpecifications": spec}, "vpc")


def test_tags_of_the_type_are_taken_and_others_left() -> None:
    assert specified(("a", "1"), ("b", "")) == {"a": "1", "b": ""}
    assert tags.specified({"TagSpecifications": [{"ResourceType": "subnet", "Tags": [{"Key": "a"}]}]}, "vpc") == {}
    assert tags.from_list(tags.as_list({"b": "2", "a": "1"})) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([("", "x")], "InvalidParameterValue"),
        ([("aws:mine", "x")], "InvalidParameterValue"),
        ([("AWS:mine", "x")], "InvalidParameterValue"),
        ([("k" * 128, "x")], "InvalidParameterValue"),
        ([("k", "x" * 256)], "InvalidParameterValue"),
        ([("k", "1"), ("k", "2")], "InvalidParameterValue"),
        ([(f"k{n}", "") for n in range(51)], "TagLimitExceeded"),
    ],
)
def test_tags_that_aws_refuses(pairs: list[tuple[str, str]], code: str) -> None:
    with pytest.raises(AwsError) as refused:
        specified(*pairs)
    assert refused.value.code == code
    assert len(specified(*[(f"k{n}", "") for n in range(50)])) == 50


def test_tags_are_condition_keys_in_lower_case() -> None:
    assert tags.request_keys({"Team": "A"}) == {"aws:requesttag/team": "A", "aws:tagkeys": ["Team"]}
    assert tags.request_keys({}) == {}


def ctx(account: str = "1", region: str = "r") -> Any:
    from cloudjar.base.clock import SimClock

    return SimpleNamespace(account=account, region=region, now=SimClock().now())


@pytest.fixture
def tokens(tmp_path: Path) -> RetryTokens:
    return RetryTokens(Database(tmp_path / "a.db", durable=False))


def test_a_token_gives_its_answer_again(tokens: RetryTokens) -> None:
    asked = {"A": 1, "B": ["x"], "Token": "t"}
    assert tokens.remembered(ctx(), "op", "t", asked) is None
    answer = {"Id": "vpc-1", "When": ctx().now, "Blob": b"\x00"}
    tokens.remember(ctx(), "op", "t", asked, answer)
    assert tokens.remembered(ctx(), "op", "t", {"Token": "t", "B": ["x"], "A": 1}) == answer


def test_a_token_for_another_request_is_refused(tokens: RetryTokens) -> None:
    tokens.remember(ctx(), "op", "t", {"A": 1}, {})
    with pytest.raises(AwsError) as refused:
        tokens.remembered(ctx(), "op", "t", {"A": 2})
    assert refused.value.code == "IdempotentParameterMismatch"


def test_a_token_is_known_in_its_own_place_alone(tokens: RetryTokens) -> None:
    tokens.remember(ctx(), "op", "t", {"A": 1}, {})
    assert tokens.remembered(ctx("2"), "op", "t", {"A": 2}) is None
    assert tokens.remembered(ctx(region="q"), "op", "t", {"A": 2}) is None
    assert tokens.remembered(ctx(), "other", "t", {"A": 2}) is None
