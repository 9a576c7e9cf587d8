"""The walls of an organization: who gets at its resources from outside, and where its own people may go."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.base.caller import service
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.iam.people import allow, policy, role, root, trust, trust_service, user
from tests.services.organizations.estate import RCP, SCP, Estate

STRANGER = "999988887777"


def perimeter(estate: Estate, *actions: str) -> dict[str, Any]:
    """Nobody from outside the organization, but AWS's own services."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": "*",
        "Condition": {
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": estate.id},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
    }


def test_a_perimeter_keeps_strangers_off_roles_secrets_and_keys(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("prod")
    stranger = user(jar, "eve", allow("*"), account=STRANGER)
    friend = user(jar, "ann", allow("*"))
    both = [stranger.arn, friend.arn]
    guest = role(jar, "guest", trust(*both), account=number)
    named = {"Effect": "Allow", "Principal": {"AWS": both}, "Action": "*", "Resource": "*"}
    secrets = root(jar, "secretsmanager", number)
    secret = secrets.create_secret(Name="s", SecretString="x")["ARN"]
    secrets.put_resource_policy(SecretId=secret, ResourcePolicy=policy(named))
    own = {"Effect": "Allow", "Principal": {"AWS": number}, "Action": "kms:*", "Resource": "*"}
    key = root(jar, "kms", number).create_key(Policy=policy(own, named))["KeyMetadata"]["Arn"]

    def tried(who: Any) -> list[str]:
        calls = (
            lambda: who.assume(guest),
            lambda: who.client("secretsmanager").describe_secret(SecretId=secret),
            lambda: who.client("kms").describe_key(KeyId=key),
        )
        return [outcome(call) for call in calls]

    assert tried(stranger) == tried(friend) == ["done"] * 3
    estate.org.enable_policy_type(RootId=estate.root, PolicyType=RCP)
    made = estate.policy("perimeter", perimeter(estate, "sts:*", "secretsmanager:*", "kms:*"), kind=RCP)
    estate.org.attach_policy(PolicyId=made, TargetId=estate.root)
    assert tried(stranger) == ["AccessDenied", "AccessDeniedException", "AccessDeniedException"]
    assert tried(friend) == ["done"] * 3
    estate.org.detach_policy(PolicyId=made, TargetId=estate.root)
    assert tried(stranger) == ["done"] * 3


def outcome(call: Any) -> str:
    """``done``, or the code of the refusal."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


def test_what_a_resource_control_policy_does_not_reach(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("prod")
    estate.org.enable_policy_type(RootId=estate.root, PolicyType=RCP)
    no_roles = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["sts:AssumeRole", "secretsmanager:*"],
        "Resource": "*",
    }
    estate.policy("none", no_roles, kind=RCP, on=estate.root)
    secrets = root(jar, "secretsmanager", number)
    said = refused(secrets.create_secret, Name="s", SecretString="x")
    assert said[0] == "AccessDeniedException"
    assert "with an explicit deny in a resource control policy" in said[1]
    root(jar, "iam", number).list_users()  # not a service that has them
    root(jar, "secretsmanager").create_secret(Name="s", SecretString="x")  # the management account's own
    linked = root(jar, "iam", number).create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    app = role(jar, "app", trust_service("ec2.amazonaws.com"), account=number)
    ctx = Ctx(jar.jar.world, number, "eu-west-3", service("ec2.amazonaws.com", number))
    with pytest.raises(AwsError) as caught:
        ctx.as_role(app, service="ec2.amazonaws.com", session_name="i-1")
    assert caught.value.code == "AccessDenied"
    assert "explicit deny in a resource control policy" in caught.value.message
    assert linked["Role"]["Path"].startswith("/aws-service-role/")


def test_service_linked_roles_are_bound_by_no_service_control_policy(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("prod")
    made = root(jar, "iam", number).create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]
    app = role(jar, "app", trust_service("autoscaling.amazonaws.com"), allow("ec2:DescribeInstances"), account=number)
    estate.policy("frozen", {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}, on=estate.root)
    ctx = Ctx(jar.jar.world, number, "eu-west-3", service("autoscaling.amazonaws.com", number))
    how: dict[str, Any] = {"service": "autoscaling.amazonaws.com", "session_name": "scaling"}
    linked = ctx.as_role(made["Arn"], **how)
    assert ctx.call("ec2", "DescribeInstances", {}, caller=linked)["Reservations"] == []
    with pytest.raises(AwsError, match="explicit deny in a service control policy"):
        ctx.call("ec2", "DescribeInstances", {}, caller=ctx.as_role(app, **how))


def test_a_resource_may_be_open_to_a_branch_of_the_organization(jar: TestJar) -> None:
    estate = Estate(jar)
    dev, prod = estate.unit("dev"), estate.unit("prod")
    in_dev, in_prod = estate.account("a", dev), estate.account("b", prod)
    secrets = root(jar, "secretsmanager")
    secret = secrets.create_secret(Name="shared", SecretString="x")["ARN"]

    def open_to(**condition: Any) -> None:
        everybody = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:DescribeSecret", "Resource": "*"}
        secrets.put_resource_policy(SecretId=secret, ResourcePolicy=policy({**everybody, "Condition": condition}))

    people = [
        user(jar, "p", allow("secretsmanager:DescribeSecret"), account=number)
        for number in (in_dev, in_prod, STRANGER)
    ]

    def tried() -> list[str]:
        calls = [who.client("secretsmanager").describe_secret for who in people]
        return [outcome(partial(call, SecretId=secret)) for call in calls]

    open_to(StringEquals={"aws:PrincipalOrgID": estate.id})
    assert tried() == ["done", "done", "AccessDeniedException"]
    path = f"{estate.id}/{estate.root}/{dev}/"
    open_to(**{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{path}*"}})
    assert tried() == ["done", "AccessDeniedException", "AccessDeniedException"]


def test_people_are_kept_to_resources_of_their_own_organization(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    inside = root(jar, "secretsmanager").create_secret(Name="in", SecretString="x")["ARN"]
    outside = root(jar, "secretsmanager", STRANGER).create_secret(Name="out", SecretString="x")["ARN"]
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:DescribeSecret", "Resource": "*"}
    for account, arn in ((ACCOUNT, inside), (STRANGER, outside)):
        own = {**everybody, "Condition": {"StringEquals": {"aws:PrincipalAccount": number}}}
        root(jar, "secretsmanager", account).put_resource_policy(SecretId=arn, ResourcePolicy=policy(own))
    ann = user(jar, "ann", allow("secretsmanager:*"), account=number).client("secretsmanager")
    ann.describe_secret(SecretId=outside)
    wall = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:ResourceOrgID": estate.id}},
    }
    estate.policy("stay", wall, kind=SCP, on=estate.root)
    assert ann.describe_secret(SecretId=inside)["Name"] == "in"
    said = refused(ann.describe_secret, SecretId=outside)
    assert "with an explicit deny in a service control policy" in said[1]


def test_members_of_one_organization_are_told_what_refused_them(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("prod")
    ann = user(jar, "ann", allow("sts:AssumeRole"))
    shut = role(jar, "shut", trust(f"arn:aws:iam::{number}:root"), account=number)
    said = refused(ann.client("sts").assume_role, RoleArn=shut, RoleSessionName="session")
    assert "because no role trust policy allows the sts:AssumeRole action" in said[1]


def test_a_jar_without_an_organization_asks_for_none(steady_jar: TestJar) -> None:
    assert code(user(steady_jar, "ann").client("iam").list_users) == "AccessDenied"
    assert steady_jar.jar.world.ports["organization"]() is None
    Estate(steady_jar)
    assert steady_jar.jar.world.ports["organization"]() is not None
