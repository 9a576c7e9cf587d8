"""Random passwords: all that can be asked of them."""

from __future__ import annotations

import string
from typing import Any

import pytest

from cloudjar.base import ids
from cloudjar.services.secretsmanager import passwords
from tests.jar import TestJar
from tests.services.secretsmanager.asking import refused

TYPES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)

PLAIN = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


def kinds(password: str) -> list[bool]:
    """Which types are in it."""
    return [any(c in alphabet for c in password) for alphabet in TYPES]


def test_the_default_has_everything(steady_jar: TestJar) -> None:
    secrets = steady_jar.client("secretsmanager")
    drawn = {secrets.get_random_password()["RandomPassword"] for _ in range(20)}
    assert len(drawn) == 20
    assert all(len(password) == 32 and all(kinds(password)) for password in drawn)


@pytest.mark.parametrize(
    ("req", "alphabet"),
    [
        ({"ExcludePunctuation": True}, string.ascii_letters + string.digits),
        ({"ExcludeLowercase": True, "ExcludeUppercase": True, "ExcludePunctuation": True}, string.digits),
        ({"ExcludeNumbers": True, "ExcludePunctuation": True, "IncludeSpace": True}, string.ascii_letters + " "),
        ({"ExcludePunctuation": True, "ExcludeCharacters": "0O1lI"}, PLAIN),
        ({"PasswordLength": 4096}, "".join(TYPES)),
    ],
)
def test_only_what_is_included(req: dict[str, Any], alphabet: str) -> None:
    password = passwords.make({"PasswordLength": 500, **req}, ids.below)
    assert len(password) == req.get("PasswordLength", 500)
    assert set(password) <= set(alphabet)
    assert len(set(password)) > len(set(alphabet)) / 2


def test_each_included_type_is_there_in_the_shortest() -> None:
    for _ in range(50):
        assert all(kinds(passwords.make({"PasswordLength": 4}, ids.below)))
    loose = {"PasswordLength": 1, "RequireEachIncludedType": False}
    assert len(passwords.make(loose, ids.below)) == 1


def test_each_place_can_have_each_type() -> None:
    drawn = [passwords.make({"PasswordLength": 4}, ids.below) for _ in range(300)]
    for place in range(4):
        assert all(any(password[place] in alphabet for password in drawn) for alphabet in TYPES)


@pytest.mark.parametrize(
    "req",
    [
        {"PasswordLength": 3},
        {"ExcludeLowercase": True, "ExcludeUppercase": True, "ExcludeNumbers": True, "ExcludePunctuation": True},
        {"ExcludeCharacters": string.digits},
    ],
)
def test_passwords_that_cannot_be(steady_jar: TestJar, req: dict[str, Any]) -> None:
    with refused("InvalidParameterException"):
        steady_jar.client("secretsmanager").get_random_password(**req)
