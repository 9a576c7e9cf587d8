"""Roles of things: who hands them out, to whom, and what their sessions are known by."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudjar.base.caller import service
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.wire.message import Request
from tests.identity.test_launch import EC2, x86
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code
from tests.services.iam.people import OTHER, Person, allow, policy, role, root, trust, trust_service

FUNCTION = f"arn:aws:lambda:eu-west-3:{ACCOUNT}:function:resize"


def acting(jar: TestJar, account: str = ACCOUNT) -> Ctx:
    """A service at work for an account."""
    return Ctx(jar.jar.world, account, "eu-west-3", service("lambda.amazonaws.com", account))


def trusting(name: str, condition: dict[str, Any]) -> str:
    """A trust policy for a service under a condition."""
    who = {"Effect": "Allow", "Principal": {"Service": name}, "Action": "sts:AssumeRole", "Condition": condition}
    return policy(who)


# -- service roles ---------------------------------------------------------------------------------------


def test_a_service_acts_under_the_policies_of_the_role_it_was_given(jar: TestJar) -> None:
    arn = role(jar, "fn", trust_service("lambda.amazonaws.com"), allow("iam:ListUsers"))
    ctx = acting(jar)
    session = ctx.as_role(arn, service="lambda.amazonaws.com", session_name="resize")
    assert session.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/fn/resize"
    assert ctx.call("iam", "ListUsers", {}, caller=session)["Users"] == []
    with pytest.raises(AwsError, match="is not authorized to perform: iam:ListRoles") as refused:
        ctx.call("iam", "ListRoles", {}, caller=session)
    assert refused.value.code == "AccessDenied"


def test_a_service_that_the_role_does_not_trust_is_refused(jar: TestJar) -> None:
    ec2_only = role(jar, "vm", trust_service("ec2.amazonaws.com"))
    people_only = role(jar, "people", trust(ACCOUNT))
    abroad = role(jar, "abroad", trust_service("lambda.amazonaws.com"), account=OTHER)
    for arn in (ec2_only, people_only, abroad, f"arn:aws:iam::{ACCOUNT}:role/nobody"):
        with pytest.raises(AwsError) as refused:
            acting(jar).as_role(arn, service="lambda.amazonaws.com", session_name="resize")
        assert refused.value.code == "AccessDenied"
        assert "sts:AssumeRole" in refused.value.message


def test_a_confused_deputy_is_told_apart(jar: TestJar) -> None:
    mine = {"ArnLike": {"aws:SourceArn": FUNCTION}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}
    arn = role(jar, "fn", trusting("lambda.amazonaws.com", mine))
    how: dict[str, Any] = {"service": "lambda.amazonaws.com", "session_name": "resize"}
    ctx = acting(jar)
    assert ctx.as_role(arn, source_arn=FUNCTION, **how).role_arn == arn
    with pytest.raises(AwsError, match="AssumeRole"):
        ctx.as_role(arn, source_arn=FUNCTION + "-evil", **how)
    with pytest.raises(AwsError, match="AssumeRole"):
        ctx.as_role(arn, **how)
    elsewhere = role(jar, "fn2", trusting("lambda.amazonaws.com", {"StringEquals": {"aws:SourceAccount": OTHER}}))
    with pytest.raises(AwsError, match="AssumeRole"):
        acting(jar).as_role(elsewhere, source_arn=FUNCTION, **how)


def test_what_a_session_was_made_for_holds_for_its_calls(jar: TestJar) -> None:
    when = {"StringEquals": {"lambda:SourceFunctionArn": FUNCTION}}
    arn = role(jar, "fn", trust_service("lambda.amazonaws.com"), allow("iam:ListUsers", Condition=when))
    how: dict[str, Any] = {"service": "lambda.amazonaws.com", "session_name": "resize"}
    ctx = acting(jar)
    given = ctx.assume(arn, keys={"lambda:sourcefunctionarn": FUNCTION}, **how)
    outside = Person(jar, given.caller.arn, given.access_key_id, given.secret, given.token)
    assert outside.client("iam").list_users()["Users"] == []  # the token carries it
    ctx = acting(jar)
    other = ctx.as_role(arn, keys={"lambda:sourcefunctionarn": FUNCTION + "2"}, **how)
    with pytest.raises(AwsError, match="iam:ListUsers"):
        ctx.call("iam", "ListUsers", {}, caller=other)


# -- instances ---------------------------------------------------------------------------------------------


class Guest:
    """An instance with a role, and the questions that it asks of its metadata service."""

    def __init__(self, jar: TestJar, trusts: str, *statements: dict[str, Any]) -> None:
        self.jar, self.ec2, iam = jar, jar.client("ec2"), root(jar, "iam")
        self.role = role(jar, "app", trusts, *statements)
        iam.create_instance_profile(InstanceProfileName="app")
        iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")
        made = self.ec2.run_instances(
            ImageId=x86(self.ec2),
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.micro",
            IamInstanceProfile={"Name": "app"},
            MetadataOptions={"HttpTokens": "optional"},
        )
        self.vm = made["Instances"][0]
        jar.settle()

    def ask(self, path: str, method: str = "GET", **headers: str) -> Any:
        """The metadata service's answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        where = {"peer": self.vm["PrivateIpAddress"], "vpc": self.vm["VpcId"]}
        answer = self.jar.jar.metadata.answer(Request(method, path, headers=named, **where))
        assert answer.status == 200, answer.body
        return answer.body

    def told(self, path: str, *, with_token: bool = True) -> dict[str, Any]:
        """A JSON document below ``iam/``."""
        headers = {}
        if with_token:
            token = self.ask("/latest/api/token", "PUT", x_aws_ec2_metadata_token_ttl_seconds="60")
            headers["x_aws_ec2_metadata_token"] = token.decode()
        found: dict[str, Any] = json.loads(self.ask(f"/latest/meta-data/iam/{path}", **headers))
        return found

    def person(self, *, with_token: bool = True) -> Person:
        """Whoever holds the instance's credentials."""
        held = self.told("security-credentials/app", with_token=with_token)
        assert held["Code"] == "Success", held
        return Person(self.jar, self.role, held["AccessKeyId"], held["SecretAccessKey"], held["Token"])


def test_an_instance_has_its_roles_credentials_and_new_ones_in_time(jar: TestJar) -> None:
    guest = Guest(jar, trust_service("ec2.amazonaws.com"), allow("iam:ListUsers"))
    assert guest.told("info")["Code"] == "Success"
    first = guest.told("security-credentials/app")
    shown = guest.person().client("sts").get_caller_identity()
    assert shown["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/{guest.vm['InstanceId']}"
    assert shown["UserId"].endswith(f":{guest.vm['InstanceId']}")
    jar.advance(hours=5)
    assert guest.told("security-credentials/app")["Expiration"] == first["Expiration"]
    jar.advance(minutes=50)
    fresh = guest.told("security-credentials/app")
    assert fresh["Expiration"] > first["Expiration"]
    old = Person(jar, "", first["AccessKeyId"], first["SecretAccessKey"], first["Token"])
    old.client("iam").list_users()  # both hold while they overlap
    jar.advance(minutes=15)
    assert code(old.client("iam").list_users) == "ExpiredToken"
    guest.person().client("iam").list_users()


def test_a_role_that_does_not_trust_ec2_gives_an_instance_nothing(jar: TestJar) -> None:
    guest = Guest(jar, trust_service("lambda.amazonaws.com"), allow("iam:ListUsers"))
    for path in ("info", "security-credentials/app"):
        told = guest.told(path)
        assert told["Code"] == "AssumeRoleUnauthorizedAccess"
        assert "EC2 cannot assume the role app" in told["Message"]
        assert "AccessKeyId" not in told
    root(jar, "iam").update_assume_role_policy(RoleName="app", PolicyDocument=trust_service("ec2.amazonaws.com"))
    assert guest.told("info")["Code"] == "Success"
    assert guest.person().client("iam").list_users()["Users"] == []


def test_credentials_are_known_by_the_instance_and_the_version_they_came_by(jar: TestJar) -> None:
    second = {"NumericLessThan": {"ec2:RoleDelivery": "2.0"}}
    guest = Guest(
        jar,
        trust_service("ec2.amazonaws.com"),
        allow("iam:ListUsers", "iam:ListRoles", "iam:ListGroups"),
        {"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*", "Condition": second},
        {
            "Effect": "Deny",
            "Action": "iam:ListRoles",
            "Resource": "*",
            "Condition": {"ArnNotEquals": {"ec2:SourceInstanceARN": f"{EC2}:instance/i-0123456789abcdef0"}},
        },
    )
    assert guest.person().client("iam").list_users()["Users"] == []
    by_version_one = guest.person(with_token=False).client("iam")
    assert code(by_version_one.list_users) == "AccessDenied"
    assert by_version_one.list_groups()["Groups"] == []
    assert code(guest.person().client("iam").list_roles) == "AccessDenied"
    own = {
        "StringEquals": {
            "ec2:SourceInstanceARN": f"{EC2}:instance/{guest.vm['InstanceId']}",
            "aws:Ec2InstanceSourceVpc": guest.vm["VpcId"],
            "aws:Ec2InstanceSourcePrivateIPv4": guest.vm["PrivateIpAddress"],
        }
    }
    root(jar, "iam").put_role_policy(
        RoleName="app", PolicyName="own", PolicyDocument=policy(allow("iam:ListRoles", Condition=own))
    )
    assert len(guest.person().client("iam").list_roles()["Roles"]) == 1
