"""What authentication and authorisation get from IAM: remembered, and never stale."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.caller import root as root_of
from cloudjar.base.caller import service as service_of
from cloudjar.kit.db import Db
from cloudjar.services.iam.identity import IamIdentity, identity
from cloudjar.services.iam.records import User
from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import ADMIN, allow, policy, role, root, trust, user


def _identity(jar: TestJar) -> IamIdentity:
    return identity(jar.jar.world)


def _caller(jar: TestJar, key: str) -> Caller:
    found = _identity(jar).key(key)
    assert found is not None
    return found.caller


def test_the_view_of_a_world_is_one(steady_jar: TestJar) -> None:
    assert _identity(steady_jar) is _identity(steady_jar)


def test_policies_are_worked_out_once_until_something_is_written(steady_jar: TestJar) -> None:
    jar, iam = steady_jar, root(steady_jar, "iam")
    ann = user(jar, "ann", allow("s3:*"))
    caller = _caller(jar, ann.key)
    first = _identity(jar).policies(caller)
    assert [p.name for p in first.identity] == ["own"]
    assert _identity(jar).policies(caller) is first
    iam.attach_user_policy(UserName="ann", PolicyArn=ADMIN)
    assert [p.name for p in _identity(jar).policies(caller).identity] == ["own", "AdministratorAccess"]


def test_what_was_rolled_back_is_forgotten(steady_jar: TestJar) -> None:
    jar = steady_jar
    ann = user(jar, "ann")
    caller = _caller(jar, ann.key)
    world = jar.jar.world

    inside: list[int] = []

    async def try_and_fail() -> None:
        table = Db(world.state, ACCOUNT, "")[User]
        with world.state.database.transaction():
            table.put(replace(table.need("ann"), inline={"p": policy(allow("*"))}))
            inside.append(len(_identity(jar).policies(caller).identity))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        jar.on_loop(try_and_fail())
    assert inside == [1]
    assert _identity(jar).policies(caller).identity == ()


def test_groups_and_boundary_are_part_of_it(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", PermissionsBoundary=ADMIN)
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=policy(allow("s3:*")))
    iam.add_user_to_group(GroupName="g", UserName="ann")
    found = _identity(jar).policies(_caller(jar, ann.key))
    assert [p.name for p in found.identity] == ["p"]
    assert found.boundary is not None
    assert found.boundary.arn == ADMIN
    assert found.session is None


def test_nobody_else_has_policies(steady_jar: TestJar) -> None:
    view = _identity(steady_jar)
    for caller in (root_of(ACCOUNT), service_of("ec2.amazonaws.com", ACCOUNT)):
        assert view.policies(caller).identity == ()
        assert view.exists(caller)


def test_a_user_or_role_that_is_gone_has_neither_life_nor_policies(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann")
    caller = _caller(jar, ann.key)
    arn = role(jar, "R", trust(ann.arn), allow("*"))
    unique = iam.get_role(RoleName="R")["Role"]["RoleId"]
    inside = Caller(kind="role", account=ACCOUNT, arn="", unique_id=f"{unique}:s", role_arn=arn, session_name="s")
    view = _identity(jar)
    assert view.exists(caller)
    assert view.exists(inside)
    assert len(view.policies(inside).identity) == 1
    iam.delete_role_policy(RoleName="R", PolicyName="own")
    iam.delete_role(RoleName="R")
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.key)
    iam.delete_user(UserName="ann")
    role(jar, "R", trust(ACCOUNT), allow("*"))
    view = _identity(jar)
    assert not view.exists(caller)
    assert not view.exists(inside)
    assert view.policies(inside).identity == ()
    assert view.key(ann.key) is None


def test_a_federated_user_without_session_policies_has_an_empty_session(jar: TestJar) -> None:
    ann = user(jar, "ann", allow("*"))
    guest = Caller(
        kind="federated", account=ACCOUNT, arn="", unique_id=f"{ACCOUNT}:g", role_arn=ann.arn, user_name="ann"
    )
    assert _identity(jar).policies(guest).session == ()


def test_a_key_sealed_elsewhere_opens_nothing(steady_jar: TestJar) -> None:
    jar = steady_jar
    ann = user(jar, "ann")
    (jar.home / "sealing.key").write_bytes(b"k" * 32)
    jar.crash()
    assert _identity(jar).key(ann.key) is None
