"""The credential report, and what else tells of the use of credentials."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, refused, role, root, trust, user
from tests.services.iam.phones import Watch, phone_of

HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)


def rows(iam: Any) -> dict[str, dict[str, str]]:
    """The report by user."""
    answer = iam.get_credential_report()
    assert answer["ReportFormat"] == "text/csv"
    lines = answer["Content"].decode().split("\n")
    assert lines[0] == HEADER
    return {row["user"]: row for row in csv.DictReader(lines)}


def test_a_report_is_made_and_is_good_for_four_hours(jar: TestJar, iam: Any) -> None:
    with refused("ReportNotPresent", status=410):
        iam.get_credential_report()
    started = iam.generate_credential_report()
    assert started["State"] == "STARTED"
    assert started["Description"] == "No report exists. Starting a new report generation task"
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    assert iam.get_credential_report()["GeneratedTime"] == jar.clock.now()
    iam.create_user(UserName="late")
    jar.advance(hours=3, minutes=59)
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    assert set(rows(iam)) == {"<root_account>"}
    jar.advance(minutes=1)
    with refused("ReportExpired", status=410):
        iam.get_credential_report()
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert set(rows(iam)) == {"<root_account>", "late"}
    with refused("ReportNotPresent"):
        root(jar, "iam", OTHER).get_credential_report()


def test_every_column_is_true(jar: TestJar, iam: Any) -> None:
    began = jar.clock.now()
    iam.update_account_password_policy(MaxPasswordAge=90)
    ann = user(jar, "ann", Path="/team/")
    iam.create_user(UserName="bob")
    jar.advance(days=1)
    iam.create_login_profile(UserName="ann", Password="Correct-Horse-9")
    second = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    ann.client("sts", "ap-south-1").get_caller_identity()
    jar.advance(days=1)
    iam.update_access_key(UserName="ann", AccessKeyId=second, Status="Inactive")
    iam.generate_credential_report()
    found = rows(iam)

    def day(n: int) -> str:
        return str((began + timedelta(days=n)).isoformat())

    assert found["ann"] == {
        "user": "ann",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/team/ann",
        "user_creation_time": day(0),
        "password_enabled": "true",
        "password_last_used": "no_information",
        "password_last_changed": day(1),
        "password_next_rotation": day(91),
        "mfa_active": "false",
        "access_key_1_active": "true",
        "access_key_1_last_rotated": day(0),
        "access_key_1_last_used_date": day(1),
        "access_key_1_last_used_region": "ap-south-1",
        "access_key_1_last_used_service": "sts",
        "access_key_2_active": "false",
        "access_key_2_last_rotated": day(2),
        "access_key_2_last_used_date": "N/A",
        "access_key_2_last_used_region": "N/A",
        "access_key_2_last_used_service": "N/A",
        "cert_1_active": "false",
        "cert_1_last_rotated": "N/A",
        "cert_2_active": "false",
        "cert_2_last_rotated": "N/A",
    }
    assert {found["bob"][c] for c in HEADER.split(",")[3:]} == {"false", "N/A"}
    owner = found["<root_account>"]
    assert (owner["arn"], owner["user_creation_time"]) == (f"arn:aws:iam::{ACCOUNT}:root", day(0))
    assert (owner["password_enabled"], owner["password_last_used"]) == ("not_supported", "no_information")
    assert (owner["mfa_active"], owner["access_key_1_active"]) == ("false", "false")


def test_a_generated_root_key_is_told(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    assert iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 0
    steady_jar.jar.root_keys.generate(ACCOUNT)
    assert iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 1
    iam.generate_credential_report()
    assert rows(iam)["<root_account>"]["access_key_1_active"] == "true"


def test_devices_are_told(jar: TestJar, iam: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(jar, monkeypatch)
    user(jar, "ann")
    phone_of(watch, iam, "ann")
    iam.generate_credential_report()
    assert {name: row["mfa_active"] for name, row in rows(iam).items()} == {"<root_account>": "false", "ann": "true"}


def test_the_last_use_of_a_role_is_shown_by_itself_alone(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn), allow("sts:*"))
    assert iam.get_role(RoleName="R")["Role"]["RoleLastUsed"] == {}
    session = ann.assume(arn)
    assert iam.get_role(RoleName="R")["Role"]["RoleLastUsed"] == {}
    session.client("sts", "ap-south-1").get_caller_identity()
    used = {"LastUsedDate": jar.clock.now(), "Region": "ap-south-1"}
    assert iam.get_role(RoleName="R")["Role"]["RoleLastUsed"] == used
    assert "RoleLastUsed" not in iam.list_roles()["Roles"][0]
    (detail,) = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    assert detail["RoleLastUsed"] == used
    jar.advance(days=401)
    assert iam.get_role(RoleName="R")["Role"]["RoleLastUsed"] == {}
    iam.delete_role_policy(RoleName="R", PolicyName="own")
    iam.delete_role(RoleName="R")
    role(jar, "R", trust(ann.arn))
    assert iam.get_role(RoleName="R")["Role"]["RoleLastUsed"] == {}
