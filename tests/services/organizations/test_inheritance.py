"""Management policies are merged level by level."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.services.organizations import inheritance
from cloudjar.services.organizations.inheritance import PolicyShapeError


def leaf(**operators: Any) -> dict[str, Any]:
    """A value set by operators, each named without its signs."""
    return {f"@@{name}": value for name, value in operators.items()}


def merged(*levels: dict[str, Any]) -> Any:
    """The effective value of ``x`` under one policy on each level."""
    return inheritance.merge([{"tags": {"x": level}}] for level in levels).get("tags", {}).get("x")


@pytest.mark.parametrize(
    ("levels", "effective"),
    [
        ([leaf(assign="a")], "a"),
        ([leaf(assign="a"), leaf(assign="b")], "b"),
        ([leaf(assign=["a"]), leaf(append=["b", "a"])], ["a", "b"]),
        ([leaf(assign=["a", "b"]), leaf(remove=["a"])], ["b"]),
        ([leaf(append=["a"])], ["a"]),
        ([{**leaf(assign=["a"]), inheritance.CONTROL: ["@@append"]}, leaf(assign=["b"], append=["c"])], ["a", "c"]),
        ([{**leaf(assign="a"), inheritance.CONTROL: ["@@none"]}, leaf(assign="b")], "a"),
        ([{**leaf(assign="a"), inheritance.CONTROL: ["@@none"]}, {**leaf(), inheritance.CONTROL: ["@@all"]}], "a"),
    ],
)
def test_operators(levels: list[dict[str, Any]], effective: Any) -> None:
    assert merged(*levels) == effective


def test_a_lower_level_cannot_give_back_what_a_higher_one_took() -> None:
    locked = {**leaf(assign="a"), inheritance.CONTROL: ["@@none"]}
    opened = {**leaf(assign="b"), inheritance.CONTROL: ["@@all"]}
    assert merged(locked, opened, leaf(assign="c")) == "a"


def test_what_a_level_takes_from_its_children_it_may_do_itself() -> None:
    one = {"tags": {"x": {**leaf(assign="a"), inheritance.CONTROL: ["@@none"]}}}
    other = {"tags": {"x": leaf(assign="b")}}
    assert inheritance.merge([[one, other]]) == {"tags": {"x": "b"}}


def test_a_lock_above_holds_below() -> None:
    top = {"tags": {inheritance.CONTROL: ["@@none"], "x": leaf(assign="a")}}
    below = {"tags": {"x": leaf(assign="b"), "y": leaf(assign="c")}}
    assert inheritance.merge([[top], [below]]) == {"tags": {"x": "a"}}


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"plans": {}},
        {"tags": []},
        {"tags": {"x": 1}},
        {"tags": {"x": {"@@assign": 1}}},
        {"tags": {"x": {"@@append": "a"}}},
        {"tags": {"x": {"@@assign": "a", "y": leaf(assign="b")}}},
        {"tags": {inheritance.CONTROL: "@@none"}},
        {"tags": {inheritance.CONTROL: ["@@some"]}},
    ],
)
def test_shapes_that_are_refused(document: Any) -> None:
    with pytest.raises(PolicyShapeError):
        inheritance.check("TAG_POLICY", document)
