"""Policies: written, attached, listed; effective policies are merged from the root down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import allow, deny, policy, refused, user
from tests.services.organizations.estate import RCP, SCP, Estate, reason, root

FULL = "p-FullAWSAccess"
TAG = "TAG_POLICY"


def attached(estate: Estate, target: str, kind: str = SCP) -> list[str]:
    """Ids of what is attached to a target."""
    return [p["Id"] for p in estate.org.list_policies_for_target(TargetId=target, Filter=kind)["Policies"]]


def test_everything_begins_with_full_access(jar: TestJar) -> None:
    estate = Estate(jar)
    unit, number = estate.unit("dev"), estate.account("dev")
    for target in (estate.root, unit, number, ACCOUNT):
        assert attached(estate, target) == [FULL]
    found = estate.org.describe_policy(PolicyId=FULL)["Policy"]
    summary = found["PolicySummary"]
    assert summary["Arn"] == "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"
    assert (summary["Name"], summary["AwsManaged"], summary["Type"]) == ("FullAWSAccess", True, SCP)
    assert json.loads(found["Content"])["Statement"] == [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    targets = estate.org.list_targets_for_policy(PolicyId=FULL)["Targets"]
    assert {(t["TargetId"], t["Type"], t["Name"]) for t in targets} == {
        (estate.root, "ROOT", "Root"), (unit, "ORGANIZATIONAL_UNIT", "dev"), (number, "ACCOUNT", "dev"),
        (ACCOUNT, "ACCOUNT", ACCOUNT),
    }  # fmt: skip


def test_the_life_of_a_policy(jar: TestJar) -> None:
    estate = Estate(jar)
    made = estate.policy("no-s3", deny("s3:*"))
    found = estate.org.describe_policy(PolicyId=made)["Policy"]["PolicySummary"]
    assert found["Arn"] == f"arn:aws:organizations::{ACCOUNT}:policy/{estate.id}/service_control_policy/{made}"
    assert [p["Id"] for p in estate.org.list_policies(Filter=SCP)["Policies"]] == [FULL, made]
    with refused("DuplicatePolicyException", "A policy with the same name already exists."):
        estate.policy("no-s3", deny("ec2:*"))
    estate.org.update_policy(PolicyId=made, Name="no-ec2", Content=policy(deny("ec2:*")))
    found = estate.org.describe_policy(PolicyId=made)["Policy"]
    assert (found["PolicySummary"]["Name"], found["Content"]) == ("no-ec2", policy(deny("ec2:*")))
    estate.org.attach_policy(PolicyId=made, TargetId=estate.root)
    with refused("DuplicatePolicyAttachmentException"):
        estate.org.attach_policy(PolicyId=made, TargetId=estate.root)
    with refused("PolicyInUseException"):
        estate.org.delete_policy(PolicyId=made)
    estate.org.detach_policy(PolicyId=made, TargetId=estate.root)
    with refused("PolicyNotAttachedException"):
        estate.org.detach_policy(PolicyId=made, TargetId=estate.root)
    estate.org.delete_policy(PolicyId=made)
    with refused("PolicyNotFoundException"):
        estate.org.describe_policy(PolicyId=made)
    with refused("TargetNotFoundException"):
        estate.org.attach_policy(PolicyId=FULL, TargetId="999999999999")
    for change in (estate.org.update_policy, estate.org.delete_policy):
        assert reason("InvalidInputException", change, PolicyId=FULL) == "IMMUTABLE_POLICY"


def test_the_last_policy_stays_and_the_sixth_does_not_come(jar: TestJar) -> None:
    estate = Estate(jar)
    unit = estate.unit("dev")
    why = reason("ConstraintViolationException", estate.org.detach_policy, PolicyId=FULL, TargetId=unit)
    assert why == "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
    for n in range(4):
        estate.policy(f"p{n}", deny("s3:*"), on=unit)
    sixth = estate.policy("p5", deny("s3:*"))
    why = reason("ConstraintViolationException", estate.org.attach_policy, PolicyId=sixth, TargetId=unit)
    assert why == "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
    estate.org.detach_policy(PolicyId=FULL, TargetId=unit)
    assert len(attached(estate, unit)) == 4


def test_types_are_enabled_and_disabled(jar: TestJar) -> None:
    estate = Estate(jar)
    number = estate.account("dev")
    types = {"RootId": estate.root, "PolicyType": RCP}
    with refused("PolicyTypeNotEnabledException"):
        estate.org.disable_policy_type(**types)
    made = estate.policy("p", {**deny("s3:*"), "Principal": "*"}, kind=RCP)
    with refused("PolicyTypeNotEnabledException"):
        estate.org.attach_policy(PolicyId=made, TargetId=number)
    enabled = estate.org.enable_policy_type(**types)["Root"]["PolicyTypes"]
    assert enabled == [{"Type": SCP, "Status": "ENABLED"}, {"Type": RCP, "Status": "ENABLED"}]
    with refused("PolicyTypeAlreadyEnabledException"):
        estate.org.enable_policy_type(**types)
    assert attached(estate, number, RCP) == ["p-RCPFullAWSAccess"]
    why = reason("InvalidInputException", estate.org.detach_policy, PolicyId="p-RCPFullAWSAccess", TargetId=number)
    assert why == "NON_DETACHABLE_POLICY"
    estate.org.attach_policy(PolicyId=made, TargetId=number)
    estate.org.disable_policy_type(**types)
    assert attached(estate, number, RCP) == []
    assert estate.org.describe_policy(PolicyId=made)["Policy"]["PolicySummary"]["Name"] == "p"
    with refused("RootNotFoundException"):
        estate.org.enable_policy_type(RootId="r-none", PolicyType=RCP)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (SCP, "{"),
        (SCP, policy({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"})),
        (RCP, policy(deny("s3:*"))),
        (RCP, policy({**allow("s3:*"), "Principal": "*"})),
        (RCP, policy({**deny("s3:*"), "Principal": {"AWS": ACCOUNT}})),
        (TAG, "[]"),
        (TAG, '{"tags": {}, "more": {}}'),
        (TAG, '{"tags": {"team": {"tag_key": "Team"}}}'),
        (TAG, '{"tags": {"team": {"tag_key": {"@@shout": "Team"}}}}'),
    ],
)
def test_documents_that_are_refused(steady_jar: TestJar, kind: str, content: str) -> None:
    estate = Estate(steady_jar)
    with refused("MalformedPolicyDocumentException"):
        estate.org.create_policy(Name="p", Description="", Content=content, Type=kind)


def test_a_policy_that_is_too_long(steady_jar: TestJar) -> None:
    estate = Estate(steady_jar)
    content = policy(deny(*(f"s3:Get{n:04}*" for n in range(500))))
    why = reason(
        "ConstraintViolationException", estate.org.create_policy, Name="p", Description="", Content=content, Type=SCP
    )
    assert why == "POLICY_CONTENT_LIMIT_EXCEEDED"


def test_types_that_are_not_built_say_so(steady_jar: TestJar) -> None:
    estate = Estate(steady_jar)
    with refused("NotImplemented", "INSPECTOR_POLICY", status=501):
        estate.org.create_policy(Name="p", Description="", Content="{}", Type="INSPECTOR_POLICY")


def tag_policy(estate: Estate, name: str, on: str, **tags: Any) -> str:
    """A tag policy, attached."""
    content = json.dumps({"tags": tags})
    made = estate.org.create_policy(Name=name, Description="", Content=content, Type=TAG)
    found: str = made["Policy"]["PolicySummary"]["Id"]
    estate.org.attach_policy(PolicyId=found, TargetId=on)
    return found


def test_an_effective_policy_is_merged_on_the_way_down(jar: TestJar) -> None:
    estate = Estate(jar)
    unit = estate.unit("dev")
    number = estate.account("dev", unit)
    member = root(jar, "organizations", number)
    with refused("EffectivePolicyNotFoundException"):
        member.describe_effective_policy(PolicyType=TAG)
    estate.org.enable_policy_type(RootId=estate.root, PolicyType=TAG)
    top = {
        "tag_key": {"@@assign": "CostCenter", "@@operators_allowed_for_child_policies": ["@@none"]},
        "tag_value": {"@@assign": ["100", "200"]},
    }
    tag_policy(estate, "top", estate.root, costcenter=top)
    below = {"tag_key": {"@@assign": "COSTCENTER"}, "tag_value": {"@@append": ["300"], "@@remove": ["100"]}}
    tag_policy(estate, "below", unit, costcenter=below, team={"tag_key": {"@@assign": "Team"}})
    effective = member.describe_effective_policy(PolicyType=TAG)["EffectivePolicy"]
    assert effective["TargetId"] == number
    assert json.loads(effective["PolicyContent"]) == {
        "tags": {
            "costcenter": {"tag_key": "CostCenter", "tag_value": ["200", "300"]},
            "team": {"tag_key": "Team"},
        }
    }
    mine = estate.org.describe_effective_policy(PolicyType=TAG)["EffectivePolicy"]
    assert json.loads(mine["PolicyContent"])["tags"]["costcenter"]["tag_value"] == ["100", "200"]
    with refused("AccessDeniedException"):
        member.describe_effective_policy(PolicyType=TAG, TargetId=ACCOUNT)


def test_a_resource_policy_leaves_policies_to_a_member(jar: TestJar) -> None:
    estate = Estate(jar)
    number, unit = estate.account("security"), estate.unit("dev")
    member = user(jar, "ann", allow("organizations:*"), account=number).client("organizations")
    with refused("ResourcePolicyNotFoundException"):
        estate.org.describe_resource_policy()
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{number}:root"},
        "Action": ["organizations:CreatePolicy", "organizations:AttachPolicy", "organizations:DescribePolicy"],
        "Resource": "*",
        "Condition": {"StringLikeIfExists": {"organizations:PolicyType": [SCP]}},
    }
    made = estate.org.put_resource_policy(Content=policy(statement))["ResourcePolicy"]["ResourcePolicySummary"]
    assert made["Arn"] == f"arn:aws:organizations::{ACCOUNT}:resourcepolicy/{estate.id}/{made['Id']}"
    content = policy(deny("s3:*"))
    written = member.create_policy(Name="p", Description="", Content=content, Type=SCP)["Policy"]["PolicySummary"]
    member.attach_policy(PolicyId=written["Id"], TargetId=unit)
    assert set(attached(estate, unit)) == {FULL, written["Id"]}
    for ask, params in (
        (member.create_policy, {"Name": "q", "Description": "", "Content": '{"tags": {}}', "Type": TAG}),
        (member.detach_policy, {"PolicyId": written["Id"], "TargetId": unit}),
        (member.create_organizational_unit, {"ParentId": estate.root, "Name": "x"}),
    ):
        with refused("AccessDeniedException", "You don't have permissions to access this resource."):
            ask(**params)
    nobody = user(jar, "bob", account=number).client("organizations")
    with refused("AccessDeniedException", "user/bob"):
        nobody.describe_policy(PolicyId=written["Id"])
    estate.org.delete_resource_policy()
    with refused("AccessDeniedException"):
        member.describe_policy(PolicyId=written["Id"])


def test_what_a_resource_policy_cannot_say(steady_jar: TestJar) -> None:
    estate = Estate(steady_jar)
    who = {"Principal": {"AWS": ACCOUNT}}
    for content, why in (
        ("no", "INVALID_RESOURCE_POLICY_JSON"),
        (policy({**allow("organizations:CreateAccount"), **who}), "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY"),
        (policy({**allow("*"), **who}), "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY"),
        (policy({**allow("organizations:ListRoots"), "Principal": {"AWS": "999999999999"}}), "INVALID_PRINCIPAL"),
    ):
        assert reason("InvalidInputException", estate.org.put_resource_policy, Content=content) == why
