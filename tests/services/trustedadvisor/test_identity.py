"""Root, MFA, passwords, keys, administrators, trails: each check says no, and then yes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import ADMIN, user
from tests.services.trustedadvisor.asking import Support


@pytest.fixture
def support(jar: TestJar) -> Support:
    return Support(jar)


def test_an_account_without_users_works_as_root(support: Support, iam: Any) -> None:
    assert support.status("zXCkfM1nI3") == "warning"
    iam.create_user(UserName="dev")
    assert support.status("zXCkfM1nI3") == "ok"
    assert support.status("7DAFEmoDos") == "error"


def test_the_password_policy_is_asked_for_every_sort_of_character(support: Support, iam: Any) -> None:
    assert support.rows("Yw2K9puPzl") == [
        ("error", ["No", "No", "No", "No", "No", "Red", "No password policy is set"])
    ]
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireNumbers=True)
    status, row = support.rows("Yw2K9puPzl")[0]
    assert (status, row[:6]) == ("warning", ["Yes", "No", "No", "Yes", "No", "Yellow"])
    iam.update_account_password_policy(
        RequireNumbers=True, RequireSymbols=True, RequireUppercaseCharacters=True, RequireLowercaseCharacters=True
    )
    assert support.status("Yw2K9puPzl") == "ok"


def test_keys_grow_old(jar: TestJar, support: Support, iam: Any) -> None:
    iam.create_user(UserName="dev")
    iam.create_access_key(UserName="dev")
    assert support.rows("DqdJqYeRm5")[0][1][:3] == ["Green", "dev", "Access Key 1"]
    jar.advance(days=91)
    status, row = support.rows("DqdJqYeRm5")[0]
    assert (status, row[-1]) == ("warning", "The key is 91 days old")
    jar.advance(days=700)
    assert support.status("DqdJqYeRm5") == "error"


def test_root_is_told_until_it_has_rested_for_ninety_days(jar: TestJar, iam: Any) -> None:
    person = user(jar, "asker", {"Effect": "Allow", "Action": "support:*", "Resource": "*"})
    support = Support(jar, person.client("support", "us-east-1"))
    status, row = support.rows("cloudjar-root-used")[0]
    assert (status, row[1]) == ("warning", "iam")
    jar.advance(days=91)
    assert support.status("cloudjar-root-used") == "ok"


def test_who_may_do_everything(support: Support, iam: Any) -> None:
    assert support.rows("cloudjar-admin-access") == []
    iam.create_user(UserName="dev")
    iam.attach_user_policy(UserName="dev", PolicyArn=ADMIN)
    iam.create_group(GroupName="all")
    iam.attach_group_policy(GroupName="all", PolicyArn=ADMIN)
    found = [row for _, row in support.rows("cloudjar-admin-access")]
    assert found == [["User", "dev", ADMIN], ["Group", "all", ADMIN]]
    iam.detach_user_policy(UserName="dev", PolicyArn=ADMIN)
    assert [row[1] for _, row in support.rows("cloudjar-admin-access")] == ["all"]


def test_it_looks_as_its_service_linked_role(jar: TestJar, support: Support, iam: Any) -> None:
    support.status("zXCkfM1nI3")
    role = iam.get_role(RoleName="AWSServiceRoleForTrustedAdvisor")["Role"]
    assert role["Path"] == "/aws-service-role/trustedadvisor.amazonaws.com/"
    events = jar.client("cloudtrail", "us-east-1").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GetAccountSummary"}]
    )["Events"]
    assert f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForTrustedAdvisor/TrustedAdvisor" in (
        events[0]["CloudTrailEvent"]
    )


def test_nobody_may_have_the_role_of_a_service_made_who_may_not(jar: TestJar) -> None:
    person = user(jar, "asker", {"Effect": "Allow", "Action": "support:*", "Resource": "*"})
    with pytest.raises(person.client("iam").exceptions.ClientError) as refused:
        person.client("iam").create_service_linked_role(AWSServiceName="trustedadvisor.amazonaws.com")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
