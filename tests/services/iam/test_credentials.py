"""Access keys, when they were used; console passwords; the account's alias and password policy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, refused, root, user


def test_a_key_shows_its_secret_once_and_seals_it(jar: TestJar, iam: Any) -> None:
    iam.create_user(UserName="ann")
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    assert made["AccessKeyId"].startswith("AKIA")
    assert len(made["AccessKeyId"]) == 20
    assert len(made["SecretAccessKey"]) == 40
    (listed,) = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    assert listed == {k: v for k, v in made.items() if k != "SecretAccessKey"}
    stored = b"".join(path.read_bytes() for path in jar.home.iterdir() if path.is_file())
    assert made["SecretAccessKey"].encode() not in stored


def test_an_inactive_or_deleted_key_is_nobodys(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    assert ann.client("sts").get_caller_identity()["Arn"] == ann.arn
    iam.update_access_key(UserName="ann", AccessKeyId=ann.key, Status="Inactive")
    with refused("InvalidClientTokenId", status=403):
        ann.client("sts").get_caller_identity()
    iam.update_access_key(UserName="ann", AccessKeyId=ann.key, Status="Active")
    assert ann.client("sts").get_caller_identity()["Arn"] == ann.arn
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.key)
    with refused("InvalidClientTokenId"):
        ann.client("sts").get_caller_identity()


def test_a_wrong_secret_is_refused(jar: TestJar) -> None:
    ann = user(jar, "ann")
    with refused("SignatureDoesNotMatch", status=403):
        ann._replace(secret="x" * 40).client("sts").get_caller_identity()


def test_users_look_after_their_own_keys_without_naming_themselves(jar: TestJar) -> None:
    own = allow("iam:*AccessKey*", on=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")
    ann, bob = user(jar, "ann", own), user(jar, "bob")
    iam = ann.client("iam")
    second = iam.create_access_key()["AccessKey"]["AccessKeyId"]
    assert {k["AccessKeyId"] for k in iam.list_access_keys()["AccessKeyMetadata"]} == {ann.key, second}
    iam.delete_access_key(AccessKeyId=second)
    with refused("AccessDenied"):
        iam.list_access_keys(UserName="bob")
    with refused("NoSuchEntity", f"The Access Key with id {bob.key} cannot be found.", status=404):
        iam.delete_access_key(AccessKeyId=bob.key)


def test_the_root_users_own_keys_are_not_managed_here(iam: Any) -> None:
    with refused("NotImplemented", "Name a user", status=501):
        iam.create_access_key()


def test_the_last_use_is_noted_and_outlives_a_stop(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    never = iam.get_access_key_last_used(AccessKeyId=ann.key)
    assert never["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    ann.client("sts", "us-east-1").get_caller_identity()
    jar.advance(minutes=5)
    ann.client("sts", "ap-south-1").get_caller_identity()
    found = iam.get_access_key_last_used(AccessKeyId=ann.key)
    assert found["UserName"] == "ann"
    used = found["AccessKeyLastUsed"]
    assert used == {"LastUsedDate": jar.clock.now(), "ServiceName": "sts", "Region": "ap-south-1"}


def test_uses_within_a_minute_are_stored_at_a_clean_stop(steady_jar: TestJar) -> None:
    jar = steady_jar
    ann = user(jar, "ann")
    ann.client("sts", "us-east-1").get_caller_identity()
    jar.advance(seconds=30)
    ann.client("sts", "ap-south-1").get_caller_identity()

    async def stop() -> None:
        jar.jar.close()

    jar.on_loop(stop())
    jar.jar = jar._open()
    used = root(jar, "iam").get_access_key_last_used(AccessKeyId=ann.key)["AccessKeyLastUsed"]
    assert (used["LastUsedDate"], used["Region"]) == (jar.clock.now(), "ap-south-1")


def test_the_last_use_of_a_key_is_asked_of_its_user(jar: TestJar) -> None:
    bob = user(jar, "bob")
    ann = user(jar, "ann", allow("iam:GetAccessKeyLastUsed", on=bob.arn)).client("iam")
    assert ann.get_access_key_last_used(AccessKeyId=bob.key)["UserName"] == "bob"
    with refused("AccessDenied"):
        ann.get_access_key_last_used(AccessKeyId="AKIA" + "A" * 16)


def test_keys_of_another_account_are_not_seen(jar: TestJar) -> None:
    ann = user(jar, "ann")
    user(jar, "ann", account=OTHER)
    with refused("NoSuchEntity"):
        root(jar, "iam", OTHER).delete_access_key(UserName="ann", AccessKeyId=ann.key)


def test_a_password_is_kept_as_a_hash_and_checked_when_changed(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("iam:ChangePassword"))
    made = iam.create_login_profile(UserName="ann", Password="Correct-Horse-9", PasswordResetRequired=True)
    assert made["LoginProfile"]["PasswordResetRequired"] is True
    stored = b"".join(path.read_bytes() for path in jar.home.iterdir() if path.is_file())
    assert b"Correct-Horse-9" not in stored
    with refused("EntityAlreadyExists", "Login Profile for user ann already exists.", status=409):
        iam.create_login_profile(UserName="ann", Password="Correct-Horse-9")
    with refused("AccessDenied", "The old password was incorrect.", status=403):
        ann.client("iam").change_password(OldPassword="Wrong-Horse-9", NewPassword="Better-Horse-10")
    ann.client("iam").change_password(OldPassword="Correct-Horse-9", NewPassword="Better-Horse-10")
    assert iam.get_login_profile(UserName="ann")["LoginProfile"]["PasswordResetRequired"] is False
    ann.client("iam").change_password(OldPassword="Better-Horse-10", NewPassword="Third-Horse-11")
    iam.delete_login_profile(UserName="ann")
    with refused("NoSuchEntity", "Login Profile for User ann cannot be found.", status=404):
        iam.get_login_profile(UserName="ann")


@pytest.mark.parametrize("weak", ["Ab1!", "alllowercase", "lower1234"])
def test_a_weak_password_is_refused(steady_jar: TestJar, weak: str) -> None:
    iam = root(steady_jar, "iam")
    iam.create_user(UserName="ann")
    with refused("PasswordPolicyViolation", "Password", status=400):
        iam.create_login_profile(UserName="ann", Password=weak)


def test_the_accounts_own_password_policy_takes_over(iam: Any) -> None:
    with refused("NoSuchEntity", f"The Password Policy with domain name {ACCOUNT} cannot be found.", status=404):
        iam.get_account_password_policy()
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireSymbols=True, MaxPasswordAge=90)
    found = iam.get_account_password_policy()["PasswordPolicy"]
    assert (found["MinimumPasswordLength"], found["RequireSymbols"], found["RequireNumbers"]) == (12, True, False)
    assert (found["ExpirePasswords"], found["MaxPasswordAge"]) == (True, 90)
    iam.create_user(UserName="ann")
    with refused("PasswordPolicyViolation", "minimum length of 12"):
        iam.create_login_profile(UserName="ann", Password="Short-1")
    with refused("PasswordPolicyViolation", "at least one symbol"):
        iam.create_login_profile(UserName="ann", Password="nosymbolshere")
    iam.create_login_profile(UserName="ann", Password="only-lower-case")
    iam.delete_account_password_policy()
    with refused("NoSuchEntity"):
        iam.get_account_password_policy()


def test_an_alias_is_the_only_one_and_unique_over_accounts(jar: TestJar, iam: Any) -> None:
    iam.create_account_alias(AccountAlias="first")
    iam.create_account_alias(AccountAlias="second")
    assert iam.list_account_aliases()["AccountAliases"] == ["second"]
    with refused("EntityAlreadyExists", "The account alias second already exists.", status=409):
        root(jar, "iam", OTHER).create_account_alias(AccountAlias="second")
    with refused("NoSuchEntity"):
        iam.delete_account_alias(AccountAlias="first")
    iam.delete_account_alias(AccountAlias="second")
    assert iam.list_account_aliases()["AccountAliases"] == []
