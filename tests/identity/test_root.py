"""Root: what nothing in its account bounds, what does all the same, and that its use is seen."""

from __future__ import annotations

import json

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.iam.people import OTHER, allow, policy, role, root, trust, user
from tests.services.organizations.estate import Estate

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def test_root_assumes_no_role_however_it_is_trusted(jar: TestJar) -> None:
    for account in (ACCOUNT, OTHER):
        arn = role(jar, "open", trust(ROOT, "*"), account=account)
        said = refused(root(jar, "sts").assume_role, RoleArn=arn, RoleSessionName="session")
        assert said == ("AccessDenied", "Roles may not be assumed by root accounts.")


def test_root_is_bounded_by_no_policy_of_identities_but_by_those_of_resources(jar: TestJar) -> None:
    secrets = root(jar, "secretsmanager")
    secret = secrets.create_secret(Name="s", SecretString="x")["ARN"]
    never = {"Effect": "Deny", "Principal": {"AWS": ROOT}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    secrets.put_resource_policy(SecretId=secret, ResourcePolicy=policy(never), BlockPublicPolicy=False)
    said = refused(secrets.get_secret_value, SecretId=secret)
    assert said[0] == "AccessDeniedException"
    assert f"User: {ROOT} is not authorized" in said[1]
    assert "with an explicit deny in a resource-based policy" in said[1]
    assert secrets.describe_secret(SecretId=secret)["Name"] == "s"


def test_a_key_that_does_not_name_the_account_is_shut_to_root_too(jar: TestJar) -> None:
    ann = user(jar, "ann")
    hers = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "kms:*", "Resource": "*"}
    kms = root(jar, "kms")
    key = kms.create_key(Policy=policy(hers), BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["KeyId"]
    said = refused(kms.describe_key, KeyId=key)
    assert said[0] == "AccessDeniedException"
    assert "because no resource-based policy allows the kms:DescribeKey action" in said[1]
    assert ann.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key


def test_root_of_another_account_is_a_stranger(jar: TestJar) -> None:
    secret = root(jar, "secretsmanager").create_secret(Name="s", SecretString="x")["ARN"]
    there = root(jar, "secretsmanager", OTHER)
    assert code(there.describe_secret, SecretId=secret) == "AccessDeniedException"
    open_to = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "secretsmanager:Describe*", "Resource": "*"}
    root(jar, "secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=policy(open_to))
    assert there.describe_secret(SecretId=secret)["ARN"] == secret


def test_members_roots_can_be_shut_out_of_everything_and_the_management_accounts_not(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    no_root = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}},
    }
    estate.policy("no-root", no_root, on=estate.root)
    for service, call in (("ec2", "describe_vpcs"), ("iam", "list_users"), ("secretsmanager", "list_secrets")):
        said = refused(getattr(root(jar, service, number), call))
        assert "with an explicit deny in a service control policy" in said[1]
        getattr(root(jar, service), call)()
    assert root(jar, "sts", number).get_caller_identity()["Arn"].endswith(":root")
    assert user_of(jar, estate, number).startswith(f"arn:aws:sts::{number}:assumed-role/")


def user_of(jar: TestJar, estate: Estate, number: str) -> str:
    """Somebody who is not root and still gets in."""
    admin = estate.admin_of(number)
    admin.client("ec2").describe_vpcs()
    return admin.arn


def test_what_root_did_is_in_the_trail(jar: TestJar) -> None:
    root(jar, "iam").create_user(UserName="made-by-root")
    user(jar, "ann", allow("iam:ListUsers")).client("iam").list_users()
    found = jar.client("cloudtrail", "us-east-1").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]
    )["Events"]
    told = [json.loads(event["CloudTrailEvent"]) for event in found]
    mine = next(e for e in told if e["requestParameters"]["userName"] == "made-by-root")
    assert mine["userIdentity"]["type"] == "Root"
    assert mine["userIdentity"]["arn"] == ROOT
    assert mine["userIdentity"]["principalId"] == ACCOUNT
