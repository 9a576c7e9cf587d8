"""The policy simulator answers as AWS does, and as the gate that real calls pass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.jar import ACCOUNT, TestJar, running
from tests.services.iam.people import ADMIN, OTHER, Person, allow, deny, policy, refused, role, root, trust, user
from tests.services.organizations.estate import SCP, Estate

BUCKET = "arn:aws:s3:::b"
QUEUE = f"arn:aws:sqs:eu-west-3:{OTHER}:q"


def one(answer: dict[str, Any]) -> dict[str, Any]:
    """The only result."""
    (result,) = answer["EvaluationResults"]
    found: dict[str, Any] = result
    return found


def custom(iam: Any, *policies: str, action: str = "s3:GetObject", **more: Any) -> dict[str, Any]:
    """One action simulated on given policies."""
    return one(iam.simulate_custom_policy(PolicyInputList=list(policies), ActionNames=[action], **more))


def test_allowed_denied_and_neither(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    both = policy(allow("s3:*"), deny("s3:Delete*"))
    answer = iam.simulate_custom_policy(
        PolicyInputList=[both], ActionNames=["s3:GetObject", "s3:DeleteObject", "ec2:StopInstances"]
    )
    decisions = {r["EvalActionName"]: r["EvalDecision"] for r in answer["EvaluationResults"]}
    assert decisions == {
        "s3:GetObject": "allowed",
        "s3:DeleteObject": "explicitDeny",
        "ec2:StopInstances": "implicitDeny",
    }
    first = answer["EvaluationResults"][0]
    assert first["EvalResourceName"] == "*"
    assert "EvalDecisionDetails" not in first
    assert "ResourceSpecificResults" not in first


# What AWS's own examples and answers show: a statement in a list begins right after what precedes it.
POSITIONS = [
    (
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":'
        '{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}',
        [((1, 38), (1, 167))],
    ),
    (
        '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {\n      "Effect": "Allow",\n      "Action": "*",\n'
        '      "Resource": "*"\n    }\n  ]\n}',
        [((3, 17), (8, 6))],
    ),
    (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, '
        '{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}',
        [((1, 41), (1, 92)), ((1, 92), (1, 154))],
    ),
]


@pytest.mark.parametrize(("document", "spans"), POSITIONS)
def test_matched_statements_stand_where_aws_says(
    steady_jar: TestJar, document: str, spans: list[tuple[tuple[int, int], tuple[int, int]]]
) -> None:
    then = ["2019-04-25T11:00:00Z"]
    now = {"ContextKeyName": "aws:CurrentTime", "ContextKeyValues": then, "ContextKeyType": "date"}
    found = custom(root(steady_jar, "iam"), document, action="dynamodb:CreateBackup", ContextEntries=[now])
    assert found["EvalDecision"] == "allowed"
    assert [
        tuple((m[end]["Line"], m[end]["Column"]) for end in ("StartPosition", "EndPosition"))
        for m in found["MatchedStatements"]
    ] == spans
    assert {(m["SourcePolicyId"], m["SourcePolicyType"]) for m in found["MatchedStatements"]} == {
        ("PolicyInputList.1", "IAM Policy")
    }


def test_an_explicit_deny_lists_the_denials_alone(steady_jar: TestJar) -> None:
    found = custom(root(steady_jar, "iam"), policy(allow("*")), policy(deny("s3:*")))
    assert found["EvalDecision"] == "explicitDeny"
    assert [m["SourcePolicyId"] for m in found["MatchedStatements"]] == ["PolicyInputList.2"]


def test_missing_context_is_named_as_the_policy_spells_it(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    text = policy(
        allow("s3:GetObject", on=BUCKET + "/${aws:UserName}/*"),
        allow("s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        allow("ec2:*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
    )
    found = custom(iam, text)
    assert (found["EvalDecision"], found["MissingContextValues"]) == ("implicitDeny", ["aws:SourceIp", "aws:UserName"])
    source = {"ContextKeyName": "AWS:sourceip", "ContextKeyValues": ["10.1.2.3"], "ContextKeyType": "ip"}
    found = custom(iam, text, ContextEntries=[source])
    assert (found["EvalDecision"], found["MissingContextValues"]) == ("allowed", ["aws:UserName"])
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[text])["ContextKeyNames"]
    assert keys == ["aws:SecureTransport", "aws:SourceIp", "aws:UserName"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("numeric", ["ten"]),
        ("numericList", ["1", "x"]),
        ("boolean", ["yes"]),
        ("date", ["yesterday"]),
        ("ip", ["1.2.3"]),
        ("string", ["a", "b"]),
        ("binary", ["!"]),
    ],
)
def test_context_values_must_be_of_their_type(steady_jar: TestJar, kind: str, values: list[str]) -> None:
    entry = {"ContextKeyName": "aws:TagKeys", "ContextKeyValues": values, "ContextKeyType": kind}
    with refused("InvalidInput", "aws:TagKeys", status=400):
        custom(root(steady_jar, "iam"), policy(allow("*")), ContextEntries=[entry])


def test_lists_feed_the_set_operators(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    text = policy(allow("ec2:CreateTags", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}))

    def decided(*keys: str) -> str:
        entry = {"ContextKeyName": "aws:TagKeys", "ContextKeyValues": list(keys), "ContextKeyType": "stringList"}
        return str(custom(iam, text, action="ec2:CreateTags", ContextEntries=[entry])["EvalDecision"])

    assert (decided("a", "b"), decided("a", "c")) == ("allowed", "implicitDeny")


def test_several_resources_make_one_result_with_the_most_restrictive_decision(steady_jar: TestJar) -> None:
    text = policy(allow("s3:*", on=BUCKET + "/*"), deny("s3:*", on=BUCKET + "/secret"))
    resources = [BUCKET + "/open", BUCKET + "/secret", "arn:aws:s3:::other/x"]
    found = custom(root(steady_jar, "iam"), text, ResourceArns=resources)
    assert found["EvalResourceName"] == "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
    assert (found["EvalDecision"], found["EvalDecisionDetails"]) == ("explicitDeny", {})
    assert [(r["EvalResourceName"], r["EvalResourceDecision"]) for r in found["ResourceSpecificResults"]] == [
        (resources[0], "allowed"),
        (resources[1], "explicitDeny"),
        (resources[2], "implicitDeny"),
    ]
    assert len(found["MatchedStatements"]) == 1


def test_an_action_without_resource_level_permission_is_asked_for_on_everything(steady_jar: TestJar) -> None:
    instance = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:instance/i-1"
    iam = root(steady_jar, "iam")
    narrow = policy(allow("ec2:DescribeInstances", on=instance))
    found = custom(iam, narrow, action="ec2:DescribeInstances", ResourceArns=[instance])
    assert (found["EvalDecision"], found["EvalResourceName"]) == ("implicitDeny", "*")


def test_a_boundary_limits_and_says_so(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    limit = [policy(allow("ec2:*"))]
    found = custom(iam, policy(allow("*")), PermissionsBoundaryPolicyInputList=limit)
    assert found["EvalDecision"] == "implicitDeny"
    assert found["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    inside = custom(iam, policy(allow("*")), action="ec2:StopInstances", PermissionsBoundaryPolicyInputList=limit)
    assert inside["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}
    with refused("InvalidInput", "only one permissions boundary"):
        custom(iam, policy(allow("*")), PermissionsBoundaryPolicyInputList=limit * 2)


def test_every_level_of_scps_must_allow(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")

    def level(*policies: str) -> dict[str, list[str]]:
        return {"ServiceControlPolicyInputList": list(policies)}

    everything, no_s3 = policy(allow("*")), policy(allow("*"), deny("s3:*"))
    found = custom(iam, everything, OrderedOrganizationPolicyInputList=[level(everything), level(no_s3)])
    assert (found["EvalDecision"], found["MatchedStatements"]) == ("explicitDeny", [])
    assert found["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    found = custom(iam, everything, OrderedOrganizationPolicyInputList=[level(everything), level(everything)])
    assert found["EvalDecision"] == "allowed"
    assert found["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}


def test_a_resource_policy_needs_a_caller_and_admits_him(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    ann = user(steady_jar, "ann")
    bucket = policy({"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "s3:GetObject", "Resource": "*"})
    with refused("InvalidInput", "CallerArn"):
        custom(iam, policy(allow("ec2:*")), ResourcePolicy=bucket)
    found = custom(iam, policy(allow("ec2:*")), ResourcePolicy=bucket, CallerArn=ann.arn, ResourceArns=[BUCKET + "/x"])
    assert found["EvalDecision"] == "allowed"
    (matched,) = found["MatchedStatements"]
    assert (matched["SourcePolicyId"], matched["SourcePolicyType"]) == ("ResourcePolicy", "Resource Policy")
    arn = role(steady_jar, "R", trust(ACCOUNT))
    with refused("InvalidInput", "not supported for IAM roles"):
        custom(iam, policy(allow("*")), ResourcePolicy=bucket, CallerArn=arn)
    with refused("InvalidInput", "CallerArn"):
        custom(iam, policy(allow("*")), CallerArn=f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s")


def test_across_accounts_both_sides_are_said(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    ann = user(steady_jar, "ann", allow("sqs:*"))
    asked = {"ActionNames": ["sqs:SendMessage"], "ResourceArns": [QUEUE], "PolicySourceArn": ann.arn}
    found = one(iam.simulate_principal_policy(**asked))
    assert found["EvalDecision"] == "implicitDeny"
    assert found["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}
    queue = policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sqs:*", "Resource": QUEUE})
    found = one(iam.simulate_principal_policy(**asked, ResourcePolicy=queue))
    assert (found["EvalDecision"], found["EvalDecisionDetails"]["Resource Policy"]) == ("allowed", "allowed")


def test_a_bucket_is_whose_the_question_says(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    owners = {ACCOUNT: "allowed", OTHER: "implicitDeny", f"arn:aws:iam::{OTHER}:root": "implicitDeny"}
    for owner, decision in owners.items():
        found = custom(iam, policy(allow("s3:*")), ResourceArns=[BUCKET + "/x"], ResourceOwner=owner)
        assert found["EvalDecision"] == decision
    with refused("InvalidInput", "ResourceOwner"):
        custom(iam, policy(allow("s3:*")), ResourceOwner="somebody")


def test_a_users_simulation_has_his_groups_his_boundary_and_what_is_added(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("s3:GetObject"))
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="lists", PolicyDocument=policy(allow("s3:ListBucket")))
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    iam.attach_group_policy(GroupName="readers", PolicyArn=ADMIN)

    def asked(action: str, **more: Any) -> dict[str, Any]:
        return one(iam.simulate_principal_policy(PolicySourceArn=ann.arn, ActionNames=[action], **more))

    ids = {m["SourcePolicyId"] for m in asked("s3:ListBucket")["MatchedStatements"]}
    assert ids == {"group_readers_lists", "AdministratorAccess"}
    assert {m["SourcePolicyId"] for m in asked("s3:GetObject")["MatchedStatements"]} == {
        "user_ann_own",
        "AdministratorAccess",
    }
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=limit)
    assert asked("ec2:StopInstances")["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    other = [policy(allow("ec2:*"))]
    assert asked("ec2:StopInstances", PermissionsBoundaryPolicyInputList=other)["EvalDecision"] == "allowed"
    added = asked("s3:GetObject", PolicyInputList=[policy(deny("s3:*"))])
    assert [m["SourcePolicyId"] for m in added["MatchedStatements"]] == ["PolicyInputList.1"]


def test_policies_can_be_left_out(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("s3:*"))
    mine = iam.create_policy(PolicyName="mine", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
    for arn in (ADMIN, mine):
        iam.attach_user_policy(UserName="ann", PolicyArn=arn)

    def left(*without: dict[str, Any]) -> set[str]:
        found = one(
            iam.simulate_principal_policy(
                PolicySourceArn=ann.arn, ActionNames=["s3:GetObject"], PolicyExclusionList=list(without)
            )
        )
        return {m["SourcePolicyId"] for m in found["MatchedStatements"]}

    inline = {"PolicyName": "own", "AttachmentType": "user", "AttachmentName": "ann"}
    assert left() == {"user_ann_own", "AdministratorAccess", "mine"}
    assert left({"PolicyType": "aws-managed"}) == {"user_ann_own", "mine"}
    assert left({"PolicyArn": "arn:aws:iam::aws:policy/Admin*"}, {"PolicyArn": mine}) == {"user_ann_own"}
    assert left({"InlinePolicyIdentifier": inline}) == {"AdministratorAccess", "mine"}
    for wrong in ("arn:aws:iam::aws:policy/A*n*s", "arn:aws:iam::*:policy/Administrator", "x" * 20):
        with refused("InvalidInput", "PolicyExclusionList"):
            left({"PolicyArn": wrong})


def test_the_organizations_scps_count_unless_left_out(jar: TestJar, iam: Any) -> None:
    estate = Estate(jar)
    with suppress(estate.org.exceptions.PolicyTypeAlreadyEnabledException):
        estate.org.enable_policy_type(RootId=estate.root, PolicyType=SCP)
    member = estate.invited(OTHER)
    ann = user(jar, "ann", allow("*"), account=member)
    estate.policy("no-s3", deny("s3:*"), on=member)
    theirs = root(jar, "iam", member)

    def asked(**more: Any) -> tuple[str, dict[str, bool] | None]:
        answer = theirs.simulate_principal_policy(PolicySourceArn=ann.arn, ActionNames=["s3:GetObject"], **more)
        found = one(answer)
        return found["EvalDecision"], found.get("OrganizationsDecisionDetail")

    assert asked() == ("explicitDeny", {"AllowedByOrganizations": False})
    assert asked(PolicyExclusionList=[{"PolicyType": "scp"}]) == ("allowed", None)
    mine = user(jar, "eve", allow("*"))  # the management account is not bound
    found = one(iam.simulate_principal_policy(PolicySourceArn=mine.arn, ActionNames=["s3:GetObject"]))
    assert (found["EvalDecision"], "OrganizationsDecisionDetail" in found) == ("allowed", False)


def test_the_caller_may_be_somebody_else(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    ann, bob = user(steady_jar, "ann", allow("ec2:*")), user(steady_jar, "bob")
    bucket = policy({"Effect": "Allow", "Principal": {"AWS": bob.arn}, "Action": "s3:*", "Resource": "*"})
    asked = {"PolicySourceArn": ann.arn, "ActionNames": ["s3:GetObject"], "ResourceArns": [BUCKET + "/x"]}
    assert one(iam.simulate_principal_policy(**asked, ResourcePolicy=bucket))["EvalDecision"] == "implicitDeny"
    as_bob = iam.simulate_principal_policy(**asked, ResourcePolicy=bucket, CallerArn=bob.arn)
    assert one(as_bob)["EvalDecision"] == "allowed"


def test_what_cannot_be_asked(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    with refused("NoSuchEntity", "The user with name nobody cannot be found.", status=404):
        iam.simulate_principal_policy(PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/nobody", ActionNames=["s3:Get"])
    for action in ("GetObject", "s3:*", "s3:"):
        with refused("InvalidInput", "Invalid action name"):
            custom(iam, policy(allow("*")), action=action)
    with refused("InvalidInput"):
        custom(iam, "{}")
    with refused("InvalidInput", "Invalid resource ARN"):
        custom(iam, policy(allow("*")), ResourceArns=["bucket"])


def test_a_scenario_wants_its_resources(steady_jar: TestJar) -> None:
    iam, here = root(steady_jar, "iam"), f"arn:aws:ec2:eu-west-3:{ACCOUNT}:"
    given = [here + k for k in ("instance/i-1", "image/ami-1", "security-group/sg-1", "network-interface/eni-1")]
    asked: dict[str, Any] = {"action": "ec2:RunInstances", "ResourceArns": given}
    everything = policy(allow("*"))
    assert custom(iam, everything, **asked, ResourceHandlingOption="EC2-VPC-InstanceStore")["EvalDecision"] == "allowed"
    with refused("InvalidInput", "subnet, volume"):
        custom(iam, everything, **asked, ResourceHandlingOption="EC2-VPC-EBS-Subnet")
    with refused("InvalidInput", "ResourceHandlingOption"):
        custom(iam, everything, **asked, ResourceHandlingOption="EC2-Moon")


def test_results_come_in_pages(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    actions = [f"s3:Get{n}" for n in range(5)]
    pages = list(
        iam.get_paginator("simulate_custom_policy").paginate(
            PolicyInputList=[policy(allow("*"))], ActionNames=actions, PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(p["EvaluationResults"]) for p in pages] == [2, 2, 1]
    assert [r["EvalActionName"] for p in pages for r in p["EvaluationResults"]] == actions


def test_who_may_simulate_whom_is_decided_by_the_principals_arn(jar: TestJar) -> None:
    bob = user(jar, "bob")
    ann = user(jar, "ann", allow("iam:SimulatePrincipalPolicy", "iam:GetContextKeysForPrincipalPolicy", on=bob.arn))
    iam = ann.client("iam")
    assert iam.simulate_principal_policy(PolicySourceArn=bob.arn, ActionNames=["s3:GetObject"])["EvaluationResults"]
    assert iam.get_context_keys_for_principal_policy(PolicySourceArn=bob.arn)["ContextKeyNames"] == []
    with refused("AccessDenied", "iam:SimulatePrincipalPolicy", ann.arn):
        iam.simulate_principal_policy(PolicySourceArn=ann.arn, ActionNames=["s3:GetObject"])


# -- the simulator equals enforcement
USERS = f"arn:aws:iam::{ACCOUNT}:user/"
QUESTIONS = {
    ("iam:GetUser", USERS + "ann"): lambda c: c("iam").get_user(UserName="ann"),
    ("iam:GetUser", USERS + "team/bob"): lambda c: c("iam").get_user(UserName="bob"),
    ("iam:ListUsers", USERS): lambda c: c("iam").list_users(),
    ("iam:ListGroupsForUser", USERS + "ann"): lambda c: c("iam").list_groups_for_user(UserName="ann"),
    ("ec2:DescribeVpcs", "*"): lambda c: c("ec2").describe_vpcs(),
    ("sts:GetAccessKeyInfo", "*"): lambda c: c("sts").get_access_key_info(AccessKeyId="AKIA" + "A" * 16),
}
NOT_REFUSED = {"NoSuchEntity"}
ACTIONS = ["*", "iam:*", "iam:Get*", "iam:GetUser", "iam:ListUsers", "ec2:*", "ec2:DescribeVpcs", "sts:Get*", "s3:*"]
USER_ARNS = [USERS + "*", USERS + "ann", USERS + "${aws:username}", USERS + "team/*"]
RESOURCES = ["*", *USER_ARNS, "arn:aws:sts:*:*:*", "arn:aws:iam::*:*"]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"StringEquals": {"aws:username": "ann"}},
    {"StringNotEquals": {"aws:username": "ann"}},
    {"StringLike": {"aws:PrincipalArn": "*:user/ann"}},
    {"Null": {"aws:TokenIssueTime": "true"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringEqualsIfExists": {"aws:PrincipalTag/team": "red"}},
]
STATEMENT = st.builds(
    lambda effect, named, actions, covers, resources, condition: {
        "Effect": effect,
        ("Action" if named else "NotAction"): actions,
        ("Resource" if covers else "NotResource"): resources,
        **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from([True, True, True, False]),
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3),
    st.sampled_from([True, True, True, False]),
    st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2),
    st.sampled_from(CONDITIONS),
)
DOCUMENT = st.lists(STATEMENT, min_size=1, max_size=3).map(lambda s: policy(*s))


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Person]]:
    """A jar with ann, who is in a group, and bob; root's client and ann."""
    with running(tmp_path_factory.mktemp("simulated")) as jar:
        iam = root(jar, "iam")
        ann = user(jar, "ann", Tags=[{"Key": "team", "Value": "red"}])
        user(jar, "bob", Path="/team/")
        iam.create_group(GroupName="g")
        iam.add_user_to_group(GroupName="g", UserName="ann")
        yield iam, ann


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(own=DOCUMENT, shared=DOCUMENT, limit=st.none() | DOCUMENT)
def test_the_simulator_equals_enforcement(court: tuple[Any, Person], own: str, shared: str, limit: str | None) -> None:
    iam, ann = court
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=own)
    iam.put_group_policy(GroupName="g", PolicyName="shared", PolicyDocument=shared)
    _bound(iam, limit)
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        return clients.setdefault(service, ann.client(service))

    for (action, resource), ask in QUESTIONS.items():
        said = one(
            iam.simulate_principal_policy(
                PolicySourceArn=ann.arn, ActionNames=[action], ResourceArns=[resource], ContextEntries=_facts(ann)
            )
        )
        assert (said["EvalDecision"] == "allowed") is _admitted(client, ask), (action, own, shared, limit)


def _bound(iam: Any, limit: str | None) -> None:
    iam.delete_user_permissions_boundary(UserName="ann")
    if limit is None:
        return
    arn = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    for version in reversed(_versions(iam, arn)):
        if version["IsDefaultVersion"]:
            iam.delete_policy(PolicyArn=arn)
    iam.create_policy(PolicyName="limit", PolicyDocument=limit)
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=arn)


def _versions(iam: Any, arn: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    except iam.exceptions.NoSuchEntityException:
        return []
    return found


def _facts(ann: Person) -> list[dict[str, Any]]:
    facts = {"aws:username": "ann", "aws:PrincipalArn": ann.arn, "aws:PrincipalTag/team": "red"}
    entries = [{"ContextKeyName": k, "ContextKeyValues": [v], "ContextKeyType": "string"} for k, v in facts.items()]
    secure = {"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["false"], "ContextKeyType": "boolean"}
    return [*entries, secure]


def _admitted(client: Any, ask: Any) -> bool:
    code = ""
    try:
        ask(client)
    except ClientError as error:
        code = error.response["Error"]["Code"]
    assert code in {"", *NOT_REFUSED} or "Denied" in code or code == "UnauthorizedOperation"
    return code in {"", *NOT_REFUSED}


def test_documents_are_well_formed() -> None:
    assert all(json.loads(document) for document, _ in POSITIONS)
