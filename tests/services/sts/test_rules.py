"""The pure rules of STS."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.services.sts import rules

ACCOUNT = "111122223333"


@pytest.mark.parametrize(
    ("asked", "longest", "chained", "service", "seconds"),
    [
        (None, 3600, False, False, 3600),
        (900, 3600, False, False, 900),
        (43200, 43200, False, False, 43200),
        (3600, 43200, True, False, 3600),
        (21600, 3600, False, True, 21600),
    ],
)
def test_how_long_a_role_session_lasts(
    asked: int | None, longest: int, chained: bool, service: bool, seconds: int
) -> None:
    assert rules.role_seconds(asked, longest, chained=chained, service=service) == seconds


@pytest.mark.parametrize(("asked", "longest", "chained"), [(3601, 3600, False), (3601, 43200, True)])
def test_sessions_that_would_be_too_long(asked: int, longest: int, chained: bool) -> None:
    with pytest.raises(AwsError) as caught:
        rules.role_seconds(asked, longest, chained=chained, service=False)
    assert caught.value.code == "ValidationError"


def test_sessions_of_users_and_root() -> None:
    assert rules.user_seconds(None, root=False) == 43200
    assert rules.user_seconds(129600, root=False) == 129600
    assert rules.user_seconds(129600, root=True) == 3600


@pytest.mark.parametrize("account", ["000000000000", "111122223333", "999999999999"])
@pytest.mark.parametrize("prefix", ["AKIA", "ASIA"])
def test_an_access_key_carries_its_account(account: str, prefix: str) -> None:
    assert rules.account_of_key(ids.access_key_id(prefix, account)) == account


@pytest.mark.parametrize("key", ["AKIA", "AKIA1111111111111111", "XKIAQAAAAAAAADRG2QOI"])
def test_what_is_no_access_key(key: str) -> None:
    with pytest.raises(AwsError):
        rules.account_of_key(key)


def test_tags_of_the_calling_session_go_on_when_transitive() -> None:
    req: dict[str, Any] = {"Tags": [{"Key": "b", "Value": "2"}], "TransitiveTagKeys": ["b"]}
    found = rules.session_tags(req, {"a": "1", "c": "3"}, ("a",))
    assert found.all == {"a": "1", "b": "2"}
    assert found.transitive == ("a", "b")


def test_managed_session_policies_are_counted_and_belong_to_the_account() -> None:
    own = f"arn:aws:iam::{ACCOUNT}:policy/p"
    narrowed = rules.narrowing({"PolicyArns": [{"arn": own}]}, ACCOUNT)
    assert narrowed.arns == (own,)
    assert narrowed.policies == ()
    for arns in ([{"arn": own}] * 11, [{"arn": "arn:aws:iam::000000000000:policy/p"}], [{"arn": "x" * 20}]):
        with pytest.raises(AwsError) as caught:
            rules.narrowing({"PolicyArns": arns}, ACCOUNT)
        assert caught.value.code == "ValidationError"
