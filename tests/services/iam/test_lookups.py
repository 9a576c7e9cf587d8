"""What requests name by a name in some case, a key, a profile or a task is held against the policy of the resource
behind it: who may act on one is refused on another."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, launch
from tests.services.iam.people import allow, deny, refused, role, trust_service, user

IAM = f"arn:aws:iam::{ACCOUNT}"


def test_a_key_belongs_to_its_user(jar: TestJar, iam: Any) -> None:
    ann, bob = user(jar, "ann", Path="/people/"), user(jar, "bob")
    auditor = user(jar, "auditor", allow("iam:GetAccessKeyLastUsed", on=ann.arn)).client("iam")
    assert auditor.get_access_key_last_used(AccessKeyId=ann.key)["UserName"] == "ann"
    with refused("AccessDenied", f"iam:GetAccessKeyLastUsed on resource: {bob.arn}"):
        auditor.get_access_key_last_used(AccessKeyId=bob.key)


def test_a_profile_passes_the_role_that_is_in_it(jar: TestJar, iam: Any, ec2: Any) -> None:
    for name in ("web", "admin"):
        role(jar, f"{name}-role", trust_service("ec2.amazonaws.com"), Path="/servers/")
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=f"{name}-role")
    vm = launch(ec2)
    ann = user(
        jar, "ann", allow("ec2:*", "iam:GetRole"), allow("iam:PassRole", on=f"{IAM}:role/servers/web-role")
    ).client("ec2")
    for profile in ({"Name": "admin"}, {"Arn": f"{IAM}:instance-profile/admin"}, {"Name": "nothing"}):
        assert code(ann.associate_iam_instance_profile, InstanceId=vm, IamInstanceProfile=profile) == (
            "UnauthorizedOperation"
        )
    made = ann.associate_iam_instance_profile(InstanceId=vm, IamInstanceProfile={"Arn": f"{IAM}:instance-profile/web"})[
        "IamInstanceProfileAssociation"
    ]
    again = {"AssociationId": made["AssociationId"], "IamInstanceProfile": {"Name": "admin"}}
    assert code(ann.replace_iam_instance_profile_association, **again) == "UnauthorizedOperation"
    assert launch(ann, IamInstanceProfile={"Name": "web"}).startswith("i-")


def test_a_name_in_another_case_is_the_same_user(jar: TestJar, iam: Any) -> None:
    user(jar, "Ann", Path="/people/")
    user(jar, "bob")
    helper = user(jar, "helper", allow("iam:GetUser", on=f"{IAM}:user/people/Ann")).client("iam")
    for name in ("Ann", "ann", "ANN"):
        assert helper.get_user(UserName=name)["User"]["UserName"] == "Ann"
    with refused("AccessDenied"):
        helper.get_user(UserName="bob")


def test_another_case_does_not_get_round_a_deny(jar: TestJar, iam: Any) -> None:
    role(jar, "Deploy", trust_service("ec2.amazonaws.com"))
    iam.create_group(GroupName="Admins")
    iam.create_instance_profile(InstanceProfileName="Web")
    careful = user(
        jar,
        "careful",
        allow("iam:*"),
        deny("iam:Delete*", on=f"{IAM}:role/Deploy"),
        deny("iam:Delete*", on=f"{IAM}:group/Admins"),
        deny("iam:Delete*", on=f"{IAM}:user/careful"),
        deny("iam:Delete*", on=f"{IAM}:instance-profile/Web"),
    ).client("iam")
    with refused("AccessDenied", "explicit deny"):
        careful.delete_role(RoleName="deploy")
    with refused("AccessDenied", "explicit deny"):
        careful.delete_group(GroupName="admins")
    with refused("AccessDenied", "explicit deny"):
        careful.delete_user(UserName="CAREFUL")
    with refused("AccessDenied", "explicit deny"):
        careful.delete_instance_profile(InstanceProfileName="web")
    careful.create_group(GroupName="others")
    careful.delete_group(GroupName="OTHERS")


def test_a_deletion_is_followed_by_who_may_see_its_role(jar: TestJar, iam: Any) -> None:
    tasks = {}
    for service in ("ecs", "rds"):
        name = iam.create_service_linked_role(AWSServiceName=f"{service}.amazonaws.com")["Role"]["RoleName"]
        tasks[service] = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    of_ecs = f"{IAM}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    watcher = user(jar, "watcher", allow("iam:GetServiceLinkedRoleDeletionStatus", on=of_ecs)).client("iam")
    status = watcher.get_service_linked_role_deletion_status
    assert status(DeletionTaskId=tasks["ecs"])["Status"] == "SUCCEEDED"
    with refused("AccessDenied"):
        status(DeletionTaskId=tasks["rds"])
    with refused("AccessDenied"):
        status(DeletionTaskId="task/nothing")
