"""Managed policies and versions, attachments, inline policies, tags, the account's summary and details."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import ADMIN, OTHER, allow, deny, policy, refused, role, root, trust, user

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def _make(iam: Any, name: str = "p", *statements: dict[str, Any], **more: Any) -> str:
    document = policy(*(statements or (allow("s3:*"),)))
    return str(iam.create_policy(PolicyName=name, PolicyDocument=document, **more)["Policy"]["Arn"])


def test_a_policy_is_shown_as_it_was_made(jar: TestJar, iam: Any) -> None:
    arn = _make(iam, "P", Path="/team/", Description="for reading", Tags=[{"Key": "k", "Value": "v"}])
    found = iam.get_policy(PolicyArn=arn)["Policy"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/team/P"
    assert found["PolicyId"].startswith("ANPA")
    assert found["CreateDate"] == found["UpdateDate"] == jar.clock.now()
    assert (found["DefaultVersionId"], found["AttachmentCount"], found["IsAttachable"]) == ("v1", 0, True)
    assert (found["Description"], found["Tags"]) == ("for reading", [{"Key": "k", "Value": "v"}])
    (listed,) = iam.list_policies(Scope="Local")["Policies"]
    assert not {"Description", "Tags"} & listed.keys()


def test_policy_names_differ_by_more_than_case_and_path(iam: Any) -> None:
    _make(iam, "P")
    with refused("EntityAlreadyExists", "A policy called p already exists. Duplicate names are not allowed."):
        _make(iam, "p", Path="/other/")


def test_the_default_version_is_the_one_in_force(jar: TestJar, iam: Any) -> None:
    arn = _make(iam, "p", allow("iam:ListUsers"))
    ann = user(jar, "ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    assert ann.client("iam").list_users()["Users"]
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(deny("*")))["PolicyVersion"]
    assert (version["VersionId"], version["IsDefaultVersion"]) == ("v2", False)
    assert ann.client("iam").list_users()["Users"]
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    with refused("AccessDenied", "with an explicit deny in an identity-based policy"):
        ann.client("iam").list_users()
    with refused("DeleteConflict", "Cannot delete the default version of a policy.", status=409):
        iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("iam:ListUsers")), SetAsDefault=True)
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [(v["VersionId"], v["IsDefaultVersion"]) for v in versions] == [("v3", True), ("v2", False)]
    assert ann.client("iam").list_users()["Users"]


def test_a_version_that_is_not_there(iam: Any) -> None:
    arn = _make(iam)
    with refused("NoSuchEntity", f"Policy {arn} version v7 does not exist or is not attachable.", status=404):
        iam.get_policy_version(PolicyArn=arn, VersionId="v7")


def test_a_policy_with_several_versions_stays(iam: Any) -> None:
    arn = _make(iam)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("s3:*")))
    with refused("DeleteConflict", "This policy has more than one version."):
        iam.delete_policy(PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} was not found.", status=404):
        iam.get_policy(PolicyArn=arn)


def test_a_boundary_in_use_cannot_be_deleted(iam: Any) -> None:
    arn = _make(iam)
    iam.create_user(UserName="ann", PermissionsBoundary=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    with refused("DeleteConflict"):
        iam.delete_policy(PolicyArn=arn)


def test_policies_of_aws_cannot_be_changed(iam: Any) -> None:
    with refused("AccessDenied", "Policy is outside your own account.", status=403):
        iam.delete_policy(PolicyArn=ADMIN)
    with refused("AccessDenied", "Policy is outside your own account."):
        iam.create_policy_version(PolicyArn=ADMIN, PolicyDocument=policy(allow("*")))


def test_policies_of_another_account_are_out_of_reach(jar: TestJar, iam: Any) -> None:
    theirs = _make(root(jar, "iam", OTHER), "theirs")
    for attempt in (iam.delete_policy, iam.get_policy):
        with refused("AccessDenied", status=403):
            attempt(PolicyArn=theirs)
    iam.create_user(UserName="ann")
    with refused("NoSuchEntity"):
        iam.attach_user_policy(UserName="ann", PolicyArn=theirs)
    assert root(jar, "iam", OTHER).get_policy(PolicyArn=theirs)["Policy"]["AttachmentCount"] == 0


def test_size_counts_without_white_space(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    padded = policy(allow("s3:*")).replace(" ", " " * 500)
    assert iam.create_policy(PolicyName="p", PolicyDocument=padded)["Policy"]["Arn"]
    with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", status=409):
        iam.create_policy(PolicyName="q", PolicyDocument=policy(allow(*(f"s3:Get{i:0100}" for i in range(60)))))


def test_lists_by_scope_path_and_use(iam: Any) -> None:
    mine = _make(iam, "mine", Path="/a/")
    _make(iam, "idle", Path="/b/")
    iam.create_user(UserName="ann", PermissionsBoundary=mine)
    iam.attach_user_policy(UserName="ann", PolicyArn=READ)

    def listed(**ask: Any) -> list[str]:
        return [p["PolicyName"] for p in iam.list_policies(**ask)["Policies"]]

    assert listed(Scope="Local") == ["idle", "mine"] or listed(Scope="Local") == ["mine", "idle"]
    assert listed(Scope="Local", PathPrefix="/a/") == ["mine"]
    assert listed(OnlyAttached=True, Scope="AWS") == ["ReadOnlyAccess"]
    assert listed(PolicyUsageFilter="PermissionsBoundary") == ["mine"]
    assert listed(PolicyUsageFilter="PermissionsPolicy") == ["ReadOnlyAccess"]


def test_every_aws_managed_policy_is_listed(steady_jar: TestJar) -> None:
    pages = root(steady_jar, "iam").get_paginator("list_policies").paginate(Scope="AWS", MaxItems=1000)
    arns = [p["Arn"] for page in pages for p in page["Policies"]]
    assert len(arns) == len(set(arns)) > 1000
    assert ADMIN in arns


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_attach_list_detach(jar: TestJar, iam: Any, kind: str) -> None:
    name = {f"{kind.title()}Name": "x"}
    if kind == "role":
        role(jar, "x", trust(ACCOUNT))
    else:
        getattr(iam, f"create_{kind}")(**name)
    mine = _make(iam, "mine", Path="/a/")
    for arn in (READ, mine, mine):
        getattr(iam, f"attach_{kind}_policy")(**name, PolicyArn=arn)
    listing = getattr(iam, f"list_attached_{kind}_policies")
    assert [p["PolicyArn"] for p in listing(**name)["AttachedPolicies"]] == [READ, mine]
    assert [p["PolicyName"] for p in listing(**name, PathPrefix="/a/")["AttachedPolicies"]] == ["mine"]
    entities = iam.list_entities_for_policy(PolicyArn=mine)
    assert [e[f"{kind.title()}Name"] for e in entities[f"Policy{kind.title()}s"]] == ["x"]
    getattr(iam, f"detach_{kind}_policy")(**name, PolicyArn=mine)
    with refused("NoSuchEntity", status=404):
        getattr(iam, f"detach_{kind}_policy")(**name, PolicyArn=mine)
    with refused("NoSuchEntity", "does not exist or is not attachable."):
        getattr(iam, f"attach_{kind}_policy")(**name, PolicyArn=mine + "-not")
    with refused("InvalidInput", "is not valid.", status=400):
        getattr(iam, f"attach_{kind}_policy")(**name, PolicyArn="x" * 20)
    with refused("NoSuchEntity", f"The {kind} with name nobody cannot be found."):
        getattr(iam, f"attach_{kind}_policy")(**{f"{kind.title()}Name": "nobody"}, PolicyArn=READ)


def test_entities_of_a_policy_are_paged_as_one_list(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    role(steady_jar, "r", trust(ACCOUNT))
    iam.attach_user_policy(UserName="u", PolicyArn=READ)
    iam.attach_group_policy(GroupName="g", PolicyArn=READ)
    iam.attach_role_policy(RoleName="r", PolicyArn=READ)
    pages = list(
        iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=READ, PaginationConfig={"PageSize": 1})
    )
    names = [e for page in pages for part in ("Users", "Groups", "Roles") for e in page[f"Policy{part}"]]
    assert len(pages) == 3
    assert sorted(e.get("UserName") or e.get("GroupName") or e["RoleName"] for e in names) == ["g", "r", "u"]
    assert iam.list_entities_for_policy(PolicyArn=READ, EntityFilter="Role")["PolicyUsers"] == []


@pytest.mark.parametrize(("kind", "size"), [("user", 2048), ("group", 5120), ("role", 10240)])
def test_inline_policies_together_have_a_size(steady_jar: TestJar, kind: str, size: int) -> None:
    iam = root(steady_jar, "iam")
    name = {f"{kind.title()}Name": "x"}
    if kind == "role":
        role(steady_jar, "x", trust(ACCOUNT))
    else:
        getattr(iam, f"create_{kind}")(**name)
    put = getattr(iam, f"put_{kind}_policy")
    half = policy(allow("s3:" + "a" * (size // 2)))
    put(**name, PolicyName="one", PolicyDocument=half)
    put(**name, PolicyName="one", PolicyDocument=half)
    with refused("LimitExceeded", f"Maximum policy size of {size} bytes exceeded for {kind} x", status=409):
        put(**name, PolicyName="two", PolicyDocument=half)
    assert getattr(iam, f"list_{kind}_policies")(**name)["PolicyNames"] == ["one"]
    found = getattr(iam, f"get_{kind}_policy")(**name, PolicyName="one")
    assert found["PolicyDocument"]["Statement"][0]["Effect"] == "Allow"
    getattr(iam, f"delete_{kind}_policy")(**name, PolicyName="one")
    with refused("NoSuchEntity", f"The {kind} policy with name one cannot be found.", status=404):
        getattr(iam, f"get_{kind}_policy")(**name, PolicyName="one")


def _tagged(jar: TestJar, iam: Any, noun: str) -> dict[str, str]:
    if noun == "user":
        iam.create_user(UserName="x")
        return {"UserName": "x"}
    if noun == "role":
        role(jar, "x", trust(ACCOUNT))
        return {"RoleName": "x"}
    if noun == "policy":
        return {"PolicyArn": _make(iam)}
    iam.create_instance_profile(InstanceProfileName="x")
    return {"InstanceProfileName": "x"}


@pytest.mark.parametrize("noun", ["user", "role", "policy", "instance_profile"])
def test_tags_are_laid_over_and_taken_away_whatever_the_case(jar: TestJar, iam: Any, noun: str) -> None:
    what = _tagged(jar, iam, noun)
    tag, untag = getattr(iam, f"tag_{noun}"), getattr(iam, f"untag_{noun}")

    def tags() -> dict[str, str]:
        return {t["Key"]: t["Value"] for t in getattr(iam, f"list_{noun}_tags")(**what)["Tags"]}

    tag(**what, Tags=[{"Key": "Cost", "Value": "1"}, {"Key": "b", "Value": ""}])
    tag(**what, Tags=[{"Key": "COST", "Value": "2"}])
    assert tags() == {"COST": "2", "b": ""}
    untag(**what, TagKeys=["cost", "absent"])
    assert tags() == {"b": ""}
    with refused("InvalidInput", "Duplicate tag keys found.", status=400):
        tag(**what, Tags=[{"Key": "x", "Value": "1"}, {"Key": "X", "Value": "2"}])
    with refused("InvalidInput", "aws: prefixed tag key names"):
        tag(**what, Tags=[{"Key": "aws:x", "Value": "1"}])
    tag(**what, Tags=[{"Key": f"k{i}", "Value": ""} for i in range(49)])
    with refused("LimitExceeded", "maximum", status=409):
        tag(**what, Tags=[{"Key": "one more", "Value": ""}])


def test_tags_of_users_and_resources_decide(jar: TestJar) -> None:
    same = {"StringEquals": {"iam:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    ann = user(jar, "ann", allow("iam:GetUser", Condition=same), Tags=[{"Key": "team", "Value": "red"}])
    user(jar, "bob", Tags=[{"Key": "team", "Value": "red"}])
    user(jar, "cat", Tags=[{"Key": "team", "Value": "blue"}])
    assert ann.client("iam").get_user(UserName="bob")["User"]["UserName"] == "bob"
    with refused("AccessDenied"):
        ann.client("iam").get_user(UserName="cat")


def test_the_summary_counts(jar: TestJar, iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="g")
    role(jar, "R", trust(ACCOUNT))
    _make(iam)
    found = iam.get_account_summary()["SummaryMap"]
    assert {k: found[k] for k in ("Users", "Groups", "Roles", "Policies", "PolicyVersionsInUse")} == {
        "Users": 1,
        "Groups": 1,
        "Roles": 1,
        "Policies": 1,
        "PolicyVersionsInUse": 1,
    }
    assert (found["UsersQuota"], found["AccessKeysPerUserQuota"], found["PolicySizeQuota"]) == (5000, 2, 6144)


def test_the_details_show_everything_at_once(jar: TestJar, iam: Any) -> None:
    user(jar, "ann", allow("s3:*"))
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="ann")
    iam.attach_group_policy(GroupName="g", PolicyArn=READ)
    role(jar, "R", trust(ACCOUNT), allow("s3:*"))
    mine = _make(iam)
    found = iam.get_account_authorization_details()
    (ann,) = found["UserDetailList"]
    assert (ann["UserPolicyList"][0]["PolicyName"], ann["GroupList"]) == ("own", ["g"])
    assert ann["UserPolicyList"][0]["PolicyDocument"]["Version"] == "2012-10-17"
    assert found["GroupDetailList"][0]["AttachedManagedPolicies"][0]["PolicyArn"] == READ
    assert found["RoleDetailList"][0]["AssumeRolePolicyDocument"]["Statement"]
    assert {p["Arn"] for p in found["Policies"]} == {mine, READ}
    assert all(p["PolicyVersionList"][0]["Document"] for p in found["Policies"])
    only = iam.get_account_authorization_details(Filter=["Role"])
    assert (only["UserDetailList"], only["Policies"], len(only["RoleDetailList"])) == ([], [], 1)


def test_what_is_not_built_says_so(steady_jar: TestJar) -> None:
    with refused("NotImplemented", "iam:ListDelegationRequests is not built", status=501):
        root(steady_jar, "iam").list_delegation_requests()
