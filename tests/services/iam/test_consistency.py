"""The eventual-consistency switch: IAM's writes are seen some seconds of AWS time later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import ADMIN, allow, policy, refused, role, root, trust, trust_service, user

DELAY = 5


@pytest.fixture
def slow(jar: TestJar) -> TestJar:
    """A jar in which IAM's writes settle after five seconds."""
    switch(jar, DELAY)
    return jar


def switch(jar: TestJar, seconds: float) -> None:
    """What ``cloudjar consistency SECONDS`` does."""

    async def work() -> None:
        jar.jar.world.state.settling["iam"].switch(seconds)

    jar.on_loop(work())


def settle(jar: TestJar) -> None:
    """Let what was written be seen."""
    jar.advance(seconds=DELAY)


def test_it_is_off_unless_asked_for(jar: TestJar, iam: Any) -> None:
    iam.create_user(UserName="ann")
    assert iam.get_user(UserName="ann")["User"]["UserName"] == "ann"


def test_a_new_user_is_read_later_and_his_key_is_nobodys_until_then(slow: TestJar) -> None:
    iam = root(slow, "iam")
    ann = user(slow, "ann")  # writes see what was written: the key was made for the user at once
    with refused("NoSuchEntity", status=404):
        iam.get_user(UserName="ann")
    assert iam.list_users()["Users"] == []
    with refused("InvalidClientTokenId", status=403):
        ann.client("sts").get_caller_identity()
    slow.advance(seconds=DELAY - 1)
    with refused("InvalidClientTokenId"):
        ann.client("sts").get_caller_identity()
    slow.advance(seconds=1)
    assert ann.client("sts").get_caller_identity()["Arn"] == ann.arn
    assert [u["UserName"] for u in iam.list_users()["Users"]] == ["ann"]


def test_names_are_taken_at_once(slow: TestJar) -> None:
    iam = root(slow, "iam")
    iam.create_user(UserName="ann")
    with refused("EntityAlreadyExists"):
        iam.create_user(UserName="ANN")


def test_permissions_come_and_go_later(slow: TestJar) -> None:
    iam, ann = root(slow, "iam"), user(slow, "ann")
    settle(slow)
    iam.attach_user_policy(UserName="ann", PolicyArn=ADMIN)
    with refused("AccessDenied"):
        ann.client("iam").list_users()
    settle(slow)
    assert ann.client("iam").list_users()["Users"]
    iam.detach_user_policy(UserName="ann", PolicyArn=ADMIN)
    assert ann.client("iam").list_users()["Users"]
    assert iam.list_attached_user_policies(UserName="ann")["AttachedPolicies"]
    settle(slow)
    with refused("AccessDenied"):
        ann.client("iam").list_users()
    assert iam.list_attached_user_policies(UserName="ann")["AttachedPolicies"] == []


def test_a_deleted_key_works_a_little_longer(slow: TestJar) -> None:
    iam, ann = root(slow, "iam"), user(slow, "ann")
    settle(slow)
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.key)
    assert ann.client("sts").get_caller_identity()["Arn"] == ann.arn
    settle(slow)
    with refused("InvalidClientTokenId"):
        ann.client("sts").get_caller_identity()


def test_each_of_several_writes_is_seen_in_its_turn(slow: TestJar) -> None:
    iam = root(slow, "iam")
    iam.create_user(UserName="ann")
    seen = []
    for value in "123":
        slow.advance(seconds=2)
        iam.tag_user(UserName="ann", Tags=[{"Key": "n", "Value": value}])
    for _ in range(6):
        found = iam.list_users()["Users"]
        seen.append(iam.list_user_tags(UserName="ann")["Tags"] if found else None)
        slow.advance(seconds=1)

    def tag(value: str) -> list[dict[str, str]]:
        return [{"Key": "n", "Value": value}]

    # Created at 0, tagged at 2, 4 and 6, and looked at from 6 on, five seconds behind.
    assert seen == [[], tag("1"), tag("1"), tag("2"), tag("2"), tag("3")]


def test_a_new_role_cannot_be_assumed_yet(slow: TestJar) -> None:
    ann = user(slow, "ann")
    settle(slow)
    arn = role(slow, "R", trust(ann.arn), allow("iam:ListUsers"))
    with refused("AccessDenied", "sts:AssumeRole"):
        ann.assume(arn)
    settle(slow)
    assert ann.assume(arn).client("iam").list_users()["Users"]


def test_an_instance_cannot_be_launched_with_a_profile_that_was_just_made(slow: TestJar) -> None:
    iam, ec2 = root(slow, "iam"), slow.client("ec2")
    role(slow, "R", trust_service("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="P")
    iam.add_role_to_instance_profile(InstanceProfileName="P", RoleName="R")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]

    def launch() -> Any:
        return ec2.run_instances(
            ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "P"}
        )

    with refused("InvalidParameterValue", "Invalid IAM Instance Profile name"):
        launch()
    settle(slow)
    assert launch()["Instances"][0]["IamInstanceProfile"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/P"


def test_a_policy_version_holds_later(slow: TestJar) -> None:
    iam, ann = root(slow, "iam"), user(slow, "ann")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=policy(allow("ec2:*")))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    settle(slow)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("iam:ListUsers")), SetAsDefault=True)
    assert "Vpcs" in ann.client("ec2").describe_vpcs()
    with refused("AccessDenied"):
        ann.client("iam").list_users()
    settle(slow)
    assert ann.client("iam").list_users()["Users"]


def test_a_refused_write_hides_nothing(slow: TestJar) -> None:
    iam = root(slow, "iam")
    iam.create_user(UserName="ann")
    settle(slow)
    with refused("NoSuchEntity"):
        iam.attach_user_policy(UserName="ann", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/none")
    assert iam.get_user(UserName="ann")["User"]["UserName"] == "ann"


def test_switching_it_off_holds_for_what_is_written_from_then_on(slow: TestJar) -> None:
    iam = root(slow, "iam")
    iam.create_user(UserName="ann")
    switch(slow, 0)
    iam.create_user(UserName="bob")
    assert [u["UserName"] for u in iam.list_users()["Users"]] == ["bob"]
    settle(slow)
    assert [u["UserName"] for u in iam.list_users()["Users"]] == ["ann", "bob"]


def test_nothing_is_kept_of_what_has_settled(steady_jar: TestJar) -> None:
    switch(steady_jar, DELAY)
    iam = root(steady_jar, "iam")
    for name in ("a", "b", "c"):
        iam.create_user(UserName=name)
    settle(steady_jar)
    iam.create_user(UserName="d")
    rows = steady_jar.jar.database.query('SELECT count(*) FROM "unseen/write"')
    assert rows == [(1,)]


def test_an_impossible_delay_is_refused(steady_jar: TestJar) -> None:
    for wrong in (-1, 3601):
        with pytest.raises(ValueError, match="seconds must be between 0 and 3600"):
            switch(steady_jar, wrong)
