"""How often targets are called again, and what dead letters say of it."""

from __future__ import annotations

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.kit.target_calls import LONGEST, Retries, is_throttled, pause

DAY = 86_400


def test_without_a_policy_a_call_is_tried_again_for_a_day() -> None:
    assert Retries.of(None) == Retries.of({}) == (185, DAY)
    assert Retries.of({"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}) == (0, 60)
    assert sum(map(pause, range(1, 186))) < DAY


def test_the_time_between_attempts_doubles_until_it_is_the_longest() -> None:
    assert [pause(tries) for tries in (1, 2, 3, 8, 9, 1000)] == [2, 4, 8, 256, LONGEST, LONGEST]
    assert pause(9, 300.0) == 300


@pytest.mark.parametrize(
    ("tries", "age", "said"),
    [
        (3, 60.0, ()),
        (4, 60.0, ("MaximumRetryAttempts",)),
        (3, 60.5, ("MaximumEventAgeInSeconds",)),
        (4, 60.5, ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")),
    ],
)
def test_what_is_exhausted_is_said_as_in_dead_letters(tries: int, age: float, said: tuple[str, ...]) -> None:
    assert Retries(3, 60).exhausted(tries, age) == said


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException", "LimitExceededException"])
def test_a_target_with_too_much_to_do_is_told_from_one_that_refuses(code: str) -> None:
    assert is_throttled(AwsError(code, "", 400))
    assert not is_throttled(AwsError("AccessDenied", "", 403))
