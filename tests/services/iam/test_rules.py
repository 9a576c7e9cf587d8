"""The pure rules of IAM."""

from __future__ import annotations

import json

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.policy.document import parse
from cloudjar.services.iam import rules
from cloudjar.services.iam.rules import PasswordRules
from cloudjar.spec import managed_policies


def test_size_does_not_count_white_space() -> None:
    assert rules.size('{ "a" :\n\t"b c" }') == len('{"a":"bc"}')


def test_tags_keep_their_newest_spelling() -> None:
    assert rules.tags([{"Key": "TEAM", "Value": "b"}], {"team": "a", "x": ""}) == {"x": "", "TEAM": "b"}


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}], "InvalidInput"),
        ([{"Key": "AWS:x", "Value": ""}], "InvalidInput"),
        ([{"Key": str(i), "Value": ""} for i in range(51)], "LimitExceeded"),
    ],
)
def test_tags_that_are_refused(items: list[dict[str, str]], code: str) -> None:
    with pytest.raises(AwsError) as caught:
        rules.tags(items)
    assert caught.value.code == code


def test_a_principal_is_renamed_however_it_is_spelled() -> None:
    old, new = "arn:aws:iam::000000000000:user/ann", "AIDAAAAAAAAAAAAAAAAAA"
    longer = old + "e"
    document = {"Statement": [{"Principal": {"AWS": [old, longer]}}]}
    for text in (json.dumps(document), json.dumps(document).replace("user/ann", "user\\/ann")):
        changed = json.loads(rules.renamed_principal(text, old, new))
        assert changed["Statement"][0]["Principal"]["AWS"] == [new, longer]


@pytest.mark.parametrize(
    ("password", "wanted", "words"),
    [
        ("Abcdef1", PasswordRules(), "minimum length of 8"),
        ("abcdefg1", PasswordRules(), "at least three"),
        ("Abcdefg1", PasswordRules(), ""),
        ("abcdefg!1", PasswordRules(), ""),
        ("abcdefgh", PasswordRules(6, numbers=True, kinds=0), "at least one number"),
        ("abcdefgh", PasswordRules(6, upper=True, kinds=0), "at least one uppercase letter"),
        ("abcdefgh", PasswordRules(6, kinds=0), ""),
    ],
)
def test_weak_passwords(password: str, wanted: PasswordRules, words: str) -> None:
    found = rules.weakness(password, wanted)
    assert (words in found) if words else not found


def test_a_hash_depends_on_password_and_salt() -> None:
    one = rules.password_hash("a", b"s" * 16)
    assert len(one) == 32
    assert one not in (rules.password_hash("b", b"s" * 16), rules.password_hash("a", b"t" * 16))


def test_every_policy_of_aws_is_read_by_the_engine() -> None:
    empty = [name for name in managed_policies.names() if not parse(managed_policies.document(name)).statements]
    assert empty == []
