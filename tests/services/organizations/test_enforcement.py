"""What an organization forbids is forbidden: to root and administrators of its member accounts too."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, allow, deny, policy, refused, role, trust, user
from tests.services.organizations.estate import RCP, ROLE, SCP, Estate, administrator, root

FULL = "p-FullAWSAccess"


def test_a_deny_binds_root_and_administrators_of_members_alone(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    admin = estate.admin_of(number)
    admin.client("iam").list_users()
    estate.policy("no-users", deny("iam:ListUsers"), on=estate.root)
    with refused("AccessDenied", "iam:ListUsers", "with an explicit deny in a service control policy"):
        admin.client("iam").list_users()
    with refused("AccessDenied", f"arn:aws:iam::{number}:root", "explicit deny in a service control policy"):
        root(jar, "iam", number).list_users()
    assert root(jar, "iam").list_users()["Users"]
    assert administrator(jar, ACCOUNT).client("iam").list_users()["Users"]
    assert admin.client("iam").list_roles()["Roles"]
    admin.client("sts").get_caller_identity()


def test_policies_are_inherited_and_follow_the_account(jar: TestJar) -> None:
    estate = Estate(jar)
    outer = estate.unit("workloads")
    inner = estate.unit("prod", outer)
    number = estate.account("prod", inner)
    ec2 = root(jar, "ec2", number)
    ec2.describe_vpcs()
    made = estate.policy("no-vpcs", deny("ec2:DescribeVpcs"), on=outer)
    with refused("UnauthorizedOperation", "explicit deny in a service control policy"):
        ec2.describe_vpcs()
    estate.org.move_account(AccountId=number, SourceParentId=inner, DestinationParentId=estate.root)
    ec2.describe_vpcs()
    estate.org.move_account(AccountId=number, SourceParentId=estate.root, DestinationParentId=inner)
    with refused("UnauthorizedOperation"):
        ec2.describe_vpcs()
    estate.org.update_policy(PolicyId=made, Content=policy(deny("ec2:DescribeSubnets")))
    ec2.describe_vpcs()
    with refused("UnauthorizedOperation"):
        ec2.describe_subnets()
    estate.org.disable_policy_type(RootId=estate.root, PolicyType=SCP)
    ec2.describe_subnets()


def test_every_level_must_allow(jar: TestJar) -> None:
    estate = Estate(jar)
    unit = estate.unit("dev")
    number = estate.account("dev", unit)
    estate.policy("only-iam", allow("iam:*"), on=unit)
    iam, ec2 = root(jar, "iam", number), root(jar, "ec2", number)
    ec2.describe_vpcs()  # full access is there still
    estate.org.detach_policy(PolicyId=FULL, TargetId=unit)
    iam.list_users()
    with refused("UnauthorizedOperation", "because no service control policy allows the ec2:DescribeVpcs action"):
        ec2.describe_vpcs()
    estate.policy("only-ec2", allow("ec2:*"), on=number)
    estate.org.detach_policy(PolicyId=FULL, TargetId=number)
    with refused("AccessDenied"):
        iam.list_users()
    with refused("UnauthorizedOperation"):
        ec2.describe_vpcs()


def test_conditions_tell_root_from_the_others(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    condition = {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}
    estate.policy("no-root", {**deny("*"), "Condition": condition}, on=estate.root)
    with refused("AccessDenied", "service control policy"):
        root(jar, "iam", number).list_users()
    estate.admin_of(number).client("iam").list_users()
    later = estate.account("later")  # its roles are made before anything forbids it
    estate.admin_of(later).client("iam").list_users()


def test_regions_can_be_fenced(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    statement = {
        "Effect": "Deny", "NotAction": ["iam:*", "organizations:*", "sts:*"], "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-3"]}},
    }  # fmt: skip
    estate.policy("europe", statement, on=estate.root)
    jar.client("ec2", "eu-west-3", key=number).describe_vpcs()
    with refused("UnauthorizedOperation", "service control policy"):
        jar.client("ec2", "us-east-1", key=number).describe_vpcs()


def test_an_invited_account_is_bound_from_then_on(jar: TestJar) -> None:
    estate = Estate(jar)
    estate.policy("no-users", deny("iam:ListUsers"), on=estate.root)
    iam = root(jar, "iam", OTHER)
    iam.list_users()
    estate.invited(OTHER)
    with refused("AccessDenied", "service control policy"):
        iam.list_users()
    root(jar, "organizations", OTHER).leave_organization()
    iam.list_users()


def test_the_organization_is_a_condition_key(jar: TestJar) -> None:
    estate = Estate(jar)
    unit = estate.unit("dev")
    inside, outside = estate.account("dev", unit), OTHER
    condition: dict[str, Any] = {"StringEquals": {"aws:PrincipalOrgID": estate.id}}
    arn = role(jar, "ours", trust("*", Condition=condition))
    paths = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{estate.id}/{estate.root}/{unit}/*"}}
    below = role(jar, "units", trust("*", Condition=paths))
    member = user(jar, "ann", allow("sts:AssumeRole"), account=inside)
    stranger = user(jar, "bob", allow("sts:AssumeRole"), account=outside)
    member.assume(arn)
    member.assume(below)
    for target in (arn, below):
        with refused("AccessDenied"):
            stranger.assume(target)
    estate.org.move_account(AccountId=inside, SourceParentId=unit, DestinationParentId=estate.root)
    member.assume(arn)
    with refused("AccessDenied"):
        member.assume(below)


def test_a_resource_control_policy_guards_roles_against_strangers(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    arn = role(jar, "open", trust("*"), account=number)
    at_home = role(jar, "open", trust("*"))
    stranger = user(jar, "bob", allow("sts:AssumeRole"), account=OTHER)
    ours = user(jar, "ann", allow("sts:AssumeRole"))
    stranger.assume(arn)
    estate.org.enable_policy_type(RootId=estate.root, PolicyType=RCP)
    stranger.assume(arn)
    condition = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": estate.id}}
    statement = {**deny("sts:AssumeRole"), "Principal": "*", "Condition": condition}
    estate.policy("perimeter", statement, kind=RCP, on=estate.root)
    with refused("AccessDenied"):
        stranger.assume(arn)
    ours.assume(arn)
    stranger.assume(at_home)  # the management account's own resources are not guarded


def test_a_resource_control_policy_guards_secrets_and_keys(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    admin = estate.admin_of(number)
    secret = admin.client("secretsmanager").create_secret(Name="s", SecretString="x")["ARN"]
    key = admin.client("kms").create_key()["KeyMetadata"]["KeyId"]
    estate.org.enable_policy_type(RootId=estate.root, PolicyType=RCP)
    statement = {**deny("secretsmanager:GetSecretValue", "kms:Encrypt"), "Principal": "*"}
    estate.policy("sealed", statement, kind=RCP, on=number)
    with refused("AccessDeniedException", "explicit deny in a resource control policy"):
        admin.client("secretsmanager").get_secret_value(SecretId=secret)
    with refused("AccessDeniedException", "explicit deny in a resource control policy"):
        admin.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    admin.client("secretsmanager").describe_secret(SecretId=secret)


def test_nobody_uses_a_closed_account(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    ann = user(jar, "ann", allow("*"), account=number)
    session = estate.admin_of(number)
    estate.org.close_account(AccountId=number)
    jar.settle()
    for who in (session, ann):
        with refused("InvalidClientTokenId", "The security token included in the request is invalid."):
            who.client("sts").get_caller_identity()
        with refused("AuthFailure"):
            who.client("ec2").describe_vpcs()
    with refused("UnrecognizedClientException"):
        root(jar, "organizations", number).describe_organization()
    with refused("AccessDenied", "is not authorized to perform: sts:AssumeRole on resource", ROLE):
        estate.admin_of(number)
    jar.advance(days=100)
    with refused("InvalidClientTokenId"):
        ann.client("sts").get_caller_identity()


def test_a_closed_account_shares_nothing(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    theirs = estate.admin_of(number).client("secretsmanager")
    arn = theirs.create_secret(Name="shared", SecretString="x")["ARN"]
    everybody = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "secretsmanager:*", "Resource": "*"}
    theirs.put_resource_policy(SecretId=arn, ResourcePolicy=policy(everybody))
    mine = administrator(jar, ACCOUNT).client("secretsmanager")
    assert mine.describe_secret(SecretId=arn)["Name"] == "shared"
    estate.org.close_account(AccountId=number)
    jar.settle()
    with refused("AccessDeniedException", "is not authorized to perform: secretsmanager:DescribeSecret"):
        mine.describe_secret(SecretId=arn)


def test_what_was_decided_can_be_read(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    made = estate.policy("no-users", {**deny("iam:ListUsers"), "Sid": "NoUsers"}, on=number)
    with refused("AccessDenied"):
        root(jar, "iam", number).list_users()
    calls = jar.jar.audit.find(number, "us-east-1", 0.0, 1e12, lambda event: bool(event.error_code), 5)
    assert made in json.dumps(str(calls[0].decision))
