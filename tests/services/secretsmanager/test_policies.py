"""What makes a resource policy public, and what validation finds."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.kit.public_policies import is_public
from tests.jar import ACCOUNT, TestJar
from tests.services.secretsmanager.asking import document, refused, statement

READ = "secretsmanager:GetSecretValue"
ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}


@pytest.mark.parametrize(
    ("more", "public"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": ["*", ACCOUNT]}}, True),
        ({"NotPrincipal": {"AWS": ACCOUNT}}, True),
        ({"Principal": {"AWS": ACCOUNT}}, False),
        ({"Principal": {"Service": "lambda.amazonaws.com"}}, False),
        ({"Principal": "*", "effect": "Deny"}, False),
        ({"Principal": "*", "Condition": ORG}, False),
        ({"Principal": "*", "Condition": {"StringEqualsIfExists": ORG["StringEquals"]}}, True),
        ({"Principal": "*", "Condition": {"StringNotEquals": ORG["StringEquals"]}}, True),
        ({"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}}, True),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}}, False),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}}, True),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, False),
        ({"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Principal": "*", "Condition": {"ForAllValues:StringEquals": ORG["StringEquals"]}}, True),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": "${aws:SourceAccount}"}}}, True),
    ],
)
def test_who_is_everyone(more: dict[str, Any], public: bool) -> None:
    assert is_public(document(statement(READ, **more))) is public


def test_one_public_statement_is_enough() -> None:
    mine = statement(READ, Principal={"AWS": ACCOUNT})
    assert is_public(document(mine, statement(READ, Principal="*")))
    assert not is_public(document(mine))


def test_public_policies_can_be_blocked(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s")
    public = document(statement(READ, Principal="*"))
    with refused("PublicPolicyException", "BlockPublicPolicy"):
        secrets.put_resource_policy(SecretId="s", ResourcePolicy=public, BlockPublicPolicy=True)
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="s")
    narrowed = document(statement(READ, Principal="*", Condition=ORG))
    secrets.put_resource_policy(SecretId="s", ResourcePolicy=narrowed, BlockPublicPolicy=True)
    secrets.put_resource_policy(SecretId="s", ResourcePolicy=public)


def test_validation_says_what_is_wrong_and_stores_nothing(jar: TestJar, secrets: Any) -> None:
    secrets.create_secret(Name="s")

    def wrong(text: str) -> list[str]:
        answer = secrets.validate_resource_policy(SecretId="s", ResourcePolicy=text)
        assert answer["PolicyValidationPassed"] is (not answer["ValidationErrors"])
        return [error["CheckName"] for error in answer["ValidationErrors"]]

    assert wrong(document(statement(READ, Principal={"AWS": ACCOUNT}))) == []
    assert wrong(document(statement(READ, Principal="*"))) == ["PUBLIC_ACCESS"]
    assert wrong("no json") == ["POLICY_SYNTAX"]
    assert wrong(document(statement("secretsmanager:*", Principal="*", effect="Deny"))) == ["LOCKOUT"]
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="s")
