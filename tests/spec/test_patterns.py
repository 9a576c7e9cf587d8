"""The models' regular expressions as they are run."""

from __future__ import annotations

import pytest

from cloudjar.spec import patterns


@pytest.mark.parametrize("pattern", ["[a-zA-Z](?:-?[a-zA-Z0-9]+)*", "[a-z](?:-?[a-z0-9]+){0,15}"])
def test_words_between_dashes_are_not_divided_in_every_way(pattern: str) -> None:
    matches = patterns.matcher(pattern)
    assert matches is not None
    assert [matches(text) for text in ("a", "a1", "a-b1-c", "abc-d", "a" * 63)] == [True] * 5
    assert [matches(text) for text in ("", "-a", "a-", "a--b", "a_b", "a" * 5000 + "_")] == [False] * 6
