"""Signing in with a one-time code: what it opens, and how it is attacked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import ADMIN, OTHER, Person, allow, refused, role, root, session, trust, user
from tests.services.iam.phones import Phone, Watch, phone, phone_of

WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.fixture
def watch(jar: TestJar, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """The machine's clock, moved by hand."""
    return Watch(jar, monkeypatch)


def signed_in(jar: TestJar, who: Person, device: Phone) -> Person:
    """The person with temporary credentials, proven by a code."""
    made = who.client("sts").get_session_token(SerialNumber=device.serial, TokenCode=device.code())
    device.watch.tick()
    return session(jar, made)


def test_what_needs_mfa_is_open_to_sessions_with_it_alone(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann", allow("iam:ListUsers", Condition=WITH_MFA))
    mine = phone_of(watch, iam, "ann")
    with refused("AccessDenied"):
        ann.client("iam").list_users()
    with refused("InvalidClientTokenId", status=403):  # IAM is closed to a user's sessions without MFA
        session(jar, ann.client("sts").get_session_token()).client("iam").list_users()
    assert signed_in(jar, ann, mine).client("iam").list_users()["Users"]


def test_the_age_of_mfa_is_aws_time(jar: TestJar, iam: Any, watch: Watch) -> None:
    young = {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}
    ann = user(jar, "ann", allow("iam:ListUsers", Condition=young))
    inside = signed_in(jar, ann, phone_of(watch, iam, "ann"))
    jar.advance(seconds=3590)
    assert inside.client("iam").list_users()["Users"]
    jar.advance(seconds=11)
    with refused("AccessDenied"):
        inside.client("iam").list_users()


def test_a_trust_policy_may_demand_mfa(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann")
    mine = phone_of(watch, iam, "ann")
    arn = role(jar, "Break-glass", trust(ann.arn, Condition=WITH_MFA), allow("iam:ListRoles", Condition=WITH_MFA))
    with refused("AccessDenied", "sts:AssumeRole"):
        ann.assume(arn)
    inside = ann.assume(arn, SerialNumber=mine.serial, TokenCode=mine.code())
    with refused("AccessDenied"):  # the code opened the role; what the role may do knows nothing of it
        inside.client("iam").list_roles()
    watch.tick()
    assert signed_in(jar, ann, mine).assume(arn).arn.endswith(":assumed-role/Break-glass/session")


def test_roles_of_other_accounts_may_demand_it_too(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann", allow("sts:AssumeRole"))
    mine = phone_of(watch, iam, "ann")
    fresh = {"NumericLessThan": {"aws:MultiFactorAuthAge": "900"}}
    arn = role(jar, "Theirs", trust(ann.arn, Condition=fresh), account=OTHER)
    with refused("AccessDenied"):
        ann.assume(arn)
    assert ann.assume(arn, SerialNumber=mine.serial, TokenCode=mine.code()).arn.startswith(f"arn:aws:sts::{OTHER}:")


def test_a_code_is_good_once(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann")
    mine = phone_of(watch, iam, "ann")
    once = {"SerialNumber": mine.serial, "TokenCode": mine.code()}
    assert ann.client("sts").get_session_token(**once)["Credentials"]["SessionToken"]
    with refused("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.", status=403):
        ann.client("sts").get_session_token(**once)
    earlier = {**once, "TokenCode": mine.code(-1)}  # older than the one that was used
    with refused("AccessDenied", "invalid MFA one time pass code"):
        ann.client("sts").get_session_token(**earlier)
    arn = role(jar, "R", trust(ann.arn))
    with refused("AccessDenied", "invalid MFA one time pass code"):
        ann.assume(arn, **once)


def test_the_codes_that_enabled_a_device_are_used_up(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann")
    mine = phone(watch, iam)
    iam.enable_mfa_device(UserName="ann", SerialNumber=mine.serial, **mine.two())
    with refused("AccessDenied", "invalid MFA one time pass code"):
        ann.client("sts").get_session_token(SerialNumber=mine.serial, TokenCode=mine.code())


@pytest.mark.parametrize(("away", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_may_be_a_step_early_or_late(jar: TestJar, iam: Any, watch: Watch, away: int, good: bool) -> None:
    ann = user(jar, "ann")
    mine = phone_of(watch, iam, "ann")
    watch.tick(2)
    asked = {"SerialNumber": mine.serial, "TokenCode": mine.code(away)}
    if good:
        assert ann.client("sts").get_session_token(**asked)["Credentials"]["SessionToken"]
        return
    with refused("AccessDenied"):
        ann.client("sts").get_session_token(**asked)


def test_the_device_must_be_the_callers_own(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann, eve = user(jar, "ann"), user(jar, "eve")
    hers, spare = phone_of(watch, iam, "ann"), phone(watch, iam, "spare")
    arn = role(jar, "R", trust(ann.arn, eve.arn))
    wrong = "unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
    for device in (hers, spare):
        with refused("AccessDenied", wrong, status=403):
            eve.client("sts").get_session_token(SerialNumber=device.serial, TokenCode=device.code())
        with refused("AccessDenied", wrong):
            eve.assume(arn, SerialNumber=device.serial, TokenCode=device.code())
    with refused("AccessDenied", wrong):  # a role has no device, whoever is in it
        ann.assume(arn).assume(role(jar, "S", trust(arn)), SerialNumber=hers.serial, TokenCode=hers.code())


def test_half_of_it_is_refused(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann")
    mine = phone_of(watch, iam, "ann")
    for half in ({"SerialNumber": mine.serial}, {"TokenCode": mine.code()}):
        with refused("AccessDenied", "must provide both MFA serial number and one time pass code"):
            ann.client("sts").get_session_token(**half)


def test_guessing_is_stopped_and_right_codes_wait_too(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann")
    mine = phone_of(watch, iam, "ann")
    wrong = {"SerialNumber": mine.serial, "TokenCode": f"{(int(mine.code()) + 7) % 10**6:06d}"}
    for _ in range(5):
        with refused("AccessDenied", "invalid MFA one time pass code"):
            ann.client("sts").get_session_token(**wrong)
    right = {"SerialNumber": mine.serial, "TokenCode": mine.code()}
    with refused("Throttling", "Rate exceeded", status=400):
        ann.client("sts").get_session_token(**right)
    watch.tick(3)
    assert signed_in(jar, ann, mine).token


def test_root_signs_in_with_his_device(jar: TestJar, iam: Any, watch: Watch) -> None:
    mine = phone_of(watch, iam, "root", "root-account-mfa-device")
    made = root(jar, "sts").get_session_token(SerialNumber=mine.serial, TokenCode=mine.code())
    assert session(jar, made).client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_a_federated_user_of_a_session_without_mfa_reaches_no_iam(jar: TestJar, iam: Any, watch: Watch) -> None:
    ann = user(jar, "ann", allow("*"))
    guest = session(
        jar, ann.client("sts").get_federation_token(Name="guest", PolicyArns=[{"arn": ADMIN}])
    )
    with refused("InvalidClientTokenId"):
        guest.client("iam").list_users()
