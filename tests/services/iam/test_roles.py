"""Roles: trust policies and who they name, changes, service-linked roles, instance profiles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import (
    ADMIN,
    OTHER,
    allow,
    policy,
    refused,
    role,
    root,
    trust,
    trust_service,
    user,
)


def test_a_role_is_shown_as_it_was_made(iam: Any) -> None:
    document = trust_service("ec2.amazonaws.com")
    made = iam.create_role(
        RoleName="R",
        Path="/svc/",
        AssumeRolePolicyDocument=document,
        Description="für Server",
        MaxSessionDuration=7200,
        Tags=[{"Key": "k", "Value": "v"}],
        PermissionsBoundary=ADMIN,
    )["Role"]
    found = iam.get_role(RoleName="R")["Role"]
    assert found == {**made, "RoleLastUsed": {}}
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/svc/R"
    assert found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": ["ec2.amazonaws.com"]}
    assert (found["Description"], found["MaxSessionDuration"]) == ("für Server", 7200)
    assert found["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": ADMIN}
    assert found["Tags"] == [{"Key": "k", "Value": "v"}]


def test_documents_travel_percent_encoded(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    bodies: list[bytes] = []
    iam.meta.events.register(
        "before-parse.iam.CreateRole", lambda response_dict, **_: bodies.append(response_dict["body"])
    )
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust_service("ec2.amazonaws.com"))
    assert b"<AssumeRolePolicyDocument>%7B%22Version%22%3A%20%222012-10-17%22" in bodies[0]


def test_lists_leave_out_tags_and_boundary(iam: Any) -> None:
    iam.create_role(
        RoleName="R",
        AssumeRolePolicyDocument=trust(ACCOUNT),
        Tags=[{"Key": "k", "Value": "v"}],
        PermissionsBoundary=ADMIN,
    )
    (found,) = iam.list_roles()["Roles"]
    assert found["MaxSessionDuration"] == 3600
    assert not {"Tags", "PermissionsBoundary"} & found.keys()


def test_a_role_changes_where_asked_and_stays_elsewhere(iam: Any) -> None:
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust(ACCOUNT), Description="one")
    iam.update_role(RoleName="R", MaxSessionDuration=7200)
    found = iam.get_role(RoleName="R")["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("one", 7200)
    iam.update_role(RoleName="R", Description="two")
    assert iam.get_role(RoleName="R")["Role"]["MaxSessionDuration"] == 7200
    assert iam.update_role_description(RoleName="R", Description="three")["Role"]["Description"] == "three"


def test_another_trust_policy_holds_at_once(jar: TestJar, iam: Any) -> None:
    ann, bob = user(jar, "ann"), user(jar, "bob")
    arn = role(jar, "R", trust(ann.arn))
    iam.update_assume_role_policy(RoleName="R", PolicyDocument=trust(bob.arn))
    with refused("AccessDenied"):
        ann.assume(arn)
    assert bob.assume(arn).arn


def test_a_trust_policy_shows_a_deleted_users_id_and_ignores_his_successor(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    unique = iam.get_user(UserName="ann")["User"]["UserId"]
    arn = role(jar, "R", trust(ann.arn))
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.key)
    iam.delete_user(UserName="ann")
    stored = iam.get_role(RoleName="R")["Role"]["AssumeRolePolicyDocument"]
    assert stored["Statement"][0]["Principal"] == {"AWS": [unique]}
    successor = user(jar, "ann")
    with refused("AccessDenied", "sts:AssumeRole"):
        successor.assume(arn)
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{unique}"'):
        iam.update_assume_role_policy(RoleName="R", PolicyDocument=trust(unique))


def test_a_trust_policy_follows_a_renamed_user(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    arn = role(jar, "R", trust(ann.arn))
    iam.update_user(UserName="ann", NewUserName="anna")
    stored = iam.get_role(RoleName="R")["Role"]["AssumeRolePolicyDocument"]
    assert stored["Statement"][0]["Principal"] == {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/anna"]}
    assert ann.assume(arn).arn


def test_a_trust_policy_may_name_people_of_other_accounts_who_are_there(jar: TestJar) -> None:
    eve = user(jar, "eve", allow("sts:AssumeRole"), account=OTHER)
    assert eve.assume(role(jar, "R", trust(eve.arn))).arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/R/session"


def test_a_trust_policy_has_a_size(steady_jar: TestJar) -> None:
    long = trust(ACCOUNT, Condition={"StringEquals": {"sts:ExternalId": ["x" * 40] * 60}})
    with refused("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", status=409):
        root(steady_jar, "iam").create_role(RoleName="R", AssumeRolePolicyDocument=long)


def test_sessions_die_with_their_role_and_a_namesake_does_not_revive_them(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    inside = ann.assume(role(jar, "R", trust(ann.arn)))
    assert inside.client("sts").get_caller_identity()["Arn"] == inside.arn
    iam.delete_role(RoleName="R")
    with refused("InvalidClientTokenId", status=403):
        inside.client("sts").get_caller_identity()
    role(jar, "R", trust(ann.arn), allow("*"))
    with refused("InvalidClientTokenId", status=403):
        inside.client("iam").list_users()


def test_a_role_with_policies_stays(iam: Any) -> None:
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust(ACCOUNT))
    iam.attach_role_policy(RoleName="R", PolicyArn=ADMIN)
    with refused("DeleteConflict", "must detach all policies first."):
        iam.delete_role(RoleName="R")
    iam.detach_role_policy(RoleName="R", PolicyArn=ADMIN)
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=policy(allow("s3:*")))
    with refused("DeleteConflict", "must delete policies first."):
        iam.delete_role(RoleName="R")
    iam.delete_role_policy(RoleName="R", PolicyName="p")
    iam.delete_role(RoleName="R")
    with refused("NoSuchEntity", "The role with name R cannot be found."):
        iam.get_role(RoleName="R")


def test_a_service_linked_role_is_its_services_alone(iam: Any) -> None:
    made = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="x")["Role"]
    name = "AWSServiceRoleForAutoScaling_x"
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/{name}"
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [p["PolicyName"] for p in attached] == ["AutoScalingServiceRolePolicy"]
    with refused("UnmodifiableEntity", f"protected role '{name}'", status=400):
        iam.attach_role_policy(RoleName=name, PolicyArn=ADMIN)
    with refused("UnmodifiableEntity"):
        iam.delete_role(RoleName=name)
    with refused("InvalidInput", "has been taken in this account"):
        iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="x")
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    with refused("NoSuchEntity"):
        iam.get_service_linked_role_deletion_status(DeletionTaskId=task + "0")


def test_every_known_service_linked_role_can_be_made(steady_jar: TestJar) -> None:
    from cloudjar.services.iam.ops.service_linked import LINKED

    iam = root(steady_jar, "iam")
    for service in LINKED:
        name = iam.create_service_linked_role(AWSServiceName=service)["Role"]["RoleName"]
        assert len(iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]) == 1


def test_policies_for_service_linked_roles_are_for_nobody_else(iam: Any) -> None:
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust(ACCOUNT))
    with refused("PolicyNotAttachable", status=400):
        iam.attach_role_policy(
            RoleName="R", PolicyArn="arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy"
        )


def test_an_instance_profile_holds_one_role(jar: TestJar, iam: Any) -> None:
    made = iam.create_instance_profile(InstanceProfileName="P", Path="/p/", Tags=[{"Key": "k", "Value": "v"}])
    assert made["InstanceProfile"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/p/P"
    assert made["InstanceProfile"]["Roles"] == []
    assert made["InstanceProfile"]["InstanceProfileId"].startswith("AIPA")
    role(jar, "R", trust_service("ec2.amazonaws.com"))
    role(jar, "S", trust_service("ec2.amazonaws.com"))
    iam.add_role_to_instance_profile(InstanceProfileName="P", RoleName="R")
    with refused("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", status=409):
        iam.add_role_to_instance_profile(InstanceProfileName="P", RoleName="S")
    (found,) = iam.list_instance_profiles_for_role(RoleName="R")["InstanceProfiles"]
    assert [r["RoleName"] for r in found["Roles"]] == ["R"]
    assert iam.list_instance_profiles_for_role(RoleName="S")["InstanceProfiles"] == []
    with refused("DeleteConflict", "must remove roles from instance profile first."):
        iam.delete_instance_profile(InstanceProfileName="P")
    with refused("NoSuchEntity"):
        iam.remove_role_from_instance_profile(InstanceProfileName="P", RoleName="S")
    iam.remove_role_from_instance_profile(InstanceProfileName="P", RoleName="R")
    iam.delete_instance_profile(InstanceProfileName="P")
    with refused("NoSuchEntity", "Instance Profile P cannot be found.", status=404):
        iam.get_instance_profile(InstanceProfileName="P")


@pytest.mark.parametrize("boundary", ["arn:aws:iam::aws:policy/Nope", f"arn:aws:iam::{ACCOUNT}:policy/Nope"])
def test_a_boundary_must_be_there(steady_jar: TestJar, boundary: str) -> None:
    with refused("NoSuchEntity", f"Scope ARN: {boundary} does not exist or is not attachable.", status=404):
        root(steady_jar, "iam").create_role(
            RoleName="R", AssumeRolePolicyDocument=trust(ACCOUNT), PermissionsBoundary=boundary
        )


def test_who_may_delegate_only_under_a_boundary_is_held_to_it(jar: TestJar, iam: Any) -> None:
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
    bounded = {"StringEquals": {"iam:PermissionsBoundary": limit}}
    ann = user(jar, "ann", allow("iam:CreateUser", "iam:PutUserPolicy", Condition=bounded)).client("iam")
    with refused("AccessDenied", "iam:CreateUser"):
        ann.create_user(UserName="bob")
    ann.create_user(UserName="bob", PermissionsBoundary=limit)
    ann.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=policy(allow("*")))
    iam.create_user(UserName="cat")
    with refused("AccessDenied", "iam:PutUserPolicy"):
        ann.put_user_policy(UserName="cat", PolicyName="p", PolicyDocument=policy(allow("*")))


def test_who_may_attach_one_policy_attaches_no_other(jar: TestJar, iam: Any) -> None:
    readonly = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    only = {"ArnEquals": {"iam:PolicyARN": readonly}}
    ann = user(jar, "ann", allow("iam:AttachUserPolicy", Condition=only)).client("iam")
    ann.attach_user_policy(UserName="ann", PolicyArn=readonly)
    with refused("AccessDenied", "iam:AttachUserPolicy"):
        ann.attach_user_policy(UserName="ann", PolicyArn=ADMIN)
    assert len(iam.list_attached_user_policies(UserName="ann")["AttachedPolicies"]) == 1
