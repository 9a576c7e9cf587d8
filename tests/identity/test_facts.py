"""Facts of a call that policies ask for, as real clients bring them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code
from tests.services.iam.people import allow, policy, role, root, trust, user


def only(operator: str, key: str, value: str) -> dict[str, Any]:
    return allow("iam:ListUsers", "ec2:DescribeVpcs", Condition={operator: {key: value}})


@pytest.mark.parametrize(
    ("operator", "key", "right", "wrong"),
    [
        ("IpAddress", "aws:SourceIp", "127.0.0.0/8", "10.0.0.0/8"),
        ("Bool", "AWS:SecureTransport", "false", "true"),
        ("StringLike", "aws:UserAgent", "Boto3/*", "curl/*"),
        ("StringEquals", "aws:username", "right", "nobody"),
        ("StringEquals", "aws:PrincipalAccount", ACCOUNT, "999999999999"),
        ("StringEquals", "aws:PRINCIPALTYPE", "User", "AssumedRole"),
        ("StringEquals", "aws:PrincipalTag/Cost Center", "42", "43"),
        ("Bool", "aws:ViaAWSService", "false", "true"),
        ("Bool", "aws:PrincipalIsAWSService", "false", "true"),
        ("Null", "aws:MultiFactorAuthPresent", "true", "false"),
        ("Null", "aws:SourceVpc", "true", "false"),
        ("Null", "aws:PrincipalOrgID", "true", "false"),
        ("DateLessThan", "aws:CurrentTime", "2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
        ("StringEquals", "aws:ResourceAccount", ACCOUNT, "999999999999"),
    ],
)
def test_a_fact_admits_and_its_contrary_does_not(
    steady_jar: TestJar, operator: str, key: str, right: str, wrong: str
) -> None:
    tagged = [{"Key": "Cost Center", "Value": "42"}]
    admitted = user(steady_jar, "right", only(operator, key, right), Tags=tagged)
    admitted.client("iam").list_users()
    other = user(steady_jar, "wrong", only(operator, key, wrong), Tags=tagged)
    assert code(other.client("iam").list_users) == "AccessDenied"


def test_global_services_are_in_virginia(jar: TestJar) -> None:
    here = {"StringEquals": {"aws:RequestedRegion": "eu-west-3"}}
    home = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    ann = user(jar, "ann", allow("ec2:DescribeVpcs", Condition=here), allow("iam:ListUsers", Condition=home))
    ann.client("ec2").describe_vpcs()
    assert code(ann.client("ec2", "eu-west-1").describe_vpcs) == "UnauthorizedOperation"
    for region in ("us-east-1", "eu-west-3"):  # wherever a client signs for
        ann.client("iam", region).list_users()


def test_old_sessions_are_revoked_by_their_time(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "app", trust(ann.arn), allow("iam:ListUsers"))
    old = ann.assume(arn)
    jar.advance(minutes=5)
    cut = jar.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    jar.advance(seconds=5)
    revoke = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": cut}},
    }
    root(jar, "iam").put_role_policy(
        RoleName="app", PolicyName="AWSRevokeOlderSessions", PolicyDocument=policy(revoke)
    )
    assert code(old.client("iam").list_users) == "AccessDenied"
    ann.assume(arn).client("iam").list_users()
