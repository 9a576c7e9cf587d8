"""Where local clouds usually differ from AWS: identity and permission."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import (
    ADMIN,
    OTHER,
    allow,
    deny,
    policy,
    refused,
    role,
    root,
    session,
    trust,
    trust_service,
    user,
)


def test_01_get_caller_identity_needs_no_permission_even_under_explicit_deny(jar: TestJar) -> None:
    ann = user(jar, "ann", deny("*"))
    said = ann.client("sts").get_caller_identity()
    assert (said["Arn"], said["Account"]) == (f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT)
    assert said["UserId"].startswith("AIDA")


def test_01_get_caller_identity_of_a_role_session_names_role_and_session(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "Deploy", trust(ann.arn), Path="/ops/")
    said = ann.assume(arn, "monday").client("sts").get_caller_identity()
    assert said["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/monday"
    assert said["UserId"].startswith("AROA")
    assert said["UserId"].endswith(":monday")


def test_02_a_new_user_can_do_nothing_and_is_told_why(jar: TestJar) -> None:
    ann = user(jar, "ann")
    with refused(
        "AccessDenied",
        f"User: {ann.arn} is not authorized to perform: iam:ListUsers on resource: ",
        "because no identity-based policy allows the iam:ListUsers action",
        status=403,
    ):
        ann.client("iam").list_users()


@pytest.mark.parametrize("where", ["identity", "boundary", "session"])
def test_02_an_explicit_deny_is_worded_apart_for_each_kind_of_policy(steady_jar: TestJar, where: str) -> None:
    jar, iam = steady_jar, root(steady_jar, "iam")
    statements = [allow("*"), deny("iam:ListUsers")]
    who = user(jar, "ann", *(statements if where == "identity" else [allow("*")]))
    if where == "boundary":
        arn = iam.create_policy(PolicyName="limit", PolicyDocument=policy(*statements))["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=arn)
    if where == "session":
        who = who.assume(role(jar, "R", trust(who.arn), allow("*")), Policy=policy(*statements))
    words = {
        "identity": "with an explicit deny in an identity-based policy",
        "boundary": "with an explicit deny in a permissions boundary",
        "session": "with an explicit deny in a session policy",
    }
    with refused("AccessDenied", words[where]):
        who.client("iam").list_users()


def test_03_codes_of_refusals_differ_between_services(jar: TestJar) -> None:
    ann = user(jar, "ann")
    with refused("AccessDenied", status=403):
        ann.client("iam").list_users()
    with refused("AccessDenied", status=403):
        ann.client("sts").get_federation_token(Name="guest")
    with refused("AccessDeniedException", status=400):
        ann.client("cloudtrail").lookup_events()
    with refused("UnauthorizedOperation", "Encoded authorization failure message: ", status=403):
        ann.client("ec2").describe_vpcs()


def test_04_a_trust_policy_that_names_the_user_suffices_within_the_account(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn), allow("iam:ListUsers"))
    assert [u["UserName"] for u in ann.assume(arn).client("iam").list_users()["Users"]] == ["ann"]


def test_04_a_trust_policy_that_names_the_account_leaves_it_to_the_users_own_policies(jar: TestJar) -> None:
    ann, bob = user(jar, "ann"), user(jar, "bob", allow("sts:AssumeRole"))
    arn = role(jar, "R", trust(ACCOUNT))
    with refused("AccessDenied", "because no identity-based policy allows the sts:AssumeRole action"):
        ann.assume(arn)
    assert bob.assume(arn).arn.endswith("assumed-role/R/session")


def test_04_across_accounts_both_sides_must_allow(jar: TestJar) -> None:
    ann = user(jar, "ann")
    bob = user(jar, "bob", allow("sts:AssumeRole"))
    arn = role(jar, "R", trust(ann.arn, bob.arn), allow("iam:ListUsers"), account=OTHER)
    stranger = role(jar, "S", trust(OTHER), account=OTHER)
    with refused("AccessDenied", "because no identity-based policy allows the sts:AssumeRole action"):
        ann.assume(arn)
    with refused("AccessDenied", f"is not authorized to perform: sts:AssumeRole on resource: {stranger}"):
        bob.assume(stranger)  # and no word of why: a stranger does not learn that the role is there
    there = bob.assume(arn)
    assert there.client("sts").get_caller_identity()["Account"] == OTHER
    assert there.client("iam").list_users()["Users"] == []


def test_04_the_external_id_is_enforced(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn, Condition={"StringEquals": {"sts:ExternalId": "42-x"}}))
    with refused("AccessDenied", "sts:AssumeRole"):
        ann.assume(arn)
    with refused("AccessDenied", "sts:AssumeRole"):
        ann.assume(arn, ExternalId="42-y")
    assert ann.assume(arn, ExternalId="42-x").arn


def test_05_a_session_is_no_longer_than_the_role_admits(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn), MaxSessionDuration=7200)
    made = ann.client("sts").assume_role(RoleArn=arn, RoleSessionName="long", DurationSeconds=7200)
    assert (made["Credentials"]["Expiration"] - jar.clock.now()).total_seconds() == 7200
    with refused("ValidationError", "exceeds the MaxSessionDuration set for this role", status=400):
        ann.assume(arn, DurationSeconds=7201)


def test_05_a_chained_session_lasts_an_hour_at_most(jar: TestJar) -> None:
    ann = user(jar, "ann")
    first = role(jar, "A", trust(ann.arn), MaxSessionDuration=43200)
    second = role(jar, "B", trust(first), MaxSessionDuration=43200)
    inside = ann.assume(first, DurationSeconds=43200)
    with refused("ValidationError", "1 hour session limit for roles assumed by role chaining"):
        inside.assume(second, DurationSeconds=3601)
    assert inside.assume(second, DurationSeconds=3600).arn.endswith("assumed-role/B/session")


def test_06_temporary_keys_need_their_token_and_expire(jar: TestJar) -> None:
    ann = user(jar, "ann")
    made = session(jar, ann.client("sts").get_session_token(DurationSeconds=900))
    with refused("InvalidClientTokenId", status=403):
        made._replace(token=None).client("sts").get_caller_identity()
    assert made.client("sts").get_caller_identity()["Arn"] == ann.arn
    jar.advance(seconds=901)
    with refused("ExpiredToken", status=403):
        made.client("sts").get_caller_identity()


def test_07_third_access_key_sixth_version_eleventh_attachment(iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_access_key(UserName="ann")
    iam.create_access_key(UserName="ann")
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", status=409):
        iam.create_access_key(UserName="ann")
    arns = [
        iam.create_policy(PolicyName=f"p{i}", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"] for i in range(11)
    ]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arns[0], PolicyDocument=policy(allow("s3:*")))
    with refused("LimitExceeded", "A managed policy can have up to 5 versions.", status=409):
        iam.create_policy_version(PolicyArn=arns[0], PolicyDocument=policy(allow("s3:*")))
    for arn in arns[:10]:
        iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    with refused("LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10", status=409):
        iam.attach_user_policy(UserName="ann", PolicyArn=arns[10])


def test_08_what_is_in_use_cannot_be_deleted(jar: TestJar, iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=ADMIN)
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first.", status=409):
        iam.delete_user(UserName="ann")
    role(jar, "R", trust_service("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="P")
    iam.add_role_to_instance_profile(InstanceProfileName="P", RoleName="R")
    with refused("DeleteConflict", "must remove roles from instance profile first.", status=409):
        iam.delete_role(RoleName="R")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="R", PolicyArn=arn)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities.", status=409):
        iam.delete_policy(PolicyArn=arn)


@pytest.mark.parametrize(
    "path",
    [
        "AdministratorAccess",
        "service-role/AWSLambdaBasicExecutionRole",
        "service-role/AmazonECSTaskExecutionRolePolicy",
        "job-function/ViewOnlyAccess",
        "AmazonSSMManagedInstanceCore",
    ],
)
def test_09_aws_managed_policies_live_at_their_own_arns(steady_jar: TestJar, path: str) -> None:
    iam, arn = root(steady_jar, "iam"), f"arn:aws:iam::aws:policy/{path}"
    found = iam.get_policy(PolicyArn=arn)["Policy"]
    assert found["Arn"] == arn
    assert found["Path"] == "/" + path.rpartition("/")[0] + ("/" if "/" in path else "")
    version = iam.get_policy_version(PolicyArn=arn, VersionId=found["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Version"] == "2012-10-17"
    assert version["Document"]["Statement"]


def test_09_the_wrong_path_of_an_aws_managed_policy_is_nobodys(steady_jar: TestJar) -> None:
    with refused("NoSuchEntity", "was not found", status=404):
        root(steady_jar, "iam").get_policy(PolicyArn="arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole")


@pytest.mark.parametrize("text", ["{", "[]", '{"Version":"2012-10-17"}', '{"Statement":[{"Effect":"Allow"}]}'])
def test_10_bad_documents_are_malformed(steady_jar: TestJar, text: str) -> None:
    iam = root(steady_jar, "iam")
    iam.create_user(UserName="ann")
    with refused("MalformedPolicyDocument", status=400):
        iam.create_policy(PolicyName="p", PolicyDocument=text)
    with refused("MalformedPolicyDocument", status=400):
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=text)
    with refused("MalformedPolicyDocument", status=400):
        iam.create_role(RoleName="R", AssumeRolePolicyDocument=text)


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{ACCOUNT}:user/nobody",
        f"arn:aws:iam::{ACCOUNT}:role/nobody",
        f"arn:aws:iam::{OTHER}:user/nobody",
        "AIDAAAAAAAAAAAAAAAAAA",
        "not an arn",
    ],
)
def test_10_an_unknown_principal_in_a_trust_policy_is_malformed(steady_jar: TestJar, principal: str) -> None:
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{principal}"', status=400):
        root(steady_jar, "iam").create_role(RoleName="R", AssumeRolePolicyDocument=trust(principal))


def test_11_a_trust_policy_that_names_the_root_delegates_but_admits_nobody_itself(jar: TestJar) -> None:
    ann, bob = user(jar, "ann"), user(jar, "bob", allow("sts:AssumeRole"))
    arn = role(jar, "R", trust(f"arn:aws:iam::{ACCOUNT}:root"))
    with refused("AccessDenied"):
        ann.assume(arn)
    assert bob.assume(arn).arn
    own = role(jar, "S", trust(ann.arn))
    assert ann.assume(own).arn


def test_12_a_boundary_intersects_and_never_adds(jar: TestJar, iam: Any) -> None:
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=policy(allow("iam:ListUsers", "iam:ListGroups")))[
        "Policy"
    ]["Arn"]
    ann = user(jar, "ann", allow("iam:ListUsers", "iam:ListRoles"), PermissionsBoundary=limit)
    assert ann.client("iam").list_users()["Users"]
    with refused("AccessDenied", "because no permissions boundary allows the iam:ListRoles action"):
        ann.client("iam").list_roles()
    with refused("AccessDenied", "because no identity-based policy allows the iam:ListGroups action"):
        ann.client("iam").list_groups()
    iam.delete_user_permissions_boundary(UserName="ann")
    assert "Roles" in ann.client("iam").list_roles()


def test_12_a_session_policy_intersects_and_never_adds(jar: TestJar) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn), allow("iam:ListUsers", "iam:ListRoles"))
    narrow = ann.assume(arn, Policy=policy(allow("iam:ListUsers", "iam:ListGroups")))
    assert narrow.client("iam").list_users()["Users"]
    with refused("AccessDenied", "because no session policy allows the iam:ListRoles action"):
        narrow.client("iam").list_roles()
    with refused("AccessDenied", "because no identity-based policy allows the iam:ListGroups action"):
        narrow.client("iam").list_groups()


def test_13_pass_role_is_checked_when_a_role_goes_into_an_instance_profile(jar: TestJar, iam: Any) -> None:
    arn = role(jar, "R", trust_service("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="P")
    ann = user(jar, "ann", allow("iam:AddRoleToInstanceProfile"))
    with refused("AccessDenied", "is not authorized to perform: iam:PassRole on resource: " + arn):
        ann.client("iam").add_role_to_instance_profile(InstanceProfileName="P", RoleName="R")
    bob = user(
        jar,
        "bob",
        allow("iam:AddRoleToInstanceProfile"),
        allow("iam:PassRole", on=arn, Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}),
    )
    bob.client("iam").add_role_to_instance_profile(InstanceProfileName="P", RoleName="R")
    assert iam.get_instance_profile(InstanceProfileName="P")["InstanceProfile"]["Roles"][0]["Arn"] == arn


def test_16_root_cannot_assume_a_role(jar: TestJar, sts: Any) -> None:
    arn = role(jar, "R", trust(ACCOUNT))
    with refused("AccessDenied", "Roles may not be assumed by root accounts.", status=403):
        sts.assume_role(RoleArn=arn, RoleSessionName="me")
