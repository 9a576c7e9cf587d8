"""Limits with their own errors, conflicts of deletion, what is protected; lists and filters that tools rest on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import ADMIN, allow, policy, refused, role, root, trust, trust_service, user

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
KINDS = ("User", "Group", "Role")
MOVABLE = {"Role": "L-0DA4ABF3", "User": "L-4019AD8B"}


def make(jar: TestJar, kind: str, name: str = "x") -> dict[str, str]:
    """A principal; how requests name it."""
    if kind == "Role":
        role(jar, name, trust(ACCOUNT))
    else:
        getattr(root(jar, "iam"), f"create_{kind.lower()}")(**{f"{kind}Name": name})
    return {f"{kind}Name": name}


def made_policy(iam: Any, name: str) -> str:
    return str(iam.create_policy(PolicyName=name, PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"])


def raised(jar: TestJar, code: str, value: int) -> None:
    """Have a quota of IAM raised, and wait until it is."""
    quotas = jar.client("service-quotas", "us-east-1")
    quotas.request_service_quota_increase(ServiceCode="iam", QuotaCode=code, DesiredValue=value)
    jar.advance(minutes=10)
    jar.settle()


@pytest.mark.parametrize("kind", KINDS)
def test_ten_policies_whoever_wrote_them(steady_jar: TestJar, kind: str) -> None:
    iam = root(steady_jar, "iam")
    who = make(steady_jar, kind)
    attach = getattr(iam, f"attach_{kind.lower()}_policy")
    for arn in (ADMIN, READ, *(made_policy(iam, f"p{n}") for n in range(8))):
        attach(**who, PolicyArn=arn)
    attach(**who, PolicyArn=ADMIN)  # it has it
    with refused("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: 10", status=409):
        attach(**who, PolicyArn=made_policy(iam, "more"))


@pytest.mark.parametrize("kind", sorted(MOVABLE))
def test_the_number_of_attachments_can_be_raised(steady_jar: TestJar, kind: str) -> None:
    iam = root(steady_jar, "iam")
    who = make(steady_jar, kind)
    attach = getattr(iam, f"attach_{kind.lower()}_policy")
    for n in range(10):
        attach(**who, PolicyArn=made_policy(iam, f"p{n}"))
    raised(steady_jar, MOVABLE[kind], 11)
    attach(**who, PolicyArn=ADMIN)
    with refused("LimitExceeded", f"PoliciesPer{kind}: 11"):
        attach(**who, PolicyArn=READ)
    assert iam.get_account_summary()["SummaryMap"][f"AttachedPoliciesPer{kind}Quota"] == 11


def test_a_trust_policy_may_be_longer_when_the_quota_is_raised(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    arns = [f"arn:aws:iam::{n:012}:root" for n in range(1, 90)]
    long = policy({"Effect": "Allow", "Principal": {"AWS": arns}, "Action": "sts:AssumeRole"})
    with refused("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", status=409):
        iam.create_role(RoleName="R", AssumeRolePolicyDocument=long)
    raised(steady_jar, "L-C07B4B0D", 4096)
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=long)
    assert iam.get_role(RoleName="R")["Role"]["AssumeRolePolicyDocument"] == json.loads(long)


def test_fifty_tags(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    iam.create_user(UserName="ann", Tags=[{"Key": f"k{n}", "Value": ""} for n in range(49)])
    iam.tag_user(UserName="ann", Tags=[{"Key": "K1", "Value": "again"}, {"Key": "last", "Value": ""}])
    with refused("LimitExceeded", status=409):
        iam.tag_user(UserName="ann", Tags=[{"Key": "more", "Value": ""}])


def test_paths_are_at_most_512_characters_and_well_formed(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    iam.create_user(UserName="ann", Path="/" + "a" * 510 + "/")
    for wrong in ("/" + "a" * 511 + "/", "team", "/team", "/te am/", "//"):
        with refused("ValidationError", "path", status=400):
            iam.create_user(UserName="bob", Path=wrong)
    with pytest.raises(ParamValidationError):
        iam.create_user(UserName="bob", Path="")


def test_names_have_their_lengths(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    makers: tuple[tuple[Callable[[str], Any], int], ...] = (
        (lambda n: iam.create_user(UserName=n), 64),
        (lambda n: iam.create_group(GroupName=n), 128),
        (lambda n: iam.create_role(RoleName=n, AssumeRolePolicyDocument=trust(ACCOUNT)), 64),
        (lambda n: iam.create_policy(PolicyName=n, PolicyDocument=policy(allow("*"))), 128),
        (lambda n: iam.create_instance_profile(InstanceProfileName=n), 128),
    )
    for make_one, longest in makers:
        make_one("n" * longest)
        with refused("ValidationError", status=400):
            make_one("n" * (longest + 1))


def test_a_group_with_something_on_it_stays(iam: Any) -> None:
    iam.create_group(GroupName="g")
    iam.attach_group_policy(GroupName="g", PolicyArn=READ)
    with refused("DeleteConflict", "must detach all policies first.", status=409):
        iam.delete_group(GroupName="g")
    iam.detach_group_policy(GroupName="g", PolicyArn=READ)
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=policy(allow("*")))
    with refused("DeleteConflict", "must delete policies first.", status=409):
        iam.delete_group(GroupName="g")
    iam.delete_group_policy(GroupName="g", PolicyName="p")
    iam.delete_group(GroupName="g")


def test_a_policy_that_bounds_or_is_attached_stays(jar: TestJar, iam: Any) -> None:
    arn = made_policy(iam, "p")
    who = [(kind, make(jar, kind)) for kind in KINDS]
    for kind, name in who:
        getattr(iam, f"attach_{kind.lower()}_policy")(**name, PolicyArn=arn)
        with refused("DeleteConflict", "Cannot delete a policy attached to entities.", status=409):
            iam.delete_policy(PolicyArn=arn)
        getattr(iam, f"detach_{kind.lower()}_policy")(**name, PolicyArn=arn)
    iam.put_role_permissions_boundary(RoleName="x", PermissionsBoundary=arn)
    with refused("DeleteConflict", status=409):
        iam.delete_policy(PolicyArn=arn)
    iam.delete_role_permissions_boundary(RoleName="x")
    iam.delete_policy(PolicyArn=arn)


def test_nobody_but_its_service_changes_a_service_linked_role(jar: TestJar, iam: Any) -> None:
    made = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    name = made["RoleName"]
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: iam.update_role(RoleName=name, Description="mine"),
        lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust(ACCOUNT)),
        lambda: iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(allow("*"))),
        lambda: iam.attach_role_policy(RoleName=name, PolicyArn=ADMIN),
        lambda: iam.detach_role_policy(
            RoleName=name, PolicyArn=iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"][0]["PolicyArn"]
        ),
        lambda: iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=ADMIN),
        lambda: iam.tag_role(RoleName=name, Tags=[{"Key": "k", "Value": "v"}]),
        lambda: iam.delete_role(RoleName=name),
    )
    for attempt in attempts:
        with refused("UnmodifiableEntity", f"protected role '{name}'", status=400):
            attempt()
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/ecs.amazonaws.com/{name}/")
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    with refused("NoSuchEntity", status=404):
        iam.get_role(RoleName=name)
    with refused("NoSuchEntity", status=404):
        iam.get_service_linked_role_deletion_status(DeletionTaskId=task + "x")


# -- lists and filters
def test_entities_of_a_policy_by_kind_path_and_use(jar: TestJar, iam: Any) -> None:
    arn = made_policy(iam, "p")
    user(jar, "ann", Path="/team/")
    user(jar, "bob")
    iam.create_group(GroupName="g", Path="/team/")
    role(jar, "R", trust(ACCOUNT))
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    iam.attach_group_policy(GroupName="g", PolicyArn=arn)
    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=arn)
    iam.put_role_permissions_boundary(RoleName="R", PermissionsBoundary=arn)

    def found(**ask: Any) -> list[str]:
        answer = iam.list_entities_for_policy(PolicyArn=arn, **ask)
        return [e[f"{kind}Name"] for kind in ("Group", "User", "Role") for e in answer[f"Policy{kind}s"]]

    assert found() == ["g", "ann"]
    assert found(PathPrefix="/team/") == ["g", "ann"]
    assert found(PathPrefix="/other/") == []
    assert found(EntityFilter="User") == ["ann"]
    assert found(EntityFilter="Role") == []
    assert found(PolicyUsageFilter="PermissionsPolicy") == ["g", "ann"]
    assert found(PolicyUsageFilter="PermissionsBoundary") == ["bob", "R"]
    assert found(PolicyUsageFilter="PermissionsBoundary", EntityFilter="Role") == ["R"]
    ids = iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"][0]["UserId"]
    assert ids == iam.get_user(UserName="ann")["User"]["UserId"]
    pages = iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 1})
    assert [len(p["PolicyGroups"]) + len(p["PolicyUsers"]) for p in pages] == [1, 1]


LISTS = {
    "User": "UserDetailList",
    "Role": "RoleDetailList",
    "Group": "GroupDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}


def test_details_of_the_account_by_filter(jar: TestJar, iam: Any) -> None:
    mine = made_policy(iam, "mine")
    user(jar, "ann", allow("s3:*"), Tags=[{"Key": "k", "Value": "v"}], PermissionsBoundary=mine)
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="ann")
    iam.attach_group_policy(GroupName="g", PolicyArn=READ)
    role(jar, "R", trust_service("ec2.amazonaws.com"), allow("ec2:*"))
    iam.create_instance_profile(InstanceProfileName="P")
    iam.add_role_to_instance_profile(InstanceProfileName="P", RoleName="R")

    def sizes(*filters: str) -> dict[str, int]:
        answer = iam.get_account_authorization_details(**({"Filter": list(filters)} if filters else {}))
        return {name: len(answer[name]) for name in dict.fromkeys(LISTS.values())}

    assert sizes() == {"UserDetailList": 1, "RoleDetailList": 1, "GroupDetailList": 1, "Policies": 2}
    for word, name in LISTS.items():
        assert sizes(word) == {**dict.fromkeys(LISTS.values(), 0), name: 1}
    assert sizes("User", "AWSManagedPolicy") == {
        "UserDetailList": 1, "RoleDetailList": 0, "GroupDetailList": 0, "Policies": 1,
    }  # fmt: skip
    whole = iam.get_account_authorization_details()
    (ann,), (group,), (found,) = whole["UserDetailList"], whole["GroupDetailList"], whole["RoleDetailList"]
    assert (ann["GroupList"], ann["Tags"]) == (["g"], [{"Key": "k", "Value": "v"}])
    assert ann["PermissionsBoundary"]["PermissionsBoundaryArn"] == mine
    assert ann["UserPolicyList"][0]["PolicyDocument"] == json.loads(policy(allow("s3:*")))
    assert [p["PolicyArn"] for p in group["AttachedManagedPolicies"]] == [READ]
    assert [p["InstanceProfileName"] for p in found["InstanceProfileList"]] == ["P"]
    documents = {p["PolicyName"]: p["PolicyVersionList"] for p in whole["Policies"]}
    assert documents["mine"][0]["Document"] == json.loads(policy(allow("s3:*")))
    pages = iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 1})
    counts = [sum(len(page[name]) for name in dict.fromkeys(LISTS.values())) for page in pages]
    assert counts == [1] * 5


def test_the_summary_counts(jar: TestJar, iam: Any) -> None:
    arn = made_policy(iam, "p")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("*")))
    for kind in KINDS:
        make(jar, kind)
    iam.create_instance_profile(InstanceProfileName="P")
    found = iam.get_account_summary()["SummaryMap"]
    counted = ("Users", "Groups", "Roles", "Policies", "PolicyVersionsInUse", "InstanceProfiles", "ServerCertificates")
    assert [found[name] for name in counted] == [1, 1, 1, 1, 2, 1, 0]
    assert (found["MFADevices"], found["AccountMFAEnabled"], found["Providers"]) == (0, 0, 0)
    assert (found["UsersQuota"], found["AccessKeysPerUserQuota"], found["PolicySizeQuota"]) == (5000, 2, 6144)
