"""Custom policy checks: nothing that is newly allowed is missed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.policy.document import Document, parse
from cloudjar.policy.evaluate import AccessRequest, Policy, PolicySet, decide
from cloudjar.policy.grammar import Flavour
from cloudjar.policy.principal import Kind, Principal
from cloudjar.services.accessanalyzer.checks import rules
from tests.jar import TestJar

Json = dict[str, Any]
A = "arn:aws:s3:::a"


def document(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> Json:
    return {**allow(action, resource, **more), "Effect": "Deny"}


MFA = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
SAME = [
    ([allow("s3:Get*")], [allow("s3:GetObject")]),
    ([allow("s3:*", f"{A}*")], [allow(["s3:GetObject", "s3:PutObject"], [A, f"{A}/x/*"])]),
    ([allow("s3:GetObject"), allow("s3:PutObject")], [allow(["s3:GetObject", "s3:PutObject"])]),
    ([allow("s3:GetObject")], [allow("s3:GetObject", **MFA)]),
    ([allow("s3:GetObject", Condition={"StringLike": {"aws:username": "a*"}})],
     [allow("s3:GetObject", Condition={"StringLike": {"aws:username": ["ab*", "a"]}})]),
    ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], [allow("s3:*")]),
    ([allow("*"), deny("iam:*")], [allow("*"), deny(["iam:*", "s3:*"])]),
    ([allow("s3:GetObject")], [allow(["s3:GetObject", "s3:PutObject"]), deny("s3:Put*")]),
    ([allow("iam:*CredentialReport")], [allow(["iam:GetCredentialReport", "iam:GenerateCredentialReport"])]),
    ([allow("s3:GetObject", f"{A}/${{aws:username}}/*")], [allow("s3:GetObject", f"{A}/${{aws:username}}/*")]),
]  # fmt: skip
MORE = [
    ([allow("s3:GetObject")], [allow("s3:Get*")]),
    ([allow("s3:*", A)], [allow("s3:*", f"{A}/*")]),
    ([allow("s3:GetObject", **MFA)], [allow("s3:GetObject")]),
    ([allow("*"), deny("iam:*")], [allow("*")]),
    ([allow("*"), deny("iam:*")], [allow("*"), deny("iam:*", **MFA)]),
    ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], [allow("iam:GetUser")]),
    ([allow("s3:GetObject", f"{A}/${{aws:username}}/*")], [allow("s3:GetObject", f"{A}/*/*")]),
    ([allow("s3:GetObject", f"{A}/${{aws:username}}/*")], [allow("s3:GetObject", f"{A}/ann/*")]),
    ([deny("s3:GetObject")], [allow("s3:GetObject")]),
]


@pytest.mark.parametrize(("existing", "new"), SAME)
def test_no_new_access(existing: list[Json], new: list[Json]) -> None:
    assert rules.new_access(parse(document(*new)), parse(document(*existing))) == []


@pytest.mark.parametrize(("existing", "new"), MORE)
def test_new_access(existing: list[Json], new: list[Json]) -> None:
    assert rules.new_access(parse(document(*new)), parse(document(*existing))) != []


ACTIONS = ["s3:GetObject", "s3:PutObject", "iam:GetUser"]
RESOURCES = [A, f"{A}/x", "arn:aws:s3:::b"]
STATEMENT = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Action": st.sampled_from(
            ["*", "s3:*", "s3:Get*", "s3:GetObject", "iam:*", ["s3:GetObject", "iam:GetUser"]]
        ),
        "Resource": st.sampled_from(["*", A, f"{A}*", f"{A}/*", ["arn:aws:s3:::b", A]]),
        "Condition": st.sampled_from([{}, MFA["Condition"]]),
    }
)


def may(policy: Document, action: str, resource: str, mfa: str) -> bool:
    who = Principal(Kind.USER, "arn:aws:iam::000000000000:user/u", "000000000000")
    request = AccessRequest(action, resource, who, {"aws:multifactorauthpresent": mfa})
    return decide(request, PolicySet(identity=(Policy(policy),))).allowed


@given(st.lists(STATEMENT, min_size=1, max_size=3), st.lists(STATEMENT, min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_a_pass_is_never_wrong(existing: list[Json], new: list[Json]) -> None:
    """Whatever the engine allows under a policy that passed, it allowed before."""
    before, after = parse(document(*existing)), parse(document(*new))
    passed = not rules.new_access(after, before)
    for action in ACTIONS:
        for resource in RESOURCES:
            allowed = [may(after, action, resource, mfa) for mfa in ("true", "false")]
            if passed:
                was = [may(before, action, resource, mfa) for mfa in ("true", "false")]
                assert all(old or not now for old, now in zip(was, allowed, strict=True)), (action, resource)
            if any(allowed):
                assert rules.granted(after, {"actions": [action], "resources": [resource]})


def test_access_that_must_not_be_granted() -> None:
    policy = parse(document(allow("s3:*", f"{A}/*"), deny("s3:Delete*")))
    assert rules.granted(policy, {"actions": ["s3:GetObject"]})
    assert rules.granted(policy, {"actions": ["s3:GetObject"], "resources": [f"{A}/x"]})
    assert rules.granted(policy, {"resources": [f"{A}/x"]})
    assert not rules.granted(policy, {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::b/x"]})
    assert not rules.granted(policy, {"actions": ["s3:DeleteObject"]})
    assert not rules.granted(policy, {"actions": ["iam:*"]})


def test_the_answers(jar: TestJar) -> None:
    client = jar.client("accessanalyzer")
    old, new = document(allow("s3:GetObject")), document(allow("s3:GetObject"), allow("s3:*", Sid="Wide"))
    answer = client.check_no_new_access(
        newPolicyDocument=old, existingPolicyDocument=new, policyType="IDENTITY_POLICY"
    )
    assert answer["result"] == "PASS"
    answer = client.check_no_new_access(
        newPolicyDocument=new, existingPolicyDocument=old, policyType="IDENTITY_POLICY"
    )
    assert answer["result"] == "FAIL"
    assert answer["message"] == "The modified permissions grant new access compared to your existing policy."
    [reason] = answer["reasons"]
    assert (reason["statementIndex"], reason["statementId"]) == (1, "Wide")
    answer = client.check_access_not_granted(
        policyDocument=new, access=[{"actions": ["s3:PutObject"]}], policyType="IDENTITY_POLICY"
    )
    assert (answer["result"], [r["statementIndex"] for r in answer["reasons"]]) == ("FAIL", [1])
    with pytest.raises(ClientError) as refused:
        client.check_no_new_access(newPolicyDocument="{", existingPolicyDocument=old, policyType="IDENTITY_POLICY")
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"


@pytest.mark.parametrize(
    ("principal", "condition", "public"),
    [
        ("*", {}, True),
        ({"AWS": "*"}, {}, True),
        ({"AWS": "000000000000"}, {}, False),
        ({"Service": "sns.amazonaws.com"}, {}, False),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
        ("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, True),
        ("*", {"StringLike": {"aws:PrincipalOrgID": "o-*"}}, True),
        ("*", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:000000000000:*"}}, False),
        ("*", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}, True),
        ("*", {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, False),
        ("*", {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, True),
        ("*", {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}, False),
        ("*", {"Bool": {"aws:SecureTransport": "true"}}, True),
    ],
)
def test_what_is_public(steady_jar: TestJar, principal: Any, condition: Json, public: bool) -> None:
    client = steady_jar.client("accessanalyzer")
    statement = allow("secretsmanager:GetSecretValue", Principal=principal, Condition=condition)
    answer = client.check_no_public_access(
        policyDocument=document(statement), resourceType="AWS::SecretsManager::Secret"
    )
    assert answer["result"] == ("FAIL" if public else "PASS")
    shut = {**deny("*"), "Principal": "*"}
    answer = client.check_no_public_access(
        policyDocument=document(statement, shut), resourceType="AWS::SecretsManager::Secret"
    )
    assert answer["result"] == "PASS"


def test_the_flavour_of_role_trust(steady_jar: TestJar) -> None:
    client = steady_jar.client("accessanalyzer")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    answer = client.check_no_public_access(
        policyDocument=document(trust), resourceType="AWS::IAM::AssumeRolePolicyDocument"
    )
    assert answer["result"] == "FAIL"
    assert parse(document(trust), Flavour.TRUST).statements[0].allows
