"""Users and groups: names, paths, membership, renaming, deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import ADMIN, OTHER, allow, policy, refused, root, trust, user


def test_a_user_is_shown_as_it_was_made(jar: TestJar, iam: Any) -> None:
    made = iam.create_user(UserName="Ann", Path="/team/", Tags=[{"Key": "Cost", "Value": "7"}])["User"]
    found = iam.get_user(UserName="Ann")["User"]
    assert made == found
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/Ann"
    assert found["CreateDate"] == jar.clock.now()
    assert found["UserId"].startswith("AIDA")
    assert len(found["UserId"]) == 21
    assert found["Tags"] == [{"Key": "Cost", "Value": "7"}]


def test_names_differ_by_more_than_case_and_are_found_in_any(iam: Any) -> None:
    iam.create_user(UserName="Ann")
    with refused("EntityAlreadyExists", "User with name ANN already exists.", status=409):
        iam.create_user(UserName="ANN")
    assert iam.get_user(UserName="ann")["User"]["UserName"] == "Ann"
    iam.create_group(GroupName="Ann")  # a group may have a user's name
    with refused("EntityAlreadyExists", "Group with name ann already exists."):
        iam.create_group(GroupName="ann")


def test_a_user_of_another_account_is_not_seen(jar: TestJar, iam: Any) -> None:
    iam.create_user(UserName="ann")
    with refused("NoSuchEntity", "The user with name ann cannot be found.", status=404):
        root(jar, "iam", OTHER).get_user(UserName="ann")


def test_get_user_without_a_name_is_about_the_caller(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("iam:GetUser", on=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"))
    assert ann.client("iam").get_user()["User"]["UserName"] == "ann"
    assert iam.get_user()["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_get_user_without_a_name_is_refused_to_a_role(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust(ann.arn))
    iam.attach_role_policy(RoleName="R", PolicyArn=ADMIN)
    with refused("ValidationError", "Must specify userName when calling with non-User credentials"):
        ann.assume(f"arn:aws:iam::{ACCOUNT}:role/R").client("iam").get_user()


def test_lists_are_narrowed_by_path_and_leave_out_tags(iam: Any) -> None:
    iam.create_user(UserName="ann", Path="/a/", Tags=[{"Key": "k", "Value": "v"}])
    iam.create_user(UserName="bob", Path="/a/b/")
    iam.create_user(UserName="cat", Path="/c/")
    found = iam.list_users(PathPrefix="/a/")["Users"]
    assert [u["UserName"] for u in found] == ["ann", "bob"]
    assert "Tags" not in found[0]


def test_a_renamed_user_keeps_keys_groups_password_and_id(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("iam:GetUser"))
    before = iam.get_user(UserName="ann")["User"]
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="ann")
    iam.create_login_profile(UserName="ann", Password="Correct-Horse-9")
    iam.update_user(UserName="ann", NewUserName="anna", NewPath="/new/")
    after = ann.client("iam").get_user()["User"]
    assert (after["UserName"], after["UserId"]) == ("anna", before["UserId"])
    assert after["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/new/anna"
    assert [k["AccessKeyId"] for k in iam.list_access_keys(UserName="anna")["AccessKeyMetadata"]] == [ann.key]
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName="anna")["Groups"]] == ["g"]
    assert iam.get_login_profile(UserName="anna")["LoginProfile"]["UserName"] == "anna"
    with refused("NoSuchEntity"):
        iam.get_user(UserName="ann")


def test_renaming_onto_another_user_is_refused_but_changing_case_is_not(iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_user(UserName="bob")
    with refused("EntityAlreadyExists"):
        iam.update_user(UserName="ann", NewUserName="BOB")
    iam.update_user(UserName="ann", NewUserName="Ann")
    assert iam.get_user(UserName="ann")["User"]["UserName"] == "Ann"


def test_a_user_is_deleted_only_when_nothing_hangs_on_it(iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="g")
    iam.create_login_profile(UserName="ann", Password="Correct-Horse-9")
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    iam.add_user_to_group(GroupName="g", UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=ADMIN)
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy(allow("s3:*")))
    steps: list[tuple[str, Callable[[], Any]]] = [
        ("must delete login profile first.", lambda: iam.delete_login_profile(UserName="ann")),
        ("must delete access keys first.", lambda: iam.delete_access_key(UserName="ann", AccessKeyId=key)),
        ("must remove users from group first.", lambda: iam.remove_user_from_group(GroupName="g", UserName="ann")),
        ("must detach all policies first.", lambda: iam.detach_user_policy(UserName="ann", PolicyArn=ADMIN)),
        ("must delete policies first.", lambda: iam.delete_user_policy(UserName="ann", PolicyName="p")),
    ]
    for words, remove in steps:
        with refused("DeleteConflict", "Cannot delete entity, " + words, status=409):
            iam.delete_user(UserName="ann")
        remove()
    iam.delete_user(UserName="ann")
    with refused("NoSuchEntity"):
        iam.get_user(UserName="ann")


def test_members_have_the_groups_permissions_while_they_are_members(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=policy(allow("iam:ListGroups")))
    with refused("AccessDenied"):
        ann.client("iam").list_groups()
    iam.add_user_to_group(GroupName="g", UserName="ann")
    assert [g["GroupName"] for g in ann.client("iam").list_groups()["Groups"]] == ["g"]
    assert [u["UserName"] for u in iam.get_group(GroupName="g")["Users"]] == ["ann"]
    iam.remove_user_from_group(GroupName="g", UserName="ann")
    with refused("AccessDenied"):
        ann.client("iam").list_groups()


def test_a_renamed_group_keeps_its_members(iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="ann")
    iam.update_group(GroupName="g", NewGroupName="h", NewPath="/p/")
    found = iam.get_group(GroupName="h")
    assert found["Group"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/p/h"
    assert [u["UserName"] for u in found["Users"]] == ["ann"]
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName="ann")["Groups"]] == ["h"]


def test_a_group_with_members_stays_and_strangers_cannot_be_removed(iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="g")
    with refused("NoSuchEntity", status=404):
        iam.remove_user_from_group(GroupName="g", UserName="ann")
    iam.add_user_to_group(GroupName="g", UserName="ann")
    iam.add_user_to_group(GroupName="g", UserName="ann")
    with refused("DeleteConflict", "must remove users from group first."):
        iam.delete_group(GroupName="g")
    iam.remove_user_from_group(GroupName="g", UserName="ann")
    iam.delete_group(GroupName="g")
    assert iam.list_groups()["Groups"] == []


def test_a_user_is_in_ten_groups_at_most(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    iam.create_user(UserName="ann")
    for i in range(11):
        iam.create_group(GroupName=f"g{i}")
    for i in range(10):
        iam.add_user_to_group(GroupName=f"g{i}", UserName="ann")
    with refused("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10", status=409):
        iam.add_user_to_group(GroupName="g10", UserName="ann")


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_of_any_size_make_the_whole(steady_jar: TestJar, size: int) -> None:
    iam = root(steady_jar, "iam")
    for i in range(5):
        iam.create_user(UserName=f"u{i}")
    pages = list(iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": size}))
    assert [u["UserName"] for page in pages for u in page["Users"]] == [f"u{i}" for i in range(5)]
    assert [page["IsTruncated"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert all(("Marker" in page) is page["IsTruncated"] for page in pages)


def test_a_page_holds_a_hundred_when_the_request_does_not_say(steady_jar: TestJar) -> None:
    found = root(steady_jar, "iam").list_policies()
    assert (len(found["Policies"]), found["IsTruncated"]) == (100, True)


def test_a_mangled_marker_is_refused(steady_jar: TestJar) -> None:
    with refused("ValidationError", "Marker"):
        root(steady_jar, "iam").list_users(Marker="nonsense")
