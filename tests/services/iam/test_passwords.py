"""The account's password policy in force: reuse, expiry, who may change his own."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.iam.people import allow, refused, root, user

WORDS = [f"Correct-Horse-{n}" for n in range(5)]


def test_the_last_passwords_cannot_be_used_again(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("iam:ChangePassword")).client("iam")
    iam.update_account_password_policy(PasswordReusePrevention=2)
    iam.create_login_profile(UserName="ann", Password=WORDS[0])
    ann.change_password(OldPassword=WORDS[0], NewPassword=WORDS[1])
    for used in WORDS[:2]:
        with refused("PasswordPolicyViolation", "password reuse prevention", status=400):
            ann.change_password(OldPassword=WORDS[1], NewPassword=used)
    ann.change_password(OldPassword=WORDS[1], NewPassword=WORDS[2])
    ann.change_password(OldPassword=WORDS[2], NewPassword=WORDS[0])
    iam.delete_account_password_policy()
    ann.change_password(OldPassword=WORDS[0], NewPassword=WORDS[0])


def test_an_administrators_reset_counts_as_one_of_the_last(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("iam:ChangePassword")).client("iam")
    iam.update_account_password_policy(PasswordReusePrevention=24)
    iam.create_login_profile(UserName="ann", Password=WORDS[0])
    iam.update_login_profile(UserName="ann", Password=WORDS[1])
    with refused("PasswordPolicyViolation", "password reuse prevention"):
        ann.change_password(OldPassword=WORDS[1], NewPassword=WORDS[0])


def test_after_a_hard_expiry_an_administrator_must_help(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("iam:ChangePassword")).client("iam")
    iam.update_account_password_policy(MaxPasswordAge=30, HardExpiry=True)
    iam.create_login_profile(UserName="ann", Password=WORDS[0])
    jar.advance(days=29)
    ann.change_password(OldPassword=WORDS[0], NewPassword=WORDS[1])
    jar.advance(days=30)
    with refused("AccessDenied", "expired", status=403):
        ann.change_password(OldPassword=WORDS[1], NewPassword=WORDS[2])
    iam.update_login_profile(UserName="ann", Password=WORDS[2])
    ann.change_password(OldPassword=WORDS[2], NewPassword=WORDS[3])
    jar.advance(days=31)
    iam.update_account_password_policy(MaxPasswordAge=30)
    ann.change_password(OldPassword=WORDS[3], NewPassword=WORDS[4])


def test_the_policy_can_let_everybody_change_his_own(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", Path="/team/").client("iam")
    iam.create_login_profile(UserName="ann", Password=WORDS[0])
    with refused("AccessDenied", "iam:ChangePassword", status=403):
        ann.change_password(OldPassword=WORDS[0], NewPassword=WORDS[1])
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    ann.change_password(OldPassword=WORDS[0], NewPassword=WORDS[1])
    assert ann.get_account_password_policy()["PasswordPolicy"]["AllowUsersToChangePassword"] is True
    with refused("AccessDenied", "iam:ListUsers"):
        ann.list_users()
    iam.update_account_password_policy(MinimumPasswordLength=8)
    with refused("AccessDenied", "iam:ChangePassword"):
        ann.change_password(OldPassword=WORDS[1], NewPassword=WORDS[2])


def test_only_users_have_a_password_to_change(steady_jar: TestJar) -> None:
    with refused("InvalidUserType", "Only IAM Users can change their own password", status=400):
        root(steady_jar, "iam").change_password(OldPassword=WORDS[0], NewPassword=WORDS[1])


def test_the_version_of_global_tokens_is_kept(jar: TestJar, iam: Any) -> None:
    def version() -> int:
        return int(iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"])

    assert version() == 1
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v2Token")
    assert version() == 2
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v1Token")
    assert version() == 1
